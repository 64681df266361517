"""`/materials/<sku>`: one material on tabs: what it is, its demand, its stock at each depot, its
forecast, what was decided about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from domain.receipts import Workings
from domain.records import Alert, Item, Material, MaterialDetail, Option, SitePosition
from domain.viewer import Viewer
from domain.wording import alert_reason
from layouts import format as fmt
from layouts.alerts import place
from layouts.components.attributes import SHOWS_DECISIONS
from layouts.components.cards import card
from layouts.components.downloads import downloads
from layouts.components.filters import choice, filter_bar, period_choice
from layouts.components.grid import (
    WRAPPED,
    Column,
    date_column,
    grid,
    link_column,
    number_column,
    percent_column,
    quantity_column,
    text_column,
)
from layouts.components.parts import Part, at_once
from layouts.components.receipt import receipt_block
from layouts.components.states import missing_file, notices
from layouts.components.tabs import tabs
from layouts.forecasts import fact_list
from layouts.item_depot import material_href
from layouts.text import ALERT_KINDS, DEMAND_CLASSES, N_, named
from layouts.units import days_told

TABS = {
    "overview": N_("Overview"),
    "demand": N_("Demand"),
    "stock": N_("Stock"),
    "forecast": N_("Forecast"),
    "decisions": N_("Decisions"),
    "drivers": N_("Drivers"),
}
"""The tabs of the page by the address's `tab`."""


def layout(
    item: Item,
    tab: str,
    content: Sequence[Component],
    told: list[str],
    viewer: Viewer,
) -> html.Div:
    """The whole page on one tab."""
    t = viewer.t
    return html.Div(
        [
            head(item, viewer),
            tabs(t("Sections of the page"), TABS, tab, viewer, path=material_href(item.sku)),
            *notices(told),
            *content,
        ],
        className="page page-material",
        **SHOWS_DECISIONS,
    )


def head(item: Item, viewer: Viewer) -> html.Div:
    """Where this page belongs, the material's name and code."""
    t = viewer.t
    inactive = [] if item.active else [html.Span(t("Inactive"), className="badge-quiet")]
    return html.Div(
        [
            html.P(
                [dcc.Link(t("Materials"), href="/materials"), " / ", item.sku], className="trail"
            ),
            html.H1([item.name or item.sku, *inactive]),
        ],
        className="page-head",
    )


def overview(detail: MaterialDetail, viewer: Viewer, part: Part = at_once) -> list[Component]:
    """Master data, the sums over the depots in view, and each depot in short."""
    facts = html.Section(
        [fact_list(_sums(detail.summary, viewer)), fact_list(_master_data(detail.item, viewer))],
        className="surface overview",
    )
    return [facts, *part("depots", lambda: [depots(detail, viewer)])]


def depots(detail: MaterialDetail, viewer: Viewer) -> html.Section:
    """Where the material is asked for and kept; a depot leads to its stock."""
    t = viewer.t
    title = t("By depot")
    if not detail.positions:
        return card(title, html.P(t("No depot in view has demand or stock."), className="quiet"))
    columns = [
        link_column("site", t("Depot"), "href", minWidth=160, flex=2, **WRAPPED),
        text_column("demand_class", t("Demand class"), minWidth=126, **WRAPPED),
        quantity_column("demand_90d", t("Demand 90 d"), minWidth=92),
        quantity_column("forecast_horizon", t("Forecast"), minWidth=88),
        quantity_column("on_hand", t("On hand"), minWidth=88),
        number_column("days_to_stockout", t("Days to stockout"), minWidth=88),
        percent_column("wape", t("WAPE"), minWidth=80),
        number_column("open_alerts", t("Alerts"), minWidth=72),
    ]
    rows = [_position(one, detail.item, "stock", viewer) for one in detail.positions]
    table = grid("depots", columns, rows, viewer, row_id="code")
    return card(title, table, tools=_files(detail, viewer))


def _sums(summary: Material, viewer: Viewer) -> list[tuple[str, str]]:
    t, locale = viewer.t, viewer.locale
    unit = f" {summary.unit}" if summary.unit else ""

    def amount(value: float | None) -> str:
        return fmt.quantity(value, locale) + (unit if value is not None else "")

    return [
        (t("Demand, last 90 days"), amount(summary.demand_90d)),
        (t("Forecast, whole horizon"), amount(summary.forecast_horizon)),
        (t("On hand"), amount(summary.on_hand)),
        (t("Stock value"), fmt.brl(summary.stock_value_brl, locale)),
        (t("Days of supply"), fmt.supply(summary.days_of_supply, locale)),
        (t("WAPE"), fmt.percent(summary.wape, locale)),
        (t("Next stockout"), fmt.day(summary.next_stockout_on, locale)),
        (t("Open alerts"), fmt.number(summary.open_alerts, locale)),
    ]


def _master_data(item: Item, viewer: Viewer) -> list[tuple[str, str]]:
    t, locale = viewer.t, viewer.locale
    return [
        (t("Family"), item.family or fmt.UNKNOWN),
        (t("Unit of issue"), item.unit or fmt.UNKNOWN),
        (t("Unit cost"), fmt.price(item.unit_cost_brl, locale)),
        (t("Lead time"), _days(item.lead_time_days, viewer)),
        (t("Supplier"), item.supplier_name or item.supplier or fmt.UNKNOWN),
        (t("Minimum order"), fmt.quantity(item.min_order_qty, locale)),
        (t("Pack size"), fmt.quantity(item.pack_size, locale)),
        (t("Criticality (0–10)"), fmt.number(item.criticality, locale, 1)),
        (t("Service level"), fmt.percent(item.service_level, locale)),
    ]


