"""Rows of months that have no partition yet: filled bare, then indexed and attached.

Building an index over a filled table is several times cheaper than keeping it up to date row by
row, and a table that nobody sees yet makes no reader wait.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, text

from warehouse.partitions import month_table, next_month

_KNOWN = """
SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
WHERE inhparent = CAST(:table AS regclass)
UNION ALL
SELECT table_name || to_char(month, '_YYYY_MM') FROM core.archived_month
WHERE 'core.' || table_name = :table
"""


_WITHIN = "within_month"
"""The name of a constraint that spares attaching the reading of all rows."""

_KEY = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = CAST(:table AS regclass) AND contype = 'p'
"""


class FreshMonths:
    """The months of `table`, partitioned by `column`, that are neither there nor archived. Those
    that are opened lie under `parent` until they are attached; no load but the caller's may run."""

    def __init__(self, connection: Connection, table: str, column: str) -> None:
        self._connection, self._table, self._column = connection, table, column
        self._known = set(connection.execute(text(_KNOWN), {"table": table}).scalars())
        self._opened: list[date] = []
        self.parent = f"{table}_fresh"

    def has(self, start: date) -> bool:
        """Whether the month that begins on `start` is fresh."""
        return month_table(self._table.rpartition(".")[2], start) not in self._known

    def open(self, start: date) -> None:
        """Makes the fresh month's table, without indexes, unless that was done."""
        if start in self._opened:
            return
        if not self._opened:
            self._execute(
                f"CREATE TABLE {self.parent}"
                f" (LIKE {self._table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
                f" PARTITION BY RANGE ({self._column})"
            )
        child = month_table(self._table, start)
        within = f"{self._column} >= '{start}' AND {self._column} < '{next_month(start)}'"
        self._execute(
            f"CREATE TABLE {child} PARTITION OF {self.parent}"
            f" (CONSTRAINT {_WITHIN} CHECK ({within})) {_bounds(start)}"
        )
        self._opened.append(start)

    def index(self, start: date) -> None:
        """Makes the key of an opened month ahead of `attach`, which then need not; what is written
        to it afterwards is dearer. Raises IntegrityError when a key is repeated."""
        key = self._connection.execute(text(_KEY), {"table": self._table}).scalar_one()
        self._execute(f"ALTER TABLE {month_table(self._table, start)} ADD {key}")

    def attach(self) -> None:
        """Moves what was opened under the table, and makes the indexes that it lacks; raises
        IntegrityError when a key is repeated."""
        for start in sorted(self._opened):
            child = month_table(self._table, start)
            self._execute(f"ALTER TABLE {self.parent} DETACH PARTITION {child}")
            self._execute(f"ALTER TABLE {self._table} ATTACH PARTITION {child} {_bounds(start)}")
            self._execute(f"ALTER TABLE {child} DROP CONSTRAINT {_WITHIN}")
        self.drop()

    def drop(self) -> None:
        """Removes what was opened and is not attached."""
        if self._opened:
            self._execute(f"DROP TABLE {self.parent}")
            self._opened.clear()

    def _execute(self, statement: str) -> None:
        self._connection.execute(text(statement))


def _bounds(start: date) -> str:
    return f"FOR VALUES FROM ('{start}') TO ('{next_month(start)}')"
