"""The end of what is no longer needed: whole months of the audit log."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, Engine, text

from warehouse.commands import audit
from warehouse.commands.users import Actor

_PARTS = text(
    """
    SELECT part::text, to_date(right(part::text, 7), 'YYYY_MM') AS month
    FROM (
        SELECT relid::regclass AS part FROM pg_partition_tree('support.audit_log') WHERE isleaf
    ) AS leaves ORDER BY month
    """
)
_ANCHOR = """
    UPDATE support.audit_head SET anchor_id = last.audit_id, anchor_hash = last.hash
    FROM (SELECT audit_id, hash FROM {part} ORDER BY audit_id DESC LIMIT 1) AS last
    WHERE last.audit_id > anchor_id
"""


def drop_old_months(engine: Engine, *, kept: int, today: date, actor: Actor) -> list[date]:
    """Drops the audit log's months before the last `kept` full ones; gives them. The chain's
    anchor moves to the last row that is dropped, so that what stays can still be verified."""
    first_kept = _months_back(today, kept)
    with engine.begin() as connection:
        connection.execute(text("SELECT FROM support.audit_head FOR UPDATE"))
        dropped = [row for row in connection.execute(_PARTS) if row.month < first_kept]
        for row in dropped:
            connection.execute(text(_ANCHOR.format(part=row.part)))
            connection.execute(text(f"DROP TABLE {row.part}"))
        months = [row.month for row in dropped]
        if months:
            _note(connection, months, actor)
    return months


def _months_back(today: date, count: int) -> date:
    month = today.year * 12 + today.month - 1 - count
    return date(month // 12, month % 12 + 1, 1)


def _note(connection: Connection, months: list[date], actor: Actor) -> None:
    audit.record(
        connection,
        actor=actor.name,
        role=actor.role,
        address=actor.address,
        request_id=actor.request_id,
        action="audit.retain",
        object="audit_log",
        after={"dropped": [f"{month:%Y-%m}" for month in months]},
    )
