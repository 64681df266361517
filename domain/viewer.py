"""Who looks at a page: what a layout may know about its reader."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from domain.access import EVERYTHING, Permission, Role, Scope, may

LOCALES = ("pt_BR", "en")
DEFAULT_LOCALE = "pt_BR"
THEMES = ("light", "dark", "system")
DEFAULT_THEME = "system"


class Translator(Protocol):
    """Turns an English message into the reader's language and fills in `%(name)s` values."""

    def __call__(self, msgid: str, /, **values: object) -> str: ...


def N_(msgid: str) -> str:
    """Marks a message for translation where it is stored; `t` translates it where it is shown."""
    return msgid


def untranslated(msgid: str, /, **values: object) -> str:
    """The translator of no language: the message itself, with its values put in."""
    return msgid % values if values else msgid


@dataclass(frozen=True)
class Viewer:
    """The signed-in reader: name, role, scope, language, theme and the translator `t`.

    `theme` is one of `THEMES`, `scheme` what it comes to in this browser (light or dark), `locale`
    one of `LOCALES`. `user_id` is None for nobody.
    """

    name: str
    email: str
    role: Role
    scope: Scope = EVERYTHING
    locale: str = DEFAULT_LOCALE
    theme: str = DEFAULT_THEME
    scheme: str = "light"
    user_id: int | None = None
    t: Translator = field(default=untranslated, compare=False, repr=False)

    def may(self, permission: Permission) -> bool:
        """True if the reader's role holds the permission over the reader's scope."""
        return may(self.role, permission, self.scope)
