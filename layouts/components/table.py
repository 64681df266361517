"""A plain table: the twin of a chart for readers who want, or need, the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from dash import html

from domain.viewer import Viewer
from layouts import format as fmt

Cell = str | float | date | None


def twin(
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    viewer: Viewer,
    *,
    narrows: tuple[str, Sequence[str | None]] | None = None,
) -> html.Details:
    """The chart's numbers, folded away until asked for. `narrows`: a filter and its value of each
    row, to which the row's first cell narrows the page as a click on its mark does."""
    name, values = narrows or ("", [None] * len(rows))
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in header]))
    body = html.Tbody(
        [
            html.Tr([_first(row[0], name, value, viewer.locale), *_cells(row[1:], viewer.locale)])
            for row, value in zip(rows, values, strict=True)
        ]
    )
    return html.Details(
        [
            html.Summary(viewer.t("Show the numbers")),
            html.Div(
                html.Table([head, body], className="plain-table"),
                className="table-scroll",
                tabIndex=0,
            ),
        ],
        className="twin",
    )


def per_cent(share: float | None) -> float | None:
    """A fraction as it stands under a `(%)`."""
    return None if share is None else 100 * share


def _first(cell: Cell, name: str, value: str | None, locale: str) -> html.Td:
    if not value:
        return _cell(cell, locale)
    told: dict[str, Any] = {"data-narrow": name, "data-value": value}
    return html.Td(html.Button(str(cell), type="button", className="narrow-link", **told))


def _cells(values: Sequence[Cell], locale: str) -> list[html.Td]:
    return [_cell(value, locale) for value in values]


def _cell(value: Cell, locale: str) -> html.Td:
    if isinstance(value, date):
        return html.Td(fmt.day(value, locale))
    if isinstance(value, str):
        return html.Td(value)
    return html.Td(fmt.number(value, locale, 2), className="number")
