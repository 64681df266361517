"""From a foreign table to canonical columns, still text: what `mapping.toml` asks for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from domain.clock import months_after
from domain.erp import KINDS
from domain.errors import BadFile
from warehouse.pipeline.chunks import Chunk, Part
from warehouse.pipeline.mapping import PSEUDO_COLUMNS, Condition, Source, Unpivot
from warehouse.pipeline.months import english_months
from warehouse.pipeline.names import closest, normalised
from warehouse.pipeline.report import Reject

LONG_ROWS = 200_000
NO_VALUE = "no value in the period"


@dataclass(frozen=True)
class Shaped:
    """Rows with canonical text columns. `extra` holds the columns bound for JSONB, if any.

    `periods` numbers the file's column that each value came from, when columns became rows.
    `read` counts rows before filtering; `dropped` the filtered ones by reason. `typed` is that of
    the chunk, by the header that `origin` gives without a period.
    """

    table: pa.Table
    extra: pa.Table | None
    lines: np.ndarray
    periods: np.ndarray | None
    read: int
    dropped: Counter[str]
    broken: list[Reject]
    typed: dict[str, np.ndarray]


class Reshaper:
    """Applies a source to the chunks of a part; raises BadFile when columns do not fit."""

    def __init__(self, source: Source, part: Part) -> None:
        self._source, self._part, self._kind = source, part, KINDS[source.kind]
        self._headers = self._by_form()
        self._periods = self._period_columns()
        self._columns = self._canonical() if source.canonical else self._mapped()
        self._extra = self._extra_headers()
        self._tests = [(test, self._header(test.column), True) for test in source.keep]
        self._tests += [(test, self._header(test.column), False) for test in source.drop]
        self._concat = {
            name: [self._header(column) for column in concat.columns]
            for name, concat in source.concat.items()
        }
        self._used = {
            *self._columns.values(),
            *self._extra,
            *(header for header, _ in self._periods),
            *(header for _, header, _ in self._tests),
            *(header for headers in self._concat.values() for header in headers),
        }

    @property
    def names(self) -> list[str]:
        """The canonical columns that the part fills, in the kind's order."""
        filled = {*self._columns, *self._source.constants, *self._source.defaults, *self._concat}
        if self._source.unpivot:
            filled |= {"date", self._source.unpivot.value}
        return [column.name for column in self._kind.columns if column.name in filled]

    @property
    def extra(self) -> list[str]:
        """The file's columns that go into the kind's JSONB column."""
        return self._extra

    def origin(self, name: str, period: int | None = None) -> str:
        """The header in the file that a canonical column comes from, for messages."""
        unpivot = self._source.unpivot
        if unpivot and period is not None and name in ("date", unpivot.value):
            return self._periods[period][0]
        return self._columns.get(name, name)

    def shape(self, chunk: Chunk) -> Iterator[Shaped]:
        """The chunk's rows as canonical text, a bounded number at a time."""
        step = max(1, LONG_ROWS // max(len(self._periods), 1))
        chunk = self._with_values(chunk)
        broken = chunk.broken
        for start in range(0, max(chunk.table.num_rows, 1), step):
            end = start + step
            typed = {header: cells[start:end] for header, cells in chunk.typed.items()}
            rows, lines = chunk.table.slice(start, step), chunk.lines[start:end]
            yield self._shape(Chunk(rows, lines, broken, typed))
            broken = []

    def _with_values(self, chunk: Chunk) -> Chunk:
        """Refuses the rows of which a used cell holds no value, unless that is `missing` or another
        cell of the row leaves it out."""
        void = [
            each
            for each in chunk.void
            if each.column in self._used and each.value not in self._source.missing
        ]
        if not void:
            return chunk
        left = self._not_left_out(chunk, void)
        refused = {each.line: each for each in reversed(void) if each.line in left}
        kept = ~_of(chunk.lines, list(refused.values()))
        return replace(chunk.filter(kept), broken=[*chunk.broken, *reversed(refused.values())])

    def _not_left_out(self, chunk: Chunk, void: list[Reject]) -> set[int]:
        """The lines of void cells that no rule leaves out by a cell that holds a value."""
        rows = chunk.filter(_of(chunk.lines, void))
        cells = _Cells(rows, self._source.missing, self._part)
        out = np.zeros(cells.rows, dtype=bool)
        for condition, header, wanted in self._tests:
            untold = _of(rows.lines, [each for each in void if each.column == header])
            out |= ~untold & (_holds(cells.get(header), condition) != wanted)
        return set(rows.lines[~out].tolist())

    def _shape(self, chunk: Chunk) -> Shaped:
        width = len(self._periods) or 1
        read = chunk.table.num_rows * width
        cells = _Cells(chunk, self._source.missing, self._part)
        kept, dropped = self._filtered(cells, width)
        if not kept.all():
            chunk = chunk.filter(kept)
            cells = _Cells(chunk, self._source.missing, self._part)
        table, extra = self._filled(cells), self._extra_table(cells)
        shaped = Shaped(table, extra, chunk.lines, None, read, dropped, chunk.broken, chunk.typed)
        return self._long(shaped, cells) if self._source.unpivot else shaped

    def _filtered(self, cells: _Cells, width: int) -> tuple[np.ndarray, Counter[str]]:
        kept = np.ones(cells.rows, dtype=bool)
        dropped: Counter[str] = Counter()
        for condition, header, wanted in self._tests:
            out = kept & (_holds(cells.get(header), condition) != wanted)
            dropped[condition.reason] += int(out.sum()) * width
            kept &= ~out
        return kept, +dropped

    def _filled(self, cells: _Cells) -> pa.Table:
        columns = {}
        for name in self.names:
            if self._source.unpivot and name in ("date", self._source.unpivot.value):
                continue
            columns[name] = self._finished(name, self._raw(name, cells))
        return pa.table(columns) if columns else pa.table({"": pa.nulls(cells.rows)})

    def _raw(self, name: str, cells: _Cells) -> pa.Array:
        if name in self._columns:
            return cells.get(self._columns[name])
        if name in self._concat:
            separator = self._source.concat[name].separator
            parts = [cells.get(header) for header in self._concat[name]]
            return _none_if_empty(
                pc.binary_join_element_wise(*parts, separator, null_handling="skip")
            )
        if name in self._source.constants:
            return _repeated(self._source.constants[name], cells.rows)
        return pa.nulls(cells.rows, pa.string())

    def _finished(self, name: str, column: pa.Array) -> pa.Array:
        if name in self._source.values:
            replaced = self._source.values[name]
            column = _none_if_empty(by_value(column, lambda value: replaced.get(value, value)))
        if name in self._source.defaults:
            column = pc.fill_null(column, self._source.defaults[name])
        return column

    def _extra_table(self, cells: _Cells) -> pa.Table | None:
        if not self._extra:
            return None
        return pa.table({header: cells.get(header) for header in self._extra})

    def _long(self, shaped: Shaped, cells: _Cells) -> Shaped:
        unpivot, table, extra = self._source.unpivot, shaped.table, shaped.extra
        assert unpivot is not None
        width, rows = len(self._periods), cells.rows
        values = pa.concat_arrays([cells.get(header) for header, _ in self._periods])
        present = values.is_valid()
        keep = np.flatnonzero(present.to_numpy(zero_copy_only=False))
        dropped = shaped.dropped + Counter({NO_VALUE: rows * width - len(keep)})
        places, periods = keep % max(rows, 1), keep // max(rows, 1)
        wide = pa.array(places)
        days = pa.array([day for _, day in self._periods], pa.string())
        columns = {name: table[name].take(wide) for name in table.column_names if name}
        columns["date"] = days.take(pa.array(periods))
        columns[unpivot.value] = self._finished(unpivot.value, values.filter(present))
        typed = {header: numbers[places] for header, numbers in shaped.typed.items()}
        numbers = [shaped.typed.get(header, np.zeros(rows, bool)) for header, _ in self._periods]
        typed[self.origin(unpivot.value)] = np.concatenate(numbers)[keep]
        return replace(
            shaped,
            table=pa.table({name: columns[name] for name in self.names}),
            extra=None if extra is None else extra.take(wide),
            lines=shaped.lines[places],
            periods=periods,
            dropped=+dropped,
            typed=typed,
        )

    def _by_form(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for header in self._part.headers:
            form = normalised(header)
            if form in found:
                raise BadFile(
                    f"the column {header!r} appears twice in the header",
                    file=self._part.file,
                    column=header,
                )
            found[form] = header
        return found

    def _header(self, wanted: str) -> str:
        if wanted in PSEUDO_COLUMNS:
            return wanted
        found = self._headers.get(normalised(wanted))
        if found is None:
            raise self._missing(wanted)
        return found

    def _missing(self, wanted: str) -> BadFile:
        part = f" in sheet {self._part.name!r}" if self._part.name else ""
        near = closest(wanted, self._part.headers)
        return BadFile(
            f"the column is missing{part}{near} (columns: {', '.join(self._part.headers[:30])})",
            file=self._part.file,
            column=wanted,
        )

    def _mapped(self) -> dict[str, str]:
        return {name: self._header(header) for name, header in self._source.columns.items()}

    def _canonical(self) -> dict[str, str]:
        known = {column.name for column in self._kind.columns}
        for form, header in self._headers.items():
            if form not in known and not self._kind.extra:
                raise BadFile(
                    f"is not a column of {self._kind.name}{closest(header, known)}"
                    f" (columns: {', '.join(column.name for column in self._kind.columns)})",
                    file=self._part.file,
                    column=header,
                )
        for column in self._kind.columns:
            if column.required and column.name not in self._headers:
                raise self._missing(column.name)
        return {form: header for form, header in self._headers.items() if form in known}

    def _extra_headers(self) -> list[str]:
        if not self._kind.extra:
            return []
        used = {*self._columns.values(), *(header for header, _ in self._periods)}
        if isinstance(self._source.extra, tuple):
            return [self._header(header) for header in self._source.extra]
        if self._source.extra or self._source.canonical:
            return [header for header in self._part.headers if header not in used]
        return []

    def _period_columns(self) -> list[tuple[str, str]]:
        unpivot = self._source.unpivot
        if unpivot is None:
            return []
        found = [(h, re.fullmatch(unpivot.columns, h)) for h in self._part.headers]
        periods = [
            (header, self._period_date(unpivot, header, match)) for header, match in found if match
        ]
        if not periods:
            raise BadFile(
                f"no column matches the pattern {unpivot.columns!r}", file=self._part.file
            )
        return periods

    def _period_date(self, unpivot: Unpivot, header: str, match: re.Match[str]) -> str:
        label = match.group(1) if match.re.groups else header
        try:
            if unpivot.format:
                return datetime.strptime(english_months(label), unpivot.format).date().isoformat()
            return _counted(unpivot, int(label)).isoformat()
        except (ValueError, OverflowError) as error:
            reason = f"the column's name gives no date ({error})"
            raise BadFile(reason, file=self._part.file, column=header) from error


class _Cells:
    """The trimmed cells of one stretch of rows, by the file's header or pseudo-column; a letter and
    its accent are one character (NFC)."""

    def __init__(self, chunk: Chunk, missing: tuple[str, ...], part: Part) -> None:
        self._table, self._lines, self._part = chunk.table, chunk.lines, part
        self._missing = pa.array(missing, pa.string()) if missing else None
        self._known: dict[str, pa.Array] = {}
        self.rows = chunk.table.num_rows

    def get(self, header: str) -> pa.Array:
        if header not in self._known:
            self._known[header] = self._made(header)
        return self._known[header]

    def _made(self, header: str) -> pa.Array:
        if header == "@line":
            return pa.array(self._lines).cast(pa.string())
        if header in PSEUDO_COLUMNS:
            return _repeated(self._part.name if header == "@sheet" else self._part.file, self.rows)
        trimmed = pc.utf8_trim_whitespace(flat(self._table[header]))
        column = _none_if_empty(pc.utf8_normalize(trimmed, "NFC"))
        if self._missing is None:
            return column
        return pc.if_else(pc.is_in(column, self._missing), None, column)


def _of(lines: np.ndarray, cells: list[Reject]) -> np.ndarray:
    """Which of the lines the cells are of."""
    return np.isin(lines, np.array([each.line for each in cells], dtype=np.int64))


def flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """One contiguous array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def by_value(column: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """The column with `change` applied once to each different value; null stays null."""
    coded = flat(column).dictionary_encode()
    changed = [change(value) for value in coded.dictionary.to_pylist()]
    return pa.array(changed, pa.string()).take(coded.indices)


def _none_if_empty(column: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(column, ""), None, column)


def _repeated(value: str, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), rows)


def _holds(column: pa.Array, condition: Condition) -> np.ndarray:
    """Whether each row meets the condition; an empty cell meets only `empty = true`."""
    coded = column.dictionary_encode()
    holds = [_test(value, condition) for value in coded.dictionary.to_pylist()]
    answers = np.array([*holds, condition.test == "empty" and condition.operand], dtype=bool)
    return answers[pc.fill_null(coded.indices, len(holds)).to_numpy(zero_copy_only=False)]


def _test(value: str, condition: Condition) -> bool:
    if condition.test == "equals":
        return value == condition.operand
    if condition.test == "in":
        return value in condition.operand
    if condition.test == "matches":
        return re.search(condition.operand, value) is not None
    return not condition.operand


def _counted(unpivot: Unpivot, number: int) -> date:
    """The date of the period of that number; number 1 is `start`."""
    start = _start(unpivot.start or "")
    if unpivot.step == "month":
        return months_after(start, number - 1)
    return start + timedelta(days=(number - 1) * (7 if unpivot.step == "week" else 1))


def _start(text: str) -> date:
    if "W" in text:
        year, week = text.split("-W")
        return date.fromisocalendar(int(year), int(week), 1)
    return date.fromisoformat(text if len(text) == 10 else f"{text}-01")
