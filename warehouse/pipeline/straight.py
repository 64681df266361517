"""Rows of fresh months straight into `core`: keys resolved here, then COPY, past `staging`.

The tables are out of sight until they are attached in the same transaction, and only their indexes
tell whether two rows have the same key: a file that repeats one is loaded by way of `staging`.
Where the months of a file follow each other, as in most exports, one that it has left is indexed
while the next ones are read.
"""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, text

from warehouse.db import copy
from warehouse.pipeline.binary import Column, fits, packed
from warehouse.pipeline.checks import MANY_CODES
from warehouse.pipeline.fresh import FreshMonths
from warehouse.pipeline.promote import PROMOTIONS, Copied, Reference, name_codes
from warehouse.pipeline.reshape import flat
from warehouse.pipeline.stage import as_csv


def can_go_straight(kind: str) -> bool:
    """Whether rows of the kind lie in months and need no SQL on their way."""
    plan = PROMOTIONS[kind]
    return bool(plan.month_column) and all(field.copied for field in plan.fields)


class Straight:
    """The rows of one load whose months are fresh; `rows`, `first`, `last` and `quantity` (units of
    issue, of demand) tell what was taken so far."""

    def __init__(self, connection: Connection, kind: str, load_id: int) -> None:
        self._connection, self._load_id = connection, load_id
        self._plan = PROMOTIONS[kind]
        self._months = FreshMonths(connection, f"core.{self._plan.target}", self._plan.month_column)
        self._filling: set[date] = set()
        self._indexed: set[date] = set()
        self._in_order = True
        self._numbers: dict[str, dict[str, int]] = {}
        self._named_after: dict[str, int] = {}
        self.rows = 0
        self.first: date | None = None
        self.last: date | None = None
        self.quantity = 0.0

    def take(self, rows: pa.Table) -> pa.Table:
        """Copies the typed rows of fresh months; the others come back."""
        days = flat(rows[self._plan.month_column]).cast(pa.date32())
        months = days.to_numpy(zero_copy_only=False).astype("datetime64[M]")
        there = np.unique(months)
        fresh = [month for month in there if self._months.has(month.astype(date))]
        self._index_left({month.astype(date) for month in fresh})
        if not fresh:
            return rows
        others = rows.slice(0, 0)
        if len(fresh) < len(there):
            mine = np.isin(months, fresh)
            others, rows = rows.filter(pa.array(~mine)), rows.filter(pa.array(mine))
        for month in fresh:
            self._months.open(month.astype(date))
        self._count(rows)
        self._copy(rows)
        return others

    def _index_left(self, met: set[date]) -> None:
        """Indexes the months of which no more rows come, until one of them has come back."""
        self._in_order &= met.isdisjoint(self._indexed)
        if self._in_order:
            for month in sorted(self._filling - met):
                self._months.index(month)
                self._indexed.add(month)
            self._filling = met

    def attach(self) -> None:
        """Makes the months part of the table; raises IntegrityError when a key is repeated."""
        self._months.attach()

    def undo(self) -> None:
        """Leaves nothing of what was taken."""
        self._months.drop()
        for table, last in self._named_after.items():
            self._connection.execute(
                text(f"DELETE FROM core.{table} WHERE {table}_id > :last"), {"last": last}
            )

    def _count(self, rows: pa.Table) -> None:
        self.rows += rows.num_rows
        span = pc.min_max(flat(rows[self._plan.month_column]).cast(pa.date32())).as_py()
        self.first = min(self.first or span["min"], span["min"])
        self.last = max(self.last or span["max"], span["max"])
        if "quantity" in rows.column_names:
            self.quantity += pc.sum(rows["quantity"]).as_py()

    def _copy(self, rows: pa.Table) -> None:
        columns: dict[str, Column] = {"load_id": pa.scalar(self._load_id, pa.int32())}
        for field in self._plan.fields:
            assert field.copied is not None
            if field.staged in rows.column_names:
                columns[field.target] = self._values(field.copied, flat(rows[field.staged]))
            elif field.absent is not None:
                columns[field.target] = _constant(field.copied.empty)
        names = ", ".join(columns)
        form, data = _encoded(columns, rows.num_rows)
        statement = f"COPY {self._months.parent} ({names}) FROM STDIN (FORMAT {form})"
        copy(self._connection, statement, data)

    def _values(self, copied: Copied, staged: pa.Array) -> pa.Array:
        if copied.reference is not None:
            return self._resolved(copied.reference, staged, copied.empty)
        return staged if copied.empty is None else pc.fill_null(staged, copied.empty)

    def _resolved(self, reference: Reference, codes: pa.Array, empty: Any) -> pa.Array:
        """The numbers of the rows that the codes name; new codes get a row of their own."""
        coded = codes.dictionary_encode()
        wanted = coded.dictionary.to_pylist()
        known = self._numbers.setdefault(reference.table, {})
        unknown = [code for code in wanted if code not in known]
        if unknown:
            if len(known) > MANY_CODES:
                known.clear()
                unknown = wanted
            known.update(self._named(reference, unknown))
        numbers = pa.array(np.array([known[code] for code in wanted], dtype=np.int32))
        found = numbers.take(coded.indices)
        return found if empty is None else pc.fill_null(found, empty)

    def _named(self, reference: Reference, codes: list[str]) -> dict[str, int]:
        table, code = reference.table, reference.code
        if table not in self._named_after:
            last = self._connection.execute(text(f"SELECT max({table}_id) FROM core.{table}"))
            self._named_after[table] = last.scalar() or 0
        name_codes(self._connection, reference, codes)
        found = self._connection.execute(
            text(f"SELECT {code}, {table}_id FROM core.{table} WHERE {code} = ANY(:codes)"),
            {"codes": codes},
        )
        return {code: number for code, number in found}


def _constant(value: Any) -> pa.Scalar:
    return pa.scalar(value, pa.int32() if isinstance(value, int) else pa.string())


def _encoded(columns: dict[str, Column], count: int) -> tuple[str, io.BytesIO]:
    """The rows for COPY, and their format: binary where every value is there and of one width."""
    if all(map(fits, columns.values())):
        return "binary", io.BytesIO(packed(list(columns.values()), count))
    filled = {
        name: pa.repeat(value, count) if isinstance(value, pa.Scalar) else value
        for name, value in columns.items()
    }
    return "csv", as_csv(pa.table(filled))
