"""Text of CSV downloads and cells of XLSX ones, as the reader's spreadsheet expects them.

Words that a spreadsheet would run as a formula are quoted with an apostrophe.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

Cell = str | float | date | None
Row = Sequence[Cell]
FORMULA = re.compile(r"\s*[=+@\-＝＋－＠]|[\t\r\n]")
"""How a text starts that a spreadsheet would run: wide letters and leading blanks included."""

WHOLE_NUMBERS = 2**53
BYTE_ORDER_MARK = "\ufeff"
SHEET_NAME = 31
UNNAMEABLE = re.compile(r"[\[\]:*?/\\\x00-\x1f']")
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def csv_text(header: Sequence[str], rows: Iterable[Row], locale: str) -> str:
    """`;` and decimal commas in pt_BR, `,` and points in English; dates ISO 8601."""
    return "".join(csv_lines(header, rows, locale))


def csv_lines(header: Sequence[str], rows: Iterable[Row], locale: str) -> Iterator[str]:
    """The same line by line, for what is too long to be held at once."""
    output = io.StringIO()
    writer = csv.writer(output, delimiter=";" if locale == "pt_BR" else ",", lineterminator="\r\n")
    writer.writerow([safe(word) for word in header])
    yield BYTE_ORDER_MARK + _taken(output)
    for row in rows:
        writer.writerow([_cell(value, locale) for value in row])
        yield _taken(output)


def xlsx_bytes(header: Sequence[str], sheets: Mapping[str, Iterable[Row]]) -> bytes:
    """A workbook with a sheet for each name, all with this header; an empty one has one sheet."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    for unasked in book.worksheets:
        book.remove(unasked)
    for name, rows in (sheets or {"-": []}).items():
        sheet = book.create_sheet(_sheet_name(name, book.sheetnames))
        sheet.append([safe(word) for word in header])
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        sheet.freeze_panes = "A2"
        for row in rows:
            sheet.append([_plain(value) for value in row])
    output = io.BytesIO()
    book.save(output)
    return output.getvalue()


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


def _plain(value: Cell) -> Cell:
    return UNWRITABLE.sub("", safe(value)) if isinstance(value, str) else value


def _taken(output: io.StringIO) -> str:
    text = output.getvalue()
    output.seek(0)
    output.truncate()
    return text


def _cell(value: Cell, locale: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, date):
        return value.isoformat()
    text = _number(float(value))
    return text.replace(".", ",") if locale == "pt_BR" else text


def _number(value: float) -> str:
    is_whole = value.is_integer() and abs(value) <= WHOLE_NUMBERS
    return str(int(value)) if is_whole else repr(value)
