"""The tab *Prescriptive* of `/features`: what is advised, what became of past advice, what it was
worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component
from plotly import graph_objects as go

from domain.records import AdviceTotal, Filters
from domain.savings import SavingsTotal
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import graph, short_ticks
from layouts.components.cards import card, figure_card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, address_of, page_bar
from layouts.components.grid import (
    grid,
    link_column,
    money_column,
    number_column,
    percent_column,
)
from layouts.components.parts import Part, at_once
from layouts.components.queue import ALL
from layouts.components.states import decisions_without_costs, missing_file, no_rows, notices
from layouts.components.table import twin
from layouts.recommendation_text import KINDS
from layouts.text import named
from layouts.theme import ACCENT, figure, titled
from layouts.units import BRL


@dataclass(frozen=True)
class PrescriptiveData:
    """What the tab shows: advice by kind, and what past advice saved."""

    kinds: Sequence[AdviceTotal]
    savings: SavingsTotal
    filters: Filters
    bar: Bar
    has_stock: bool
    notices: list[str]


def content(data: PrescriptiveData, viewer: Viewer, part: Part = at_once) -> list[Component]:
    """What stands below the tabs."""
    return [
        page_bar(data.bar, viewer, initial={}, usual=viewer.t("Raised at any time")),
        *notices(data.notices),
        *part("advice", lambda: _body(data, viewer), 1000),
    ]


def _body(data: PrescriptiveData, viewer: Viewer) -> list[Component]:
    t = viewer.t
    if not any(one.count for one in data.kinds):
        if not data.has_stock:
            what = t(
                "It would show what to buy, to move and to get rid of, and what that is worth."
            )
            return [missing_file("stock", what, t)]
        if data.bar.kept:
            return [no_rows(viewer)]
        text = t("Nothing to recommend: no stock needs anything now.")
        return [html.P(text, className="quiet")]
    return [
        html.Div(_figures(data, viewer), className="kpi-row"),
        _chart(data, viewer),
        _table(data, viewer),
    ]


def _figures(data: PrescriptiveData, viewer: Viewer) -> list[html.Section]:
    t, locale = viewer.t, viewer.locale
    is_open = sum(one.open for one in data.kinds)
    known = [one.open_brl for one in data.kinds if one.open and one.open_brl is not None]
    worth = sum(known) if known or not is_open else None
    decided = sum(one.decided for one in data.kinds)
    followed = sum(one.accepted + one.done for one in data.kinds)
    gone = sum(one.gone for one in data.kinds)
    saved = data.savings
    return [
        figure_card(
            t("Open advice"),
            fmt.number(is_open, locale),
            t("worth %(value)s", value=fmt.brl_compact(worth, locale)),
            viewer,
            exact=fmt.brl(worth, locale, 2),
        ),
        figure_card(
            t("Followed"),
            fmt.percent(followed / decided if decided else None, locale),
            t(
                "%(followed)s of %(decided)s decided; %(gone)s went away undecided",
                followed=fmt.number(followed, locale),
                decided=fmt.number(decided, locale),
                gone=fmt.number(gone, locale),
            ),
            viewer,
        ),
        figure_card(
            t("Expected of what was accepted"),
            fmt.brl_compact(saved.accepted_brl if saved.months else None, locale),
            t("by the replay of %(months)s months", months=saved.months),
            viewer,
            exact=fmt.brl(saved.accepted_brl, locale, 2),
        ),
        figure_card(
            t("Realised savings"),
            fmt.brl_compact(saved.realised_brl, locale),
            _realised(saved, viewer),
            viewer,
            exact=fmt.brl(saved.realised_brl, locale, 2),
        ),
    ]


def _realised(saved: SavingsTotal, viewer: Viewer) -> str:
    t = viewer.t
    if saved.realised_brl is None:
        return t("No month has been recorded yet after an accepted recommendation.")
    return t("recorded in the months after a recommendation was accepted")


def _chart(data: PrescriptiveData, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    rows = sorted((one for one in data.kinds if one.open), key=lambda one: one.open_brl or 0.0)
    title = t("Value of open advice by kind")
    if not rows:
        return card(title, html.P(t("No open recommendation."), className="quiet"))
    if all(one.open_brl is None for one in rows):
        return card(title, decisions_without_costs(t))
    chart = figure(viewer)
    names = [named(KINDS, one.kind, t) for one in rows]
    words = [fmt.brl_compact(one.open_brl, locale) for one in rows]
    chart.add_trace(
        go.Bar(
            x=[one.open_brl for one in rows],
            y=names,
            orientation="h",
            text=words,
            textposition="outside",
            cliponaxis=False,
            marker={"color": ACCENT},
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )
    values = [one.open_brl for one in rows]
    chart.update_xaxes(short_ticks(values, viewer, from_zero=True), rangemode="tozero")
    chart.update_xaxes(title=titled(BRL))
    chart.update_layout(margin={"r": 80, "l": 110})
    table: list[list[Any]] = [
        [name, one.open, one.open_brl] for name, one in zip(names, rows, strict=True)
    ]
    return card(
        title,
        graph("advice", chart, viewer),
        twin([t("Kind"), t("Open"), t("Value")], table[::-1], viewer),
        tools=[
            _queue(data, viewer),
            *downloads("recommendation-kinds", data.bar.in_files, viewer, of=title),
        ],
    )


def _queue(data: PrescriptiveData, viewer: Viewer) -> Component:
    words = viewer.t("Decide in the queue")
    return dcc.Link(words, href=_in_queue(data.bar), className="card-link")


def _in_queue(bar: Bar, **more: list[str]) -> str:
    return address_of("/recommendations", bar, more)


def _table(data: PrescriptiveData, viewer: Viewer) -> html.Section:
    t = viewer.t
    columns = [
        link_column("name", t("Kind"), "href", minWidth=140, flex=2),
        number_column("open", t("Open")),
        money_column("open_brl", t("Value of the open ones"), minWidth=120),
        number_column("snoozed", t("Snoozed")),
        number_column("accepted", t("Accepted")),
        number_column("done", t("Recommendations done")),
        number_column("rejected", t("Rejected")),
        number_column("gone", t("Gone undecided"), minWidth=104),
        percent_column("followed", t("Followed"), 0),
        money_column("carried_out_brl", t("Value of what was followed"), minWidth=130),
    ]
    numbers = ("open", "open_brl", "snoozed", "accepted", "done", "rejected", "gone", "followed")
    rows: list[dict[str, Any]] = [
        {
            "kind": one.kind,
            "name": named(KINDS, one.kind, t),
            "href": _in_queue(data.bar, kind=[one.kind], status=[ALL]),
            "carried_out_brl": one.carried_out_brl,
            **{name: getattr(one, name) for name in numbers},
        }
        for one in data.kinds
    ]
    there = address_of("/savings", data.bar, {})
    savings = dcc.Link(t("Savings by month and item"), href=there, className="card-link")
    return card(
        t("What became of the advice"),
        grid("advice-kinds", columns, rows, viewer, row_id="kind"),
        tools=[savings, *downloads("recommendation-kinds", data.bar.in_files, viewer)],
        note=t(
            "Over all runs that are kept. Followed: accepted or done, of those that were decided."
            " Gone undecided: open in an earlier run and not there in this one; what goes while the"
            " same run is derived again, after a load for instance, is not counted."
        ),
    )
