"""The end of what is no longer needed: whole months of the audit log, refused rows of old loads."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine, text

from warehouse.commands import audit
from warehouse.commands.users import Actor
from warehouse.partitions import remove

_LOG = "support.audit_log"
_PARTS = text(
    """
    SELECT 'support.' || relname AS part, to_date(right(relname, 7), 'YYYY_MM') AS month
    FROM pg_class WHERE relnamespace = 'support'::regnamespace AND relkind = 'r'
        AND relname ~ '^audit_log_[0-9]{4}_[0-9]{2}$' ORDER BY month
    """
)
"""Those that a killed call has detached and not yet dropped among them."""
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
    anchor moves to the last row that is dropped first, so that what stays can be verified whatever
    becomes of this call; who reads the log is waited for, and who writes to it does not wait."""
    first_kept = _months_back(today, kept)
    with engine.begin() as connection:
        connection.execute(text("SELECT FROM support.audit_head FOR UPDATE"))
        dropped = [row for row in connection.execute(_PARTS) if row.month < first_kept]
        for row in dropped:
            connection.execute(text(_ANCHOR.format(part=row.part)))
        months = [row.month for row in dropped]
        if months:
            dropped_months = {"dropped": [f"{month:%Y-%m}" for month in months]}
            action, object = "audit.retain", "audit_log"
            audit.note(connection, actor, action=action, object=object, after=dropped_months)
    for row in dropped:
        remove(engine, _LOG, row.part)
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
