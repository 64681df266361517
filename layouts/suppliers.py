"""`/suppliers`: how each supplier delivers, the ranked ones first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from dash import html
from dash.development.base_component import Component

from domain.records import Filters, Option, Receipt, ReceiptInput
from domain.suppliers import MIN_LINES, SupplierScore, SupplierTotals
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import graph
from layouts.components.cards import card, figure_card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, choice, page_bar, search_box
from layouts.components.grid import (
    WRAPPED,
    grid,
    link_column,
    money_column,
    number_column,
    percent_column,
    text_column,
)
from layouts.components.parts import Part, at_once
from layouts.components.states import missing_file, no_rows, notices
from layouts.components.table import Cell, per_cent, twin
from layouts.supplier_charts import label, otif_chart
from layouts.text import N_, SUPPLIER_KINDS, named
from layouts.units import days_told

SHOWN, CHARTED = 200, 20
KINDS = ("domestic", "import")
OTIF_SOURCE = N_("order lines first promised within the period (SCOR RL.1.1; Wilson 1927)")


@dataclass(frozen=True)
class SuppliersData:
    """What the page shows; `totals` is None without a line in view."""

    scores: Sequence[SupplierScore]
    totals: SupplierTotals | None
    kinds: tuple[str, ...]
    bar: Bar
    filters: Filters
    query: Mapping[str, list[str]]
    has_orders: bool
    run_id: int | None
    notices: list[str]


def layout(data: SuppliersData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    t = viewer.t
    if not data.has_orders:
        what = t(
            "It would show on-time-in-full, lead times and prices of each supplier, and what later"
            " deliveries cost in stock."
        )
        return html.Div(
            [html.H1(t("Suppliers")), missing_file("purchase_orders", what, t)], className="page"
        )
    head = html.Div(
        [html.H1(t("Suppliers")), _filters(data, viewer)], className="page-head page-head-wrap"
    )
    return html.Div(
        [
            head,
            *notices(data.notices),
            *part("scores", lambda: _content(data, viewer), 1270, 1560),
        ],
        className="page page-suppliers",
    )


def _content(data: SuppliersData, viewer: Viewer) -> list[Component]:
    if data.totals is None or not data.scores:
        return [no_rows(viewer)]
    return [
        html.Div(_figures(data.totals, data.run_id, viewer), className="kpi-row"),
        *_chart(data, viewer),
        _table(data, viewer),
    ]


def _filters(data: SuppliersData, viewer: Viewer) -> html.Div:
    t = viewer.t
    kinds = [Option(kind, named(SUPPLIER_KINDS, kind, t)) for kind in KINDS]
    search = data.filters.search
    return page_bar(
        data.bar,
        viewer,
        choice("kind", t("Origin"), kinds, list(data.kinds), viewer, placeholder=t("All")),
        search_box("search", t("Search"), search, t("Code or name"), wide=False),
        initial={"kind": list(data.kinds), "search": search},
    )


def _figures(totals: SupplierTotals, run_id: int | None, viewer: Viewer) -> list[html.Section]:
    t, locale = viewer.t, viewer.locale
    lines = fmt.number(totals.lines, locale)
    return [
        figure_card(
            t("On time, in full"),
            fmt.percent(totals.otif, locale),
            t("%(interval)s; lines due: %(count)s", interval=interval(totals, viewer), count=lines),
            viewer,
            words=t(
                "Lines received by the first promised date and in full, of all lines due. Pooled"
                " over the lines, not a mean of suppliers."
            ),
            made=otif_receipt(totals, run_id),
        ),
        figure_card(
            t("Late"),
            fmt.percent(totals.late_rate, locale),
            t("lines open and overdue: %(count)s", count=fmt.number(totals.overdue_lines, locale)),
            viewer,
        ),
        figure_card(
            t("Lead time"),
            in_days(totals.lead_time_mean, viewer),
            t(
                "p90 %(days)s; lines received: %(count)s",
                days=fmt.number(totals.lead_time_p90, locale, 1),
                count=fmt.number(totals.lines_received, locale),
            ),
            viewer,
        ),
        figure_card(
            t("Purchases"),
            fmt.brl_compact(totals.spend_brl, locale),
            t("%(share)s with the three largest", share=fmt.percent(totals.top_share, locale)),
            viewer,
            exact=fmt.brl(totals.spend_brl, locale, 2),
            words=t("Concentration of purchases among suppliers; 1 is a single supplier."),
            made=Receipt(
                r"\mathrm{HHI} = \sum_i s_i^2",
                [
                    ReceiptInput(r"\mathrm{HHI}", N_("concentration"), totals.hhi, "units"),
                    ReceiptInput(r"\sum", N_("purchases in view"), totals.spend_brl, "BRL"),
                ],
                N_("order lines ordered within the period, quantity × price (Hirschman 1964)"),
                run_id,
                "",
            ),
        ),
        _lateness(totals, run_id, viewer),
    ]


def _lateness(totals: SupplierTotals, run_id: int | None, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    week = fmt.brl_compact(totals.later_week_brl, locale)
    return figure_card(
        t("Stock for lateness"),
        fmt.brl_compact(totals.lateness_brl, locale),
        t("a week later everywhere: %(value)s more", value=week),
        viewer,
        exact=fmt.brl(totals.lateness_brl, locale, 2),
        words=t(
            "Safety stock beyond what the contracts' lead times, kept every time, would call for;"
            " by the textbook's formula, over the items of the suppliers in view."
        ),
        made=Receipt(
            r"\sum c \cdot \left(SS(L, \sigma_L) - SS(L_c, 0)\right),\quad"
            r" SS = Z\sqrt{L\sigma_D^2 + D^2\sigma_L^2}",
            [ReceiptInput(r"\sum", N_("stock for lateness"), totals.lateness_brl, "BRL")],
            N_("policy of the published run, at unit cost"),
            run_id,
            "",
        ),
    )


def otif_receipt(one: SupplierTotals | SupplierScore, run_id: int | None) -> Receipt:
    """How OTIF was made."""
    return Receipt(
        r"\mathrm{OTIF} = \frac{L_{ok}}{L}",
        [
            ReceiptInput(
                "L_{ok}", N_("lines on time and in full"), float(one.on_time_in_full), "count"
            ),
            ReceiptInput("L", N_("lines due"), float(one.lines), "count"),
            ReceiptInput("p_-", N_("low end of the interval of 95 %"), one.otif_low, "fraction"),
            ReceiptInput("p_+", N_("high end of the interval of 95 %"), one.otif_high, "fraction"),
        ],
        OTIF_SOURCE,
        run_id,
        "",
    )


def in_days(value: float | None, viewer: Viewer) -> str:
    """A time in days."""
    if value is None:
        return fmt.UNKNOWN
    return days_told(fmt.number(value, viewer.locale, 1), viewer.t)


def interval(one: SupplierTotals | SupplierScore, viewer: Viewer) -> str:
    """The ends of OTIF's interval."""
    low, high = (fmt.percent(end, viewer.locale) for end in (one.otif_low, one.otif_high))
    return f"{low}–{high}"


