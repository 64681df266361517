"""GET /exports/suppliers, /order-lines and those of /supplier-…, .csv and .xlsx."""

from __future__ import annotations

from collections.abc import Iterator

from api.exporting import exported
from api.suppliers import LineFilters, LinesInOrder, SupplierFilters
from auth.guards import current_viewer
from domain.suppliers import (
    LaterDelivery,
    LeadTimeCount,
    OrderLine,
    SupplierDetail,
    SupplierMonth,
    SupplierScore,
    SupplierTotals,
)
from warehouse.queries import suppliers
from warehouse.queries.paging import every


@exported("suppliers", query=SupplierFilters, record=SupplierScore)
def suppliers_file(query: SupplierFilters) -> list[SupplierScore]:
    """Every supplier with all its figures and their intervals."""
    return suppliers.listed(scope=current_viewer().scope, filters=query.filters(), kinds=query.kind)


@exported("supplier-totals", query=SupplierFilters, record=SupplierTotals)
def totals_file(query: SupplierFilters) -> list[SupplierTotals]:
    """All suppliers over their lines together, and those of each kind."""
    return suppliers.totals(scope=current_viewer().scope, filters=query.filters(), kinds=query.kind)


@exported("supplier-months", query=LineFilters, record=SupplierMonth)
def months_file(query: LineFilters) -> list[SupplierMonth]:
    """One supplier month by month; nothing unless one alone is named."""
    found = _one(query)
    return found.months if found else []


@exported("supplier-lead-times", query=LineFilters, record=LeadTimeCount)
def lead_times_file(query: LineFilters) -> list[LeadTimeCount]:
    """How many of one supplier's lines took how many days; nothing unless one alone is named."""
    found = _one(query)
    return found.lead_times if found else []


@exported("supplier-later-deliveries", query=LineFilters, record=LaterDelivery)
def later_file(query: LineFilters) -> list[LaterDelivery]:
    """What later deliveries of one supplier would cost; nothing unless one alone is named."""
    found = _one(query)
    return found.later if found else []


def _one(query: LineFilters) -> SupplierDetail | None:
    if len(query.supplier) != 1:
        return None
    scope, filters = current_viewer().scope, query.filters()
    return suppliers.detail(supplier=query.supplier[0], scope=scope, filters=filters)


@exported("order-lines", query=LinesInOrder, record=OrderLine)
def order_lines_file(query: LinesInOrder) -> Iterator[OrderLine]:
    """Every order line that the figures are of, as it is judged."""
    return every(
        suppliers.lines,
        suppliers=query.supplier,
        scope=current_viewer().scope,
        filters=query.filters(),
        sort=query.sort,
    )
