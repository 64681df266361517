"""GET /exports/suppliers, /supplier-totals, /supplier-months and /order-lines, .csv and .xlsx."""

from __future__ import annotations

from collections.abc import Iterator

from api.exporting import exported
from api.suppliers import LineFilters, SupplierFilters
from auth.guards import current_viewer
from domain.suppliers import OrderLine, SupplierMonth, SupplierScore, SupplierTotals
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
    if len(query.supplier) != 1:
        return []
    scope, filters = current_viewer().scope, query.filters()
    return suppliers.detail(supplier=query.supplier[0], scope=scope, filters=filters).months


@exported("order-lines", query=LineFilters, record=OrderLine)
def order_lines_file(query: LineFilters) -> Iterator[OrderLine]:
    """Every order line that the figures are of, as it is judged."""
    return every(
        suppliers.lines,
        suppliers=query.supplier,
        scope=current_viewer().scope,
        filters=query.filters(),
    )
