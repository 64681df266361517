"""Correcting a person's address, and erasing a person while keeping what was done (LGPD art. 18,
GDPR art. 16 and 17).

The account becomes `removed-user-N`. Audit rows keep their number, time, action, digest and hash,
so the chain holds; what named the person, and the salt without which the digest tells nothing of
it, are gone. The erasure's own row lists the numbers of the rows, and `flask audit verify` accepts
no other erased row.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text

from warehouse.caching import count_revision, forget_version
from warehouse.commands import audit
from warehouse.commands.owners import release
from warehouse.commands.users import Actor, Changes, change, find, put_email
from warehouse.queries.privacy import called

PERSONAL = ("session", "token", "password_reset", "start_view", "saved_view", "report", "subject")
"""Tables of `support` whose rows go with their account."""

NAMED = (
    ("staging.load", "loaded_by"),
    ("analytics.published", "published_by"),
    ("support.setting", "changed_by"),
    ("support.decision", "actor"),
    ("support.override", "actor"),
    ("support.override", "ended_by"),
    ("support.report", "created_by"),
    ("support.job", "actor"),
)

_ERASE_ACCOUNT = text(
    """
    UPDATE support.user SET email = :label || '@removed.invalid', name = '', language = NULL,
        password_hash = :hash, ufs = '{}', contracts = '{}', last_login_at = NULL
    WHERE user_id = :id
    """
)
_RENAME_MENTIONS = text(
    """
    UPDATE support.job SET message = regexp_replace(message, :mention, :label, 'gi')
    WHERE message ~* :mention
    """
)
_ERASE_TRACES = text(
    """
    WITH erased AS (
        UPDATE support.audit_log SET redacted = true, salt = NULL,
            actor = CASE WHEN lower(actor) = ANY(:names) THEN :label ELSE actor END,
            address = CASE WHEN lower(actor) = ANY(:names) THEN NULL ELSE address END,
            object = regexp_replace(object, :mention, :label, 'gi'),
            before = regexp_replace((before - 'name')::text, :mention, :label, 'gi')::jsonb,
            after = regexp_replace((after - 'name')::text, :mention, :label, 'gi')::jsonb
        WHERE lower(actor) = ANY(:names)
            OR concat_ws(' ', object, before::text, after::text) ~* :mention
        RETURNING audit_id
    )
    SELECT count(*) AS number, range_agg(int8range(audit_id, audit_id, '[]'))::text AS rows
    FROM erased
    """
)


def set_email(engine: Engine, email: str, new: str, *, actor: Actor) -> None:
    """Another address, in place of the account's own wherever that stands but in the audit log;
    ends its sessions. Needs the owner of the tables. Raises NotFound, EmailTaken, and InvalidInput
    for what is no address."""
    with engine.begin() as connection:
        account = find(connection, email)
        who = called(connection, account.user_id)
        label = put_email(connection, account, new, actor=actor).email
        _rename(connection, who | {"label": label})
        count_revision(connection)
    forget_version()


def anonymise(engine: Engine, email: str, *, unusable_hash: str, actor: Actor) -> str:
    """Disables the account and erases the person; gives the name that stays. Needs the owner of the
    tables. Raises NotFound, and LastAdministrator for the last active one."""
    account = change(engine, email, Changes(active=False), actor=actor)
    label = f"removed-user-{account.user_id}"
    who: dict[str, object] = {"id": account.user_id, "label": label, "hash": unusable_hash}
    with engine.begin() as connection:
        who |= called(connection, account.user_id)
        if release(connection, account):
            count_revision(connection)
        _erase(connection, who)
        traces = connection.execute(_ERASE_TRACES, who).one()
        audit.note(
            connection,
            actor,
            action="user.anonymise",
            object=f"user:{label}",
            after={"rows": traces.rows, "number": traces.number},
        )
    return label


def _erase(connection: Connection, who: dict[str, object]) -> None:
    for table in PERSONAL:
        connection.execute(text(f"DELETE FROM support.{table} WHERE user_id = :id"), who)
    connection.execute(text("DELETE FROM support.job WHERE lower(actor) = ANY(:names)"), who)
    _rename(connection, who)
    connection.execute(_ERASE_ACCOUNT, who)


def _rename(connection: Connection, who: dict[str, object]) -> None:
    for table, column in NAMED:
        named = f"UPDATE {table} SET {column} = :label WHERE lower({column}) = ANY(:names)"
        connection.execute(text(named), who)
    connection.execute(_RENAME_MENTIONS, who)
