"""`/materials/<sku>`: one material: what it is, its demand, its stock at each depot, its orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from dash import dcc, html
from dash.development.base_component import Component

from domain.receipts import Workings
from domain.records import (
    Alert,
    DataStatus,
    DemandPoint,
    FileStatus,
    ForecastPoint,
    Item,
    Material,
    MaterialDetail,
    OpenOrder,
    Option,
    ProjectedDay,
    Recommendation,
    SitePosition,
)
from domain.viewer import Viewer
from domain.wording import alert_reason
from layouts import format as fmt
from layouts.alerts import WRAPPED, alert_grid, place
from layouts.charts import graph, projection_chart, series_chart
from layouts.components.cards import card
from layouts.components.filters import choice, filter_bar
from layouts.components.grid import (
    date_column,
    grid,
    link_column,
    money_column,
    number_column,
    percent_column,
    quantity_column,
    text_column,
)
from layouts.components.receipt import receipt_block
from layouts.components.states import missing_file, notices
from layouts.components.table import twin
from layouts.forecasts import fact_list
from layouts.recommendations import of_material
from layouts.text import ALERT_KINDS, DEMAND_CLASSES, named, per_period

SHOWN = ("ensemble",)


@dataclass(frozen=True)
class MaterialData:
    """What the page shows. `site` is the depot of the chart, one of `sites`."""

    detail: MaterialDetail
    sites: Sequence[Option]
    site: str | None
    history: Sequence[DemandPoint]
    points: Sequence[ForecastPoint]
    projection: Sequence[ProjectedDay]
    files: Sequence[FileStatus]
    status: DataStatus
    notices: list[str]
    receipt: tuple[Alert, Workings] | None = None
    recommendations: Sequence[Recommendation] = ()

    def has_file(self, kind: str) -> bool:
        """True if any row of this kind of ERP file is loaded."""
        return any(file.rows for file in self.files if file.kind == kind)


def layout(data: MaterialData, viewer: Viewer) -> html.Div:
    """The whole page."""
    return html.Div(
        [
            head(data.detail.item, viewer),
            *notices(data.notices),
            *([alert_receipt(*data.receipt, viewer)] if data.receipt else []),
            overview(data.detail, viewer),
            demand(data, viewer),
            *projected(data, viewer),
            *recommended(data, viewer),
            positions(data, viewer),
            alerts(data, viewer),
            orders(data, viewer),
        ],
        className="page page-material",
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


def overview(detail: MaterialDetail, viewer: Viewer) -> html.Section:
    """Master data, and the sums over the depots in view."""
    return html.Section(
        [fact_list(_sums(detail.summary, viewer)), fact_list(_master_data(detail.item, viewer))],
        className="surface overview",
    )


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
        (t("Days of supply"), fmt.number(summary.days_of_supply, locale)),
        (t("WAPE"), fmt.percent(summary.wape, locale)),
        (t("Next stockout"), fmt.day(summary.next_stockout_on, locale)),
        (t("Open alerts"), fmt.number(summary.open_alerts, locale)),
    ]


def _master_data(item: Item, viewer: Viewer) -> list[tuple[str, str]]:
    t, locale = viewer.t, viewer.locale
    return [
        (t("Family"), item.family or fmt.UNKNOWN),
        (t("Unit of issue"), item.unit or fmt.UNKNOWN),
        (t("Unit cost"), fmt.brl(item.unit_cost_brl, locale, 2)),
        (t("Lead time"), _days(item.lead_time_days, viewer)),
        (t("Supplier"), item.supplier or fmt.UNKNOWN),
        (t("Minimum order"), fmt.quantity(item.min_order_qty, locale)),
        (t("Pack size"), fmt.quantity(item.pack_size, locale)),
        (t("Criticality (0–10)"), fmt.number(item.criticality, locale, 1)),
        (t("Service level"), fmt.percent(item.service_level, locale)),
    ]


def _days(value: float | None, viewer: Viewer) -> str:
    if value is None:
        return fmt.UNKNOWN
    return viewer.t("%(count)s days", count=fmt.number(value, viewer.locale))


def demand(data: MaterialData, viewer: Viewer) -> html.Section:
    """Consumption and ensemble forecast at one depot, chosen above the chart."""
    t = viewer.t
    title = t("Demand and forecast by depot")
    if data.site is None:
        return card(title, html.P(t("No depot in view has demand."), className="quiet"))
    axis = per_period(data.detail.item.unit, data.status.frequency, t)
    picker = choice(
        "site", t("Depot"), data.sites, data.site, viewer, multi=False, clearable=False, wide=True
    )
    models = SHOWN if data.points else ()
    chart = series_chart(data.history, data.points, models, viewer, axis)
    return card(
        title,
        filter_bar(picker, initial={"site": data.site}),
        *([] if data.points else [html.P(t("No forecast for this depot."), className="quiet")]),
        graph("demand", chart, viewer),
        twin(*_numbers(data, viewer), viewer),
        tools=[_models_link(data, viewer)] if data.points else [],
    )


def projected(data: MaterialData, viewer: Viewer) -> list[html.Section]:
    """The depot's stock as it is projected, with reorder point and what comes by order."""
    t = viewer.t
    here = next((one for one in data.detail.positions if one.site == data.site), None)
    if not data.projection or here is None:
        return []
    unit = data.detail.item.unit or t("units")
    chart = projection_chart(data.projection, here.reorder_point, viewer, unit)
    rows: list[list[Any]] = [[day.date, day.likely, day.cautious] for day in data.projection]
    names = [t("Date"), t("Likely"), t("With high demand")]
    note = t(
        "Stock at the end of each day, less the forecast demand, with open orders on the day they"
        " are expected. High demand: what one simulated future in ten exceeds."
    )
    return [
        card(
            t("Projected stock at %(site)s", site=here.site_name or here.site),
            graph("projection", chart, viewer),
            twin(names, rows, viewer),
            note=note,
        )
    ]


