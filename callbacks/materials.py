"""`/materials` and `/materials/<sku>`."""

from __future__ import annotations

from typing import Any

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.screen import screen
from domain.access import Permission
from domain.errors import InvalidInput, NotFound
from domain.receipts import Workings
from domain.records import (
    Alert,
    Filters,
    ForecastPoint,
    Material,
    MaterialDetail,
    Option,
    Page,
)
from domain.viewer import Viewer
from layouts import material as detail_layout
from layouts import materials as layout
from layouts.forecasts import since
from layouts.text import DEMAND_CLASSES
from warehouse.queries import (
    forecasts,
    kpis,
    materials,
    projections,
    receipts,
    recommendations,
    status,
)

OFFERED = ("uf", "family", "abc")
DEFAULT_SORT = "-demand_90d"


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """The catalogue: one page of rows, filtered and sorted by the server."""
    choices = kpis.filter_choices(scope=viewer.scope)
    filters = address.filters(
        {name: choices[name] for name in OFFERED},
        demand_class=address.many("class", DEMAND_CLASSES),
        search=address.text("search"),
    )
    orders = [sign + name for name in layout.SORTS for sign in ("", "-")]
    sort = address.one("sort", orders, DEFAULT_SORT)
    rows, start = _rows(viewer, address, filters, sort)
    data = layout.MaterialsData(rows, start, sort, filters, choices, address.query, address.notices)
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
    """Everything about one material; its chart shows one depot."""
    sku = address.text("sku")
    found = materials.detail(sku=sku, scope=viewer.scope)
    sites = materials.site_options(sku=sku, scope=viewer.scope)
    site = address.one("site", [o.value for o in sites], _start(found, sites)) if sites else None
    return detail_layout.layout(_detail_data(viewer, address, found, sites, site), viewer)


def _start(found: MaterialDetail, sites: list[Option]) -> str:
    """The depot to show first: of those with a forecast, the one with the most demand."""
    forecast = {row.site for row in found.positions if row.forecast_horizon is not None}
    return next((option.value for option in sites if option.value in forecast), sites[0].value)


def _detail_data(
    viewer: Viewer,
    address: Address,
    found: MaterialDetail,
    sites: list[Option],
    site: str | None,
) -> detail_layout.MaterialData:
    current = status.current()
    series: dict[str, Any] = {"sku": found.item.sku, "site": site or "", "scope": viewer.scope}
    known = site is not None and current.run_id is not None
    return detail_layout.MaterialData(
        detail=found,
        sites=sites,
        site=site,
        history=forecasts.history(**series, since=since("short", current)) if known else [],
        points=_ensemble(series) if known else [],
        projection=projections.days(**series) if known else [],
        files=status.files(),
        status=current,
        receipt=_receipt(viewer, address, found),
        recommendations=recommendations.of_item(sku=found.item.sku, scope=viewer.scope),
        notices=address.notices,
    )


def _receipt(
    viewer: Viewer, address: Address, found: MaterialDetail
) -> tuple[Alert, Workings] | None:
    """The alert of this material that the address names, with its receipt."""
    number = address.count("alert")
    alert = next((one for one in found.alerts if one.id == number), None)
    if alert is None:
        if number:
            address.ignored("alert", str(number))
        return None
    return alert, receipts.of_alert(alert_id=number, scope=viewer.scope)


def _ensemble(series: dict[str, Any]) -> list[ForecastPoint]:
    try:
        return forecasts.series(**series, models=detail_layout.SHOWN)
    except NotFound:  # a depot with stock alone: there is nothing to forecast
        return []
