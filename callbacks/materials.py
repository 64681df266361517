"""`/materials` and `/materials/<sku>`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash.development.base_component import Component

from callbacks import forecasts as forecasts_page
from callbacks.address import Address
from callbacks.filters import bar_of, over_period
from callbacks.inventory import decisions
from callbacks.screen import screen
from domain.access import Permission
from domain.errors import InvalidInput, NotFound, NothingPublished
from domain.records import Filters, Item, Material, Option, Page
from domain.viewer import Viewer
from layouts import item_depot as cards
from layouts import material as detail_layout
from layouts import material_drivers
from layouts import materials as layout
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
    orders = [sign + name for name in layout.SORTS for sign in ("", "-")]
    sort = address.one("sort", orders, DEFAULT_SORT)
    rows, start = _rows(viewer, address, bar.filters, sort)
    data = layout.MaterialsData(rows, start, sort, bar.filters, bar, address.query, address.notices)
    return layout.layout(data, viewer)


def _rows(
    viewer: Viewer, address: Address, filters: Filters, sort: str
) -> tuple[Page[Material], int]:
    """The page at the address's cursor; the first one if the cursor is not good (any more)."""
    asked: dict[str, Any] = {
        "scope": viewer.scope,
        "filters": filters,
        "limit": layout.PAGE_ROWS,
        "sort": sort,
    }
    cursor = address.text("cursor", 500) or None
    try:
        return materials.page(**asked, cursor=cursor), address.count("start") if cursor else 0
    except InvalidInput:
        address.ignored("cursor", cursor or "")
        return materials.page(**asked, cursor=None), 0


@screen(Permission.READ)
def detail(viewer: Viewer, address: Address) -> Component:
    """One material on the tab that the address names; a receipt is asked for among decisions."""
    item = materials.one(sku=address.text("sku", CODE), scope=viewer.scope)
    start = "decisions" if address.text("alert") else "overview"
    tab = address.one("tab", detail_layout.TABS, start)
    content = TABS[tab](viewer, address, item)
    given = {"site": address.text("site", CODE), "period": address.text("period")}
    kept = {name: value for name, value in given.items() if value}
    return detail_layout.layout(item, tab, kept, content, address.notices, viewer)


def _overview(viewer: Viewer, _address: Address, item: Item) -> list[Component]:
    return detail_layout.overview(materials.detail(sku=item.sku, scope=viewer.scope), viewer)


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
    period, dates = over_period(address, DETAIL)
    one: dict[str, Any] = {"sku": item.sku, "site": site, "scope": viewer.scope}
    picker = detail_layout.depot_choice(sites, site, viewer, period=period)
    history = forecasts.history(**one, since=dates.date_from)
    title = viewer.t("Demand by depot")
    shown = cards.history_card(title, history, item.unit, current, viewer, picker)
    try:
        return [shown, profile_strip(forecasts.profile(**one), viewer)]
    except NotFound:  # a depot with stock alone has no profile
        return [shown]


def _stock(viewer: Viewer, address: Address, item: Item) -> list[Component]:
    sites, site = _depot(viewer, address, item)
    found = materials.detail(sku=item.sku, scope=viewer.scope)
    loaded = {one.kind for one in status.files() if one.rows}
    parts: list[Component] = [detail_layout.positions(found, "stock" in loaded, viewer)]
    here = next((one for one in found.positions if one.site == site), None)
    if here is not None and status.current().run_id is not None:
        days = projections.days(sku=item.sku, site=here.site, scope=viewer.scope)
        title = viewer.t("Projected stock at %(site)s", site=here.site_name or here.site)
        picker = detail_layout.depot_choice(sites, here.site, viewer)
        level = here.reorder_point
        files = {"sku": [item.sku], "site": [here.site]}
        parts.append(
            cards.projection_card(title, days, level, item.unit, viewer, picker, files=files)
        )
        found_here = policies.of_depot(sku=item.sku, site=here.site, scope=viewer.scope)
        parts += [policy_card(one, item.unit, viewer) for one in found_here]
    has_orders = "purchase_orders" in loaded
    asked = {"sku": [item.sku]}
    return [*parts, cards.orders_card(found.open_orders, has_orders, viewer, asked)]


def _forecast(viewer: Viewer, address: Address, item: Item) -> list[Component]:
    sites, site = _depot(viewer, address, item)
    current = status.current()
    if site is None or current.run_id is None:
        return [detail_layout.no_depot(viewer)]
    period, dates = over_period(address, DETAIL)
    series = forecasts_page.series_of(viewer, item.sku, site, dates.date_from)
    picker = detail_layout.depot_choice(sites, site, viewer, period=period)
    title = viewer.t("Demand and forecast by depot")
    points = [one for one in series.points if one.model in cards.SHOWN] if series else []
    history = series.history if series else []
    tools = [cards.models_link(item.sku, site, viewer)]
    shown = cards.forecast_card(
        title, history, points, item.unit, current, viewer, picker, tools=tools
    )
    return [shown, *([accuracy_card(series, viewer)] if series else [])]


def _decisions(viewer: Viewer, address: Address, item: Item) -> list[Component]:
    made = decisions(viewer, status.current(), item.sku)
    number = address.count("alert")
    if not number:
        return made
    try:
        alert = alerts.one(alert_id=number, scope=viewer.scope)
    except (NotFound, NothingPublished):
        alert = None
    if alert is None or alert.sku != item.sku:
        address.ignored("alert", str(number))
        return made
    workings = receipts.of_alert(alert_id=number, scope=viewer.scope)
    return [detail_layout.alert_receipt(alert, workings, viewer), *made]


def _drivers(viewer: Viewer, address: Address, item: Item) -> list[Component]:
    sites, site = _depot(viewer, address, item)
    if site is None:
        return [detail_layout.no_depot(viewer)]
    months = item_drivers.months(sku=item.sku, site=site, scope=viewer.scope)
    names = [
        Option(name, driver_name(name, viewer.t))
        for name in dict.fromkeys(one.driver for one in months)
    ]
    driver = address.option("driver", names)
    loaded = any(one.rows for one in status.files() if one.kind == "drivers")
    data = material_drivers.DriversData(
        item.sku, sites, site, names, driver, months, item.unit, loaded
    )
    return material_drivers.content(data, viewer)


TABS: dict[str, Callable[[Viewer, Address, Item], list[Component]]] = {
    "overview": _overview,
    "demand": _demand,
    "stock": _stock,
    "forecast": _forecast,
    "decisions": _decisions,
    "drivers": _drivers,
}
"""What stands on each tab; each asks for what it shows alone."""
