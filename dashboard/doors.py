"""What stands before every request: permission by default deny, and forgery checks."""

from __future__ import annotations

from urllib.parse import urlsplit

from dash import Dash
from flask import Flask, Response, current_app, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from auth.guards import PUBLIC, check
from auth.session import has_bearer, signed_in
from dashboard.callback_body import check_body, check_letters
from dashboard.extensions import csrf
from dashboard.pages import permission_at
from dashboard.security import allowed_origin
from domain.access import Permission
from domain.errors import NotAllowed
from warehouse.queries import views

CALLBACKS = "/_dash-update-component"
ANY_PAGE = "/<path:path>"
ANY_PAGE = "/<path:path>"
START = "/main"
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

OTHERS_DOORS: dict[str, Permission | str] = {
    "/": Permission.READ,
    ANY_PAGE: Permission.READ,
    "/_dash-layout": Permission.READ,
    "/_dash-dependencies": Permission.READ,
    CALLBACKS: Permission.READ,
    "/_reload-hash": Permission.READ,
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": PUBLIC,
    "/_favicon.ico": PUBLIC,
    "_dash_assets.static": PUBLIC,
    "auth.static": PUBLIC,
    "api.static": PUBLIC,
    "language.choose_language": PUBLIC,
}
"""Doors that libraries made, so that our decorator could not mark them. Behind Dash's, each page
and callback asks for its own permission again."""


def permission_of(server: Flask, endpoint: str) -> Permission | str | None:
    """What a URL rule asks for: a permission, PUBLIC, or None for a door nobody has decided on."""
    marked = getattr(server.view_functions[endpoint], "permission", None)
    return marked or OTHERS_DOORS.get(endpoint)


def bind(server: Flask) -> None:
    """Bound before Dash and the limits, so that nothing is done for whoever may not come in."""
    server.before_request(_guard)
    server.before_request(_refuse_forgery)
    server.after_request(_say_not_found)


def check_callbacks_of(app: Dash) -> None:
    """Callback bodies that Dash would stumble over are refused with 400."""

    def refuse_garbage() -> None:
        if request.endpoint == CALLBACKS:
            body = request.get_json()
            check_letters(request.get_data())
            check_body(app, body)

    app.server.before_request(refuse_garbage)


def _guard() -> ResponseReturnValue | None:
    """Nobody passes a door that asks for a permission they lack, or that asks for none."""
    endpoint = request.endpoint
    if endpoint is None:
        return None
    permission = permission_of(current_app, endpoint)
    if permission is None:
        raise NotAllowed(f"No permission is set for {endpoint}.")
    if isinstance(permission, Permission):
        check(permission)
    if endpoint == ANY_PAGE:
        check(permission_at(request.path) or Permission.READ)
    return redirect(_start()) if request.path == "/" else None


def _start() -> str:
    """The view that the reader begins with, else the overview."""
    row = signed_in()
    return (row and views.start(user_id=row.user_id, role=row.role, scope=row.scope)) or START


def _say_not_found(response: Response) -> Response:
    """The frame is drawn around "page not found" too, but programs read the status alone."""
    is_frame = request.endpoint == ANY_PAGE and response.status_code == 200
    if is_frame and permission_at(request.path) is None:
        response.status_code = 404
    return response


def _refuse_forgery() -> None:
    """A change asked for by another site is refused: by Origin, and by a token in every form."""
    if request.method not in UNSAFE or request.endpoint is None:
        return
    if not (_comes_from_here() or allowed_origin()):
        raise BadRequest("The request comes from another site.")
    view = current_app.view_functions[request.endpoint]
    speaks_json = request.endpoint == CALLBACKS or getattr(view, "credentials_in_body", False)
    if not (speaks_json or (request.blueprint == "api" and has_bearer())):
        csrf.protect()


def _comes_from_here() -> bool:
    """Origin, else Referer, names this site; programs send neither."""
    source = request.headers.get("Origin") or request.headers.get("Referer")
    try:
        return source is None or urlsplit(source).netloc == (request.host or None)
    except ValueError:
        return False