def _models_link(data: MaterialData, viewer: Viewer) -> Component:
    query = urlencode({"sku": data.detail.item.sku, "site": data.site or ""})
    return dcc.Link(
        viewer.t("All models and accuracy"), href=f"/forecasts?{query}", className="card-link"
    )


def _numbers(data: MaterialData, viewer: Viewer) -> tuple[list[str], list[list[Any]]]:
    t = viewer.t
    past = [[point.date, point.quantity, None, None, None] for point in data.history]
    ahead = [[p.date, p.actual, p.mean, p.p10, p.p90] for p in data.points]
    return [t("Date"), t("Actual"), t("Forecast"), "p10", "p90"], [*past, *ahead]


def positions(data: MaterialData, viewer: Viewer) -> html.Section:
    """Stock, policy and days to stockout at each depot."""
    t = viewer.t
    title = t("Position at each depot")
    hint = (
        []
        if data.has_file("stock")
        else [
            missing_file(
                "stock", t("It would show stock on hand, reorder points and stockout dates."), t
            )
        ]
    )
    columns = [
        link_column("site", t("Depot"), "href", flex=None, width=198, pinned="left"),
        text_column("demand_class", t("Demand class"), minWidth=126, **WRAPPED),
        quantity_column("demand_90d", t("Demand 90 d"), minWidth=82),
        quantity_column("forecast_horizon", t("Forecast"), minWidth=76),
        quantity_column("on_hand", t("On hand"), minWidth=72),
        quantity_column("on_order", t("On order"), minWidth=68),
        number_column("lead_time_days", t("Lead time (days)"), minWidth=62),
        percent_column("service_level", t("Service level"), minWidth=82),
        quantity_column("safety_stock", t("Safety stock"), minWidth=86),
        quantity_column("reorder_point", t("Reorder point"), minWidth=66),
        quantity_column("textbook_reorder_point", t("Reorder point by the textbook"), minWidth=92),
        quantity_column("order_up_to", t("Order up to"), minWidth=72),
        percent_column("stockout_probability", t("Chance of running out"), minWidth=86),
        number_column("days_to_stockout", t("Days to stockout"), minWidth=72),
        date_column("stockout_on", t("Stockout on"), minWidth=96),
        date_column("stockout_p50_on", t("Stockout, likely"), minWidth=96),
        date_column("stockout_p90_on", t("Stockout, high demand"), minWidth=96),
        percent_column("wape", t("WAPE"), minWidth=76),
        number_column("open_alerts", t("Alerts"), minWidth=68),
    ]
    rows = [_position(position, data, viewer) for position in data.detail.positions]
    note = html.P(
        t(
            "The chance of running out is over the lead time, with what arrives in it. Likely: half"
            " of the simulated futures have run out by then. High demand: what one in ten exceeds."
        ),
        className="quiet",
    )
    return card(title, *hint, grid("positions", columns, rows, viewer, row_id="code"), note)


