"""Cards about one item at one depot: its demand, its plan, its orders, decisions and history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from dash import dcc, html
from dash.development.base_component import Component

from domain.access import Permission
from domain.overrides import Override
from domain.page_filters import EVERYTHING
from domain.records import (
    Alert,
    DataStatus,
    DemandPoint,
    ForecastPoint,
    OpenOrder,
    ProjectedDay,
    Recommendation,
    StockCount,
)
from domain.suppliers import OrderLine
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.alerts import alert_grid, place
from layouts.charts import (
    POINTS_AT_MOST,
    add_line,
    effective,
    finish,
    graph,
    projection_chart,
    series_chart,
)
from layouts.components.cards import card
from layouts.components.downloads import Query, downloads
from layouts.components.grid import (
    WRAPPED,
    date_column,
    grid,
    link_column,
    money_column,
    number_column,
    price_column,
    quantity_column,
    text_column,
)
from layouts.components.states import missing_file
from layouts.components.table import Cell, twin
from layouts.recommendation_text import KINDS, STATUS
from layouts.text import MODELS, OVERRIDE_REASONS, OVERRIDE_STATES, named
from layouts.theme import ACCENT, figure
from layouts.units import of_issue, per_period

SHOWN = ("ensemble",)
PAST_ORDER = "-ordered_on"
QUANTITIES = ("mean", "p10", "p90")


def forecast_card(
    title: str,
    history: Sequence[DemandPoint],
    points: Sequence[ForecastPoint],
    unit: str | None,
    status: DataStatus,
    viewer: Viewer,
    *above: Component,
    files: Query,
    tools: Sequence[Component] = (),
) -> html.Section:
    """Consumption and the ensemble's forecast with its band; the same numbers as table."""
    t = viewer.t
    axis = per_period(unit, status.frequency, t)
    chart = series_chart(history, points, SHOWN if points else (), viewer, axis)
    header, rows = forecast_table(history, points, viewer)
    return card(
        title,
        *above,
        *([] if points else [html.P(t("No forecast for this depot."), className="quiet")]),
        graph("demand", chart, viewer),
        twin(header, rows, viewer),
        tools=[*downloads("series", {**files, "model": SHOWN}, viewer, of=title), *tools],
    )


def forecast_table(
    history: Sequence[DemandPoint], points: Sequence[ForecastPoint], viewer: Viewer
) -> tuple[list[str], list[list[Cell]]]:
    """The chart's numbers, a row a date: what counts and, where people put something else in the
    model's place, what the model had said beside it."""
    t = viewer.t
    header = [t("Date"), t("Actual"), t("Forecast"), "p10", "p90"]
    nothing = [None] * len(QUANTITIES)
    rows: list[list[Cell]] = [[one.date, one.quantity, *nothing] for one in history]
    rows += [[p.date, p.actual, *(effective(p, name) for name in QUANTITIES)] for p in points]
    if any(point.override_id is not None for point in points):
        model = named(MODELS, "ensemble", t)
        header += [f"{model} {name}" for name in QUANTITIES]
        for row, point in zip(rows, [*[None] * len(history), *points], strict=True):
            row += [getattr(point, name, None) for name in QUANTITIES]
    return header, rows


def models_link(sku: str, site: str, viewer: Viewer) -> Component:
    """The way to all models of the series, and to adjusting its forecast."""
    query = urlencode({"sku": sku, "site": site})
    return dcc.Link(
        viewer.t("All models and accuracy"), href=f"/forecasts?{query}", className="card-link"
    )


