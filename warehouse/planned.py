"""Statements that a connection parses and plans once. Planning is most of what the database does
for a statement that finds a few rows by keys; where it thinks that the values matter, it plans anew
each time all the same (plan_cache_mode = auto)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import psycopg2
from sqlalchemy import Engine, TextClause, event, text

PLANNED = "nova_planned"
"""The execution option of a statement to be planned once."""

KEPT_AT_MOST = 64
"""Of such statements on a connection; then it begins anew."""

OUTDATED = ("0A000", "26000")
"""SQLSTATEs of a statement whose rows have other types since a migration, or that is gone."""

MARK = re.compile(r"%\((\w+)\)s|%%")


class Planning(psycopg2.extensions.connection):
    """A connection that knows what is planned on it: names by statement."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.planned: dict[str, str] = {}


@lru_cache(maxsize=512)
def planned_once(sql: str) -> TextClause:
    """The statement, for connections of `bind`'s engines to plan once. The types of its parameters
    must follow from where they stand."""
    return text(sql).execution_options(**{PLANNED: True})


def bind(engine: Engine) -> None:
    """Connections of this engine must be of Planning."""
    event.listen(engine, "do_execute", _execute)


def _execute(cursor: Any, sql: str, params: Any, context: Any) -> bool | None:
    """In place of the driver's execute; None leaves it to that, as a cursor of the server. Whatever
    listens to statements sees them as they were written."""
    if context is None or PLANNED not in context.execution_options or cursor.name:
        return None
    numbered, order = _numbered(sql)
    try:
        run(cursor, numbered, [params[one] for one in order])
    except psycopg2.Error as error:
        if error.pgcode not in OUTDATED:
            raise
        cursor.connection.close()  # so that whoever asks again has a new one
        raise psycopg2.OperationalError(f"planned before a change: {error}") from error
    return True


def run(cursor: Any, numbered: str, values: Sequence[Any]) -> None:
    """Sends a statement with `$1`, `$2` … in its parameters' places, on a cursor of a Planning.
    Raises psycopg2.Error, with a SQLSTATE of OUTDATED where a new connection does better."""
    marks = f" ({', '.join(['%s'] * len(values))})" if values else ""
    cursor.execute(f"EXECUTE {_name(cursor, numbered)}{marks}", values)


def _name(cursor: Any, numbered: str) -> str:
    planned = cursor.connection.planned
    if numbered not in planned:
        if len(planned) >= KEPT_AT_MOST:
            cursor.execute("DEALLOCATE ALL")
            planned.clear()
        name = f"planned_{len(planned)}"
        cursor.execute(f"PREPARE {name} AS {numbered}")
        planned[numbered] = name
    return planned[numbered]  # type: ignore[no-any-return]


@lru_cache(maxsize=512)
def _numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """The statement with numbers in the parameters' places, and their names in this order."""
    names = tuple(dict.fromkeys(name for name in MARK.findall(sql) if name))
    number = {name: f"${place}" for place, name in enumerate(names, 1)}
    return MARK.sub(lambda found: number[found[1]] if found[1] else "%", sql), names
