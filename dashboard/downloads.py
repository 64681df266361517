"""Files too long for a callback: written to the reader as they are read."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, request, stream_with_context

from api.files import table_csv
from auth import trail
from auth.guards import check, current_viewer, requires
from callbacks import board_pack
from callbacks.address import Address
from callbacks.admin_audit import filters_of
from callbacks.savings import filters_of as savings_filters
from domain.access import Permission
from domain.errors import NothingPublished
from domain.sheets import csv_lines
from layouts.admin_audit import CSV_HEADER, csv_cells
from layouts.admin_data import REJECT_HEADER, reject_cells
from layouts.board_pack import pdf
from layouts.savings import CSV_HEADER as SAVINGS_HEADER
from layouts.savings import csv_cells as csv_cells_of
from warehouse.queries import audit, loads, savings, status

blueprint = Blueprint("downloads", __name__)


@blueprint.get("/admin/data/loads/<int(max=2147483647):load_id>/rejects.csv")
@requires(Permission.LOAD_DRY_RUN)
def rejects_csv(load_id: int) -> Response:
    """Every refused row of one load."""
    check(Permission.EXPORT)
    load, viewer = loads.one(load_id), current_viewer()
    trail.note("export", object=f"load:{load_id}:rejects", after={"rows": load.rows_rejected})
    rows = (reject_cells(row) for row in loads.every_reject(load_id))
    lines = csv_lines(REJECT_HEADER, rows, viewer.locale)
    label = "_demo" if load.is_demo else ""
    return _as_file(lines, f"nova-load-{load_id}-rejects{label}.csv")


@blueprint.get("/admin/audit.csv")
@requires(Permission.READ_AUDIT)
def audit_csv() -> Response:
    """Every row of the audit log that the page's filter lets through, oldest first."""
    viewer = current_viewer()
    asked = filters_of(Address.parse(request.query_string.decode(errors="replace"), viewer.t))
    said = {name: str(value) for name, value in vars(asked).items() if value}
    trail.note("export", object="audit_log", after=said)
    rows = (csv_cells(row) for row in audit.every(asked))
    return _as_file(csv_lines(CSV_HEADER, rows, viewer.locale), "nova-audit-log.csv")


@blueprint.get("/savings.csv")
@requires(Permission.EXPORT)
def savings_csv() -> Response:
    """Every item-depot and month that the page's filters let through, with both sides' costs."""
    viewer = current_viewer()
    address = Address.parse(request.query_string.decode(errors="replace"), viewer.t)
    asked = savings_filters(viewer, address)
    if status.current().run_id is None:
        raise NothingPublished("No run has been published.")
    trail.note("export", object="savings", after={k: list(v) for k, v in vars(asked).items() if v})
    rows = (csv_cells_of(row) for row in savings.every(scope=viewer.scope, filters=asked))
    return table_csv(SAVINGS_HEADER, rows, "savings", viewer)


@blueprint.get("/board.pdf")
@requires(Permission.EXPORT)
def board_pdf() -> Response:
    """The executive view of the page's filters on paper, in the reader's language."""
    viewer = current_viewer()
    address = Address.parse(request.query_string.decode(errors="replace"), viewer.t)
    current = status.current()
    if current.run_id is None:
        raise NothingPublished("No run has been published.")
    told = board_pack.data(viewer, address, current)
    chosen = {name: list(values) for name, values in vars(told.filters).items() if values}
    trail.note("export", object="board_pack", after=chosen)
    response = Response(pdf(told, viewer), content_type="application/pdf")
    label = "_demo" if current.is_demo else ""
    name = f"nova-board-pack-{current.data_to}{label}.pdf"
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    response.headers["Cache-Control"] = "no-store"
    return response


def _as_file(lines: Iterator[str], name: str) -> Response:
    response = Response(stream_with_context(lines), content_type="text/csv")
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    response.headers["Cache-Control"] = "no-store"
    return response