def history_card(
    title: str,
    history: Sequence[DemandPoint],
    unit: str | None,
    status: DataStatus,
    viewer: Viewer,
    *above: Component,
    files: Query,
) -> html.Section:
    """What was consumed in each period."""
    t, frequency, note = viewer.t, status.frequency, None
    if len(history) > POINTS_AT_MOST:
        count = fmt.number(len(history), viewer.locale)
        note = t("By month: %(count)s bars could not be told apart.", count=count)
        history, frequency = _by_month(history), "M"
    chart = figure(viewer, per_period(unit, frequency, t))
    dates, quantities = [one.date for one in history], [one.quantity for one in history]
    chart.add_bar(x=dates, y=quantities, marker={"color": ACCENT}, name=t("Actual"))
    rows: list[list[Any]] = [[one.date, one.quantity] for one in history]
    return card(
        title,
        *above,
        graph("consumption", chart, viewer),
        twin([t("Date"), t("Actual")], rows, viewer),
        tools=downloads("series", {**files, "ahead": ["false"]}, viewer, of=title),
        note=note,
    )


def _by_month(history: Sequence[DemandPoint]) -> list[DemandPoint]:
    """The same added up, a point a month on its first day."""
    sums: dict[date, float] = {}
    for one in history:
        month = one.date.replace(day=1)
        sums[month] = sums.get(month, 0.0) + one.quantity
    return [DemandPoint(month, quantity) for month, quantity in sums.items()]


def projection_card(
    title: str,
    days: Sequence[ProjectedDay],
    reorder_point: float | None,
    unit: str | None,
    viewer: Viewer,
    *above: Component,
    files: Query,
) -> html.Section:
    """Projected stock day by day over the reorder point, with what comes by order."""
    t = viewer.t
    if not days:
        empty = html.P(t("No stock is known here to project."), className="quiet")
        return card(title, *above, empty)
    rows: list[list[Any]] = [[day.date, day.likely, day.cautious, reorder_point] for day in days]
    names = [t("Date"), t("Likely"), t("With high demand"), t("Reorder point")]
    note = t(
        "Stock at the end of each day, less the forecast demand, with open orders on the day they"
        " are expected. High demand: what one simulated future in ten exceeds."
    )
    chart = projection_chart(days, reorder_point, viewer, of_issue(unit, t))
    return card(
        title,
        *above,
        graph("projection", chart, viewer),
        twin(names, rows, viewer),
        tools=downloads("projections", files, viewer, of=title),
        note=note,
    )


def counts_card(
    counts: Sequence[StockCount], unit: str | None, viewer: Viewer, files: Query
) -> html.Section:
    """The stock as the ERP counted it."""
    t = viewer.t
    title = t("Stock as it was counted")
    if not counts:
        text = t("It would show the stock of each day that was counted.")
        return card(title, missing_file("stock", text, t))
    chart = figure(viewer, of_issue(unit, t))
    dates = [one.date for one in counts]
    add_line(chart, dates, [one.on_hand for one in counts], t("On hand"), colour=ACCENT)
    rows: list[list[Any]] = [
        [one.date, one.on_hand, one.reserved, one.in_transit] for one in counts
    ]
    names = [t("Date"), t("On hand"), t("Reserved"), t("In transit")]
    return card(
        title,
        graph("counts", finish(chart), viewer),
        twin(names, rows, viewer),
        tools=downloads("stock-counts", files, viewer, of=title),
    )


def orders_card(
    orders: Sequence[OpenOrder], loaded: bool, viewer: Viewer, files: Query
) -> html.Section:
    """Purchase-order lines that are open on the last day of the data."""
    t = viewer.t
    title = t("Open orders")
    if not loaded:
        text = t("It would show what is on its way, and what is late.")
        return card(title, missing_file("purchase_orders", text, t))
    if not orders:
        return card(title, html.P(t("No open order."), className="quiet"))
    columns = [
        text_column("order", t("Order"), minWidth=130, flex=1),
        text_column("site", t("Depot"), minWidth=90),
        link_column("supplier", t("Supplier"), "href", minWidth=150, flex=2, **WRAPPED),
        date_column("ordered_on", t("Ordered on")),
        date_column("promised_on", t("Promised on")),
        date_column("received_on", t("Received on")),
        quantity_column("quantity", t("Quantity")),
        quantity_column("received_qty", t("Received")),
        number_column("days_late", t("Days late"), minWidth=84),
        price_column("unit_price_brl", t("Unit price")),
    ]
    rows = [_order(order) for order in orders]
    table = grid("open-orders", columns, rows, viewer, row_id="id")
    return card(title, table, tools=downloads("open-orders", files, viewer, of=title))


