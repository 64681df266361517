"""The audit log as people read it: newest first, narrowed. Never cached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, text

from domain.errors import NotFound
from domain.records import AuditFilters, AuditRow, Page
from warehouse.db import primary
from warehouse.queries.paging import fetch_page

KEY = {"audit_id": "bigint"}
STRETCH = 5000

_ROWS = """
SELECT audit_id, at, actor, role, address, request_id, action, object, before, after, status,
    redacted
FROM support.audit_log
"""

# an action's own name, or whatever begins with it and a dot
_CONDITIONS = {
    "actor": "position(lower(:actor) IN lower(actor)) > 0",
    "action": "(action = :action OR starts_with(action, :action || '.'))",
    "object": "position(lower(:object) IN lower(object)) > 0",
    "since": "at >= :since",
    "before": "at < :before",
}


def page(
    *, filters: AuditFilters, limit: int = 50, cursor: str | None = None, sort: str = "-audit_id"
) -> Page[AuditRow]:
    """Two statements; times in the filter let Postgres skip the other months. Raises Unavailable,
    InvalidInput for a bad cursor."""
    sql, params = _narrowed(filters)
    with primary() as connection:
        return fetch_page(
            connection,
            sql,
            params,
            _row,
            sort=sort,
            sorts=KEY,
            tie=KEY,
            limit=limit,
            cursor=cursor,
        )


def one(audit_id: int) -> AuditRow:
    """Raises NotFound, Unavailable."""
    with primary() as connection:
        sql = text(f"{_ROWS} WHERE audit_id = :audit_id")
        row = connection.execute(sql, {"audit_id": audit_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no audit row {audit_id}.")
    return _row(row)


def every(filters: AuditFilters) -> Iterator[AuditRow]:
    """All rows of the filter, oldest first, read a stretch at a time: memory stays the same."""
    sql, params = _narrowed(filters)
    stretch = text(
        f"SELECT * FROM ({sql}) AS log WHERE audit_id > :after ORDER BY audit_id LIMIT {STRETCH}"
    )
    after = 0
    while True:
        with primary() as connection:
            rows = connection.execute(stretch, {**params, "after": after}).all()
        yield from map(_row, rows)
        if len(rows) < STRETCH:
            return
        after = rows[-1].audit_id


def _narrowed(filters: AuditFilters) -> tuple[str, dict[str, Any]]:
    params = {name: value for name, value in vars(filters).items() if value}
    conditions = [_CONDITIONS[name] for name in params]
    return " WHERE ".join([_ROWS, " AND ".join(conditions)] if conditions else [_ROWS]), params


def _row(row: Row[Any]) -> AuditRow:
    return AuditRow(**row._mapping)
