"""Rows that are decided about, one by one or several that are ticked: their totals by status, the
head of a card, ticks and buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.attributes import SHOWS_DECISIONS, aria
from layouts.components.parts import Make, Part
from layouts.components.states import notices
from layouts.text import named

ALL = "all"
SELECTED = 0
"""Instead of a row's number in an action's id: those that are ticked."""

DECIDED, COUNTED = "decided", "counted"
TOTALS, LIST = "totals", "list"
"""A panel's parts: stores that say what was done, and what is shown anew."""

_PLACE = ("cursor", "start", "status")


@dataclass(frozen=True)
class StatusTotal:
    """Rows of a status in words, and their money in BRL."""

    status: str
    rows: str
    brl: float | None


def part_of(panel: str, part: str, at: Any) -> dict[str, Any]:
    """The id of a panel's part in the page whose links keep the query `at`: what is shown anew
    comes to no other page, opened meanwhile."""
    return {"type": f"{panel}-{part}", "at": at}


def queue_page(
    name: str,
    title: str,
    filters: Component,
    told: list[str],
    query: dict[str, list[str]],
    totals: Make,
    rows: Make,
    part: Part,
) -> html.Div:
    """The whole page of what is decided about. told: notices; query: the address; `totals` and
    `rows` make what the panel `name` is of."""
    return html.Div(
        [
            html.Div([html.H1(title), filters], className="page-head page-head-wrap"),
            *notices(told),
            _panel(name, query, part("totals", totals, 100, 208), part("list", rows, 1600)),
        ],
        className=f"page page-{name}",
        **SHOWS_DECISIONS,
    )


def _panel(
    name: str, query: dict[str, list[str]], totals: list[Component], rows: list[Component]
) -> html.Div:
    """Both parts of what is decided about; after a decision the totals are shown anew, then the
    list. query: the address."""
    at = urlencode(query, doseq=True)
    return html.Div(
        [
            dcc.Store(id=f"{name}-{DECIDED}"),
            dcc.Store(id=part_of(name, COUNTED, at)),
            html.Div(totals, id=part_of(name, TOTALS, at)),
            html.Div(rows, id=part_of(name, LIST, at), className="page"),
        ],
        id=name,
        className="page",
    )


def status_totals(
    totals: Sequence[StatusTotal],
    names: dict[str, str],
    shown: Sequence[str],
    query: dict[str, list[str]],
    label: str,
    viewer: Viewer,
) -> html.Nav:
    """Number and money of each status; each leads to its rows. shown: statuses in view; query: the
    address; label: what the money is."""
    locale = viewer.locale
    kept = {name: values for name, values in query.items() if name not in _PLACE}
    tiles = [
        dcc.Link(
            [
                html.Span(named(names, total.status, viewer.t), className="field-label"),
                html.Strong(
                    fmt.brl_compact(total.brl, locale),
                    className="number",
                    title=fmt.brl(total.brl, locale, 2),
                ),
                html.Span(total.rows, className="weak"),
            ],
            href=f"?{urlencode({**kept, 'status': total.status}, doseq=True)}",
            className="surface status-total" + " status-shown" * (total.status in shown),
        )
        for total in totals
    ]
    return html.Nav(tiles, className="status-totals", **aria(label=label))


@dataclass(frozen=True)
class Head:
    """What a card is about: badges, the material and its code, a line beneath, money in BRL and
    what it is."""

    badges: Sequence[Component]
    title: str
    sku: str
    beneath: str
    brl: float | None
    what: str


def card_head(head: Head, tick: Sequence[Component], viewer: Viewer) -> html.Header:
    """A card's head; the title leads to the material. tick: what selects the card, if anything."""
    locale = viewer.locale
    return html.Header(
        [
            *tick,
            html.Div(
                [
                    *head.badges,
                    html.H2(dcc.Link(head.title, href=f"/materials/{quote(head.sku, safe='')}")),
                    html.P(head.beneath, className="weak"),
                ],
                className="recommendation-what",
            ),
            html.Div(
                [
                    html.Strong(fmt.brl(head.brl, locale), title=fmt.brl(head.brl, locale, 2)),
                    html.Span(head.what, className="weak"),
                ],
                className="recommendation-value",
            ),
        ]
    )


def pick(name: dict[str, Any], number: int, title: str, viewer: Viewer) -> dbc.Checklist:
    """The tick that selects a card."""
    label = viewer.t("Select %(name)s", name=title)
    option = {"label": html.Span(label, className="visually-hidden"), "value": number}
    return dbc.Checklist(id=name, options=[option], value=[], class_name="pick")


def pick_all(name: str, viewer: Viewer) -> dbc.Checklist:
    """The tick that selects every card of the page."""
    option = {"label": viewer.t("All on this page"), "value": ALL}
    return dbc.Checklist(id=name, options=[option], value=[])


def action(name: dict[str, Any], label: str, kind: str) -> html.Button:
    """The button that decides."""
    return html.Button(label, id=name, type="button", className=f"btn btn-sm btn-{kind}")
