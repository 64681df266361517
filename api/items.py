"""GET /items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from api.exporting import exported
from api.parameters import Paged, SeriesFilters, Text, one_of
from api.routing import route
from auth.guards import current_viewer
from domain.records import Item, Page
from warehouse.queries import items
from warehouse.queries.paging import every


class ItemsInOrder(SeriesFilters):
    """Filters of the list, by code unless asked otherwise."""

    sort: Annotated[Text, one_of(items.SORTS)] = "sku"


class ItemsQuery(ItemsInOrder, Paged):
    """The same by pages."""


@route("GET", "/items", query=ItemsQuery, data=list[Item], paged=True)
def listed(query: ItemsQuery) -> Page[Item]:
    """The catalogue."""
    return items.page(
        scope=current_viewer().scope,
        filters=query.filters(),
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )


@exported("items", query=ItemsInOrder, record=Item)
def items_file(query: ItemsInOrder) -> Iterator[Item]:
    """The catalogue, as far as the filters let it through."""
    scope = current_viewer().scope
    return every(items.page, scope=scope, filters=query.filters(), sort=query.sort)
