"""`/savings`: the sums, both sides month by month, item-depots, and how it is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component
from plotly import graph_objects as go

from domain.kpis import COSTS, WHOLE_MONTHS
from domain.records import Filters, Option
from domain.savings import SavingsItem, SavingsMonth, SavingsTotal
from domain.viewer import Viewer
from domain.wording import month_name
from layouts import format as fmt
from layouts.charts import graph, label_ends, narrowing, short_ticks
from layouts.components.cards import card, figure_card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, choice, page_bar
from layouts.components.grid import WRAPPED, grid, link_column, money_column, text_column
from layouts.components.pager import Listed, pager
from layouts.components.parts import Part, at_once
from layouts.components.states import missing_costs, notices, state
from layouts.components.table import Cell, twin
from layouts.sla import month_value
from layouts.text import N_
from layouts.theme import ACCENT, MODEL_COLOURS, OUTLIER, figure
from layouts.units import unit

PARTS = {
    "holding": N_("Holding"),
    "stockout": N_("Stockouts"),
    "expediting": N_("Expediting"),
    "ordering": N_("Orders"),
}


@dataclass(frozen=True)
class SavingsData:
    """What the page shows; `items` are of `month`, of all months where it is None. `missing`: why
    there are no savings, as their KPI says it."""

    total: SavingsTotal
    months: Sequence[SavingsMonth]
    month: date | None
    items: Listed
    sort: str
    query: dict[str, list[str]]
    bar: Bar
    filters: Filters
    missing: str | None
    notices: list[str]


def layout(data: SavingsData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    head = html.Div(
        [html.H1(viewer.t("Savings")), _filters(data, viewer)],
        className="page-head page-head-wrap",
    )
    content = (
        _content(data, viewer, part)
        if data.months
        else part("nothing", lambda: [_nothing(data, viewer)])
    )
    return html.Div([head, *notices(data.notices), *content], className="page page-savings")


def _filters(data: SavingsData, viewer: Viewer) -> html.Div:
    """The shared filters, and which month the items are of."""
    chosen = month_value(data.month)
    options = [
        Option(month_value(one.month), month_name(one.month, viewer.locale))
        for one in reversed(data.months)
    ]
    months = choice("month", viewer.t("Items of"), options, chosen or None, viewer, multi=False)
    return page_bar(data.bar, viewer, *([months] if options else []), initial={"month": chosen})


def _content(data: SavingsData, viewer: Viewer, part: Part) -> list[Component]:
    return [
        *part(
            "total", lambda: [html.Div(_figures(data.total, viewer), className="kpi-row")], 124, 330
        ),
        by_month(data, viewer),
        *part("items", lambda: [by_item(data, viewer), how(data.total, viewer)], 1660, 2000),
    ]


def _nothing(data: SavingsData, viewer: Viewer) -> html.Div:
    t = viewer.t
    if data.missing == COSTS:
        what = t("With lead times too, this page then shows what stock decisions saved.")
        return missing_costs(what, t)
    if data.missing == WHOLE_MONTHS:
        return state(
            t("No whole month with savings lies in this period."),
            t("Savings are known by whole months: choose a longer period."),
        )
    return state(
        t("Nothing can be replayed here yet"),
        t(
            "It takes nine whole months of demand: six to learn from and three to replay. And lead"
            " times, from the files of purchase orders or of items."
        ),
    )


def _figures(total: SavingsTotal, viewer: Viewer) -> list[html.Section]:
    t, locale = viewer.t, viewer.locale
    months = fmt.number(total.months, locale)
    share = total.identified_brl / total.old_brl if total.old_brl else None
    return [
        _figure(
            t("Identified"),
            total.identified_brl,
            t(
                "in %(months)s months; %(share)s of the old costs",
                months=months,
                share=fmt.percent(share, locale),
            ),
            viewer,
        ),
        _figure(t("Of that, accepted"), total.accepted_brl, t("recommendations accepted"), viewer),
        _figure(
            t("Realised"),
            total.realised_brl,
            t("in the months after, as recorded")
            if total.realised_brl is not None
            else t("none accepted a month ago or longer"),
            viewer,
        ),
        _figure(
            t("Old policy"), total.old_brl, t("costs in %(months)s months", months=months), viewer
        ),
        _figure(t("Ours"), total.new_brl, t("costs in %(months)s months", months=months), viewer),
    ]


def _figure(name: str, value: float | None, context: str, viewer: Viewer) -> html.Section:
    amount, exact = fmt.brl_compact(value, viewer.locale), fmt.brl(value, viewer.locale, 2)
    return figure_card(name, amount, context, viewer, exact=exact)


def by_month(data: SavingsData, viewer: Viewer) -> html.Section:
    """Costs of both sides, and what lies between."""
    t = viewer.t
    header = [
        t("Month"),
        t("Old policy"),
        t("Ours"),
        t("Identified"),
        t("Of that, accepted"),
        t("Realised"),
    ]
    header += [
        f"{side}: {t(name)}" for side in (t("Old policy"), t("Ours")) for name in PARTS.values()
    ]
    rows: list[list[Cell]] = [
        [
            month.month,
            *(month.old_brl, month.new_brl, month.identified_brl),
            *(month.accepted_brl, month.realised_brl),
            *(getattr(month, f"{side}_{part}") for side in ("old", "new") for part in PARTS),
        ]
        for month in data.months
    ]
    return card(
        t("Month by month"),
        graph("savings-months", months_chart(data.months, viewer), viewer),
        twin(header, rows, viewer),
        tools=downloads("savings-months", data.bar.in_files, viewer, of=t("Month by month")),
        note=t(
            "Below zero, ours would have cost more in that month. A click on a month shows its"
            " items below."
        ),
    )


def months_chart(months: Sequence[SavingsMonth], viewer: Viewer) -> go.Figure:
    """A bar a month for what was identified, and the costs of both sides as lines."""
    t = viewer.t
    chart = figure(viewer, unit("brl_a_month", t))
    days = [month.month for month in months]
    by_click = narrowing("month", [month_value(day) for day in days])
    chart.add_bar(
        x=days,
        y=[month.identified_brl for month in months],
        name=t("Identified"),
        marker={"color": ACCENT},
        hovertemplate="%{y:,.0f}<extra>" + t("Identified") + "</extra>",
        meta=by_click,
    )
    for name, values, colour in (
        (t("Old policy"), [month.old_brl for month in months], OUTLIER),
        (t("Ours"), [month.new_brl for month in months], MODEL_COLOURS["arima"]),
    ):
        chart.add_scatter(
            x=days,
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 1.5},
            meta=by_click,
            hovertemplate=f"%{{y:,.0f}}<extra>{name}</extra>",
        )
    costs = [cost for one in months for cost in (one.identified_brl, one.old_brl, one.new_brl)]
    chart.update_yaxes(short_ticks(costs, viewer, from_zero=True))
    label_ends(chart)
    return chart


def by_item(data: SavingsData, viewer: Viewer) -> html.Section:
    """The item-depots, what saved most first, of one month or of all; they add up to its figure."""
    t, locale, page = viewer.t, viewer.locale, data.items.page
    columns = [
        link_column("sku", t("Material"), "href", minWidth=110),
        text_column("name", t("Name"), minWidth=150, flex=2, **WRAPPED),
        text_column("site", t("Depot"), minWidth=90),
        money_column("old_brl", t("Old policy"), minWidth=110),
        money_column("new_brl", t("Ours"), minWidth=110),
        money_column("identified_brl", t("Identified"), minWidth=110),
        text_column("accepted", t("Of that, accepted"), minWidth=90),
        money_column("realised_brl", t("Realised"), minWidth=100),
    ]
    rows = [_item_row(row, viewer) for row in page.rows]
    of_month = next((one for one in data.months if one.month == data.month), None)
    summed = of_month or data.total
    together = t(
        "Together, %(count)s item-depots: old policy %(old)s, ours %(new)s, identified %(saved)s.",
        count=fmt.number(page.count, locale),
        old=fmt.brl(summed.old_brl, locale, 2),
        new=fmt.brl(summed.new_brl, locale, 2),
        saved=fmt.brl(summed.identified_brl, locale, 2),
    )
    title = t("By item and depot")
    return card(
        f"{title}, {month_name(data.month, viewer.locale)}" if data.month else title,
        grid("savings-items", columns, rows, viewer, row_id="key", server_sort=data.sort),
        html.P(together, className="card-note"),
        pager(page, data.items.start, data.query, viewer),
        *([] if data.month else _rows_file(data, viewer)),
        tools=downloads(
            "savings" if data.month else "savings-items", _asked(data), viewer, of=title
        ),
        note=t("The file has the costs of both sides of each row, by kind.") if data.month else "",
        class_name="grow",
    )


def _rows_file(data: SavingsData, viewer: Viewer) -> list[Component]:
    """The rows of all months, which the table adds up."""
    of = viewer.t("By month, item and depot")
    links = downloads("savings", _asked(data), viewer, of=of)
    label = html.Span(
        viewer.t("By month, item and depot, with the costs of both sides by kind:"),
        className="weak",
    )
    return [html.Div([label, *links], className="request-links")] if links else []


def _item_row(row: SavingsItem, viewer: Viewer) -> dict[str, Any]:
    return {
        "key": f"{row.sku} {row.site}",
        "sku": row.sku,
        "href": f"/materials/{quote(row.sku, safe='')}",
        "name": row.item_name or "",
        "site": row.site,
        "old_brl": row.old_brl,
        "new_brl": row.new_brl,
        "identified_brl": row.identified_brl,
        "accepted": viewer.t("yes") if row.accepted else viewer.t("no"),
        "realised_brl": row.realised_brl,
    }


def _asked(data: SavingsData) -> dict[str, list[str]]:
    month = {"month": [month_value(data.month)]} if data.month else {}
    return month | data.bar.in_files | {"sort": [data.sort]}


def how(total: SavingsTotal, viewer: Viewer) -> html.Section:
    """What is compared, in words."""
    t, locale = viewer.t, viewer.locale
    share = fmt.percent(total.recorded, locale, 0)
    lines = [
        t(
            "Old policy: for %(share)s of the rows, what stock counts and purchase orders recorded;"
            " for the others the textbook (PP = D·L + SS) with the settings from before the first"
            " publish, replayed.",
            share=share,
        ),
        t(
            "Ours: reorder points set anew each month, from demand and lead times known before that"
            " month, replayed on the same demand from the same stock and open orders."
        ),
        t(
            "Both are priced alike: holding (mean stock × cost × rate), stockouts (contract penalty"
            " to be expected, else an emergency premium), expediting (each request not served) and"
            " orders. Demand that empty shelves hid is estimated, for both sides."
        ),
        t(
            "Accepted: item-depots with an accepted recommendation. Realised: in the months after"
            " that, the old textbook's costs less what was recorded."
        ),
    ]
    return card(
        t("How it is computed"), html.Ul([html.Li(line) for line in lines], className="plain-list")
    )
