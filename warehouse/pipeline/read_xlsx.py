"""XLSX sheets as chunks, read row by row; a zip bomb is refused before it is opened."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from openpyxl import load_workbook
from openpyxl.styles.numbers import BUILTIN_FORMATS_MAX_SIZE
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from domain.errors import BadFile
from warehouse.pipeline.chunks import (
    RATIO,
    Chunk,
    check_headers,
    chunk_of,
    most_unpacked,
    texts_of,
)
from warehouse.pipeline.report import Reject

CHUNK_ROWS = 20_000
UNPACKED_BYTES = 512 << 20
LAST_ROW = 1_048_576
"""No sheet has more."""
SHOWN_CHARACTERS = 80


class NoValue(str):
    """What stands in a cell instead of a value."""

    why = ""


class Formula(NoValue):
    """A formula whose value the file does not hold: the program that wrote it computed nothing."""

    why = "is a formula without a value: open the file in Excel and save it"


class ErrorValue(NoValue):
    """What Excel shows where a formula has no result: `#N/A`, `#DIV/0!`."""

    why = "is an error that Excel shows: correct it there, or name it under missing in mapping.toml"


class XlsxPart:
    """One sheet. `header_row` is the header's row, else the first that is not blank."""

    def __init__(
        self, path: Path, sheet: str, *, header_row: int | None = None, decimal: str | None = None
    ) -> None:
        self.file, self.name = path.name, sheet
        self.decimal = decimal
        self._path = path
        self._header_row, self._places, self.headers = self._header(header_row)

    def chunks(self) -> Iterator[Chunk]:
        """The rows below the header; cells are given as text."""
        rows = _rows(self._path, self.name, self.file, self._header_row + 1)
        while batch := list(islice(rows, CHUNK_ROWS)):
            yield self._chunk(batch)

    def _chunk(self, batch: list[tuple[int, dict[int, Any]]]) -> Chunk:
        cells = [[cell_text(row.get(place)) for place in self._places] for _, row in batch]
        typed = {
            header: np.array([isinstance(row.get(place), float) for _, row in batch], dtype=bool)
            for place, header in zip(self._places, self.headers, strict=True)
        }
        void = [reject for line, row in batch for reject in self._without_value(line, row)]
        lines = np.array([line for line, _ in batch], dtype=np.int64)
        texts = texts_of(cells, len(self.headers))
        return chunk_of(texts, self.headers, lines, [], typed, void)

    def _without_value(self, line: int, row: dict[int, Any]) -> Iterator[Reject]:
        for place, header in zip(self._places, self.headers, strict=True):
            value = row.get(place)
            if isinstance(value, NoValue):
                yield Reject(line, header, value[:SHOWN_CHARACTERS], value.why)

    def _header(self, wanted: int | None) -> tuple[int, list[int], list[str]]:
        for number, row in _rows(self._path, self.name, self.file, wanted or 1):
            cells = {place: " ".join(cell_text(cell).split()) for place, cell in row.items()}
            if any(cells.values()):
                # sheets often carry formatted columns without a name or a value
                places = [place for place in sorted(cells) if cells[place]]
                headers = [cells[place] for place in places]
                check_headers(self.file, number, headers)
                return number, places, headers
        raise BadFile(f"sheet {self.name!r} is empty", file=self.file)


def sheets_of(path: Path) -> list[str]:
    """The names of the sheets that hold anything; raises BadFile."""
    guard_unpacked_size(path)
    workbook = _opened(path)
    try:
        return [sheet.title for sheet in workbook.worksheets if _has_cells(sheet)]
    finally:
        workbook.close()


def guard_unpacked_size(path: Path) -> None:
    """Raises BadFile for a file that is no zip, or one that unpacks to far more than it is."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise BadFile(f"is not an XLSX workbook ({error})", file=path.name) from error
    unpacked = sum(entry.file_size for entry in entries)
    packed = path.stat().st_size
    if unpacked > min(UNPACKED_BYTES, most_unpacked(packed)):
        reason = (
            f"unpacks to {unpacked / 2**20:,.0f} MB, {unpacked / packed:,.0f} times its size:"
            f" at most {UNPACKED_BYTES >> 20:,} MB and {RATIO} times are read; export it as CSV"
        )
        raise BadFile(reason, file=path.name)


def cell_text(value: Any) -> str:
    """A cell's value as it would stand in a CSV file with a decimal point; None is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, (date, time, timedelta)):
        return str(value)
    return str(value)


def _has_cells(sheet: Any) -> bool:
    return any(
        cell is not None for row in sheet.iter_rows(max_row=100, values_only=True) for cell in row
    )


class _Parser(WorkSheetParser):
    """Gives formulas without a value and errors as such, where openpyxl's own reader gives empty
    cells and texts; and whole numbers with the zeros before them that Excel shows. `digits`: of the
    styles that show such zeros, how many digits are shown at least."""

    def __init__(self, *args: Any, digits: dict[int, int], **options: Any) -> None:
        super().__init__(*args, **options)
        self._digits = digits

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        formula = element.find(FORMULA_TAG)
        # a formula of which an empty text came has the type of a text
        if formula is not None and cell["value"] is None and cell["data_type"] != "str":
            cell["value"] = Formula(f"={formula.text or ''}")
        elif cell["data_type"] == "e":
            cell["value"] = ErrorValue(cell["value"])
        elif cell["style_id"] in self._digits and cell["data_type"] == "n":
            cell["value"] = _with_zeros(cell["value"], self._digits[cell["style_id"]])
        return cell


def _with_zeros(value: float | None, digits: int) -> float | str | None:
    if value is None or value < 0 or (isinstance(value, float) and not value.is_integer()):
        return value
    return cell_text(value).zfill(digits)


def _digits(workbook: Any) -> dict[int, int]:
    """Of each style whose number format is `000000` or the like: how many zeros it has."""
    own = dict(enumerate(workbook._number_formats, start=BUILTIN_FORMATS_MAX_SIZE))
    formats = (own.get(style.numFmtId, "") for style in workbook._cell_styles)
    return {n: len(each) for n, each in enumerate(formats) if each and not each.strip("0")}


def _rows(path: Path, sheet: str, file: str, first: int) -> Iterator[tuple[int, dict[int, Any]]]:
    """The rows that are written, from the first on: number, and values by the column's number."""
    workbook = _opened(path)
    try:
        table = workbook[sheet]
        with table._get_source() as source:
            parser = _Parser(
                source,
                table._shared_strings,
                data_only=True,
                epoch=workbook.epoch,
                date_formats=workbook._date_formats,
                timedelta_formats=workbook._timedelta_formats,
                digits=_digits(workbook),
            )
            for number, cells in parser.parse():
                if number > LAST_ROW:
                    reason = f"lies beyond {LAST_ROW:,}, the last row of a sheet"
                    raise BadFile(reason, file=file, line=number)
                if number >= first:
                    yield number, {cell["column"]: cell["value"] for cell in cells}
    except (zipfile.BadZipFile, ValueError, SyntaxError) as error:
        raise BadFile(f"sheet {sheet!r} is damaged ({error})", file=file) from error
    finally:
        workbook.close()


def _opened(path: Path) -> Any:
    try:
        return load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise BadFile(f"is not an XLSX workbook ({error})", file=path.name) from error
