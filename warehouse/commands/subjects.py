"""Which account a person at the organisation's sign-in service has."""

from __future__ import annotations

from sqlalchemy import Engine, delete, insert
from sqlalchemy.exc import IntegrityError

from domain.errors import InvalidInput, NotFound
from warehouse.commands.users import Actor, Who, find, note, put
from warehouse.queries.users import UserRow
from warehouse.tables.support import subject as subjects


def link(engine: Engine, row: UserRow, *, issuer: str, subject: str, actor: Actor) -> None:
    """From now on `subject` signs in to this account. Raises InvalidInput if the account belongs to
    another subject of the issuer: an e-mail that was given to somebody else brings nobody in."""
    values = {"issuer": issuer, "subject": subject, "user_id": row.user_id}
    try:
        with engine.begin() as connection:
            connection.execute(insert(subjects).values(values))
            after = {"issuer": issuer, "subject": subject}
            note(connection, row, actor=actor, action="user.link", after=after)
    except IntegrityError:
        reason = "belongs to another person at the sign-in service"
        raise InvalidInput(f"email {reason}.", fields={"email": reason}) from None


def unlink(engine: Engine, who: Who, *, actor: Actor) -> None:
    """Nobody at the sign-in service has this account any more, until its address brings somebody
    there in; its sessions end. Needs the owner of the tables. Raises NotFound."""
    with engine.begin() as connection:
        account = find(connection, who)
        linked = delete(subjects).where(subjects.c.user_id == account.user_id).returning(subjects)
        rows = connection.execute(linked).all()
        if not rows:
            raise NotFound(f"Nobody at the sign-in service has the account {account.email!r}.")
        told = (
            {
                "action": "user.unlink",
                "before": {
                    "user_id": row.user_id,
                    "issuer": row.issuer,
                    "subject": row.subject,
                },
            }
            for row in rows
        )
        put(connection, account, {}, *told, actor=actor)
