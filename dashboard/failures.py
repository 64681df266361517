"""What a caller gets when something fails: JSON for programs, a page for people."""

from __future__ import annotations

import logging
import time

from dash.exceptions import DependencyException
from flask import (
    Flask,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException

from api.errors import failure, status_of
from auth import resets, trail
from auth.guards import current_viewer
from auth.session import has_bearer, own_hash
from dashboard.doors import CALLBACKS
from domain.errors import (
    BeingUpdated,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NovaError,
    PasswordChangeRequired,
    TooManyAttempts,
)
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.text import ERRORS, error_text
from warehouse.db import DATABASE_DOWN, is_down, unanswered

JSON_PATHS = ("/api/", "/_dash-", "/health", "/metrics")

log = logging.getLogger(__name__)


def bind(server: Flask) -> None:
    """Every exception ends here, whoever raised it."""
    for kind in (NovaError, HTTPException, Exception):
        server.register_error_handler(kind, _answer)
    server.after_request(_note_refusal)


def _note_refusal(response: Response) -> Response:
    """Whatever is refused leaves a row, the API's calls theirs and what was noted before its own;
    visitors who were only asked to sign in leave none."""
    is_known = has_bearer() or own_hash() is not None
    is_refused = 400 <= response.status_code < 500 and (response.status_code != 401 or is_known)
    is_new = g.get("noted_status") != response.status_code
    if is_refused and is_new and not request.path.startswith("/api/"):
        is_denied = response.status_code in (401, 403)
        asked_for = f"{request.method} {_asked_for() if is_denied else request.path}"
        trail.note(
            "denied" if is_denied else "refused",
            object=trail.readable(resets.masked(asked_for)),
            status=response.status_code,
        )
    return response


def _asked_for() -> str:
    """The path; of a callback, the page that it opens or what it writes."""
    body = request.get_json(silent=True) if request.path == CALLBACKS else None
    if not isinstance(body, dict):
        return request.path
    inputs = body.get("inputs")
    for entry in inputs if isinstance(inputs, list) else []:
        if isinstance(entry, dict) and entry.get("property") == "pathname":
            return f"page {entry.get('value')}"
    return f"callback {body.get('output')}"


def _answer(error: Exception) -> ResponseReturnValue:
    error = _named(error)
    if status_of(error) == 500:
        path = resets.masked(request.path)
        log.error("a request failed: %s %s", request.method, path, exc_info=error)
    if _speaks_json():
        return failure(error)
    if isinstance(error, NotAuthenticated):
        return _to_login()
    if isinstance(error, PasswordChangeRequired):
        return redirect(url_for("account.overview"), 303)
    return _page(error)


def _speaks_json() -> bool:
    """True for programs, and for a host that is not ours: no address can be built for a page."""
    is_foreign = request_ctx.url_adapter is None
    return is_foreign or request.path.startswith(JSON_PATHS) or has_bearer()


def _named(error: Exception) -> Exception:
    """The libraries' exceptions that are no fault of ours, in our own words."""
    if is_down(error):
        return unanswered(error)
    if isinstance(error, DataError):
        log.warning("the database refused a value: %s", error.orig)
        return InvalidInput("A value is out of range.")
    if isinstance(error, DependencyException):
        return NotFound("There is no such file.")
    return _too_many(error) if isinstance(error, RateLimitExceeded) else error


def _too_many(error: RateLimitExceeded) -> TooManyAttempts:
    seconds = error.limit.limit.get_expiry() if error.limit else 60
    hit = next((one.current_limit for one in current_app.extensions["limiter"]), None)
    if hit is not None:
        seconds = min(seconds, max(1, hit.reset_at - int(time.time())))
    return TooManyAttempts("Too many failed attempts.", retry_after=seconds)


def _to_login() -> ResponseReturnValue:
    wanted = request.environ["RAW_URI"] if request.method == "GET" else None
    return redirect(url_for("auth.login_page", next=wanted), 302)


def _page(error: Exception) -> Response:
    viewer = _reader()
    title, message = _texts(error, viewer)
    html = render_template(
        "failure.html",
        viewer=viewer,
        t=viewer.t,
        title=title,
        message=message,
        request_id=g.get("request_id", ""),
    )
    response = make_response(html, status_of(error))
    response.headers["Cache-Control"] = "no-store"
    for name in ("Allow", "Retry-After"):
        if name in (known := failure(error).headers):
            response.headers[name] = known[name]
    return response


def _reader() -> Viewer:
    """The reader, or nobody when the database cannot say who it is."""
    try:
        return current_viewer()
    except (NovaError, *DATABASE_DOWN):
        g.signed_in = None
        return current_viewer()


def _texts(error: Exception, viewer: Viewer) -> tuple[str, str]:
    t, status = viewer.t, status_of(error)
    if isinstance(error, CSRFError):
        return t("The form has expired"), t("Go back, load the page again and repeat.")
    if status == 403:
        return t("Not allowed"), t("Your role does not allow this.")
    if status == 404:
        return t("Page not found"), t("There is nothing at this address.")
    if status == 413:
        return t("That request cannot be answered"), _too_large(viewer)
    if status == 429:
        return t("Too many attempts"), t("Wait a few minutes and try again.")
    if isinstance(error, BeingUpdated):
        return t("The figures are being brought up to date"), t("Try again in a moment.")
    if status == 503:
        return t("The database does not answer"), t("Try again in a moment.")
    if isinstance(error, NovaError) and error.code in ERRORS:
        return t("That request cannot be answered"), error_text(error, viewer)
    if status < 500:
        return t("That request cannot be answered"), t("Go back, load the page again and repeat.")
    return t("Something went wrong"), t("The error has been logged. Try again in a moment.")


def _too_large(viewer: Viewer) -> str:
    limit = fmt.number((request.max_content_length or 0) >> 20, viewer.locale)
    return viewer.t(
        "What was sent is larger than %(limit)s MB, the most that is taken.", limit=limit
    )