def _order(order: OpenOrder) -> dict[str, Any]:
    return {
        "id": f"{order.order}/{order.line}",
        "order": f"{order.order} / {order.line}",
        "site": place(order.site, None),
        **_supplier(order),
        "ordered_on": _iso(order.ordered_on),
        "promised_on": _iso(order.promised_on),
        "received_on": _iso(order.received_on),
        "quantity": order.quantity,
        "received_qty": order.received_qty,
        "days_late": order.days_late,
        "unit_price_brl": order.unit_price_brl,
    }


def _supplier(line: OpenOrder | OrderLine) -> dict[str, str | None]:
    """Who delivers it, by name where there is one; leads to that supplier."""
    known = line.supplier != "-"
    return {
        "supplier": (line.supplier_name or line.supplier) if known else fmt.UNKNOWN,
        "href": f"/suppliers/{quote(line.supplier, safe='')}" if known else None,
    }


def past_orders_card(
    lines: Sequence[OrderLine], count: int, viewer: Viewer, files: Query
) -> html.Section:
    """Order lines of the past as they were kept: the newest of `count`."""
    t = viewer.t
    title = t("Orders so far")
    if not lines:
        return card(title, html.P(t("No order yet."), className="quiet"))
    columns = [
        text_column("order", t("Order"), minWidth=130, flex=1),
        link_column("supplier", t("Supplier"), "href", minWidth=150, flex=2, **WRAPPED),
        date_column("ordered_on", t("Ordered on")),
        date_column("first_promised_on", t("First promised")),
        date_column("received_on", t("Received on")),
        quantity_column("quantity", t("Quantity")),
        quantity_column("received_qty", t("Received")),
        number_column("lead_time_days", t("Lead time (days)"), minWidth=84),
        number_column("days_late", t("Days late"), minWidth=84),
    ]
    rows = [
        {
            "id": f"{one.order_no}/{one.line}",
            "order": f"{one.order_no} / {one.line}",
            **_supplier(one),
            "ordered_on": _iso(one.ordered_on),
            "first_promised_on": _iso(one.first_promised_on),
            "received_on": _iso(one.received_on),
            **{name: getattr(one, name) for name in _LINE_NUMBERS},
        }
        for one in lines
    ]
    more = t("The newest %(count)s of %(all)s.", count=len(lines), all=count)
    return card(
        title,
        grid("past-orders", columns, rows, viewer, row_id="id"),
        tools=downloads("order-lines", {**files, "sort": [PAST_ORDER]}, viewer, of=title),
        note=more if count > len(lines) else None,
    )


_LINE_NUMBERS = ("quantity", "received_qty", "lead_time_days", "days_late")


def _iso(day: Any) -> str | None:
    return day.isoformat() if day else None


def recommendations_card(
    rows: Sequence[Recommendation], viewer: Viewer, files: Query
) -> html.Section:
    """What was recommended, and what became of it."""
    t = viewer.t
    title = t("Recommendations")
    if not rows:
        return card(title, html.P(t("Nothing is recommended here."), className="quiet"))
    columns = [
        text_column("kind", t("Kind"), minWidth=104),
        text_column("status", t("Status"), minWidth=100),
        text_column("site", t("Depot"), minWidth=120),
        text_column("why", t("Why"), flex=6, minWidth=280, **WRAPPED),
        quantity_column("quantity", t("Quantity"), minWidth=100),
        date_column("act_by", t("Act by")),
        money_column("value_brl", t("Value"), minWidth=108),
        text_column("decided", t("Decided by"), minWidth=170, **WRAPPED),
    ]
    told = [_recommendation(row, viewer) for row in rows]
    asked = urlencode({"search": rows[0].sku, "status": "all", "period": EVERYTHING})
    decide = _queue_link(f"/recommendations?{asked}", viewer)
    table = grid("recommended", columns, told, viewer, row_id="id")
    tools = [*downloads("recommendations", files, viewer, of=title), decide]
    return card(title, table, tools=tools)


