"""GET /materials, GET /materials/{sku}, GET /projections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Annotated

from api.alerts import AlertAnswer, worded
from api.answers import locale
from api.exporting import exported
from api.parameters import (
    Between,
    DepotOfItem,
    Paged,
    Query,
    SeriesFilters,
    Text,
    checked_text,
    one_of,
)
from api.routing import route
from auth.guards import current_viewer
from domain.drivers import DriverSum, driver_sums
from domain.records import (
    DriverMonth,
    Material,
    MaterialDetail,
    OpenOrder,
    Page,
    ProjectedDay,
    SitePosition,
    StockCount,
)
from warehouse.queries import inventory, item_drivers, materials, projections
from warehouse.queries.paging import every


@dataclass(frozen=True)
class MaterialAnswer(MaterialDetail):
    """One material with everything; its alerts carry their messages."""

    alerts: list[AlertAnswer]  # type: ignore[assignment]


class MaterialsInOrder(SeriesFilters):
    """Filters of the list, by code unless asked otherwise."""

    sort: Annotated[Text, one_of(materials.SORTS)] = "sku"


class MaterialsQuery(MaterialsInOrder, Paged):
    """The same by pages."""


@route("GET", "/materials", query=MaterialsQuery, data=list[Material], paged=True)
def listed(query: MaterialsQuery) -> Page[Material]:
    """Materials with demand, stock, forecast and alerts over the sites in view."""
    return materials.page(
        scope=current_viewer().scope,
        filters=query.filters(),
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )


@route("GET", "/materials/<path:sku>", data=MaterialAnswer)
def one(sku: str) -> MaterialAnswer:
    """One material: positions by site, open orders, alerts."""
    detail = materials.detail(sku=checked_text("sku", sku), scope=current_viewer().scope)
    values = {field.name: getattr(detail, field.name) for field in fields(detail)}
    spoken = locale()
    return MaterialAnswer(**values | {"alerts": [worded(row, spoken) for row in detail.alerts]})


@route("GET", "/projections", query=DepotOfItem, data=list[ProjectedDay])
def projected(query: DepotOfItem) -> list[ProjectedDay]:
    """Stock of one item-depot day by day, net of demand and with what is on its way."""
    scope = current_viewer().scope
    return projections.days(sku=query.sku, site=query.site, scope=scope)


class MaterialQuery(Query):
    """One material; nothing where none is named."""

    sku: Text = ""


class SiteQuery(MaterialQuery):
    """The same at one site, or at all."""

    site: Text = ""


@exported("materials", query=MaterialsInOrder, record=Material)
def materials_file(query: MaterialsInOrder) -> Iterator[Material]:
    """Every material that the filters let through, over the sites in view."""
    scope = current_viewer().scope
    return every(materials.page, scope=scope, filters=query.filters(), sort=query.sort)


@exported("material-depots", query=MaterialQuery, record=SitePosition)
def positions_file(query: MaterialQuery) -> list[SitePosition]:
    """Where one material stands at each site: stock, policy, days to stockout."""
    return _detail(query).positions if query.sku else []


@exported("open-orders", query=SiteQuery, record=OpenOrder)
def open_orders_file(query: SiteQuery) -> list[OpenOrder]:
    """The open order lines of one material, at one site or at all."""
    if not query.sku:
        return []
    scope = current_viewer().scope
    if query.site:
        return inventory.open_orders(sku=query.sku, site=query.site, scope=scope)
    return materials.detail(sku=query.sku, scope=scope).open_orders


@exported("projections", query=DepotOfItem, record=ProjectedDay)
def projections_file(query: DepotOfItem) -> list[ProjectedDay]:
    """Stock of one item-depot day by day, net of demand and with what is on its way."""
    return projected(query)


class SpannedQuery(SiteQuery, Between):
    """One item-depot from one day to another; the last ones where neither is named."""


class DriverQuery(SpannedQuery):
    """The same of one driver, or of all."""

    driver: Text | None = None


@exported("driver-months", query=DriverQuery, record=DriverMonth)
def driver_months_file(query: DriverQuery) -> list[DriverMonth]:
    """Outside drivers month by month beside the demand of one item-depot."""
    return [one for one in _driver_months(query) if query.driver in (None, one.driver)]


@exported("item-drivers", query=SpannedQuery, record=DriverSum)
def drivers_file(query: SpannedQuery) -> list[DriverSum]:
    """Outside drivers beside the demand of one item-depot in short: how both move together."""
    return driver_sums(_driver_months(query))


def _driver_months(query: SpannedQuery) -> list[DriverMonth]:
    if not (query.sku and query.site):
        return []
    span = {"since": query.from_, "to": query.to}
    return item_drivers.months(sku=query.sku, site=query.site, scope=current_viewer().scope, **span)


@exported("stock-counts", query=SpannedQuery, record=StockCount)
def counts_file(query: SpannedQuery) -> list[StockCount]:
    """What was counted at one item-depot, day by day."""
    if not (query.sku and query.site):
        return []
    span = {"since": query.from_, "to": query.to}
    return inventory.counts(sku=query.sku, site=query.site, scope=current_viewer().scope, **span)


def _detail(query: MaterialQuery) -> MaterialDetail:
    return materials.detail(sku=query.sku, scope=current_viewer().scope)
