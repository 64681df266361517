"""GET /exports/purchase-request.csv and .xlsx: the accepted purchases, for the buyers' system."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from flask import Response

from api.files import CSV, XLSX, file_answer
from api.parameters import SeriesFilters
from api.routing import route
from auth import trail
from auth.guards import current_viewer
from domain.access import Permission
from domain.records import Recommendation
from domain.sheets import Cell, csv_text, xlsx_bytes
from domain.viewer import Viewer
from warehouse.queries import recommendations

STEM = "purchase-request"


@route(
    "GET",
    "/exports/purchase-request.csv",
    permission=Permission.EXPORT,
    query=SeriesFilters,
    data=CSV,
)
def purchase_request_csv(query: SeriesFilters) -> Response:
    """The accepted purchases, supplier by supplier."""
    viewer = current_viewer()
    rows = [_cells(row) for row in _accepted(query, viewer)]
    text = csv_text(_header(viewer), rows, viewer.locale)
    return file_answer(text, CSV, STEM)


@route(
    "GET",
    "/exports/purchase-request.xlsx",
    permission=Permission.EXPORT,
    query=SeriesFilters,
    data=XLSX,
)
def purchase_request_xlsx(query: SeriesFilters) -> Response:
    """The same as a workbook with a sheet for each supplier, its total below."""
    viewer = current_viewer()
    groups = groupby(_accepted(query, viewer), key=lambda row: (row.supplier, row.supplier_name))
    sheets: dict[str, list[list[Cell]]] = {}
    for (code, name), found in groups:
        rows = [_cells(row) for row in found]
        label = name or code or viewer.t("No supplier")
        sheets[f"{code} {label}" if label in sheets else label] = [*rows, _total(rows, viewer)]
    return file_answer(xlsx_bytes(_header(viewer), sheets), XLSX, STEM)


def _accepted(query: SeriesFilters, viewer: Viewer) -> list[Recommendation]:
    found = recommendations.to_buy(scope=viewer.scope, filters=query.filters())
    trail.note("export", object="purchase_request", after={"rows": len(found)})
    return found


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


def _cells(row: Recommendation) -> list[Cell]:
    """One line; the request's number names the recommendation."""
    return [
        float(row.id),
        row.supplier,
        row.supplier_name,
        row.sku,
        row.item_name,
        row.site,
        row.uf,
        row.quantity,
        row.unit,
        row.facts.get("price_brl"),
        row.facts.get("order_value_brl"),
        row.act_by,
        row.decided_by,
        row.decided_at.date() if row.decided_at else None,
        row.decision_reason,
    ]


VALUE = 10
"""Where in a line its value stands."""


def _total(rows: Sequence[list[Cell]], viewer: Viewer) -> list[Cell]:
    value = sum(cell for row in rows if isinstance(cell := row[VALUE], int | float))
    line: list[Cell] = [None] * (VALUE + 1)
    line[1], line[VALUE] = viewer.t("Total"), float(value)
    return line