def _queue_link(href: str, viewer: Viewer) -> dcc.Link:
    t = viewer.t
    words = t("Decide") if viewer.may(Permission.ACT) else t("See in the queue")
    return dcc.Link(words, href=href, className="card-link")


def _recommendation(row: Recommendation, viewer: Viewer) -> dict[str, Any]:
    decided = [row.decided_by, fmt.moment(row.decided_at, viewer.locale), row.decision_reason]
    return {
        "id": str(row.id),
        "kind": named(KINDS, row.kind, viewer.t),
        "status": named(STATUS, row.status, viewer.t),
        "site": place(row.site, row.uf),
        "why": row.narrative.get(viewer.locale, ""),
        "quantity": row.quantity,
        "act_by": _iso(row.act_by),
        "value_brl": row.value_brl,
        "decided": ", ".join(part for part in decided if part) if row.decided_by else fmt.UNKNOWN,
    }


def alerts_card(rows: Sequence[Alert], viewer: Viewer, files: Query) -> html.Section:
    """Alerts of every status."""
    t = viewer.t
    if not rows:
        return card(t("Alerts"), html.P(t("No alert here."), className="quiet"))
    asked = urlencode({"search": rows[0].sku, "status": "all", "period": EVERYTHING})
    decide = _queue_link(f"/alerts?{asked}", viewer)
    table = alert_grid("item-alerts", rows, viewer, with_item=False, with_status=True)
    tools = [*downloads("alerts", files, viewer, of=t("Alerts")), decide]
    return card(t("Alerts"), table, tools=tools)


def overrides_card(
    rows: Sequence[Override], sku: str, site: str | None, viewer: Viewer, files: Query
) -> html.Section:
    """What people put in the forecast's place, in force and past."""
    t = viewer.t
    title = t("Adjustments of the forecast")
    href = f"/forecasts?{urlencode({'sku': sku, **({'site': site} if site else {})})}"
    adjust = dcc.Link(t("Adjust the forecast"), href=href, className="card-link")
    links: list[Component] = [adjust] if viewer.may(Permission.ACT) else []
    if not rows:
        empty = html.P(t("Nobody has adjusted this forecast."), className="quiet")
        return card(title, empty, tools=links)
    columns = [
        number_column("number", t("Number"), minWidth=80),
        text_column("state", t("State"), minWidth=100),
        text_column("what", t("What"), minWidth=150, flex=2),
        date_column("date_from", t("First period")),
        date_column("date_to", t("Last period")),
        quantity_column("before", t("Model")),
        quantity_column("after", t("Adjusted")),
        text_column("reason", t("Reason"), minWidth=170, flex=3, **WRAPPED),
        text_column("by", t("By"), minWidth=150, flex=2),
    ]
    told = [_override(row, viewer) for row in rows]
    table = grid("item-overrides", columns, told, viewer, row_id="id")
    tools = [*downloads("overrides", files, viewer, of=title), *links]
    return card(title, table, tools=tools)


def _override(row: Override, viewer: Viewer) -> dict[str, Any]:
    reason = named(OVERRIDE_REASONS, row.reason, viewer.t)
    parts = (row.sku, row.site, row.family, row.uf)
    return {
        "id": str(row.id),
        "number": row.id,
        "state": named(OVERRIDE_STATES, row.state, viewer.t),
        "what": " · ".join(part for part in parts if part),
        "date_from": row.date_from.isoformat(),
        "date_to": row.date_to.isoformat(),
        "before": row.before,
        "after": row.after,
        "reason": f"{reason}: {row.note}" if row.note else reason,
        "by": row.created_by,
    }


def material_href(sku: str, **more: str) -> str:
    """The address of a material's page."""
    query = f"?{urlencode(more)}" if more else ""
    return f"/materials/{quote(sku, safe='')}{query}"
