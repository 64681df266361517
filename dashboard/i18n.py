"""Languages: which one the reader gets, and the translator that layouts are given.

Messages are written in English in the source. After a change of messages:

    pybabel extract -F dashboard/locale/babel.cfg -k t -k N_ -o messages.pot .
    pybabel update -i messages.pot -d dashboard/locale -N --no-wrap
    pybabel compile -d dashboard/locale
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from babel.support import NullTranslations, Translations
from flask import Blueprint, Flask, Response, g, redirect, request
from flask_babel import Babel

from auth.routes import LOCAL_PATH
from auth.session import has_bearer, request_actor, signed_in
from domain.viewer import DEFAULT_LOCALE, LOCALES, THEMES, Translator
from warehouse.commands import users
from warehouse.db import get_engine

FOLDER = Path(__file__).parent / "locale"
LOCALE_COOKIE = "nova_locale"
THEME_COOKIE = "nova_theme"
SCHEME_COOKIE = "nova_scheme"
SCHEMES = ("light", "dark")
YEAR_SECONDS = 365 * 24 * 3600

babel = Babel()
blueprint = Blueprint("language", __name__)


def init_app(server: Flask) -> None:
    """Binds Flask-Babel and the door that changes the language."""
    babel.init_app(
        server,
        default_locale=DEFAULT_LOCALE,
        default_translation_directories=str(FOLDER),
        locale_selector=select_locale,
    )
    server.register_blueprint(blueprint)


def select_locale() -> str:
    """What was chosen in this browser, else on the account, else what the browser asks for, else
    pt_BR."""
    chosen = request.cookies.get(LOCALE_COOKIE)
    if chosen in LOCALES:
        return chosen
    return _accounts_own() or accepted_locale()


def _accounts_own() -> str | None:
    """The signed-in reader's language; a program with a token asks by its own header."""
    row = g.get("signed_in")
    return row.language if row and not has_bearer() else None


def accepted_locale() -> str:
    """The best of our languages for the request's Accept-Language."""
    for tag, _ in request.accept_languages:
        for locale in LOCALES:
            if locale.partition("_")[0] == tag.replace("_", "-").partition("-")[0].lower():
                return locale
    return DEFAULT_LOCALE


def select_theme() -> str:
    """The theme kept by the browser: light, dark or system."""
    chosen = request.cookies.get(THEME_COOKIE)
    return chosen if chosen in THEMES else "system"


def select_scheme() -> str:
    """What the theme comes to in this browser, as its script reported: light or dark."""
    chosen = request.cookies.get(SCHEME_COOKIE)
    return chosen if chosen in SCHEMES else "light"


@lru_cache
def catalogue(locale: str) -> NullTranslations:
    """The compiled messages of one language."""
    return Translations.load(str(FOLDER), [locale])


@lru_cache
def translator(locale: str) -> Translator:
    """`t(msgid, **values)` for one language."""
    messages = catalogue(locale)

    def translate(msgid: str, /, **values: object) -> str:
        text = messages.gettext(msgid)
        return text % values if values else text

    return translate


@blueprint.post("/language/<any(pt_BR, en):locale>")
def choose_language(locale: str) -> Response:
    """Keeps the choice, on the account of whoever is signed in and for a year in this browser, and
    returns to the page it was made on."""
    row = signed_in()
    if row is not None:
        users.set_language(get_engine(), row=row, language=locale, actor=request_actor())
    response = redirect(page_of(request.referrer), 303)
    response.set_cookie(
        LOCALE_COOKIE, locale, max_age=YEAR_SECONDS, samesite="Lax", secure=request.is_secure
    )
    return response  # type: ignore[return-value]


def page_of(referrer: str | None) -> str:
    """The page's path and query on this very site; the start page if it came from elsewhere."""
    try:
        parts = urlsplit(referrer or "")
    except ValueError:
        return "/"
    wanted = f"{parts.path}?{parts.query}" if parts.query else parts.path
    is_ours = parts.netloc == request.host and LOCAL_PATH.fullmatch(wanted)
    return wanted if is_ours else "/"
