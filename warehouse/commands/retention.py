"""The end of what is no longer needed: whole months of the audit log, refused rows of old loads."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine, text

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
_OLD_REJECTS = text(
    """
    DELETE FROM staging.reject USING staging.load
    WHERE load.id = reject.load_id AND load.finished_at < :first_kept
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
            dropped_months = {"dropped": [f"{month:%Y-%m}" for month in months]}
            action, object = "audit.retain", "audit_log"
            audit.note(connection, actor, action=action, object=object, after=dropped_months)
    return months


def drop_old_rejects(engine: Engine, *, kept: int, today: date, actor: Actor) -> int:
    """Deletes the refused rows of loads that ended before the last `kept` full months; gives how
    many. The loads stay, with what they counted: the same file is still known."""
    first_kept = _months_back(today, kept)
    with engine.begin() as connection:
        gone = connection.execute(_OLD_REJECTS, {"first_kept": first_kept}).rowcount
        if gone:
            after = {"before": str(first_kept), "rows": gone}
            action, object = "staging.retain", "reject"
            audit.note(connection, actor, action=action, object=object, after=after)
    return gone


def _months_back(today: date, count: int) -> date:
    month = today.year * 12 + today.month - 1 - count
    return date(month // 12, month % 12 + 1, 1)
