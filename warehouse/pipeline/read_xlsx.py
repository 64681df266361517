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

from domain.errors import BadFile
from warehouse.pipeline.chunks import (
    RATIO,
    RATIO_FROM_BYTES,
    Chunk,
    check_headers,
    chunk_of,
    texts_of,
)

CHUNK_ROWS = 20_000
UNPACKED_BYTES = 512 << 20


class XlsxPart:
    """One sheet. `header_row` is the header's row, else the first that is not blank."""

    def __init__(
        self, path: Path, sheet: str, *, header_row: int | None = None, decimal: str | None = None
    ) -> None:
        self.file, self.name = path.name, sheet
        self.decimal = decimal or "."
        self._path = path
        self._header_row, self._places, self.headers = self._header(header_row)

    def chunks(self) -> Iterator[Chunk]:
        """The rows below the header; cells are given as text."""
        first = self._header_row + 1
        rows = _rows(self._path, self.name, self.file, first)
        while batch := list(islice(rows, CHUNK_ROWS)):
            cells = [[self._text(row, place) for place in self._places] for row in batch]
            lines = np.arange(first, first + len(batch), dtype=np.int64)
            yield chunk_of(texts_of(cells, len(self.headers)), self.headers, lines, [])
            first += len(batch)

    def _text(self, row: tuple[Any, ...], place: int) -> str:
        return cell_text(row[place], self.decimal) if place < len(row) else ""

    def _header(self, wanted: int | None) -> tuple[int, list[int], list[str]]:
        for number, row in enumerate(_rows(self._path, self.name, self.file, wanted or 1), 1):
            cells = [" ".join(cell_text(cell, ".").split()) for cell in row]
            if any(cells):
                number += (wanted or 1) - 1
                # sheets often carry formatted columns without a name or a value
                places = [place for place, cell in enumerate(cells) if cell]
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
    ratio = unpacked / max(path.stat().st_size, 1)
    if unpacked > UNPACKED_BYTES or (unpacked > RATIO_FROM_BYTES and ratio > RATIO):
        reason = (
            f"unpacks to {unpacked / 2**20:,.0f} MB, {ratio:,.0f} times its size:"
            f" at most {UNPACKED_BYTES >> 20:,} MB and {RATIO} times are read; export it as CSV"
        )
        raise BadFile(reason, file=path.name)


def cell_text(value: Any, decimal: str) -> str:
    """A cell's value as it would stand in a CSV file with that decimal mark; None is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        return text.replace(".", decimal)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, (date, time, timedelta)):
        return str(value)
    return str(value)


def _has_cells(sheet: Any) -> bool:
    return any(
        cell is not None for row in sheet.iter_rows(max_row=100, values_only=True) for cell in row
    )


def _rows(path: Path, sheet: str, file: str, first: int) -> Iterator[tuple[Any, ...]]:
    workbook = _opened(path)
    try:
        yield from workbook[sheet].iter_rows(min_row=first, values_only=True)
    except (zipfile.BadZipFile, ValueError, SyntaxError) as error:
        raise BadFile(f"sheet {sheet!r} is damaged ({error})", file=file) from error
    finally:
        workbook.close()


def _opened(path: Path) -> Any:
    try:
        return load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise BadFile(f"is not an XLSX workbook ({error})", file=path.name) from error
