"""`/materials` and `/materials/<sku>`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash.development.base_component import Component

from callbacks import forecasts as forecasts_page
from callbacks.address import Address
from callbacks.filters import bar_of, over_period
from callbacks.inventory import decisions
from callbacks.listing import listed
from callbacks.parts import later, lazily
from callbacks.screen import screen
from domain.access import Permission
from domain.errors import NotFound, NothingPublished
from domain.page_filters import OWN
from domain.records import Item, Material, MaterialDetail, Option, Page
from domain.viewer import Viewer
from layouts import item_depot as cards
from layouts import material as detail_layout
from layouts import material_drivers
from layouts import materials as layout
from layouts.components.downloads import query_of
from layouts.forecasts import accuracy_card, profile_strip
from layouts.policy import policy_card
from layouts.text import DEMAND_CLASSES, driver_name
from warehouse.queries import (
    alerts,
    forecasts,
    item_drivers,
    materials,
    policies,
    projections,
    receipts,
    status,
)

CODE = 200
DETAIL = "/materials/<sku>"
DEFAULT_SORT = "-demand_90d"


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """The catalogue: one page of rows, filtered and sorted by the server."""
    bar = bar_of(
        viewer,
        address,
        "/materials",
        demand_class=address.many("class", DEMAND_CLASSES),
        search=address.text("search"),
    )
    sort = address.order(layout.SORTS, DEFAULT_SORT)

    def rows(**asked: Any) -> Page[Material]:
        return materials.page(scope=viewer.scope, filters=bar.filters, sort=sort, **asked)

    data = layout.MaterialsData(
        listed=listed(address, "", rows, layout.PAGE_ROWS),
        sort=sort,
        filters=bar.filters,
        bar=bar,
        query=address.query,
        notices=address.notices,
    )
    return layout.layout(data, viewer)


@screen(Permission.READ)
def detail(viewer: Viewer, address: Address) -> Component:
    """One material on the tab that the address names; a receipt is asked for among decisions."""
    item = materials.one(sku=address.text("sku", CODE), scope=viewer.scope)
    start = "decisions" if address.text("alert") else "overview"
    tab = address.one("tab", detail_layout.TABS, start)
    content = TABS[tab](viewer, address, item)
    return detail_layout.layout(item, tab, content, address.notices, viewer)


def _overview(viewer: Viewer, _address: Address, item: Item) -> list[Component]:
    return detail_layout.overview(_found(viewer, item), viewer, later)


def _found(viewer: Viewer, item: Item) -> MaterialDetail:
    asked: dict[str, Any] = {"sku": item.sku, "scope": viewer.scope}
    return lazily(
        MaterialDetail,
        item=item,
        summary=lambda: materials.summary(**asked) or materials.without_series(item),
        positions=lambda: materials.positions(**asked),
        open_orders=lambda: materials.open_orders(**asked),
    )


def _depot(viewer: Viewer, address: Address, item: Item) -> tuple[list[Option], str | None]:
    """The depots in view and the chosen one: that with the most demand unless the address says
    otherwise."""
    sites = materials.site_options(sku=item.sku, scope=viewer.scope)
    return sites, address.option("site", sites)


def _demand(viewer: Viewer, address: Address, item: Item) -> list[Component]:
    sites, site = _depot(viewer, address, item)
    current = status.current()
    if site is None or current.run_id is None:
        return [detail_layout.no_depot(viewer)]
    period, dates = over_period(address, DETAIL, "demand")
    one: dict[str, Any] = {"sku": item.sku, "site": site, "scope": viewer.scope}
    picker = detail_layout.depot_choice(sites, site, viewer, period=period)
    title = viewer.t("Demand by depot")
    files = {"sku": [item.sku], "site": [site]} | query_of(dates, "date_from")

    def made() -> list[Component]:
        history = forecasts.history(**one, since=dates.date_from)
        shown = cards.history_card(title, history, item.unit, current, viewer, picker, files=files)
        try:
            return [shown, profile_strip(forecasts.profile(**one), viewer)]
        except NotFound:  # a depot with stock alone has no profile
            return [shown]

    return later("history", made, 520)


def _stock(viewer: Viewer, address: Address, item: Item) -> list[Component]:
    sites, site = _depot(viewer, address, item)
    found, current = _found(viewer, item), status.current()
    one: dict[str, Any] = {"sku": item.sku, "site": site, "scope": viewer.scope}

    def positions() -> list[Component]:
        return [detail_layout.positions(found, "stock" in status.loaded(), viewer)]

    def projected() -> list[Component]:
        here = next((row for row in found.positions if row.site == site), None)
        if here is None or current.run_id is None:
            return []
        title = viewer.t("Projected stock at %(site)s", site=here.site_name or here.site)
        picker = detail_layout.depot_choice(sites, here.site, viewer)
        days, level = projections.days(**one), here.reorder_point
        files = {"sku": [item.sku], "site": [here.site]}
        return [cards.projection_card(title, days, level, item.unit, viewer, picker, files=files)]

    def policy() -> list[Component]:
        if site is None or current.run_id is None:
            return []
        return [policy_card(each, item.unit, viewer) for each in policies.of_depot(**one)]

    def orders() -> list[Component]:
        has_orders, asked = "purchase_orders" in status.loaded(), {"sku": [item.sku]}
        return [cards.orders_card(found.open_orders, has_orders, viewer, asked)]

    return [
        *later("positions", positions),
        *later("projection", projected, 520),
        *later("policy", policy),
        *later("orders", orders, 200),
    ]


def _forecast(viewer: Viewer, address: Address, item: Item) -> list[Component]:
    sites, site = _depot(viewer, address, item)
    current = status.current()
    if site is None or current.run_id is None:
        return [detail_layout.no_depot(viewer)]
    period, dates = over_period(address, DETAIL, "forecast")
    series = forecasts_page.series_of(
        viewer, item.sku, site, dates.date_from, lambda _points: cards.SHOWN
    )
    picker = detail_layout.depot_choice(sites, site, viewer, period=period)
    title = viewer.t("Demand and forecast by depot")
    files = {"sku": [item.sku], "site": [site]} | query_of(dates, "date_from")
    tools = [cards.models_link(item.sku, site, viewer)]

    def chart() -> list[Component]:
        points = [one for one in series.points if one.model in cards.SHOWN]
        return [
            cards.forecast_card(
                title,
                series.history,
                points,
                item.unit,
                current,
                viewer,
                picker,
                files=files,
                tools=tools,
            )
        ]

    def accuracy() -> list[Component]:
        return [accuracy_card(series, viewer)] if series.is_known else []

    return [*later("chart", chart, 500, 520), *later("accuracy", accuracy, 590, 670)]


def _decisions(viewer: Viewer, address: Address, item: Item) -> list[Component]:
    number = address.count("alert")

    def receipt() -> list[Component]:
        try:
            alert = alerts.one(alert_id=number, scope=viewer.scope)
        except (NotFound, NothingPublished):
            alert = None
        if alert is None or alert.sku != item.sku:
            address.ignored("alert", str(number))
            return []
        workings = receipts.of_alert(alert_id=number, scope=viewer.scope)
        return [detail_layout.alert_receipt(alert, workings, viewer)]

    return [
        *(later("receipt", receipt) if number else []),
        *later("decisions", lambda: decisions(viewer, item.sku), 900),
    ]


def _drivers(viewer: Viewer, address: Address, item: Item) -> list[Component]:
    sites, site = _depot(viewer, address, item)
    if site is None:
        return [detail_layout.no_depot(viewer)]
    period, dates = over_period(address, DETAIL, "drivers")
    span = {"since": dates.date_from, "to": dates.date_to}

    def made() -> list[Component]:
        months = item_drivers.months(sku=item.sku, site=site, scope=viewer.scope, **span)
        names = [
            Option(name, driver_name(name, viewer.t))
            for name in dict.fromkeys(one.driver for one in months)
        ]
        driver = address.option("driver", names)
        loaded = "drivers" in status.loaded()
        data = material_drivers.DriversData(
            item.sku, sites, site, names, driver, months, item.unit, loaded, period or OWN, dates
        )
        return material_drivers.content(data, viewer)

    return later("drivers", made, 900)


TABS: dict[str, Callable[[Viewer, Address, Item], list[Component]]] = {
    "overview": _overview,
    "demand": _demand,
    "stock": _stock,
    "forecast": _forecast,
    "decisions": _decisions,
    "drivers": _drivers,
}
"""What stands on each tab; each asks for what it shows alone."""
