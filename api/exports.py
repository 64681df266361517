"""GET /exports/purchase-request.csv and .xlsx: the accepted purchases, for the buyers' system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import groupby

from api.exporting import exported
from api.files import Table
from api.parameters import SpannedSeries
from auth.guards import current_viewer
from domain.clock import day_of
from domain.records import PurchaseRequest
from domain.sheets import Cell, Sheet
from domain.viewer import Viewer
from warehouse.queries import recommendations


@exported("purchase-request", query=SpannedSeries)
def purchase_request(query: SpannedSeries) -> Table:
    """The accepted purchases, supplier by supplier; a sheet for each of them in a workbook."""
    viewer = current_viewer()
    found = recommendations.to_buy(scope=viewer.scope, filters=query.filters())
    header = _header(viewer)
    groups = groupby(found, key=lambda row: (row.supplier, row.supplier_name))
    sheets = [_sheet(code, name, list(rows), viewer) for (code, name), rows in groups]
    return Table(header, [_cells(row) for row in found], names=COLUMNS, sheets=sheets)


def _sheet(
    code: str | None, name: str | None, rows: list[PurchaseRequest], viewer: Viewer
) -> Sheet:
    """One supplier's lines, their total below."""
    lines = [_cells(row) for row in rows]
    label = name or code or viewer.t("No supplier")
    return Sheet(label, _header(viewer), [*lines, _total(lines, viewer)])


COLUMNS = tuple(field.name for field in fields(PurchaseRequest))


def _header(viewer: Viewer) -> list[str]:
    t = viewer.t
    return [
        t("Request"),
        t("Supplier"),
        t("Supplier's name"),
        t("Item code"),
        t("Material"),
        t("Depot"),
        t("UF"),
        t("Quantity"),
        t("Unit"),
        t("Unit price (R$)"),
        t("Estimated value (R$)"),
        t("Order by"),
        t("Accepted by"),
        t("Accepted at"),
        t("Note"),
    ]


def _cells(row: PurchaseRequest) -> list[Cell]:
    """One line."""
    told = vars(row) | {"request": float(row.request), "decided_at": day_of(row.decided_at)}
    return list(told.values())


VALUE = COLUMNS.index("order_value_brl")
"""Where in a line its value stands."""


def _total(rows: Sequence[list[Cell]], viewer: Viewer) -> list[Cell]:
    value = sum(cell for row in rows if isinstance(cell := row[VALUE], int | float))
    line: list[Cell] = [None] * (VALUE + 1)
    line[1], line[VALUE] = viewer.t("Total"), round(float(value), 2)
    return line
