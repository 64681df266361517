"""Whether the audit log is whole: every row as it was written, none missing, none put in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

_NAMES = "audit_id at actor role address request_id action object before after status salt".split()
_DIGEST = f"support.audit_digest({', '.join(f'log.{name}' for name in _NAMES)})"

_FIRST_BREAK = text(
    f"""
    WITH erased AS (
        SELECT range_agg(rows) AS ids FROM (
            SELECT (after ->> 'rows')::int8multirange AS rows FROM support.audit_log
            WHERE action = 'user.anonymise' AND after ->> 'rows' IS NOT NULL
        ) AS noted
    ), linked AS (
        SELECT log.*, {_DIGEST} AS fresh,
            lag(log.audit_id, 1, head.anchor_id) OVER numbers AS id_before,
            lag(log.hash, 1, head.anchor_hash) OVER numbers AS hash_before
        FROM support.audit_log AS log CROSS JOIN support.audit_head AS head
        WHERE log.audit_id > head.anchor_id
        WINDOW numbers AS (ORDER BY log.audit_id)
    ), judged AS (
        SELECT audit_id, CASE
            WHEN audit_id <> id_before + 1 THEN 'rows before it are missing'
            WHEN hash <> support.audit_link(hash_before, digest, audit_id, at, action, status)
                THEN 'it does not follow the row before'
            WHEN redacted AND NOT coalesce(audit_id <@ erased.ids, false)
                THEN 'it was erased without a record'
            WHEN NOT redacted AND digest <> fresh THEN 'it was changed'
            END AS problem
        FROM linked CROSS JOIN erased
    )
    SELECT audit_id, problem FROM judged WHERE problem IS NOT NULL ORDER BY audit_id LIMIT 1
    """
)

_EXTENT = text(
    """
    SELECT count(log.audit_id) AS rows, min(log.at) AS first_at, max(log.at) AS last_at,
        count(*) FILTER (WHERE log.redacted) AS erased,
        head.audit_id AS last_id, encode(head.hash, 'hex') AS seal,
        head.audit_id = head.anchor_id OR EXISTS (
            SELECT FROM support.audit_log AS last
            WHERE last.audit_id = head.audit_id AND last.hash = head.hash
        ) AS ends_whole
    FROM support.audit_head AS head
    LEFT JOIN support.audit_log AS log ON log.audit_id > head.anchor_id
    GROUP BY head.audit_id, head.hash, head.anchor_id
    """
)


@dataclass(frozen=True)
class Chain:
    """The state of the audit log. `problem` is None where it is whole, else it names the first row
    that is not (`at_id`); `seal` is the last row's hash, to be noted down elsewhere: who rewrites
    the whole log cannot make the same one. `erased`: rows of people whose data were erased."""

    rows: int
    first_at: datetime | None
    last_at: datetime | None
    erased: int
    last_id: int
    seal: str
    at_id: int | None = None
    problem: str | None = None

    @property
    def is_whole(self) -> bool:
        """True if nothing was found."""
        return self.problem is None


def verify(connection: Connection) -> Chain:
    """Reads the whole log once; one consistent picture while others write."""
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    extent = connection.execute(_EXTENT).one()
    broken = connection.execute(_FIRST_BREAK).one_or_none()
    at_id, problem = broken or (None, None)
    if problem is None and not extent.ends_whole:
        at_id, problem = extent.last_id, "it and perhaps rows before it are missing at the end"
    known = {name: value for name, value in extent._mapping.items() if name != "ends_whole"}
    return Chain(**known, at_id=at_id, problem=problem)
