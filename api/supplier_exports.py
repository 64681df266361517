"""GET /exports/suppliers.csv and .xlsx, /exports/order-lines.csv."""

from __future__ import annotations

from flask import Response

from api.files import CSV, XLSX, records_csv, records_xlsx
from api.parameters import Texts
from api.routing import route
from api.suppliers import LineFilters, SupplierFilters
from auth import trail
from auth.guards import current_viewer
from domain.access import Permission
from domain.suppliers import OrderLine, SupplierScore
from warehouse.queries import suppliers


class LinesFile(LineFilters):
    """Whose order lines, and which."""

    supplier: Texts = ()


@route(
    "GET", "/exports/suppliers.csv", permission=Permission.EXPORT, query=SupplierFilters, data=CSV
)
def suppliers_csv(query: SupplierFilters) -> Response:
    """Every supplier with all its figures and their intervals."""
    return records_csv(SupplierScore, _scores(query), "suppliers", current_viewer())


@route(
    "GET", "/exports/suppliers.xlsx", permission=Permission.EXPORT, query=SupplierFilters, data=XLSX
)
def suppliers_xlsx(query: SupplierFilters) -> Response:
    """The same as a workbook."""
    return records_xlsx(SupplierScore, _scores(query), "suppliers")


@route("GET", "/exports/order-lines.csv", permission=Permission.EXPORT, query=LinesFile, data=CSV)
def order_lines_csv(query: LinesFile) -> Response:
    """Every order line that the figures are of, as it is judged."""
    viewer, filters = current_viewer(), query.filters()
    trail.note("export", object="order_lines", after={"supplier": list(query.supplier)})
    rows = suppliers.every_line(suppliers=query.supplier, scope=viewer.scope, filters=filters)
    return records_csv(OrderLine, rows, "order-lines", viewer)


def _scores(query: SupplierFilters) -> list[SupplierScore]:
    found = suppliers.listed(
        scope=current_viewer().scope, filters=query.filters(), kinds=query.kind
    )
    trail.note("export", object="suppliers", after={"rows": len(found)})
    return found
