"""What was loaded, by whom, and why rows were refused. Never cached: a load shows as it goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, text

from domain.errors import NotFound
from domain.records import Load, Page, RejectedRow
from warehouse.db import primary
from warehouse.pipeline.views import WRITE_LOCK
from warehouse.queries.paging import fetch_page

LOAD_SORTS = {"load_id": "bigint"}
REJECT_SORTS = {"reject_id": "bigint"}
STRETCH = 5000

# whoever loads holds the lock: without it, a load that has not ended never will
_LOADS = f"""
SELECT id AS load_id, file, part, kind,
    CASE WHEN state = 'loading' AND NOT EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
            AND classid = 0 AND objid = {WRITE_LOCK} AND objsubid = 1
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) THEN 'stopped' ELSE state END AS state,
    message, rows_read, rows_accepted, rows_rejected, rows_filtered, rows_merged,
    date_from, date_to, loaded_by, started_at, finished_at,
    extract(epoch FROM finished_at - started_at)::double precision AS seconds, is_demo
FROM staging.load
"""

_REJECTS = """
SELECT id AS reject_id, file, line, column_name AS "column", value, reason
FROM staging.reject WHERE load_id = :load_id
"""


def page(*, limit: int = 50, cursor: str | None = None, sort: str = "-load_id") -> Page[Load]:
    """Loads, newest first; two statements. Raises Unavailable."""
    with primary() as connection:
        return fetch_page(
            connection,
            _LOADS,
            {},
            _load,
            sort=sort,
            sorts=LOAD_SORTS,
            tie={"load_id": "bigint"},
            limit=limit,
            cursor=cursor,
        )


def one(load_id: int) -> Load:
    """Raises NotFound, Unavailable."""
    with primary() as connection:
        sql = text(f"{_LOADS} WHERE id = :load_id")
        row = connection.execute(sql, {"load_id": load_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no load {load_id}.")
    return _load(row)


def rejects(*, load_id: int, limit: int = 50, cursor: str | None = None) -> Page[RejectedRow]:
    """Refused rows of one load in the order of the file; three statements. Raises NotFound."""
    one(load_id)
    with primary() as connection:
        return fetch_page(
            connection,
            _REJECTS,
            {"load_id": load_id},
            _reject,
            sort="reject_id",
            sorts=REJECT_SORTS,
            tie={"reject_id": "bigint"},
            limit=limit,
            cursor=cursor,
        )


def every_reject(load_id: int) -> Iterator[RejectedRow]:
    """All refused rows of one load, read a stretch at a time: memory stays the same."""
    sql = text(f"{_REJECTS} AND id > :after ORDER BY id LIMIT {STRETCH}")
    after = 0
    while True:
        with primary() as connection:
            rows = connection.execute(sql, {"load_id": load_id, "after": after}).all()
        yield from map(_reject, rows)
        if len(rows) < STRETCH:
            return
        after = rows[-1].reject_id


def _load(row: Row[Any]) -> Load:
    return Load(**row._mapping)


def _reject(row: Row[Any]) -> RejectedRow:
    return RejectedRow(**row._mapping)