def _position(position: SitePosition, data: MaterialData, viewer: Viewer) -> dict[str, Any]:
    query = urlencode({"sku": data.detail.item.sku, "site": position.site})
    return {
        "code": position.site,
        "site": place(position.site_name or position.site, position.uf),
        "href": f"/forecasts?{query}",
        "demand_class": named(DEMAND_CLASSES, position.demand_class, viewer.t),
        "demand_90d": position.demand_90d,
        "forecast_horizon": position.forecast_horizon,
        "on_hand": position.on_hand,
        "on_order": position.on_order,
        "lead_time_days": position.lead_time_days,
        "service_level": position.service_level,
        "safety_stock": position.safety_stock,
        "reorder_point": position.reorder_point,
        "textbook_reorder_point": position.textbook_reorder_point,
        "order_up_to": position.order_up_to,
        "stockout_probability": position.stockout_probability,
        "days_to_stockout": position.days_to_stockout,
        "stockout_on": _iso(position.stockout_on),
        "stockout_p50_on": _iso(position.stockout_p50_on),
        "stockout_p90_on": _iso(position.stockout_p90_on),
        "wape": position.wape,
        "open_alerts": position.open_alerts,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def recommended(data: MaterialData, viewer: Viewer) -> list[html.Section]:
    """What to do about this material, if there is anything."""
    if not data.recommendations:
        return []
    return [card(viewer.t("Recommendations"), of_material(data.recommendations, viewer))]


def orders(data: MaterialData, viewer: Viewer) -> html.Section:
    """Purchase-order lines that have not arrived in full."""
    t = viewer.t
    title = t("Open orders")
    if not data.has_file("purchase_orders"):
        text = t("It would show what is on its way, and what is late.")
        return card(title, missing_file("purchase_orders", text, t))
    if not data.detail.open_orders:
        return card(title, html.P(t("No open order."), className="quiet"))
    columns = [
        text_column("order", t("Order"), minWidth=110, flex=1),
        text_column("site", t("Depot"), minWidth=90),
        text_column("supplier", t("Supplier"), minWidth=110, flex=1),
        date_column("ordered_on", t("Ordered on")),
        date_column("promised_on", t("Promised on")),
        quantity_column("quantity", t("Quantity")),
        quantity_column("received_qty", t("Received")),
        number_column("days_late", t("Days late"), minWidth=84),
        money_column("unit_price_brl", t("Unit price"), 2),
    ]
    rows = [_order(order) for order in data.detail.open_orders]
    return card(title, grid("open-orders", columns, rows, viewer, row_id="id"))


def _order(order: OpenOrder) -> dict[str, Any]:
    return {
        "id": f"{order.order}/{order.line}",
        "order": f"{order.order} / {order.line}",
        "site": place(order.site, None),
        "supplier": place(order.supplier, None),
        "ordered_on": order.ordered_on.isoformat(),
        "promised_on": order.promised_on.isoformat() if order.promised_on else None,
        "quantity": order.quantity,
        "received_qty": order.received_qty,
        "days_late": order.days_late,
        "unit_price_brl": order.unit_price_brl,
    }


def alerts(data: MaterialData, viewer: Viewer) -> html.Section:
    """Open alerts of this material."""
    t = viewer.t
    title = t("Alerts")
    if not data.detail.alerts:
        return card(title, html.P(t("No open alert for this material."), className="quiet"))
    return card(title, alert_grid("material-alerts", data.detail.alerts, viewer, with_item=False))


def alert_receipt(alert: Alert, made: Workings, viewer: Viewer) -> html.Section:
    """How the numbers of one alert were made; the address names the alert."""
    t = viewer.t
    kind = named(ALERT_KINDS, alert.kind, t)
    title = t("How “%(name)s” is computed", name=f"{kind}, {place(alert.site, alert.uf)}")
    back = dcc.Link(
        t("Close"), href=f"/materials/{quote(alert.sku, safe='')}", className="card-link"
    )
    return card(
        title,
        html.P(alert_reason(alert, viewer.locale)),
        receipt_block(made, viewer),
        tools=[back],
    )
