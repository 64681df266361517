"""GET /suppliers, /suppliers/{supplier}, /supplier-totals and /order-lines."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from api.parameters import Paged, SpannedSeries, Text, checked_text, one_of, split
from api.routing import route
from auth.guards import current_viewer
from domain.records import Page
from domain.suppliers import OrderLine, SupplierDetail, SupplierScore, SupplierTotals
from warehouse.queries import suppliers

Kind = Literal["domestic", "import"]


class LineFilters(SpannedSeries):
    """What narrows the order lines that figures are of; each figure takes its own date, see
    docs/suppliers.md."""


class SupplierFilters(LineFilters):
    """The same, and the kind of supplier; here `search` looks into their codes and names."""

    kind: Annotated[tuple[Kind, ...], BeforeValidator(split)] = ()


class LinesInOrder(LineFilters):
    """Order lines, those promised last first unless asked otherwise."""

    sort: Annotated[Text, one_of(suppliers.LINE_SORTS)] = "-first_promised_on"


class LinesQuery(LinesInOrder, Paged):
    """The same by pages."""


@route("GET", "/suppliers", query=SupplierFilters, data=list[SupplierScore])
def listed(query: SupplierFilters) -> list[SupplierScore]:
    """How each supplier delivers, over its order lines: the ranked ones first."""
    return suppliers.listed(scope=current_viewer().scope, filters=query.filters(), kinds=query.kind)


@route("GET", "/supplier-totals", query=SupplierFilters, data=list[SupplierTotals])
def totals(query: SupplierFilters) -> list[SupplierTotals]:
    """All suppliers over their lines together, and those of each kind."""
    return suppliers.totals(scope=current_viewer().scope, filters=query.filters(), kinds=query.kind)


@route("GET", "/suppliers/<path:supplier>", query=LineFilters, data=SupplierDetail)
def one(supplier: str, query: LineFilters) -> SupplierDetail:
    """One supplier: its figures, month by month, lead times, what later deliveries would cost."""
    return suppliers.detail(
        supplier=checked_text("supplier", supplier),
        scope=current_viewer().scope,
        filters=query.filters(),
    )


@route("GET", "/order-lines", query=LinesQuery, data=list[OrderLine], paged=True)
def order_lines(query: LinesQuery) -> Page[OrderLine]:
    """Order lines as they are judged: first promise, receipt, days late, in full."""
    return suppliers.lines(
        suppliers=query.supplier,
        scope=current_viewer().scope,
        filters=query.filters(),
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )
