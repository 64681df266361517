"""Text of CSV downloads, as the reader's spreadsheet expects it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

Cell = str | float | date | None
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK = "\ufeff"


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]], locale: str) -> str:
    """`;` and decimal commas in pt_BR, `,` and points in English; dates ISO 8601.

    Words that a spreadsheet would run as a formula are quoted with an apostrophe.
    """
    output = io.StringIO()
    writer = csv.writer(output, delimiter=";" if locale == "pt_BR" else ",", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_cell(value, locale) for value in row] for row in rows)
    return BYTE_ORDER_MARK + output.getvalue()


def _cell(value: Cell, locale: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    if isinstance(value, date):
        return value.isoformat()
    text = repr(float(value)).removesuffix(".0")
    return text.replace(".", ",") if locale == "pt_BR" else text
