"""GET /inventory, /inventory/totals, /inventory/policy and their files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator

from api.exporting import exported
from api.parameters import DepotOfItem, Paged, SeriesFilters, Text, one_of, split
from api.routing import route
from auth.guards import current_viewer
from domain.policy_receipts import DepotPolicy, ReceiptLine, lines
from domain.records import ItemDepot, Page, StockTotal
from warehouse.queries import inventory, policies
from warehouse.queries.paging import every

Flag = Literal["out", "below", "ok", "above", "unknown"]


class InventoryFilters(SeriesFilters):
    """What narrows item-depots; `flag` says how they stand against their levels."""

    flag: Annotated[tuple[Flag, ...], BeforeValidator(split)] = ()


class InventoryInOrder(InventoryFilters):
    """The same, the most at risk first unless asked otherwise."""

    sort: Annotated[Text, one_of(inventory.SORTS)] = "-risk_brl"


class InventoryQuery(InventoryInOrder, Paged):
    """The same by pages."""


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


@exported("inventory", query=InventoryInOrder, record=ItemDepot)
def inventory_file(query: InventoryInOrder) -> Iterator[ItemDepot]:
    """Every item-depot that the filters let through, the most at risk first unless asked
    otherwise."""
    asked = {"filters": query.filters(), "flags": query.flag, "sort": query.sort}
    return every(inventory.page, scope=current_viewer().scope, **asked)


@route("GET", "/inventory/policy", query=DepotOfItem, data=list[DepotPolicy])
def policy(query: DepotOfItem) -> list[DepotPolicy]:
    """The levels of one item-depot, ours and the textbook's, with the receipt of both."""
    return policies.of_depot(sku=query.sku, site=query.site, scope=current_viewer().scope)


@exported("policy", query=DepotOfItem, record=ReceiptLine)
def policy_file(query: DepotOfItem) -> list[ReceiptLine]:
    """The receipt of one item-depot's levels: each formula, the numbers put in, what comes out."""
    return [line for one in policy(query) for line in lines(one.receipt)]
