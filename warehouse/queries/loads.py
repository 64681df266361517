"""What was loaded, by whom, and why rows were refused. Never cached: a load shows as it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Row, text

from domain.errors import NotFound
from domain.records import Load, Page, RejectedRow
from warehouse.db import primary
from warehouse.pipeline.views import WRITE_LOCK
from warehouse.queries.paging import fetch_page

T = TypeVar("T")

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
    """Loads, newest first; two statements, or twice as many. Raises Unavailable."""
    with primary() as connection:
        look = partial(
            fetch_page,
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
        return _looked_at(look, lambda found: found.rows)


def one(load_id: int) -> Load:
    """Raises NotFound, Unavailable."""
    sql = text(f"{_LOADS} WHERE id = :load_id")

    def look() -> list[Load]:
        return [_load(row) for row in connection.execute(sql, {"load_id": load_id})]

    with primary() as connection:
        found = _looked_at(look, list)
    if not found:
        raise NotFound(f"There is no load {load_id}.")
    return found[0]


def _looked_at(look: Callable[[], T], loads: Callable[[T], Sequence[Load]]) -> T:
    """What is seen; at a second look where a load seems to have stopped: it may have ended, and
    let go of the lock, between the look at its row and that at the lock."""
    found = look()
    return look() if any(one.state == "stopped" for one in loads(found)) else found


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
