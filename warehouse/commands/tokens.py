"""Refresh tokens: each is used once; using one twice ends its whole family."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, func, insert, select, update

from warehouse.commands import audit
from warehouse.commands.sessions import clear_expired
from warehouse.commands.users import Actor
from warehouse.tables.support import token

REUSED = "api.refresh.reused"


@dataclass(frozen=True)
class Refresh:
    """A token's own number and that of the login it descends from."""

    token_id: UUID
    family: UUID


def start(engine: Engine, *, user_id: int, expires_at: datetime) -> Refresh:
    """The first refresh token of a login."""
    with engine.begin() as connection:
        clear_expired(connection)
        return _issue(connection, user_id, uuid4(), expires_at)


def rotate(
    engine: Engine, *, token_id: UUID, user_id: int, expires_at: datetime, actor: Actor
) -> Refresh | None:
    """The next token in place of this one; None if it was used or revoked, and then its family
    is revoked too: one of the two who hold a used one is a thief, and the audit log says so."""
    with engine.begin() as connection:
        _hold_family(connection, token_id, user_id)
        held = connection.execute(
            select(token)
            .where(token.c.token_id == token_id, token.c.user_id == user_id)
            .with_for_update()
        ).one_or_none()
        if held is None:
            return None
        if held.used_at is not None or held.revoked_at is not None:
            _revoke(connection, held.family)
            if held.used_at is not None:
                audit.note(
                    connection, actor, action=REUSED, object=f"user:{actor.name}", status=401
                )
            return None
        connection.execute(
            update(token).where(token.c.token_id == token_id).values(used_at=func.now())
        )
        return _issue(connection, user_id, held.family, expires_at)


def revoke_family(engine: Engine, *, token_id: UUID, user_id: int) -> None:
    """Ends the login that this token descends from; does nothing if it is unknown."""
    with engine.begin() as connection:
        family = _hold_family(connection, token_id, user_id)
        if family is not None:
            _revoke(connection, family)


def _hold_family(connection: Connection, token_id: UUID, user_id: int) -> UUID | None:
    """The login that a token descends from, None if it is unknown. Until the transaction ends no
    other makes or ends tokens of it: one that is being made would not be seen, and stay good."""
    family = connection.execute(
        select(token.c.family).where(token.c.token_id == token_id, token.c.user_id == user_id)
    ).scalar_one_or_none()
    if family is not None:
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(str(family)))))
    return family


def _issue(connection: Connection, user_id: int, family: UUID, expires_at: datetime) -> Refresh:
    values = {"user_id": user_id, "family": family, "expires_at": expires_at}
    made = connection.execute(insert(token).values(**values).returning(token.c.token_id))
    return Refresh(token_id=made.scalar_one(), family=family)


def _revoke(connection: Connection, family: UUID) -> None:
    connection.execute(
        update(token)
        .where(token.c.family == family, token.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
