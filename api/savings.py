"""GET /savings, /savings/months, /savings/items and /savings/rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from api.exporting import exported
from api.parameters import Month, Paged, SpannedSeries, Text, one_of
from api.routing import route
from auth.guards import current_viewer
from domain.records import Page
from domain.savings import SavingsItem, SavingsMonth, SavingsRow, SavingsTotal
from warehouse.queries import savings
from warehouse.queries.paging import every


class SavingsSpan(SpannedSeries):
    """Some item-site series; the dates choose the months that lie whole within them."""


class SavingsFilters(SavingsSpan):
    """What narrows rows; the dates to the months that lie whole within them, `month` to one."""

    month: Month | None = None


class SavingsItemsInOrder(SavingsFilters):
    """The same; what saved most first unless asked otherwise."""

    sort: Annotated[Text, one_of(savings.ITEM_SORTS)] = "-identified_brl"


class SavingsItemsQuery(SavingsItemsInOrder, Paged):
    """The same by pages."""


class SavingsRowsInOrder(SavingsFilters):
    """The same, month by month."""

    sort: Annotated[Text, one_of(savings.ROW_SORTS)] = "-identified_brl"


class SavingsRowsQuery(SavingsRowsInOrder, Paged):
    """The same by pages."""


@route("GET", "/savings", query=SavingsSpan, data=SavingsTotal)
def added_up(query: SavingsSpan) -> SavingsTotal:
    """What ours would have saved against the old policy: identified, accepted, realised. Of the
    months that lie whole within `from` and `to`."""
    return savings.total(scope=current_viewer().scope, filters=query.filters())


@route("GET", "/savings/months", query=SavingsSpan, data=list[SavingsMonth])
def by_month(query: SavingsSpan) -> list[SavingsMonth]:
    """The costs of both sides, month by month: those that lie whole within `from` and `to`."""
    return savings.months(scope=current_viewer().scope, filters=query.filters())


@route("GET", "/savings/items", query=SavingsItemsQuery, data=list[SavingsItem], paged=True)
def by_item(query: SavingsItemsQuery) -> Page[SavingsItem]:
    """Item-depots with all their months added up, those that lie whole within `from` and `to`, or
    with one."""
    return savings.items(
        scope=current_viewer().scope,
        filters=query.filters(),
        month=query.month,
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )


@route("GET", "/savings/rows", query=SavingsRowsQuery, data=list[SavingsRow], paged=True)
def rows(query: SavingsRowsQuery) -> Page[SavingsRow]:
    """Each item-depot in each month that lies whole within `from` and `to`, with the costs of both
    sides."""
    return savings.page(
        scope=current_viewer().scope,
        filters=query.filters(),
        month=query.month,
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )


@exported("savings", query=SavingsRowsInOrder, record=SavingsRow)
def rows_file(query: SavingsRowsInOrder) -> Iterator[SavingsRow]:
    """Every item-depot and month with the costs of both sides, what saved most first unless asked
    otherwise."""
    asked = {"filters": query.filters(), "month": query.month, "sort": query.sort}
    return every(savings.page, scope=current_viewer().scope, **asked)


@exported("savings-items", query=SavingsItemsInOrder, record=SavingsItem)
def items_file(query: SavingsItemsInOrder) -> Iterator[SavingsItem]:
    """Item-depots with all their months added up, or with one."""
    asked = {"filters": query.filters(), "month": query.month, "sort": query.sort}
    return every(savings.items, scope=current_viewer().scope, **asked)


@exported("savings-months", query=SavingsSpan, record=SavingsMonth)
def months_file(query: SavingsSpan) -> list[SavingsMonth]:
    """The costs of both sides, month by month."""
    return by_month(query)
