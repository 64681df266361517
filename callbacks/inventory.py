"""`/inventory`: item-depots, and what is known of the chosen one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from auth.guards import current_viewer, requires
from callbacks.address import Address
from callbacks.filters import bar_of, over_period
from callbacks.listing import listed
from callbacks.parts import later, lazily
from callbacks.receipts import register_receipts
from callbacks.screen import screen
from domain.access import Permission
from domain.errors import NotFound, NothingPublished
from domain.receipts import Workings
from domain.records import Filters, ForecastPoint, ItemDepot, Page
from domain.viewer import Viewer
from layouts import inventory as layout
from layouts import item_depot as cards
from layouts.components import states
from layouts.components.downloads import query_of
from layouts.policy import RECEIPT, policy_card
from layouts.text import DEMAND_CLASSES
from warehouse.queries import (
    alerts,
    forecasts,
    inventory,
    overrides,
    policies,
    projections,
    recommendations,
    status,
    suppliers,
)

DEFAULT_SORT = "-risk_brl"
SHOWN = 50
CODES = 200
Asked = Callable[[], Filters]
PLACE = ("sort", "cursor", "start", "item", "depot", "tab", "period")
"""What of the address goes into the page's own links beside the filters that were understood."""


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """One page of item-depots, and the chosen one: the first unless the address says otherwise."""
    bar = bar_of(
        viewer,
        address,
        "/inventory",
        demand_class=address.many("class", DEMAND_CLASSES),
        search=address.text("search"),
    )
    filters = bar.filters
    flags = address.many("flag", layout.FLAGS)
    sort = address.order(layout.COLUMNS, DEFAULT_SORT)

    def rows(**asked: Any) -> Page[ItemDepot]:
        return inventory.page(scope=viewer.scope, filters=filters, flags=flags, sort=sort, **asked)

    found = cache(lambda: listed(address, "", rows, layout.PAGE_ROWS))
    chosen = cache(lambda: _chosen(viewer, address, found().page.rows))
    tab = address.one("tab", layout.TABS, "demand")

    def detail() -> list[Component]:
        row = chosen()
        return _detail(viewer, row, tab, lambda: filters) if row else []

    data = lazily(
        layout.InventoryData,
        listed=found,
        totals=lambda: inventory.totals(scope=viewer.scope, filters=filters),
        chosen=chosen,
        tab=tab,
        detail=detail,
        filters=filters,
        flags=flags,
        sort=sort,
        bar=bar,
        has_stock="stock" in status.loaded(),
        query=layout.asked(bar, flags) | address.only(PLACE),
        notices=address.notices,
    )
    return layout.layout(data, viewer, later)


def _chosen(viewer: Viewer, address: Address, rows: list[ItemDepot]) -> ItemDepot | None:
    sku, site = address.text("item", CODES), address.text("depot", CODES)
    if sku and site:
        try:
            return inventory.one(sku=sku, site=site, scope=viewer.scope)
        except NotFound:
            address.ignored("item", sku)
    return rows[0] if rows else None


def _detail(viewer: Viewer, row: ItemDepot, tab: str, asked: Asked) -> list[Component]:
    """One tab of the lower half; `asked` gives the filters, to those that have dates."""
    return layout.detail(row, TABS[tab](viewer, row, asked), viewer)


def _one(viewer: Viewer, row: ItemDepot) -> dict[str, Any]:
    return {"sku": row.sku, "site": row.site, "scope": viewer.scope}


def _demand(viewer: Viewer, row: ItemDepot, asked: Asked) -> list[Component]:
    current, dates = status.current(), asked()
    known = current.run_id is not None
    history = forecasts.history(**_one(viewer, row), since=dates.date_from) if known else []
    points = ensemble(viewer, row.sku, row.site) if known else []
    tools = [cards.models_link(row.sku, row.site, viewer)] if points else []
    title = viewer.t("Demand and forecast")
    files = _files(row) | query_of(dates, "date_from")
    return [
        cards.forecast_card(
            title, history, points, row.unit, current, viewer, files=files, tools=tools
        )
    ]


def ensemble(viewer: Viewer, sku: str, site: str) -> list[ForecastPoint]:
    """The published forecast of one item-depot; none for a depot with stock alone."""
    try:
        return forecasts.series(sku=sku, site=site, scope=viewer.scope, models=cards.SHOWN)
    except NotFound:
        return []


