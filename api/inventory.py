"""GET /inventory, /inventory/totals and /exports/inventory.csv and .xlsx."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import BeforeValidator

from api.files import CSV, XLSX, records_csv, records_xlsx
from api.parameters import Paged, SeriesFilters, Text, split
from api.routing import route
from auth import trail
from auth.guards import current_viewer
from domain.access import Permission
from domain.records import ItemDepot, Page, StockTotal
from warehouse.queries import inventory

Flag = Literal["out", "below", "ok", "above", "unknown"]


class InventoryFilters(SeriesFilters):
    """What narrows item-depots; `flag` says how they stand against their levels."""

    flag: Annotated[tuple[Flag, ...], BeforeValidator(split)] = ()


class InventoryQuery(InventoryFilters, Paged):
    """Item-depots by pages, the most at risk first unless asked otherwise."""

    sort: Text = "-risk_brl"


@route("GET", "/inventory", query=InventoryQuery, data=list[ItemDepot], paged=True)
def listed(query: InventoryQuery) -> Page[ItemDepot]:
    """Item-depots: stock, what is coming, reorder point, days to stockout, value, risk."""
    return inventory.page(
        scope=current_viewer().scope,
        filters=query.filters(),
        flags=query.flag,
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )


@route("GET", "/inventory/totals", query=SeriesFilters, data=list[StockTotal])
def totals(query: SeriesFilters) -> list[StockTotal]:
    """Number, stock value and risk of the item-depots of each flag."""
    return inventory.totals(scope=current_viewer().scope, filters=query.filters())


@route(
    "GET", "/exports/inventory.csv", permission=Permission.EXPORT, query=InventoryFilters, data=CSV
)
def inventory_csv(query: InventoryFilters) -> Response:
    """Every item-depot that the filters let through."""
    viewer = current_viewer()
    trail.note("export", object="inventory")
    rows = inventory.every(scope=viewer.scope, filters=query.filters(), flags=query.flag)
    return records_csv(ItemDepot, rows, "inventory", viewer)


@route(
    "GET",
    "/exports/inventory.xlsx",
    permission=Permission.EXPORT,
    query=InventoryFilters,
    data=XLSX,
)
def inventory_xlsx(query: InventoryFilters) -> Response:
    """The same as a workbook."""
    trail.note("export", object="inventory")
    scope = current_viewer().scope
    rows = inventory.every(scope=scope, filters=query.filters(), flags=query.flag)
    return records_xlsx(ItemDepot, rows, "inventory")