def _chart(data: SuppliersData, viewer: Viewer) -> list[html.Section]:
    t = viewer.t
    ranked = [one for one in data.scores if one.rank is not None][:CHARTED]
    if not ranked or data.totals is None:
        return []
    title = t("On time, in full: who differs, and who may only seem to")
    chart = otif_chart(ranked, data.totals.otif, viewer)
    header = [t("Supplier"), t("Lines due"), t("OTIF (%)"), t("Low end (%)"), t("High end (%)")]
    rows: list[list[Cell]] = [
        [label(one), one.lines, *map(per_cent, (one.otif, one.otif_low, one.otif_high))]
        for one in ranked
    ]
    return [
        card(
            title,
            graph("suppliers-otif", chart, viewer),
            twin(header, rows, viewer, narrows=("supplier", [one.supplier for one in ranked])),
            tools=downloads("suppliers", data.query, viewer, of=title),
            note=" ".join(
                [
                    t(
                        "Suppliers with %(count)s lines due or more. Where intervals (95 %%)"
                        " overlap, the order may be chance.",
                        count=MIN_LINES,
                    ),
                    t("Click one to see it alone; click it again to see all."),
                ]
            ),
        )
    ]


def _table(data: SuppliersData, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    columns = [
        link_column("supplier", t("Supplier"), "href", minWidth=200, flex=2, **WRAPPED),
        text_column("rank", t("Place"), minWidth=92),
        number_column("lines", t("Lines"), minWidth=80),
        percent_column("otif", t("OTIF"), minWidth=84),
        text_column("interval", t("Interval of 95 %"), minWidth=128),
        percent_column("late_rate", t("Late"), minWidth=84),
        percent_column("fill_rate", t("Fill"), minWidth=84),
        number_column("lead_time_mean", t("Lead time (days)"), 1, minWidth=92),
        number_column("lead_time_std", t("σ (days)"), 1, minWidth=78),
        number_column("lead_time_p90", t("p90 (days)"), 1, minWidth=78),
        number_column("drift_days", t("Against contract (days)"), 1, minWidth=100),
        text_column("trend", t("Trend (days a year)"), minWidth=110),
        text_column("price", t("Prices (a year)"), minWidth=110),
        money_column("spend_brl", t("Purchases"), minWidth=124),
        percent_column("spend_share", t("Share"), minWidth=78),
        money_column("lateness_brl", t("Stock for lateness"), minWidth=110),
    ]
    rows = [_row(one, data, viewer) for one in data.scores[:SHOWN]]
    return card(
        t("Suppliers"),
        grid("suppliers", columns, rows, viewer, row_id="code"),
        tools=downloads("suppliers", data.query, viewer),
        note=t(
            "%(shown)s of %(count)s. A place only from %(least)s lines due on, with the places"
            " that the intervals leave open. Trends whose interval holds 0 are marked ≈.",
            shown=fmt.number(len(rows), locale),
            count=fmt.number(len(data.scores), locale),
            least=MIN_LINES,
        ),
        class_name="grow",
    )


def _row(one: SupplierScore, data: SuppliersData, viewer: Viewer) -> dict[str, Any]:
    numbers = (
        *("lines", "otif", "late_rate", "fill_rate", "lead_time_mean", "lead_time_std"),
        *("lead_time_p90", "drift_days", "spend_brl", "spend_share", "lateness_brl"),
    )
    period = urlencode({"period": data.bar.period})
    return {
        **{name: getattr(one, name) for name in numbers},
        "code": one.supplier,
        "supplier": one.name or one.supplier,
        "href": f"/suppliers/{quote(one.supplier, safe='')}?{period}",
        "rank": place(one),
        "interval": interval(one, viewer) if one.lines else fmt.UNKNOWN,
        "trend": trend(one, viewer),
        "price": price_drift(one, viewer),
    }


def place(one: SupplierScore) -> str:
    """The place and those that the intervals leave open: `3 (2–5)`."""
    if one.rank is None:
        return fmt.UNKNOWN
    if one.rank_best == one.rank_worst:
        return str(one.rank)
    return f"{one.rank} ({one.rank_best}–{one.rank_worst})"


def trend(one: SupplierScore, viewer: Viewer) -> str:
    """Days that lead times grow by in a year; marked where they may not."""
    value, low, high = one.lead_time_trend, one.lead_time_trend_low, one.lead_time_trend_high
    if value is None or low is None or high is None:
        return fmt.UNKNOWN
    sign = "+" if value > 0 else ""
    return f"{_doubt(low, high)}{sign}{fmt.number(value, viewer.locale, 1)}"


def price_drift(one: SupplierScore, viewer: Viewer) -> str:
    """Growth of prices in a year; marked where there may be none."""
    value, low, high = one.price_drift, one.price_drift_low, one.price_drift_high
    if value is None or low is None or high is None:
        return fmt.UNKNOWN
    return _doubt(low, high) + fmt.signed_percent(value, viewer.locale)


def _doubt(low: float, high: float) -> str:
    return "≈ " if low <= 0 <= high else ""
