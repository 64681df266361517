"""Text of CSV downloads, as the reader's spreadsheet expects it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from domain.records import DataStatus
from domain.viewer import Translator

Cell = str | float | date | None
FORMULA = re.compile(r"\s*[=+@\-＝＋－＠]|[\t\r\n]")
"""How a text starts that a spreadsheet would run: wide letters and leading blanks included."""

WHOLE_NUMBERS = 2**53
BYTE_ORDER_MARK = "\ufeff"


def file_name(parts: Sequence[str], status: DataStatus) -> str:
    """A file name that says what it is of, which run made it, and whether the data are made up."""
    told = [*parts, f"run{status.run_id}", "demo" if status.is_demo else ""]
    name = "_".join(part for part in told if part)
    return "".join(c if c.isalnum() or c in "_-" else "-" for c in name) + ".csv"


def source_of(status: DataStatus, t: Translator) -> str:
    """Where the numbers of a row come from, in words."""
    run = t("run %(run)s", run=status.run_id)
    return t("demonstration data, %(source)s", source=run) if status.is_demo else run


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]], locale: str) -> str:
    """`;` and decimal commas in pt_BR, `,` and points in English; dates ISO 8601.

    Words that a spreadsheet would run as a formula are quoted with an apostrophe.
    """
    return "".join(csv_lines(header, rows, locale))


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]], locale: str) -> Iterator[str]:
    """The same line by line, for what is too long to be held at once."""
    output = io.StringIO()
    writer = csv.writer(output, delimiter=";" if locale == "pt_BR" else ",", lineterminator="\r\n")
    writer.writerow([_text(word) for word in header])
    yield BYTE_ORDER_MARK + _taken(output)
    for row in rows:
        writer.writerow([_cell(value, locale) for value in row])
        yield _taken(output)


def _taken(output: io.StringIO) -> str:
    text = output.getvalue()
    output.seek(0)
    output.truncate()
    return text


def _cell(value: Cell, locale: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, date):
        return value.isoformat()
    text = _number(float(value))
    return text.replace(".", ",") if locale == "pt_BR" else text


def _text(value: str) -> str:
    return f"'{value}" if FORMULA.match(value) else value


def _number(value: float) -> str:
    is_whole = value.is_integer() and abs(value) <= WHOLE_NUMBERS
    return str(int(value)) if is_whole else repr(value)
