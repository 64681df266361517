"""Every row of canonical text either becomes a typed row for staging or is refused with reasons."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from domain import clock
from domain.erp import KINDS, Column, Type
from warehouse.pipeline.cells import (
    Dates,
    Decimal,
    Read,
    Why,
    read_booleans,
    read_integers,
    read_materials,
    read_numbers,
    read_texts,
)
from warehouse.pipeline.mapping import DateOrder, Source
from warehouse.pipeline.report import Reject
from warehouse.pipeline.reshape import Reshaper, Shaped, flat

NUMERIC = (Type.NUMBER, Type.INTEGER)
SHOWN_CHARACTERS = 200
NONE_CODE = "-"
REFERENCES = ("site", "supplier")
MANY_CODES = 200_000
"""Of one column: as many are gathered, the memory of a load being bounded."""
DAYS_AHEAD = 1
"""So far after today in Brasília a fact may lie: files may go by clocks that are ahead."""


@dataclass(frozen=True)
class Checked:
    """Typed rows (with `file_line`), the reasons why others are refused, and how many those are."""

    table: pa.Table
    rejects: list[Reject]
    rejected: int
    notes: Counter[str]


class Checker:
    """Checks the shaped rows of one part."""

    def __init__(self, source: Source, reshaper: Reshaper, *, file: str, decimal: str | None):
        self._source, self._reshaper, self._kind = source, reshaper, KINDS[source.kind]
        self._names = reshaper.names
        self._columns = [column for column in self._kind.columns if column.name in self._names]
        self._dates = Dates(source.date_formats)
        self._decimal = Decimal(decimal, file=file)
        self._codes: dict[str, set[str]] = {}
        self._last_day = clock.today() + timedelta(days=DAYS_AHEAD)

    def codes(self, column: str) -> set[str] | None:
        """All that the gathered rows name in this column; None where that is not known."""
        found = self._codes.get(column)
        return found if found is not None and len(found) <= MANY_CODES else None

    def gather_codes(self, table: pa.Table) -> None:
        """Notes what these rows, which go into staging, name."""
        for name in ("sku", *REFERENCES):
            if name in table.column_names:
                found = self._codes.setdefault(name, set())
                if len(found) <= MANY_CODES:
                    found.update(pc.unique(pc.drop_null(table[name])).to_pylist())

    def forget_codes(self) -> None:
        """Rows that were good are gone, so what they named may be named no more."""
        self._codes.clear()

    @property
    def staged(self) -> list[str]:
        """The columns of the typed table, in order."""
        extra = [self._kind.extra] if self._kind.extra and self._reshaper.extra else []
        return ["file_line", *self._names, *extra]

    def check(self, shaped: Shaped) -> Checked:
        """The good rows, typed, and every problem of the others."""
        problems = _Problems(shaped, self._reshaper)
        self._learn_decimal(shaped)
        columns: dict[str, pa.Array] = {"file_line": pa.array(shaped.lines)}
        for column in self._columns:
            texts = flat(shaped.table[column.name])
            if column.type in NUMERIC:
                texts = self._marked(texts, shaped.typed.get(self._reshaper.origin(column.name)))
            columns[column.name] = self._typed(column, texts, problems)
        self._one_of(columns, problems)
        self._apart(columns, problems)
        notes = self._order_dates(columns, problems)
        if shaped.extra is not None and self._kind.extra:
            columns[self._kind.extra] = self._json(shaped, shaped.extra, problems)
        table = pa.table({name: columns[name] for name in self.staged})
        if problems.bad.any():
            table = table.filter(pa.array(~problems.bad))
        rejected = int(problems.bad.sum()) + len(shaped.broken)
        return Checked(table, shaped.broken + problems.found, rejected, notes)

    def _learn_decimal(self, shaped: Shaped) -> None:
        numeric = {
            self._reshaper.origin(column.name): flat(shaped.table[column.name])
            for column in self._columns
            if column.type in NUMERIC
        }
        if self._kind.extra_numeric and shaped.extra is not None:
            numeric |= {name: flat(shaped.extra[name]) for name in shaped.extra.column_names}
        for header, typed in shaped.typed.items():
            if header in numeric:
                numeric[header] = pc.if_else(pa.array(typed), None, numeric[header])
        self._decimal.learn(numeric, shaped.lines)

    def _marked(self, texts: pa.Array, typed: np.ndarray | None) -> pa.Array:
        """Numbers that are such by their type, in the mark of those that are texts."""
        if typed is None or self._mark == ".":
            return texts
        return pc.if_else(pa.array(typed), pc.replace_substring(texts, ".", self._mark), texts)

    @property
    def _mark(self) -> str:
        return self._decimal.mark or "."

    def _typed(self, column: Column, texts: pa.Array, problems: _Problems) -> pa.Array:
        if column.name in REFERENCES and not column.required:
            texts = pc.if_else(pc.equal(texts, NONE_CODE), None, texts)
        read = self._read(column, texts)
        problems.add(column.name, texts, read.bad, read.why)
        if column.required:
            empty = texts.is_null().to_numpy(zero_copy_only=False)
            problems.add(column.name, texts, empty, lambda _value: "is empty")
        if column.happened:
            late = pc.greater(pc.cast(read.values, pa.date32(), safe=False), self._last_day)
            ahead = pc.fill_null(late, False).to_numpy(zero_copy_only=False)
            problems.add(column.name, texts, ahead, lambda _value: "lies in the future")
        return read.values

    def _read(self, column: Column, texts: pa.Array) -> Read:
        if column.type is Type.NUMBER:
            scale = self._source.scale.get(column.name, 1.0)
            return read_numbers(texts, column, self._mark, scale)
        if column.type is Type.INTEGER:
            return read_integers(texts, column, self._mark)
        if column.type is Type.DATE:
            return self._dates.read_dates(texts, column)
        if column.type is Type.TIMESTAMP:
            return self._dates.read_times(texts, column)
        if column.type is Type.BOOLEAN:
            return read_booleans(texts, column)
        if column.type is Type.JSON:
            return read_materials(texts, column)
        return read_texts(texts, column, key=self._is_key(column))

    def _is_key(self, column: Column) -> bool:
        return column.name in (*self._kind.key, "sku", "depot", "contract", *REFERENCES)

    def _one_of(self, columns: dict[str, pa.Array], problems: _Problems) -> None:
        wanted = self._kind.one_of
        if not wanted:
            return
        empty = np.ones(len(columns["file_line"]), dtype=bool)
        for name in wanted:
            if name in columns:
                empty &= columns[name].is_null().to_numpy(zero_copy_only=False)
        others = " and ".join(wanted[1:])
        reason = f"is empty, and so are {others}: one of them is needed"
        problems.add(wanted[0], pa.nulls(len(empty), pa.string()), empty, lambda _value: reason)

    def _apart(self, columns: dict[str, pa.Array], problems: _Problems) -> None:
        for name, other in self._kind.apart:
            if name in columns and other in columns:
                same = pc.fill_null(pc.equal(columns[name], columns[other]), False)
                alike = same.to_numpy(zero_copy_only=False)
                problems.add(name, columns[name], alike, partial(_own, other))

    def _order_dates(self, columns: dict[str, pa.Array], problems: _Problems) -> Counter[str]:
        notes: Counter[str] = Counter()
        known = [DateOrder(*pair, otherwise="reject") for pair in self._kind.in_order]
        orders = {(each.first, each.then): each for each in (*known, *self._source.date_order)}
        for order in orders.values():
            if order.first in columns and order.then in columns:
                notes += self._order(order, columns, problems)
        return notes

    def _order(
        self, order: DateOrder, columns: dict[str, pa.Array], problems: _Problems
    ) -> Counter[str]:
        first = columns[order.first]
        late = pc.fill_null(pc.greater(first, columns[order.then]), False)
        wrong = late.to_numpy(zero_copy_only=False)
        if order.otherwise == "reject":
            problems.add(order.first, first, wrong, lambda _value: f"lies after {order.then}")
            return Counter()
        columns[order.first] = pc.if_else(late, None, first)
        note = f"{order.first} lies after {order.then}: {order.first} was cleared"
        return +Counter({note: int(wrong.sum())})

    def _json(self, shaped: Shaped, extra: pa.Table, problems: _Problems) -> pa.Array:
        columns = {name: flat(extra[name]) for name in extra.column_names}
        if self._kind.extra_numeric:
            marked = {n: self._marked(c, shaped.typed.get(n)) for n, c in columns.items()}
            return _objects({n: self._reading(n, c, problems) for n, c in marked.items()})
        for name, texts in columns.items():
            read = read_texts(texts, Column(name), key=False)
            problems.add(name, texts, read.bad, read.why)
        return _objects({name: texts.to_pylist() for name, texts in columns.items()})

    def _reading(self, name: str, texts: pa.Array, problems: _Problems) -> list[float | None]:
        read = read_numbers(texts, Column(name, Type.NUMBER), self._mark, 1.0)
        problems.add(name, texts, read.bad, read.why)
        return read.values.to_pylist()


class _Problems:
    """The bad cells of one stretch of rows, and which rows they spoil."""

    def __init__(self, shaped: Shaped, reshaper: Reshaper) -> None:
        self._shaped, self._reshaper = shaped, reshaper
        self.bad = np.zeros(len(shaped.lines), dtype=bool)
        self.found: list[Reject] = []

    def add(self, name: str, cells: pa.Array, bad: np.ndarray, why: Why) -> None:
        places = np.flatnonzero(bad)
        if not len(places):
            return
        self.bad |= bad
        values = cells.take(pa.array(places)).to_pylist()
        for place, value in zip(places, values, strict=True):
            text = "" if value is None else str(value)
            reason, shown = why(text), text[:SHOWN_CHARACTERS] or None
            line = int(self._shaped.lines[place])
            self.found.append(Reject(line, self._origin(name, int(place)), shown, reason))

    def _origin(self, name: str, place: int) -> str:
        periods = self._shaped.periods
        return self._reshaper.origin(name, None if periods is None else int(periods[place]))


def _own(other: str, _value: str) -> str:
    return f"is the row's own {other}"


def _objects(columns: dict[str, list]) -> pa.Array:
    """One JSON object a row, of the cells that hold something."""
    names = list(columns)
    rows = zip(*columns.values(), strict=True)
    return pa.array(
        [
            json.dumps(
                {n: v for n, v in zip(names, row, strict=True) if v is not None},
                ensure_ascii=False,
            )
            for row in rows
        ],
        pa.string(),
    )
