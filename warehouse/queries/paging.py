"""Keyset pages: a cursor names the last row seen, so a page costs the same wherever it is."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from inspect import unwrap
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Row, text

from domain.errors import InvalidInput
from domain.records import Page
from warehouse.caching import snapshot

T = TypeVar("T")

MAX_LIMIT = 500
EVERY = -1
"""The limit that `every` asks for; requests cannot."""


def every(page: Callable[..., Page[T]], **asked: Any) -> Iterator[T]:
    """All rows of a read model that gives pages, for a file: of the same query in the same order,
    read through a cursor of the server as they are taken, past the cache."""
    query = unwrap(page)
    with snapshot(stream_results=True) as connection:
        yield from query(connection, **asked, limit=EVERY).rows


def record_of(kind: Callable[..., T], row: Row[Any]) -> T:
    """The record that a row holds beside what it is found and ordered by."""
    return kind(**{one.name: row._mapping[one.name] for one in fields(cast(Any, kind))})


def _text(value: Any) -> str:
    """Raises ValueError for a text that Postgres cannot hold."""
    if "\0" in str(value):
        raise ValueError("holds a NUL")
    return str(value).encode().decode()


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "double precision": float,
    "bigint": int,
    "text": _text,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "timestamptz": datetime.fromisoformat,
}


def walked(page: Callable[..., Page[T]], **asked: Any) -> Iterator[T]:
    """The same of a short list that is never cached, page after page."""
    cursor: str | None = None
    while True:
        found = page(**asked, limit=MAX_LIMIT, cursor=cursor)
        yield from found.rows
        if (cursor := found.next) is None:
            return


def fetch_page(
    connection: Connection,
    relation: str,
    params: Mapping[str, Any],
    make: Callable[[Row[Any]], T],
    *,
    sort: str,
    sorts: Mapping[str, str],
    tie: Mapping[str, str],
    limit: int,
    cursor: str | None,
) -> Page[T]:
    """One page of `relation` (a SELECT), ordered by `sort` (`-` in front: descending; unknown
    values last) and then by the `tie` columns, which are unique together.

    `sorts` and `tie` give the SQL type of each column. One statement where the first page is the
    whole list, else two. Raises InvalidInput for an
    unknown sort, a bad limit, or a cursor that is not of this list and order.
    """
    column, descending = _sorted_by(sort, sorts)
    order = f"{column} {'DESC' if descending else 'ASC'} NULLS LAST, {', '.join(tie)}"
    if limit == EVERY:
        return _unread(connection, relation, params, make, order)
    if not 1 <= limit <= MAX_LIMIT:
        raise _invalid("limit", f"must be from 1 to {MAX_LIMIT}")
    after, position = "true", dict[str, Any]()
    if cursor is not None:
        after, position = _after(cursor, sort, column, sorts[column], descending, tie)
    rows = connection.execute(
        text(
            f"SELECT * FROM ({relation}) AS listed WHERE {after} ORDER BY {order} LIMIT {limit + 1}"
        ),
        {**params, **position},
    ).all()
    shown = rows[:limit]
    following = _cursor(sort, column, tie, shown[-1]) if len(rows) > limit else None
    count = len(rows)
    if cursor is not None or following is not None:
        count = connection.execute(
            text(f"SELECT count(*) FROM ({relation}) AS listed"), dict(params)
        ).scalar_one()
    return Page(rows=[make(row) for row in shown], count=count, next=following)


def _unread(
    connection: Connection,
    relation: str,
    params: Mapping[str, Any],
    make: Callable[[Row[Any]], T],
    order: str,
) -> Page[T]:
    """Every row, made when it is taken: to be read once and while the connection is open."""
    found = connection.execute(
        text(f"SELECT * FROM ({relation}) AS listed ORDER BY {order}"), dict(params)
    )
    return Page(rows=cast(list[T], _made(found, make)), count=-1)


def _made(found: CursorResult[Any], make: Callable[[Row[Any]], T]) -> Iterator[T]:
    """The statement ends with whoever takes its rows, where he leaves off too."""
    with found:
        yield from map(make, found)


def page_of(
    rows: Sequence[T],
    *,
    sort: str,
    sorts: Mapping[str, str],
    tie: str,
    limit: int,
    cursor: str | None,
) -> Page[T]:
    """The same of rows that are computed, by their attributes; `tie` names a text that is unique.
    Raises InvalidInput as `fetch_page` does."""
    column, descending = _sorted_by(sort, sorts)
    if limit != EVERY and not 1 <= limit <= MAX_LIMIT:
        raise _invalid("limit", f"must be from 1 to {MAX_LIMIT}")
    ordered = sorted(rows, key=lambda row: getattr(row, tie))
    known = [row for row in ordered if getattr(row, column) is not None]
    known.sort(key=lambda row: getattr(row, column), reverse=descending)
    ordered = known + [row for row in ordered if getattr(row, column) is None]
    if cursor is not None:
        value, keys = _read(cursor, sort, sorts[column], {tie: "text"})
        ordered = [
            row
            for row in ordered
            if _is_beyond((getattr(row, column), getattr(row, tie)), (value, keys[0]), descending)
        ]
    shown = ordered if limit == EVERY else ordered[:limit]
    following = (
        _cursor(sort, column, {tie: "text"}, shown[-1]) if len(ordered) > len(shown) else None
    )
    return Page(rows=shown, count=len(rows), next=following)


def _is_beyond(row: tuple[Any, str], place: tuple[Any, str], descending: bool) -> bool:
    (value, key), (there, last) = row, place
    if value == there:
        return key > last
    if value is None or there is None:
        return value is None
    return bool(value < there if descending else value > there)


def _sorted_by(sort: str, sorts: Mapping[str, str]) -> tuple[str, bool]:
    column = sort.removeprefix("-")
    if column not in sorts:
        raise _invalid("sort", f"must be one of {', '.join(sorts)}, with - in front to reverse")
    return column, sort.startswith("-")


def _after(
    cursor: str, sort: str, column: str, kind: str, descending: bool, tie: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    value, keys = _read(cursor, sort, kind, tie)
    names = [f"cursor_{index}" for index in range(len(tie))]
    places = ", ".join(
        f"CAST(:{name} AS {kind})" for name, kind in zip(names, tie.values(), strict=True)
    )
    tied = f"({', '.join(tie)}) > ({places})"
    params = dict(zip(names, keys, strict=True))
    if value is None:
        return f"({column} IS NULL AND {tied})", params
    place = f"CAST(:cursor_value AS {kind})"
    beyond = "<" if descending else ">"
    sql = f"({column} {beyond} {place} OR {column} IS NULL OR ({column} = {place} AND {tied}))"
    return sql, {**params, "cursor_value": value}


def _cursor(sort: str, column: str, tie: Mapping[str, str], row: Any) -> str:
    values = [getattr(row, name) for name in (column, *tie)]
    return base64.urlsafe_b64encode(json.dumps([sort, *values], default=str).encode()).decode()


def _read(cursor: str, sort: str, kind: str, tie: Mapping[str, str]) -> tuple[Any, list[Any]]:
    try:
        made_for, value, *keys = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if made_for != sort or len(keys) != len(tie):
            raise ValueError("made for another list or order")
        read = [_READERS[one](key) for one, key in zip(tie.values(), keys, strict=True)]
        return (None if value is None else _READERS[kind](value)), read
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error):
        raise _invalid("cursor", "is not one that this list gave for this order") from None


def _invalid(name: str, reason: str) -> InvalidInput:
    return InvalidInput(f"{name} {reason}.", fields={name: reason})
