"""create_app(): extensions, doors, pages and API in one Flask server."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from dash import Dash
from flask import Flask, Request, Response
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

import api
from api import board
from api.parameters import strict_json
from auth import guards, oidc
from auth import routes as auth_routes
from auth.guards import current_viewer
from callbacks import board_pack
from callbacks.errors import on_error
from config import Settings, get_settings
from dashboard import (
    delivery,
    doors,
    downloads,
    extensions,
    failures,
    i18n,
    kept_pages,
    observability,
    pages,
    repeats,
    reports,
    security,
    tracing,
    uploads,
    views,
)
from layouts import format as fmt
from layouts import shell

ROOT = Path(__file__).resolve().parent.parent
MAX_BODY_BYTES = 2 * 1024 * 1024


class StrictJson(DefaultJSONProvider):
    """Bodies are read as the API reads them, whoever asks Flask for one."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """What the text says. Raises ValueError for whatever is no strict JSON."""
        return strict_json(s)


class Server(Flask):
    """Flask whose views and hooks are all plain functions."""

    def ensure_sync(self, func: Any) -> Any:
        """The function itself: Flask would look for coroutines in every hook of every request."""
        return func

    def full_dispatch_request(self) -> Response:
        """The response to the request, made by hooks and view unless it is a repeat."""
        try:
            repeated: Any = repeats.response()
        except Exception as error:
            return self.finalize_request(self.handle_user_exception(error))
        return repeated or super().full_dispatch_request()


class CookieSessions(SecureCookieSessionInterface):
    """Sessions in a signed cookie; without a cookie there is nothing to unpack, and without a word
    in it nothing to write."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of the request's cookie, else an empty one."""
        if "HTTP_COOKIE" not in request.environ or (
            self.get_cookie_name(app) not in request.cookies
        ):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """The session's cookie, where there is a session or was one."""
        if session or session.modified:
            super().save_session(app, session, response)
        elif session.accessed:
            response.vary.add("Cookie")


class NovaDash(Dash):
    """Dash with the reader's language and colours on the document itself."""

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]
        viewer = current_viewer()
        lang = viewer.locale.replace("_", "-")
        opened = f'<html lang="{lang}" data-bs-theme="{viewer.scheme}">'
        return super().interpolate_index(**parts).replace("<html>", opened, 1)


def create_app(settings: Settings | None = None) -> Flask:
    """A new server with its own Dash app; callable again in the same process.

    Starts the embedded Valkey where no REDIS_URL is given; the database is first asked by a
    request. Raises SettingsError with one clear line.
    """
    settings = settings or get_settings()
    server = _server(settings)
    tracer = tracing.tracer_of(settings)
    if tracer is None:
        repeats.bind(server)
    observability.bind(server)
    tracing.bind(server, tracer)
    delivery.bind(server)
    security.admit(server, settings)
    uploads.bind(server, settings)
    doors.bind(server)
    failures.bind(server)
    extensions.bind(server, settings, tracer)
    i18n.init_app(server)
    server.extensions[guards.EXTENSION] = i18n
    server.extensions[board.EXTENSION] = board_pack.made
    server.jinja_env.globals.update(
        banner_words=shell.banner_words,
        freshness_words=shell.freshness_words,
        moment=fmt.moment,
    )
    auth_routes.init_app(server)
    oidc.init_app(server, settings)
    api.init_app(server)
    server.register_blueprint(downloads.blueprint)
    server.register_blueprint(views.blueprint)
    server.register_blueprint(reports.blueprint)
    extensions.limit_logins(server)
    app = _dash(server)
    doors.check_callbacks_of(app)
    kept_pages.bind(server)
    security.bind(server, settings, security.script_hashes(app))
    server.after_request(security.keep_private)
    return server


def _server(settings: Settings) -> Flask:
    server = Server("nova-corrente", root_path=str(ROOT), static_folder=None)
    server.session_interface = CookieSessions()
    server.json = StrictJson(server)
    server.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        SESSION_IDLE=timedelta(minutes=settings.session_idle_minutes),
        SESSION_REFRESH_EACH_REQUEST=False,
        SESSION_COOKIE_NAME="__Host-nova" if settings.env == "production" else "nova",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    observability.log_as_json()
    return server


def _dash(server: Flask) -> Dash:
    app = NovaDash(
        "nova-corrente",
        server=server,  # type: ignore[arg-type]
        assets_folder=str(ROOT / "assets"),
        assets_ignore=delivery.IGNORED_ASSETS,
        title="Nova Corrente",
        update_title="",
        use_pages=True,
        pages_folder="",
        include_pages_meta=False,
        serve_locally=True,
        enable_mcp=False,
        suppress_callback_exceptions=True,
        on_error=on_error,
    )
    server.extensions["nova-dash"] = app
    pages.register(app)
    return app
