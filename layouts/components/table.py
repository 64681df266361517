"""A plain table: the twin of a chart for readers who want, or need, the numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from dash import html

from domain.rounding import rounded
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.attributes import data

Cell = str | float | date | None


def twin(
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    viewer: Viewer,
    *,
    narrows: tuple[str, Sequence[str | None]] | None = None,
    summary: str = "",
) -> html.Details:
    """The chart's numbers, folded away behind `summary` until asked for. `narrows`: a filter and
    its value of each row, to which the row's first cell narrows the page as a click on its mark
    does.

    One component, whatever its rows: Dash tells each component of every other that comes into the
    page. The browser makes the table of what the attribute says (assets/twins.js).
    """
    name, values = narrows or ("", [])
    if narrows and len(values) != len(rows):
        raise ValueError(f"{len(values)} values of {name} for {len(rows)} rows")
    columns = list(zip(*rows, strict=True))
    texts = [_texts(column, viewer.locale) for column in columns]
    told = {
        "header": list(header),
        "rows": [list(row) for row in zip(*texts, strict=True)],
        "words": [
            place
            for place, column in enumerate(columns)
            if any(cell and isinstance(cell, str) for cell in column)
        ],
        "narrows": name,
        "values": list(values),
    }
    words = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return html.Details(
        [
            html.Summary(summary or viewer.t("Show the numbers")),
            html.Div(className="table-scroll", tabIndex=0, **data(table=words)),
        ],
        className="twin",
    )


def per_cent(share: float | None) -> float | None:
    """A fraction as it stands under a `(%)`."""
    return None if share is None else 100 * share


def _texts(column: Sequence[Cell], locale: str) -> list[str]:
    """A column's cells as the reader writes them, numbers with the same decimals, two at most."""
    numbers = [cell for cell in column if isinstance(cell, int | float)]
    digits = next(
        (
            digits
            for digits in (0, 1)
            if all(rounded(one, digits) == rounded(one, 2) for one in numbers)
        ),
        2,
    )
    return [_text(cell, locale, digits) for cell in column]


def _text(cell: Cell, locale: str, digits: int) -> str:
    if isinstance(cell, date):
        return fmt.day(cell, locale)
    return cell if isinstance(cell, str) else fmt.fixed(cell, locale, digits)
