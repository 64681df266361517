"""The login page: a plain form that works without a script."""

from __future__ import annotations

import re

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from auth import account, passwords, session, trail
from auth.guards import current_viewer, public
from domain.errors import InvalidInput, Unavailable
from warehouse.commands import users as commands
from warehouse.db import get_engine
from warehouse.queries import status, users, views
from warehouse.queries.users import UserRow

START = "/main"
LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,2000}")
OWN_PATHS = ("/login", "/logout", "/language/", "/reset")

blueprint = Blueprint(
    "auth",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/login-assets",
)


def init_app(server: Flask) -> None:
    """Binds the session, the login page and the pages of one's own account."""
    session.init_app(server)
    server.register_blueprint(blueprint)
    server.register_blueprint(account.blueprint)


@blueprint.get("/login")
@public
def login_page() -> ResponseReturnValue:
    """The form; whoever is signed in already is sent on."""
    if session.signed_in() is not None:
        return redirect(destination(request.args.get("next")), 303)
    return form()


@blueprint.post("/login")
@public
def login() -> ResponseReturnValue:
    """A session and a redirect for the right password; else the form with what is wrong."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    t = current_viewer().t
    if not email.strip() or not password:
        return form(t("Enter your e-mail and your password."), 422)
    try:
        row = authenticate(email, password)
    except InvalidInput:
        limit = passwords.MAX_BYTES
        return form(t("A password has at most %(limit)s bytes.", limit=limit), 422)
    if row is None:
        return form(t("E-mail or password is wrong."), 401)
    session.begin(row)
    _note_login(row, "login")
    return redirect(_first_page(row, request.form.get("next")), 303)


@blueprint.post("/logout")
@public
def logout() -> ResponseReturnValue:
    """Ends the session on this browser."""
    row = session.signed_in()
    if row is not None:
        trail.note("logout", status=303)
    session.end()
    return redirect(url_for("auth.login_page"), 303)


def authenticate(email: str, password: str, *, action: str = "login") -> UserRow | None:
    """The active user with this password, or None; a failure leaves its audit row.

    Raises InvalidInput for a password that is too long, Unavailable without the database.
    """
    row = users.by_email(email) if "\0" not in email else None
    right = passwords.matches(password, row.password_hash if row else None)
    if row is None or not right or not row.active:
        trail.note(f"{action}.refused", actor=shown(email), status=401)
        return None
    return row


def destination(wanted: str | None) -> str:
    """`wanted` if it is a path on this very site, else the start page."""
    if not wanted or not LOCAL_PATH.fullmatch(wanted) or wanted.startswith(OWN_PATHS):
        return START
    return wanted


def _first_page(row: UserRow, wanted: str | None) -> str:
    """Where the reader was going, else the view that this person begins with."""
    address = destination(wanted)
    if address != START:
        return address
    return views.start(user_id=row.user_id, role=row.role, scope=row.scope) or START


def _note_login(row: UserRow, action: str) -> None:
    actor = session.request_actor(row.email, row.role)
    commands.record_login(get_engine(), user_id=row.user_id, actor=actor, action=action)


def form(message: str = "", code: int = 200) -> ResponseReturnValue:
    """The login page with what is wrong; with a way to the sign-in service where there is one."""
    viewer = current_viewer()
    page = render_template(
        "login.html",
        viewer=viewer,
        t=viewer.t,
        message=message,
        email=request.form.get("email", ""),
        next=destination(request.values.get("next")),
        is_demo=_is_demo(),
        by_service="oidc" in current_app.blueprints,
        done=not message and request.args.get("done") == "reset",
    )
    return page, code, {"Cache-Control": "no-store"}


def _is_demo() -> bool:
    try:
        return status.current().is_demo
    except Unavailable:
        return False  # the form's own answer says what is out of order


def shown(email: str) -> str:
    """An address that somebody typed, fit for the audit log."""
    return re.sub(r"[^\x21-\x7e]", "?", email.strip())[:120] or session.ANONYMOUS