def _days(value: float | None, viewer: Viewer) -> str:
    if value is None:
        return fmt.UNKNOWN
    return days_told(fmt.number(value, viewer.locale), viewer.t)


def depot_choice(
    sites: Sequence[Option],
    site: str,
    viewer: Viewer,
    *more: Component,
    period: str | None = None,
    usual: str = "",
    **initial: Any,
) -> html.Div:
    """Which depot a tab is about, over which period where it has one (`usual`: what it shows where
    none is chosen); with other choices of the tab beside it."""
    picker = choice(
        "site", viewer.t("Depot"), sites, site, viewer, multi=False, clearable=False, wide=True
    )
    shown = [] if period is None else [period_choice(period, viewer, usual)]
    told = {} if period is None else {"period": period}
    return filter_bar(picker, *shown, *more, initial={"site": site, **told, **initial})


def no_depot(viewer: Viewer) -> html.Section:
    """A material that nobody in view has asked for."""
    t = viewer.t
    text = html.P(t("No depot in view has demand or stock."), className="quiet")
    return card(t("Demand and forecast by depot"), text)


def positions(detail: MaterialDetail, has_stock: bool, viewer: Viewer) -> html.Section:
    """Stock, policy and days to stockout at each depot."""
    t = viewer.t
    would_show = t("It would show stock on hand, reorder points and stockout dates.")
    hint = [] if has_stock else [missing_file("stock", would_show, t)]
    rows = [_position(one, detail.item, "stock", viewer) for one in detail.positions]
    note = html.P(
        t(
            "The chance of running out is over the lead time, with what arrives in it. Likely: half"
            " of the simulated futures have run out by then. High demand: what one in ten exceeds."
        ),
        className="quiet",
    )
    columns = _stock_columns(viewer)
    table = grid("positions", columns, rows, viewer, row_id="code")
    title = t("Position at each depot")
    return card(title, *hint, table, note, tools=_files(detail, viewer))


def _files(detail: MaterialDetail, viewer: Viewer) -> list[Component]:
    return downloads("material-depots", {"sku": [detail.item.sku]}, viewer)


def _stock_columns(viewer: Viewer) -> list[Column]:
    t = viewer.t
    return [
        link_column("site", t("Depot"), "href", flex=None, width=198, pinned="left", **WRAPPED),
        quantity_column("on_hand", t("On hand"), minWidth=72),
        quantity_column("on_order", t("On order"), minWidth=68),
        number_column("lead_time_days", t("Lead time (days)"), minWidth=62),
        percent_column("service_level", t("Service level"), minWidth=82),
        quantity_column("safety_stock", t("Safety stock"), minWidth=86),
        quantity_column("reorder_point", t("Reorder point"), minWidth=66),
        quantity_column("order_up_to", t("Order up to"), minWidth=72),
        quantity_column("textbook_safety_stock", t("Safety stock by the textbook"), minWidth=92),
        quantity_column("textbook_reorder_point", t("Reorder point by the textbook"), minWidth=92),
        quantity_column("textbook_order_up_to", t("Order up to by the textbook"), minWidth=92),
        percent_column("stockout_probability", t("Chance of running out"), minWidth=86),
        number_column("days_to_stockout", t("Days to stockout"), minWidth=72),
        date_column("stockout_on", t("Stockout on"), minWidth=96),
        date_column("stockout_p50_on", t("Stockout, likely"), minWidth=96),
        date_column("stockout_p90_on", t("Stockout, high demand"), minWidth=96),
        number_column("open_alerts", t("Alerts"), minWidth=68),
    ]


_NUMBERS = (
    *("demand_90d", "forecast_horizon", "on_hand", "on_order", "lead_time_days", "service_level"),
    *("safety_stock", "reorder_point", "order_up_to", "wape"),
    *("textbook_safety_stock", "textbook_reorder_point", "textbook_order_up_to"),
    *("stockout_probability", "days_to_stockout", "open_alerts"),
)


def _position(position: SitePosition, item: Item, tab: str, viewer: Viewer) -> dict[str, Any]:
    return {
        "code": position.site,
        "site": place(position.site_name or position.site, position.uf),
        "href": material_href(item.sku, site=position.site, tab=tab),
        "demand_class": named(DEMAND_CLASSES, position.demand_class, viewer.t),
        "stockout_on": _iso(position.stockout_on),
        "stockout_p50_on": _iso(position.stockout_p50_on),
        "stockout_p90_on": _iso(position.stockout_p90_on),
        **{name: getattr(position, name) for name in _NUMBERS},
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def alert_receipt(alert: Alert, made: Workings, viewer: Viewer) -> html.Section:
    """How the numbers of one alert were made; the address names the alert."""
    t = viewer.t
    kind = named(ALERT_KINDS, alert.kind, t)
    title = t("How “%(name)s” is computed", name=f"{kind}, {place(alert.site, alert.uf)}")
    back = dcc.Link(
        t("Close"), href=material_href(alert.sku, tab="decisions"), className="card-link"
    )
    return card(
        title,
        html.P(alert_reason(alert, viewer.locale)),
        receipt_block(made, viewer),
        tools=[back],
    )
