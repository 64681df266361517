"""One-time links to a new password: only the link's hash is kept, and each works once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, func, insert

from domain.errors import InvalidInput
from warehouse.commands import users
from warehouse.commands.users import Actor, Who
from warehouse.queries.users import UserRow
from warehouse.tables.support import password_reset


def make(engine: Engine, who: Who, *, link_hash: str, life: timedelta, actor: Actor) -> datetime:
    """A link for the account in place of earlier ones; gives the moment it expires.

    Raises NotFound, and InvalidInput for a disabled account.
    """
    with engine.begin() as connection:
        account = users.find(connection, who)
        if not account.active:
            reason = "belongs to a disabled account: enable it first"
            raise InvalidInput(f"email {reason}.", fields={"email": reason})
        connection.execute(
            delete(password_reset).where(password_reset.c.user_id == account.user_id)
        )
        expires_at = connection.execute(
            insert(password_reset)
            .values(link_hash=link_hash, user_id=account.user_id, expires_at=func.now() + life)
            .returning(password_reset.c.expires_at)
        ).scalar_one()
        after = {"expires_at": expires_at.isoformat()}
        users.note(connection, account, actor=actor, action="user.make_reset_link", after=after)
    return expires_at


def redeem(engine: Engine, *, link_hash: str, password_hash: str, actor: Actor) -> UserRow | None:
    """The account with its new password; None for a link that is unknown, expired or used, or
    whose account is disabled. Ends the account's sessions and tokens."""
    with engine.begin() as connection:
        user_id = connection.execute(
            delete(password_reset)
            .where(
                password_reset.c.link_hash == link_hash,
                password_reset.c.expires_at > func.now(),
            )
            .returning(password_reset.c.user_id)
        ).scalar_one_or_none()
        account = None if user_id is None else users.find(connection, int(user_id))
        if account is None or not account.active:
            return None
        return users.put_password(
            connection,
            account,
            password_hash=password_hash,
            actor=actor,
            action="user.reset_password",
        )