def _files(row: ItemDepot) -> dict[str, list[str]]:
    """What files of this item-depot ask for."""
    return {"sku": [row.sku], "site": [row.site]}


def _plan(viewer: Viewer, row: ItemDepot, _asked: Asked) -> list[Component]:
    try:
        days, made = projections.days(**_one(viewer, row)), policies.of_depot(**_one(viewer, row))
    except NothingPublished:
        days, made = [], []
    title = viewer.t("Projected stock")
    return [
        cards.projection_card(title, days, row.reorder_point, row.unit, viewer, files=_files(row)),
        *(policy_card(one, row.unit, viewer) for one in made),
    ]


def _workings(viewer: Viewer, sku: Any, site: Any) -> Workings:
    codes = {"sku": str(sku)[:CODES], "site": str(site)[:CODES]}
    for policy in policies.of_depot(**codes, scope=viewer.scope):
        return policy.receipt
    raise NotFound(f"There is no policy of {codes}.")


def _orders(viewer: Viewer, row: ItemDepot, _asked: Asked) -> list[Component]:
    has_orders = "purchase_orders" in status.loaded()
    found = inventory.open_orders(**_one(viewer, row))
    return [cards.orders_card(found, has_orders, viewer, _files(row))]


def _decisions(viewer: Viewer, row: ItemDepot, _asked: Asked) -> list[Component]:
    return decisions(viewer, row.sku, row.site)


def decisions(viewer: Viewer, sku: str, site: str | None = None) -> list[Component]:
    """What was recommended, alerted and adjusted for an item, at one depot or at all in view."""
    filters = Filters(sku=(sku,), site=(site,) if site else ())
    asked: dict[str, Any] = {"scope": viewer.scope, "filters": filters, "limit": SHOWN}
    files = query_of(filters)
    try:
        advice = recommendations.page(**asked).rows
    except NothingPublished:
        return [states.nothing_published(viewer)]
    return [
        cards.recommendations_card(advice, viewer, files),
        cards.alerts_card(alerts.page(**asked).rows, viewer, files),
        cards.overrides_card(overrides.page(**asked).rows, sku, site, viewer, files),
    ]


def _history(viewer: Viewer, row: ItemDepot, asked: Asked) -> list[Component]:
    dates = asked()
    found = Filters(
        sku=(row.sku,), site=(row.site,), date_from=dates.date_from, date_to=dates.date_to
    )
    lines = suppliers.lines(
        suppliers=(),
        scope=viewer.scope,
        filters=found,
        sort=cards.PAST_ORDER,
        limit=SHOWN,
    )
    counts = inventory.counts(**_one(viewer, row), since=dates.date_from, to=dates.date_to)
    return [
        cards.counts_card(counts, row.unit, viewer, query_of(found)),
        cards.past_orders_card(lines.rows, lines.count, viewer, query_of(found)),
    ]


TABS: dict[str, Callable[[Viewer, ItemDepot, Asked], list[Component]]] = {
    "demand": _demand,
    "plan": _plan,
    "orders": _orders,
    "decisions": _decisions,
    "history": _history,
}


def register(app: Dash) -> None:
    """Another row or tab: the browser writes it into the address and asks for the lower half. How a
    policy is computed, wherever it is shown."""
    register_receipts(app, RECEIPT, ("sku", "site"), _workings)
    app.clientside_callback(
        ClientsideFunction("nova", "chooseRow"),
        Output(layout.CHOSEN, "data"),
        Input({"type": "sorted-grid", "name": layout.GRID}, "selectedRows"),
        Input(layout.TAB, "value"),
        State(layout.CHOSEN, "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(layout.DETAIL, "children"),
        Input(layout.CHOSEN, "data"),
        State("_pages_location", "search"),
        prevent_initial_call=True,
    )
    @requires(Permission.READ)
    def show(chosen: Any, search: str | None) -> Any:
        if not isinstance(chosen, dict):
            return no_update
        viewer = current_viewer()
        asked = {name: str(chosen.get(name, ""))[:CODES] for name in ("item", "depot", "tab")}
        address = Address(asked, viewer.t)
        sku, site = address.text("item", CODES), address.text("depot", CODES)
        try:
            row = inventory.one(sku=sku, site=site, scope=viewer.scope)
        except NotFound:
            return [states.not_found(viewer)]
        page = Address.parse(search, viewer.t)
        tab = address.one("tab", layout.TABS, "demand")
        return _detail(viewer, row, tab, lambda: over_period(page, "/inventory")[1])
