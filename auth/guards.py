"""One decorator for every door: pages, callbacks and API routes. What has no mark stays shut."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, Protocol, TypeVar, cast

from flask import current_app

from auth.session import ANONYMOUS, signed_in
from domain.access import EVERYTHING, Permission, Role, may
from domain.errors import NotAllowed, NotAuthenticated, PasswordChangeRequired
from domain.viewer import Translator, Viewer

P = ParamSpec("P")
R = TypeVar("R")

PUBLIC = "public"
EXTENSION = "nova-reader"
NO_ROLE = cast(Role, "")


class ReaderChoices(Protocol):
    """How the reader wants to be spoken to; the app binds its own under `EXTENSION`."""

    def select_locale(self) -> str: ...
    def select_theme(self) -> str: ...
    def select_scheme(self) -> str: ...
    def translator(self, locale: str) -> Translator: ...


def requires(permission: Permission) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Opens the door to whoever holds the permission; the mark is readable as `.permission`.

    The guarded function raises NotAuthenticated for nobody and NotAllowed for the others.
    """

    def decorate(door: Callable[P, R]) -> Callable[P, R]:
        @wraps(door)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            check(permission)
            return door(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(door: Callable[P, R]) -> Callable[P, R]:
    """Marks a door that is open to everybody on purpose."""
    door.permission = PUBLIC  # type: ignore[attr-defined]
    return door


def check(permission: Permission) -> None:
    """Raises NotAuthenticated or NotAllowed unless the request's user holds the permission; until
    a password that must be changed has been, the account itself is all that opens."""
    row = signed_in()
    if row is None:
        raise NotAuthenticated("Sign in first.")
    if row.must_change_password and permission != Permission.ACCOUNT:
        raise PasswordChangeRequired("Choose a new password first, at /account.")
    if not may(row.role, permission, row.scope):
        what = "role" if row.scope.everything else "role and scope"
        raise NotAllowed(f"Your {what} ({row.role}) does not allow this: {permission}.")


def current_viewer() -> Viewer:
    """The reader of this request; for nobody, one who may see nothing (`user_id` None)."""
    choices: ReaderChoices = current_app.extensions[EXTENSION]
    row = signed_in()
    locale = choices.select_locale()
    return Viewer(
        name=row.name if row else "",
        email=row.email if row else ANONYMOUS,
        role=row.role if row else NO_ROLE,
        scope=row.scope if row else EVERYTHING,
        locale=locale,
        theme=choices.select_theme(),
        scheme=choices.select_scheme(),
        user_id=row.user_id if row else None,
        t=choices.translator(locale),
    )
