"""A plain table: the twin of a chart for readers who want, or need, the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from dash import html

from domain.viewer import Viewer
from layouts import format as fmt

Cell = str | float | date | None


def twin(header: Sequence[str], rows: Sequence[Sequence[Cell]], viewer: Viewer) -> html.Details:
    """The chart's numbers, folded away until asked for."""
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in header]))
    body = html.Tbody([html.Tr([_cell(value, viewer.locale) for value in row]) for row in rows])
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


def _cell(value: Cell, locale: str) -> html.Td:
    if isinstance(value, date):
        return html.Td(fmt.day(value, locale))
    if isinstance(value, str):
        return html.Td(value)
    return html.Td(fmt.number(value, locale, 2), className="number")
