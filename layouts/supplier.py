"""`/suppliers/<code>`: one supplier by month, its lead times, its prices, its order lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dash import dcc, html
from dash.development.base_component import Component

from domain.records import Receipt, ReceiptInput
from domain.suppliers import MIN_LINES, OrderLine, SupplierDetail, SupplierScore
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import graph
from layouts.components.cards import card, figure_card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, page_bar
from layouts.components.grid import (
    date_column,
    grid,
    link_column,
    number_column,
    quantity_column,
    text_column,
)
from layouts.components.pager import Listed, pager
from layouts.components.parts import Part, at_once
from layouts.components.states import no_rows, notices
from layouts.components.table import Cell, per_cent, twin
from layouts.supplier_charts import lead_months_chart, lead_times_chart, months_chart, prices_chart
from layouts.suppliers import (
    in_days,
    interval,
    otif_receipt,
    place,
    price_drift,
    trend,
)
from layouts.text import N_, SUPPLIER_KINDS, named
from layouts.units import days_told

LINE_ROWS = 25


@dataclass(frozen=True)
class SupplierData:
    """What the page shows."""

    detail: SupplierDetail
    lines: Listed
    sort: str
    bar: Bar
    query: Mapping[str, list[str]]
    run_id: int | None
    notices: list[str]


def layout(data: SupplierData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    return html.Div(
        [
            _head(data, viewer),
            *notices(data.notices),
            html.Div(_figures(data, viewer), className="kpi-row"),
            *part("charts", lambda: _charts(data, viewer), 960, 1740),
            *part("stock", lambda: [_later(data, viewer)], 284, 358),
            *part("lines", lambda: [_lines(data, viewer)], 1190),
        ],
        className="page page-supplier",
    )


def _head(data: SupplierData, viewer: Viewer) -> html.Div:
    t, score = viewer.t, data.detail.score
    kind = named(SUPPLIER_KINDS, score.kind, t) if score.kind else ""
    about = " · ".join(part for part in (score.supplier, kind) if part)
    title = html.Div(
        [
            dcc.Link(t("Suppliers"), href="/suppliers", className="weak"),
            html.H1(score.name or score.supplier),
            html.P(about, className="weak"),
        ]
    )
    return html.Div(
        [title, page_bar(data.bar, viewer, initial={})], className="page-head page-head-wrap"
    )


def _figures(data: SupplierData, viewer: Viewer) -> list[html.Section]:
    t, locale, score = viewer.t, viewer.locale, data.detail.score
    return [
        figure_card(
            t("On time, in full"),
            fmt.percent(score.otif, locale),
            _otif_context(score, viewer),
            viewer,
            words=t("Lines received by the first promised date and in full, of all lines due."),
            made=otif_receipt(score, data.run_id),
        ),
        figure_card(
            t("Late"),
            fmt.percent(score.late_rate, locale),
            t("lines open and overdue: %(count)s", count=fmt.number(score.overdue_lines, locale)),
            viewer,
        ),
        figure_card(
            t("Fill rate"),
            fmt.percent(score.fill_rate, locale),
            t("of the quantity that was due"),
            viewer,
        ),
        _lead_time(score, data.run_id, viewer),
        figure_card(
            t("Prices"),
            price_drift(score, viewer),
            t("a year, each item against itself; lines: %(count)s", count=score.price_lines),
            viewer,
        ),
        figure_card(
            t("Purchases"),
            fmt.brl_compact(score.spend_brl, locale),
            t(
                "%(share)s of all; alone for %(sole)s of %(items)s items",
                share=fmt.percent(score.spend_share, locale),
                sole=score.sole_items,
                items=score.items,
            ),
            viewer,
            exact=fmt.brl(score.spend_brl, locale, 2),
        ),
    ]


def _otif_context(score: SupplierScore, viewer: Viewer) -> str:
    t = viewer.t
    if not score.lines:
        return t("no line was due")
    lines = t(
        "%(interval)s; lines due: %(count)s",
        interval=interval(score, viewer),
        count=fmt.number(score.lines, viewer.locale),
    )
    if score.rank is None:
        return lines + t("; no place under %(least)s", least=MIN_LINES)
    return lines + t("; place %(place)s", place=place(score))


def _lead_time(score: SupplierScore, run_id: int | None, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    context = t(
        "σ %(std)s, p90 %(p90)s; trend %(trend)s a year",
        std=fmt.number(score.lead_time_std, locale, 1),
        p90=fmt.number(score.lead_time_p90, locale, 1),
        trend=trend(score, viewer),
    )
    return figure_card(
        t("Lead time"),
        in_days(score.lead_time_mean, viewer),
        context,
        viewer,
        words=t("From order to receipt, over the lines received within the period."),
        made=Receipt(
            r"\bar L = \frac{1}{n}\sum L_i,\quad \Delta = \bar L - L_c",
            [
                ReceiptInput("n", N_("lines received"), float(score.lines_received), "count"),
                ReceiptInput(r"\bar L", N_("mean lead time"), score.lead_time_mean, "days"),
                ReceiptInput(
                    "-", N_("low end of the interval of 95 %"), score.lead_time_low, "days"
                ),
                ReceiptInput(
                    "+", N_("high end of the interval of 95 %"), score.lead_time_high, "days"
                ),
                ReceiptInput(
                    "L_c", N_("contract's lead time"), score.contract_lead_time_days, "days"
                ),
                ReceiptInput(r"\Delta", N_("drift against contract"), score.drift_days, "days"),
            ],
            N_("order lines received within the period"),
            run_id,
            "",
        ),
    )


def _charts(data: SupplierData, viewer: Viewer) -> list[Component]:
    t, detail = viewer.t, data.detail
    months = detail.months
    if not months:
        return [no_rows(viewer)]
    header = [t("Month"), t("Lines due"), t("OTIF (%)"), t("Low end (%)"), t("High end (%)")]
    rows: list[list[Cell]] = [
        [
            one.month,
            one.lines,
            *(per_cent(rate) for rate in (one.otif, one.otif_low, one.otif_high)),
        ]
        for one in months
    ]
    took: list[list[Cell]] = [[one.days, one.lines] for one in detail.lead_times]
    asked = _lines_query(data)
    kept = card(
        t("On time, in full, month by month"),
        graph("supplier-otif", months_chart(months, viewer), viewer),
        twin(header, rows, viewer),
        tools=downloads("supplier-months", asked, viewer, of=t("On time, in full, month by month")),
        note=t("With intervals of 95 %: months of few lines say little."),
    )
    lead_times = card(
        t("Lead times"),
        graph("supplier-leads", lead_times_chart(detail.lead_times, detail.score, viewer), viewer),
        twin([t("Days"), t("Order lines")], took, viewer),
        tools=downloads("supplier-lead-times", asked, viewer, of=t("Lead times")),
    )
    by_month = card(
        t("Lead times, month by month"),
        graph("supplier-lead-months", lead_months_chart(months, viewer), viewer),
        twin(
            [t("Month"), t("Lines received"), t("Mean (days)"), t("p90 (days)")],
            [[m.month, m.lines_received, m.lead_time_mean, m.lead_time_p90] for m in months],
            viewer,
        ),
        tools=downloads("supplier-months", asked, viewer, of=t("Lead times, month by month")),
        note=t("By month of receipt."),
    )
    prices = card(
        t("Prices, month by month"),
        graph("supplier-prices", prices_chart(months, viewer), viewer),
        twin(
            [t("Month"), t("Price level")],
            [[one.month, per_cent(one.price_index)] for one in months],
            viewer,
        ),
        tools=downloads("supplier-months", asked, viewer, of=t("Prices, month by month")),
        note=t("Each item against its own mean price over the period, lines weighing alike."),
    )
    score = detail.score
    charts = [
        *([kept] if score.lines else []),
        *([lead_times, by_month] if score.lines_received else []),
        *([prices] if score.price_lines else []),
    ]
    return [html.Div(charts, className="card-grid")]


def _later(data: SupplierData, viewer: Viewer) -> html.Section:
    t, locale, detail = viewer.t, viewer.locale, data.detail
    title = t("What later deliveries would cost in stock")
    if not detail.later:
        text = t(
            "Needs a published run, lead times, and unit costs of the items that the items file"
            " says come from here."
        )
        return card(title, html.P(text, className="quiet"))
    head = html.Thead(
        html.Tr(
            [
                html.Th(t("Later by"), scope="col"),
                html.Th(t("Safety stock, more"), scope="col", className="number"),
                html.Th(t("To hold it, a year"), scope="col", className="number"),
            ]
        )
    )
    body = html.Tbody(
        [
            html.Tr(
                [
                    html.Td(days_told(str(one.days), t)),
                    html.Td(fmt.brl(one.stock_brl, locale), className="number"),
                    html.Td(fmt.brl(one.holding_brl, locale), className="number"),
                ]
            )
            for one in detail.later
        ]
    )
    now = t(
        "By the textbook's formula over %(series)s item-depots, whose safety stock is"
        " %(stock)s now.",
        series=fmt.number(detail.series, locale),
        stock=fmt.brl(detail.safety_stock_brl, locale),
    )
    return card(
        title,
        html.Div(
            html.Table([head, body], className="plain-table"), className="table-scroll", tabIndex=0
        ),
        tools=downloads("supplier-later-deliveries", _lines_query(data), viewer),
        note=f"{now} {_lateness_words(detail.score, viewer)}".strip(),
    )


def _lateness_words(score: SupplierScore, viewer: Viewer) -> str:
    t, value = viewer.t, score.lateness_brl
    if value is None:
        return ""
    amount = fmt.brl(abs(value), viewer.locale)
    if value < 0:
        return t("Lead times as the contract has them would need %(value)s more.", value=amount)
    return t(
        "%(value)s of it would not be needed if every delivery took what the contract says.",
        value=amount,
    )


def _lines(data: SupplierData, viewer: Viewer) -> html.Section:
    t = viewer.t
    columns = [
        text_column("order_no", t("Order"), minWidth=140),
        link_column("sku", t("Material"), "href", minWidth=100),
        text_column("site", t("Depot"), minWidth=90),
        date_column("ordered_on", t("Ordered")),
        date_column("first_promised_on", t("First promised")),
        date_column("received_on", t("Received")),
        number_column("lead_time_days", t("Days"), minWidth=76),
        number_column("days_late", t("Days late"), minWidth=84),
        quantity_column("quantity", t("Ordered quantity"), minWidth=90),
        quantity_column("received_qty", t("Received quantity"), minWidth=90),
        text_column("verdict", t("OTIF"), minWidth=80),
    ]
    rows = [_line_row(one, viewer) for one in data.lines.page.rows]
    return card(
        t("Order lines"),
        grid("supplier-lines", columns, rows, viewer, row_id="key", server_sort=data.sort),
        pager(data.lines.page, data.lines.start, dict(data.query), viewer),
        tools=downloads("order-lines", _lines_query(data) | {"sort": [data.sort]}, viewer),
        note=t("Days late count from the first promise; below 0 it came early."),
        class_name="grow",
    )


def _line_row(one: OrderLine, viewer: Viewer) -> dict[str, Any]:
    t = viewer.t
    verdict = fmt.UNKNOWN if one.on_time_in_full is None else t("no")
    return {
        "key": f"{one.order_no} {one.line}",
        "order_no": f"{one.order_no} / {one.line}",
        "sku": one.sku,
        "href": f"/materials/{quote(one.sku, safe='')}",
        "site": one.site,
        **{
            name: None if (day := getattr(one, name)) is None else day.isoformat()
            for name in ("ordered_on", "first_promised_on", "received_on")
        },
        **{
            name: getattr(one, name)
            for name in ("lead_time_days", "days_late", "quantity", "received_qty")
        },
        "verdict": t("yes") if one.on_time_in_full else verdict,
    }


def _lines_query(data: SupplierData) -> dict[str, list[str]]:
    dates = {"from": data.detail.first, "to": data.detail.last}
    named = {"supplier": [data.detail.score.supplier]}
    return named | {name: [day.isoformat()] for name, day in dates.items() if day}
