"""One's own account: another password, an end to other sessions; and the one-time link.

Plain forms that work without a script, as the login page is.
"""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from auth import passwords, resets, session, trail
from auth.guards import current_viewer, public, requires
from domain.access import Permission
from domain.browsers import browser_of
from domain.errors import NotAuthenticated, WeakPassword
from domain.viewer import Translator
from warehouse.commands import users as commands
from warehouse.db import get_engine
from warehouse.queries import sessions, status
from warehouse.queries.users import UserRow

START = "/main"
LINK, LINK_LENGTH = "reset", 100
NO_STORE = {"Cache-Control": "no-store"}

blueprint = Blueprint("account", __name__, template_folder="templates")


@blueprint.get("/account")
@requires(Permission.ACCOUNT)
def overview() -> ResponseReturnValue:
    """Who is signed in, the form for another password, and where else."""
    return _account_page()


@blueprint.get("/account/password")
@requires(Permission.ACCOUNT)
def password_page() -> ResponseReturnValue:
    """The form again: a refused password leaves the reader at this address."""
    return redirect(url_for("account.overview"), 303)


@blueprint.post("/account/password")
@requires(Permission.ACCOUNT)
def change_password() -> ResponseReturnValue:
    """Another password, for whoever knows the present one; this browser alone stays signed in."""
    row, t = _own_row(), current_viewer().t
    current, new = request.form.get("current", ""), request.form.get("new", "")
    try:
        if not passwords.matches(current, row.password_hash):
            trail.note("user.set_password.refused", object=f"user:{row.email}", status=401)
            return _account_page(t("The present password is wrong."), "current", 401)
        problem = _repeated(new, t)
        if new == current:
            problem = t("The new password is the present one: choose another one.")
        if problem:
            return _account_page(problem, "new", 422)
        password_hash = passwords.hash_password(new, (row.name, row.email))
    except WeakPassword as error:
        return _account_page(_why(error, t), "new", 422)
    changed = commands.set_password(
        get_engine(),
        email=row.user_id,
        password_hash=password_hash,
        actor=session.request_actor(),
    )
    session.begin(changed)
    return redirect(START if row.must_change_password else _done("password"), 303)


@blueprint.post("/account/sessions/end")
@requires(Permission.ACCOUNT)
def end_other_sessions() -> ResponseReturnValue:
    """Ends every session and token of this account but this browser's."""
    row = _own_row()
    actor = session.request_actor()
    session.begin(commands.end_sessions(get_engine(), row.user_id, actor=actor))
    return redirect(_done("sessions"), 303)


@blueprint.get("/reset/<secret>")
@public
def open_link(secret: str) -> ResponseReturnValue:
    """Takes the link out of the address, so that no Referer, history or log carries it further."""
    cookie[LINK] = secret[:LINK_LENGTH]
    return redirect(url_for("account.reset_page"), 303)


@blueprint.get("/reset")
@public
def reset_page() -> ResponseReturnValue:
    """The form for the link that this browser came with."""
    return _reset_page()


@blueprint.post("/reset")
@public
def reset() -> ResponseReturnValue:
    """The new password, once; then the way leads to the login page."""
    t, new = current_viewer().t, request.form.get("new", "")
    problem = _repeated(new, t)
    if problem:
        return _reset_page(problem, 422)
    try:
        row = resets.redeem(get_engine(), _secret(), new, actor=_link_actor())
    except WeakPassword as error:
        return _reset_page(_why(error, t), 422)
    if row is None:
        return _reset_page()
    session.end()
    return redirect(url_for("auth.login_page", done="reset"), 303)


def _own_row() -> UserRow:
    row = session.signed_in()
    if row is None:
        raise NotAuthenticated("Sign in first.")
    return row


def _link_actor() -> commands.Actor:
    row = resets.owner(_secret())
    return session.request_actor(row.email, row.role) if row else session.request_actor()


def _secret() -> str:
    return str(cookie.get(LINK, ""))


def _done(what: str) -> str:
    return url_for("account.overview", done=what)


def _repeated(new: str, t: Translator) -> str:
    return "" if new == request.form.get("again", "") else t("The two passwords differ.")


def _why(error: WeakPassword, t: Translator) -> str:
    """What is wrong with a new password, in the reader's language."""
    least, most = passwords.MIN_LENGTH, passwords.MAX_BYTES
    return {
        "short": t("A password has at least %(count)s characters.", count=least),
        "long": t("A password has at most %(limit)s bytes.", limit=most),
        "common": t("This is one of the most common passwords: choose another one."),
        "own": t("A password must not be made of your own name or e-mail."),
    }.get(error.reason, t("The password holds a character that cannot be typed."))


def _account_page(message: str = "", field: str = "", code: int = 200) -> ResponseReturnValue:
    row, viewer = _own_row(), current_viewer()
    here = session.own_hash()
    signed_in = [
        (
            browser_of(one.agent) or viewer.t("Unknown browser"),
            one,
            one.session_hash == here,
        )
        for one in sessions.of_user(row.user_id, idle=session.idle_limit())
    ]
    page = render_template(
        "account.html",
        viewer=viewer,
        t=viewer.t,
        status=status.current(),
        message=message,
        field=field,
        done="" if message else request.args.get("done", ""),
        must_change=row.must_change_password,
        least=passwords.MIN_LENGTH,
        sessions=signed_in,
    )
    return page, code, NO_STORE


def _reset_page(message: str = "", code: int = 200) -> ResponseReturnValue:
    row, viewer = resets.owner(_secret()), current_viewer()
    page = render_template(
        "reset.html",
        viewer=viewer,
        t=viewer.t,
        message=message,
        email=row.email if row else None,
        least=passwords.MIN_LENGTH,
    )
    return page, code if row else 404, NO_STORE
