"""One-time links to a new password: only the link's hash is kept, and each works once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select, text

from domain.errors import InvalidInput
from warehouse.commands import audit, users
from warehouse.commands.users import Actor, Who
from warehouse.queries.users import UserRow
from warehouse.tables.support import password_reset

_MAKE = f"""
WITH gone AS (
    DELETE FROM support.password_reset WHERE user_id = :user_id
), made AS (
    INSERT INTO support.password_reset (link_hash, user_id, expires_at)
    VALUES (:link_hash, :user_id, now() + :life) RETURNING expires_at
), noted AS (
    {audit.tell("CROSS JOIN made", after="jsonb_build_object('expires_at', made.expires_at)")}
)
SELECT expires_at FROM made
"""


def make(
    engine: Engine, who: Who, *, link_hash: str, life: timedelta, actor: Actor
) -> tuple[UserRow, datetime]:
    """A link for the account in place of earlier ones; gives the account and the moment when the
    link expires.

    Raises NotFound, and InvalidInput for a disabled account.
    """
    with engine.begin() as connection:
        account = users.find(connection, who)
        if not account.active:
            reason = "belongs to a disabled account: enable it first"
            raise InvalidInput(f"email {reason}.", fields={"email": reason})
        told = {"action": "user.make_reset_link", "object": f"user:{account.email}"}
        params = {"user_id": account.user_id, "link_hash": link_hash, "life": life}
        params["audit"] = audit.told(connection, actor, [told])
        expires_at = connection.execute(text(_MAKE), params).scalar_one()
    return account, expires_at


def redeem(
    engine: Engine, who: Who, *, link_hash: str, password_hash: str, actor: Actor
) -> UserRow | None:
    """The account with its new password; None for a link that is unknown, expired or used, or
    whose account is disabled. Ends the account's sessions and tokens. Raises NotFound."""
    with engine.begin() as connection:
        account = users.find(connection, who)
        live = select(password_reset.c.link_hash).where(
            password_reset.c.link_hash == link_hash,
            password_reset.c.user_id == account.user_id,
            password_reset.c.expires_at > func.now(),
        )
        if not account.active or connection.execute(live).first() is None:
            return None
        return users.put_password(
            connection,
            account,
            password_hash=password_hash,
            actor=actor,
            action="user.reset_password",
        )
