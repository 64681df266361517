"""Typed rows into `staging` by COPY, and what to do with rows of the same key."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date

import pyarrow as pa
import pyarrow.csv
from sqlalchemy import Connection, text

from domain.erp import KINDS, FileKind, Type
from warehouse.db import copy
from warehouse.pipeline.mapping import SUMMED
from warehouse.pipeline.report import Reject

_OPTIONS = pyarrow.csv.WriteOptions(include_header=False)


def empty_stage(connection: Connection, kind: str) -> None:
    """Removes whatever stands in the kind's raw table; only one load runs at a time."""
    connection.execute(text(f"TRUNCATE staging.{kind}"))


def staged_quantity(connection: Connection, kind: str) -> float | None:
    """The control total of staged demand, in units of issue; None for other kinds."""
    if kind != "demand":
        return None
    return connection.execute(text("SELECT sum(quantity) FROM staging.demand")).scalar()


def copy_rows(connection: Connection, kind: str, load_id: int, rows: pa.Table) -> None:
    """Appends typed rows to the kind's raw table."""
    if not rows.num_rows:
        return
    marked = rows.add_column(0, "load_id", pa.repeat(pa.scalar(load_id, pa.int32()), len(rows)))
    _copy(connection, f"staging.{kind}", marked.column_names, as_csv(marked))


def copy_rejects(connection: Connection, load_id: int, file: str, rejects: list[Reject]) -> None:
    """Appends refused rows to `staging.reject`."""
    if not rejects:
        return
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerows(
        (load_id, file, each.line, each.column, _storable(each.value), each.reason)
        for each in rejects
    )
    columns = ["load_id", "file", "line", "column_name", "value", "reason"]
    _copy(connection, "staging.reject", columns, io.BytesIO(buffer.getvalue().encode()))


def as_csv(table: pa.Table) -> io.BytesIO:
    """The rows as COPY (FORMAT csv) takes them: what is null is empty, an empty text in quotes."""
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(table, buffer, _OPTIONS)
    buffer.seek(0)
    return buffer


def _storable(value: str | None) -> str | None:
    """Postgres keeps every character but NUL, which Parquet texts may hold."""
    return value and value.replace("\0", "\N{SYMBOL FOR NULL}")


def _copy(connection: Connection, table: str, columns: list[str], data: io.BytesIO) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    copy(connection, f"COPY {table} ({names}) FROM STDIN (FORMAT csv)", data)


def refuse_duplicates(
    connection: Connection, kind: FileKind, staged: list[str], origin: Callable[[str], str]
) -> list[Reject]:
    """Removes all rows of a key but the first; returns them with the line that they repeat.
    `origin` gives the file's name of a column."""
    keys = _keys(kind, staged)
    rows = connection.execute(
        text(
            f"WITH again AS ({_ranked(kind, keys, 'first')}),"
            f" gone AS (DELETE FROM staging.{kind.name} AS s USING again"
            " WHERE s.ctid = again.row AND again.place > 1 RETURNING s.file_line, again.kept)"
            " SELECT file_line, kept FROM gone ORDER BY file_line"
        )
    )
    names = ", ".join(origin(name) for name in kind.key if name in staged)
    return [
        Reject(line, names, None, f"repeats the key of line {kept} (see on_duplicate)")
        for line, kept in rows
    ]


def merge_duplicates(connection: Connection, kind: FileKind, staged: list[str], how: str) -> int:
    """Keeps one row a key: the first, the last, or the first with quantities summed.

    Returns how many rows were merged into another.
    """
    keys = _keys(kind, staged)
    if how == "sum":
        _sum_into_first(connection, kind, keys, staged)
    ranked = _ranked(kind, keys, "last" if how == "last" else "first")
    return connection.execute(
        text(
            f"WITH again AS ({ranked}) DELETE FROM staging.{kind.name} AS s USING again"
            " WHERE s.ctid = again.row AND again.place > 1"
        )
    ).rowcount


def _sum_into_first(
    connection: Connection, kind: FileKind, keys: list[str], staged: list[str]
) -> None:
    summed = [name for name in SUMMED[kind.name] if name in staged]
    sums = ", ".join(f"sum({name}) OVER (PARTITION BY {', '.join(keys)}) {name}" for name in summed)
    sets = ", ".join(f"{name} = total.{name}" for name in summed)
    connection.execute(
        text(
            f"WITH total AS (SELECT ctid AS row, count(*) OVER (PARTITION BY {', '.join(keys)})"
            f" AS rows, {sums} FROM staging.{kind.name})"
            f" UPDATE staging.{kind.name} AS s SET {sets} FROM total"
            " WHERE s.ctid = total.row AND total.rows > 1"
        )
    )


def has_duplicates(connection: Connection, kind: FileKind, staged: list[str]) -> bool:
    """Whether two staged rows have the same key."""
    keys = ", ".join(_keys(kind, staged))
    found = connection.execute(
        text(f"SELECT FROM staging.{kind.name} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1")
    )
    return found.first() is not None


def staged_dates(connection: Connection, kind: str) -> tuple[date | None, date | None]:
    """The first and last day of the staged rows, or (None, None) for a kind without dates."""
    column = date_column(kind)
    if column is None:
        return None, None
    found = connection.execute(
        text(f'SELECT min("{column}")::date, max("{column}")::date FROM staging.{kind}')
    )
    first, last = found.one()
    return first, last


def date_column(kind: str) -> str | None:
    """The first compulsory column of the kind that holds a date or time."""
    dates = (
        column.name
        for column in KINDS[kind].columns
        if column.required and column.type in (Type.DATE, Type.TIMESTAMP)
    )
    return next(dates, None)


def _keys(kind: FileKind, staged: list[str]) -> list[str]:
    return [f'"{name}"' for name in kind.key if name in staged]


def _ranked(kind: FileKind, keys: list[str], end: str) -> str:
    order = "file_line, ctid" if end == "first" else "file_line DESC, ctid DESC"
    window = f"PARTITION BY {', '.join(keys)} ORDER BY {order}"
    return (
        f"SELECT ctid AS row, row_number() OVER ({window}) AS place,"
        f" first_value(file_line) OVER ({window}) AS kept FROM staging.{kind.name}"
    )
