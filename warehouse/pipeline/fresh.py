"""Rows of months that have no partition yet: filled bare, then attached, which indexes them.

Building an index over a filled table is several times cheaper than keeping it up to date row by
row, and a table that nobody sees yet makes no reader wait.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, text

from warehouse.partitions import months


def fresh_months(
    connection: Connection, table: str, first: date, last: date
) -> list[tuple[date, date]]:
    """(start, end) of the months from `first`'s to `last`'s without a partition of `table`,
    those that are archived left out."""
    known = set(
        connection.execute(
            text(
                "SELECT child.relname FROM pg_inherits"
                " JOIN pg_class AS child ON child.oid = inhrelid"
                " WHERE inhparent = CAST(:table AS regclass) UNION ALL"
                " SELECT table_name || to_char(month, '_YYYY_MM') FROM core.archived_month"
                " WHERE 'core.' || table_name = :table"
            ),
            {"table": table},
        ).scalars()
    )
    return [month for month in months(first, last) if _name(table, month[0]) not in known]


def open_fresh(
    connection: Connection, table: str, column: str, wanted: list[tuple[date, date]]
) -> str:
    """Makes the months' tables, without indexes, under a parent of their own: its name."""
    parent = f"{table}_fresh"
    connection.execute(
        text(
            f"CREATE TABLE {parent} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
            f" PARTITION BY RANGE ({column})"
        )
    )
    for start, end in wanted:
        connection.execute(
            text(f"CREATE TABLE {_child(table, start)} PARTITION OF {parent} {_bounds(start, end)}")
        )
    return parent


def attach_fresh(connection: Connection, table: str, wanted: list[tuple[date, date]]) -> None:
    """Moves the filled months under `table`; raises IntegrityError when a key is repeated."""
    parent = f"{table}_fresh"
    for start, end in wanted:
        child = _child(table, start)
        connection.execute(text(f"ALTER TABLE {parent} DETACH PARTITION {child}"))
        connection.execute(
            text(f"ALTER TABLE {table} ATTACH PARTITION {child} {_bounds(start, end)}")
        )
    connection.execute(text(f"DROP TABLE {parent}"))


def _name(table: str, start: date) -> str:
    return f"{table.rpartition('.')[2]}_{start:%Y_%m}"


def _child(table: str, start: date) -> str:
    return f"{table}_{start:%Y_%m}"


def _bounds(start: date, end: date) -> str:
    return f"FOR VALUES FROM ('{start}') TO ('{end}')"
