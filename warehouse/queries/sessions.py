"""Which browsers are signed in. Never cached: ending a session must bite at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import ColumnElement, bindparam, func, select

from warehouse.caching import VERSION
from warehouse.db import Prepared, primary
from warehouse.queries.users import UserRow, row_of
from warehouse.tables.support import session, user

TOUCHED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class SessionRow:
    """One signed-in browser; moments are UTC."""

    session_hash: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str | None
    agent: str | None


def resolve(session_hash: str, *, idle: timedelta) -> tuple[UserRow, bool, str] | None:
    """Whose session this is, in one statement, whether its `seen_at` is out of date, and the data
    version; None for a session that has ended, by whatever means. Raises Unavailable."""
    for values in _resolving(idle).rows({"session_hash": session_hash}):
        is_stale = bool(values.pop("is_stale"))
        data_version = str(values.pop("data_version"))
        return row_of(values), is_stale, data_version
    return None


@lru_cache
def _resolving(idle: timedelta) -> Prepared:
    statement = (
        select(user, (session.c.seen_at < func.now() - TOUCHED_AFTER).label("is_stale"), VERSION)
        .join(session, session.c.user_id == user.c.user_id)
        .where(session.c.session_hash == bindparam("session_hash"), *_alive(idle))
    )
    return Prepared(statement)


def of_user(user_id: int, *, idle: timedelta) -> list[SessionRow]:
    """The live sessions of an account, last seen first. Raises Unavailable."""
    shown = [session.c[name] for name in SessionRow.__dataclass_fields__]
    statement = (
        select(*shown)
        .join(user, session.c.user_id == user.c.user_id)
        .where(user.c.user_id == user_id, *_alive(idle))
        .order_by(session.c.seen_at.desc())
    )
    with primary() as connection:
        return [SessionRow(**row._mapping) for row in connection.execute(statement)]


def _alive(idle: timedelta) -> tuple[ColumnElement[bool], ...]:
    return (
        session.c.ended_at.is_(None),
        session.c.expires_at > func.now(),
        session.c.seen_at > func.now() - idle,
        session.c.token_version == user.c.token_version,
        user.c.active,
    )
