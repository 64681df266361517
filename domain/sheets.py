"""Text of CSV downloads and cells of XLSX ones, as the reader's spreadsheet expects them.

Words that a spreadsheet would run as a formula are quoted with an apostrophe.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import IO, Any

from domain.clock import BRASILIA

Cell = str | float | date | None
Row = Sequence[Cell]
FORMULA = re.compile(r"\s*[=+@\-＝＋－＠]|[\t\r\n]")
"""How a text starts that a spreadsheet would run: wide letters and leading blanks included."""

INNER_CELL = re.compile(r'([;,\t\r\n][;,"\s]*+)([=+@\-＝＋－＠]?)')
"""Where a cell begins in a text for who reads another separator than the file's, and the sign of a
formula if it is one."""

WHOLE_NUMBERS = 2**53
BYTE_ORDER_MARK = "\ufeff"
SHEET_NAME = 31
UNNAMEABLE = re.compile(r"[\[\]:*?/\\\x00-\x1f']")
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
SHEET_ROWS = 2**20 - 1
"""What a sheet takes below its header."""

CELL_LETTERS = 32_767
NARROWEST, WIDEST = 11, 40
FIRST_YEAR = 1900
"""A spreadsheet's calendar begins there; earlier dates are written as text."""

DAY, MOMENT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"


def csv_lines(header: Sequence[str], rows: Iterable[Row], locale: str) -> Iterator[str]:
    """Line by line: `;` and decimal commas in pt_BR, `,` and points in English; dates ISO 8601."""
    output = io.StringIO()
    writer = csv.writer(output, delimiter=";" if locale == "pt_BR" else ",", lineterminator="\r\n")
    writer.writerow([_csv_word(word) for word in header])
    yield BYTE_ORDER_MARK + _taken(output)
    for row in rows:
        writer.writerow([_cell(value, locale) for value in row])
        yield _taken(output)


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook: its name, its header and its rows, read as they are written."""

    name: str
    header: Sequence[str]
    rows: Iterable[Row]


def write_xlsx(file: IO[bytes], sheets: Iterable[Sheet], folder: Path) -> None:
    """A workbook with these sheets, written row by row by way of `folder`: no more than one row is
    held at once. Rows beyond what a sheet takes go on in another one."""
    from xlsxwriter import Workbook

    with Workbook(file, {"constant_memory": True, "tmpdir": str(folder)}) as book:
        formats = {
            "head": book.add_format({"bold": True, "bottom": 1}),
            "day": book.add_format({"num_format": DAY}),
            "moment": book.add_format({"num_format": MOMENT}),
        }
        taken: list[str] = []
        for sheet in sheets:
            for part in _parts(sheet):
                taken.append(_sheet_name(part.name, taken))
                _write(book.add_worksheet(taken[-1]), part, formats)


def _parts(sheet: Sheet) -> Iterator[Sheet]:
    """The sheet in as many as its rows need; one for no rows."""
    rows = iter(sheet.rows)
    first = next(rows, None)
    yield Sheet(sheet.name, sheet.header, _up_to(SHEET_ROWS, first, rows))
    while (first := next(rows, None)) is not None:
        yield Sheet(sheet.name, sheet.header, _up_to(SHEET_ROWS, first, rows))


def _up_to(most: int, first: Row | None, rows: Iterator[Row]) -> Iterator[Row]:
    if first is not None:
        yield first
        yield from islice(rows, most - 1)


def _write(page: Any, sheet: Sheet, formats: Mapping[str, Any]) -> None:
    page.freeze_panes(1, 0)
    for column, name in enumerate(sheet.header):
        page.set_column(column, column, min(max(len(name) + 2, NARROWEST), WIDEST))
        page.write_string(0, column, _plain(name), formats["head"])
    for line, row in enumerate(sheet.rows, start=1):
        for column, value in enumerate(row):
            _put(page, line, column, value, formats)


def _put(page: Any, line: int, column: int, value: Cell, formats: Mapping[str, Any]) -> None:
    """A cell of its own type: what is text is never read as a number, a date or a formula."""
    if isinstance(value, str):
        page.write_string(line, column, _plain(value))
    elif isinstance(value, datetime) and value.year >= FIRST_YEAR:
        page.write_datetime(line, column, _on_the_clock(value), formats["moment"])
    elif isinstance(value, date) and value.year >= FIRST_YEAR:
        page.write_datetime(line, column, value, formats["day"])
    elif isinstance(value, date):
        page.write_string(line, column, value.isoformat())
    elif isinstance(value, bool):
        page.write_boolean(line, column, value)
    elif value is not None and isfinite(value):
        page.write_number(line, column, value)


def _on_the_clock(moment: datetime) -> datetime:
    """Brasília's time without its zone: a spreadsheet knows none."""
    local = moment.astimezone(BRASILIA) if moment.tzinfo else moment
    return local.replace(tzinfo=None, microsecond=0)


def safe(value: str) -> str:
    """The text as a cell may hold it."""
    return f"'{value}" if FORMULA.match(value) else value


def _sheet_name(name: str, taken: Sequence[str]) -> str:
    """What Excel takes for a name, and not one that is there already."""
    wanted = UNNAMEABLE.sub(" ", name).strip()[:SHEET_NAME] or "-"
    known = {one.lower() for one in taken}
    number, found = 1, wanted
    while found.lower() in known:
        number += 1
        found = f"{wanted[: SHEET_NAME - 4]} {number}"
    return found


def _plain(value: str) -> str:
    """The text without what no workbook holds; what is longer than a cell ends with `…`."""
    kept = UNWRITABLE.sub("", safe(value))
    return kept if len(kept) <= CELL_LETTERS else f"{kept[: CELL_LETTERS - 1]}…"


def _taken(output: io.StringIO) -> str:
    text = output.getvalue()
    output.seek(0)
    output.truncate()
    return text


def _cell(value: Cell, locale: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _csv_word(value)
    if isinstance(value, date):
        return value.isoformat()
    text = _number(float(value))
    return text.replace(".", ",") if locale == "pt_BR" else text


def _csv_word(value: str) -> str:
    return INNER_CELL.sub(lambda cell: f"{cell[1]}'{cell[2]}" if cell[2] else cell[0], safe(value))


def _number(value: float) -> str:
    is_whole = value.is_integer() and abs(value) <= WHOLE_NUMBERS
    return str(int(value)) if is_whole else repr(value)
