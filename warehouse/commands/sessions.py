"""Browser sessions: only the hash of their random id is kept, so the table opens no door."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, Engine, delete, func, insert, update

from warehouse.queries.users import UserRow
from warehouse.tables.support import password_reset, session, token

AGENT_LENGTH = 300


def start(
    engine: Engine,
    *,
    session_hash: str,
    row: UserRow,
    life: timedelta,
    address: str | None,
    agent: str | None,
) -> None:
    """A session at the account's token version as it was read: a change since then ends it."""
    with engine.begin() as connection:
        clear_expired(connection)
        connection.execute(
            insert(session).values(
                session_hash=session_hash,
                user_id=row.user_id,
                token_version=row.token_version,
                expires_at=func.now() + life,
                address=address,
                agent=(agent or "")[:AGENT_LENGTH] or None,
            )
        )


def clear_expired(connection: Connection) -> None:
    """Forgets the sessions, tokens and links that have expired; every login does."""
    for table in (session, token, password_reset):
        connection.execute(delete(table).where(table.c.expires_at < func.now()))


def touch(engine: Engine, session_hash: str) -> None:
    """Notes that the session was used just now."""
    _set(engine, session_hash, "seen_at")


def end(engine: Engine, session_hash: str) -> None:
    """The session is over, wherever its cookie went."""
    _set(engine, session_hash, "ended_at")


def _set(engine: Engine, session_hash: str, moment: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            update(session)
            .where(session.c.session_hash == session_hash)
            .values({moment: func.now()})
        )
