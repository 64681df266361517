"""Forecast value added: what each step from the naive forecast to people's own word was worth."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from domain.overrides import ValueStep
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.cards import card
from layouts.components.downloads import Query, downloads
from layouts.text import VALUE_OVERS, VALUE_STEPS, named


def value_added_card(steps: Sequence[ValueStep], asked: Query, viewer: Viewer) -> html.Section:
    """A table over the backtest, and one over the passed periods of overrides; `asked` narrows
    their file."""
    t = viewer.t
    parts: list[Component] = []
    for over, title in VALUE_OVERS.items():
        rows = [one for one in steps if one.over == over]
        parts.append(html.H3(t(title)))
        if rows and rows[0].points:
            parts.append(_table(rows, viewer))
        else:
            words = t("No past override yet whose periods have passed.")
            parts.append(html.P(words if over == "overridden" else t("No backtest here.")))
    note = t(
        "Each step on the same periods as the one before it. Value added: WAPE of the step before"
        " less the step's own; above 0 the step is worth its effort."
    )
    title = t("Value added by each step")
    return card(title, *parts, tools=downloads("value-added", asked, viewer, of=title), note=note)


def _table(rows: Sequence[ValueStep], viewer: Viewer) -> html.Div:
    t, locale = viewer.t, viewer.locale
    head = [t("Step"), t("Series"), t("Periods"), t("WAPE"), t("Value added")]
    body = [
        [
            html.Td(named(VALUE_STEPS, one.step, t)),
            html.Td(fmt.number(one.series, locale), className="number"),
            html.Td(fmt.number(one.points, locale), className="number"),
            html.Td(fmt.percent(one.wape, locale), className="number"),
            html.Td(fmt.points(one.added, locale, 1), className="number"),
        ]
        for one in rows
    ]
    table = html.Table(
        [
            html.Thead(html.Tr([html.Th(name, scope="col") for name in head])),
            html.Tbody([html.Tr(cells) for cells in body]),
        ],
        className="plain-table",
    )
    return html.Div(table, className="table-scroll", tabIndex=0)
