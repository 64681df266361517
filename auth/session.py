"""The browser's session, and which user a request comes from.

The cookie carries a random id, the database its hash: ending the row ends the session on every
worker, wherever the cookie went.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from flask import Flask, current_app, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from auth import tokens
from auth.passwords import digest
from domain.access import Role
from domain.errors import NotAuthenticated
from warehouse.commands import sessions as store
from warehouse.commands.users import Actor
from warehouse.db import get_engine
from warehouse.queries import sessions, users
from warehouse.queries.users import UserRow

ANONYMOUS = "anonymous"
BEARER = "bearer "
IDLE = "SESSION_IDLE"
ID_KEY = "_user_id"

login_manager = LoginManager()


class SessionUser(UserMixin):
    """What Flask-Login keeps of a user: the session's id takes the place of the user's."""

    def __init__(self, row: UserRow, session_id: str) -> None:
        self.row, self.session_id = row, session_id

    def get_id(self) -> str:
        return self.session_id


@login_manager.user_loader
def load(session_id: str) -> SessionUser | None:
    """The user of a session that is alive; notes at most once a minute that it was used, but not
    by a page that asks by itself."""
    session_hash = digest(session_id)
    found = sessions.resolve(session_hash, idle=idle_limit())
    if found is None:
        return None
    row, is_stale, g.data_version = found
    if is_stale and not _is_passive():
        store.touch(get_engine(), session_hash)
    return SessionUser(row, session_id)


def _is_passive() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "passive", False))


def init_app(server: Flask) -> None:
    """Binds the login manager; the session cookie is bound to nothing else."""
    login_manager.session_protection = None
    login_manager.init_app(server)


def idle_limit() -> timedelta:
    """How long a session may rest before it ends."""
    return current_app.config[IDLE]  # type: ignore[no-any-return]


def begin(row: UserRow) -> None:
    """A session of its own for this user, under a new id: nothing of what was there stays, the
    session that this browser had before neither."""
    _end_own()
    session.clear()
    session_id = secrets.token_urlsafe(32)
    store.start(
        get_engine(),
        session_hash=digest(session_id),
        row=row,
        life=current_app.permanent_session_lifetime,
        address=request.remote_addr,
        agent=request.user_agent.string,
    )
    login_user(SessionUser(row, session_id))
    session.permanent = True


def end() -> None:
    """Ends the session of this browser for good."""
    _end_own()
    logout_user()
    session.clear()


def _end_own() -> None:
    session_hash = own_hash()
    if session_hash is not None:
        store.end(get_engine(), session_hash)


def own_hash() -> str | None:
    """What the database knows this browser's session by; None where there is none."""
    session_id = session.get(ID_KEY)
    return digest(session_id) if isinstance(session_id, str) else None


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


def own_id() -> int:
    """The number of the user of this request, where a guard has let one in."""
    row = signed_in()
    assert row is not None
    return row.user_id


def who_decides() -> dict[str, Any]:
    """Who acts in this request, and within what: arguments of the commands, where a guard has let
    one in."""
    row = signed_in()
    assert row is not None
    return {"actor": request_actor(), "user_id": row.user_id, "scope": row.scope}


def data_version() -> str | None:
    """The data version as this request's reader was found; None for nobody."""
    return g.get("data_version")


def vouch(row: UserRow) -> None:
    """Says whose password or refresh token this request carries: its audit rows name them. It opens
    no door."""
    g.vouched = row


def request_actor(name: str | None = None, role: Role | None = None) -> Actor:
    """Who makes this request, in the audit log's words; `name` and `role` of somebody who is not
    signed in yet. Never raises."""
    row: UserRow | None = g.get("vouched") or g.get("signed_in") if name is None else None
    held = row.role if row else role
    return Actor(
        name=row.email if row else name or ANONYMOUS,
        role=str(held) if held else None,
        address=request.remote_addr,
        request_id=g.get("request_id"),
    )


def _by_session() -> UserRow | None:
    return current_user.row if current_user.is_authenticated else None


def _by_token() -> UserRow:
    claims = tokens.read(request.headers["Authorization"][len(BEARER) :].strip(), tokens.ACCESS)
    found = users.by_token(user_id=claims.user_id, version=claims.version, family=claims.family)
    if found is None:
        raise NotAuthenticated("The token is no longer valid.")
    row, g.data_version = found
    return row
