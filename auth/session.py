"""The browser's session, and which user a request comes from.

A session cookie carries the user's number and token version: raising the version ends it.
"""

from __future__ import annotations

from flask import Flask, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from auth import tokens
from domain.errors import NotAuthenticated
from warehouse.commands.users import Actor
from warehouse.queries import users
from warehouse.queries.users import UserRow

ANONYMOUS = "anonymous"
BEARER = "bearer "

login_manager = LoginManager()


class SessionUser(UserMixin):
    """What Flask-Login keeps of a user."""

    def __init__(self, row: UserRow) -> None:
        self.row = row

    def get_id(self) -> str:
        return f"{self.row.user_id}.{self.row.token_version}"


@login_manager.user_loader
def load(session_id: str) -> SessionUser | None:
    """The user of a session cookie, unless disabled or of another token version."""
    number, _, version = session_id.partition(".")
    if not (number.isdecimal() and version.isdecimal()):
        return None
    row = users.by_id(int(number))
    if row is None or not row.active or row.token_version != int(version):
        return None
    return SessionUser(row)


def init_app(server: Flask) -> None:
    """Binds the login manager; the session cookie is bound to nothing else."""
    login_manager.session_protection = None
    login_manager.init_app(server)


def begin(row: UserRow) -> None:
    """A session of its own for this user: nothing of what was there before stays."""
    session.clear()
    login_user(SessionUser(row))
    session.permanent = True


def end() -> None:
    """Forgets the user on this browser."""
    logout_user()
    session.clear()


def has_bearer() -> bool:
    """True if the request brings a token; cookies play no part then."""
    return request.headers.get("Authorization", "").lower().startswith(BEARER)


def signed_in() -> UserRow | None:
    """The user of this request, by token or by session; None for nobody.

    Raises NotAuthenticated for a token that is not valid, Unavailable without the database.
    """
    if "signed_in" not in g:
        g.signed_in = _by_token() if has_bearer() else _by_session()
    return g.signed_in  # type: ignore[no-any-return]


def request_actor(name: str | None = None) -> Actor:
    """Who makes this request, in the audit log's words; never raises."""
    row: UserRow | None = g.get("signed_in")
    return Actor(
        name=name or (row.email if row else ANONYMOUS),
        role=str(row.role) if row else None,
        address=request.remote_addr,
        request_id=g.get("request_id"),
    )


def _by_session() -> UserRow | None:
    return current_user.row if current_user.is_authenticated else None


def _by_token() -> UserRow:
    claims = tokens.read(request.headers["Authorization"][len(BEARER) :].strip(), tokens.ACCESS)
    row = users.by_id(claims.user_id)
    if row is None or not row.active or row.token_version != claims.version:
        raise NotAuthenticated("The token is no longer valid.")
    return row
