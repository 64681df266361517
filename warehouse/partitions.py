"""Partitions made ahead of the rows that they will hold, and removed beside those who read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import Connection, Engine, text

AUDIT_MONTHS_AHEAD = 3

_STATE = text(
    """
    SELECT inhdetachpending FROM pg_inherits
    WHERE inhparent = CAST(:parent AS regclass) AND inhrelid = CAST(:part AS regclass)
    """
)


def next_month(day: date) -> date:
    """The first day of the month after `day`'s."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """(start, end) of each month from `first`'s to `last`'s; the end is exclusive."""
    start = first.replace(day=1)
    while start <= last:
        yield start, next_month(start)
        start = next_month(start)


def month_table(table: str, start: date) -> str:
    """The partition of a table for the month that begins on `start`."""
    return f"{table}_{start:%Y_%m}"


def years(first: date, last: date) -> Iterator[tuple[date, date]]:
    """(start, end) of each year from `first`'s to `last`'s; the end is exclusive."""
    for year in range(first.year, last.year + 1):
        yield date(year, 1, 1), date(year + 1, 1, 1)


def ensure_years(connection: Connection, table: str, first: date, last: date) -> None:
    """Creates `<table>_<yyyy>` for each year wanted; `table` is schema-qualified."""
    for start, end in years(first, last):
        _ensure(connection, table, f"{table}_{start:%Y}", start, end)


def ensure_audit_months(connection: Connection, today: date) -> None:
    """The audit log's partitions for this month and the next ones; the application's role, which
    may make no table, may ask for these."""
    month = today.replace(day=1)
    for _ in range(1 + AUDIT_MONTHS_AHEAD):
        connection.execute(text("SELECT support.make_audit_month(:month)"), {"month": month})
        month = next_month(month)


def remove(engine: Engine, parent: str, part: str) -> None:
    """Detaches and drops the partition, from whatever step a killed call has left it at. Nobody
    waits for it; who began before still sees it, and is waited for."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET lock_timeout = 0"))
        try:
            pending = connection.execute(_STATE, {"parent": parent, "part": part}).scalar()
            if pending is not None:
                how = "FINALIZE" if pending else "CONCURRENTLY"
                connection.execute(text(f"ALTER TABLE {parent} DETACH PARTITION {part} {how}"))
            connection.execute(text(f"DROP TABLE {part}"))
        finally:
            connection.invalidate()


def _ensure(connection: Connection, table: str, partition: str, start: date, end: date) -> None:
    """Attaches a new partition: unlike PARTITION OF, that never makes a reader wait."""
    exists = connection.execute(text("SELECT to_regclass(:name)"), {"name": partition}).scalar()
    if exists is None:
        like = f"LIKE {table} INCLUDING ALL EXCLUDING IDENTITY"
        connection.execute(text(f"CREATE TABLE {partition} ({like})"))
        connection.execute(
            text(
                f"ALTER TABLE {table} ATTACH PARTITION {partition}"
                f" FOR VALUES FROM ('{start}') TO ('{end}')"
            )
        )
