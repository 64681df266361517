"""Which browsers are signed in. Never cached: ending a session must bite at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from warehouse.db import primary, quick
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


def resolve(session_hash: str, *, idle: timedelta) -> tuple[UserRow, bool] | None:
    """Whose session this is, in one statement, and whether its `seen_at` is out of date; None for
    a session that has ended, by whatever means. Raises Unavailable."""
    found = quick(_resolving(idle), {"session_hash": session_hash})
    if not found:
        return None
    values: dict[str, Any] = dict(found[0]._mapping)
    is_stale = bool(values.pop("is_stale"))
    return row_of(values), is_stale


@lru_cache
def _resolving(idle: timedelta) -> Select[Any]:
    return (
        select(user, (session.c.seen_at < func.now() - TOUCHED_AFTER).label("is_stale"))
        .join(session, session.c.user_id == user.c.user_id)
        .where(session.c.session_hash == bindparam("session_hash"), *_alive(idle))
    )


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
