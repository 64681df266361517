"""Files too long for a callback: written to the reader as they are read."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, stream_with_context

from auth import trail
from auth.guards import check, current_viewer, requires
from domain.access import Permission
from domain.viewer import Viewer
from layouts.admin_data import REJECT_HEADER, reject_cells
from layouts.export import csv_lines
from warehouse.queries import loads

blueprint = Blueprint("downloads", __name__)


@blueprint.get("/admin/data/loads/<int(max=2147483647):load_id>/rejects.csv")
@requires(Permission.LOAD_DRY_RUN)
def rejects_csv(load_id: int) -> Response:
    """Every refused row of one load."""
    check(Permission.EXPORT)
    load, viewer = loads.one(load_id), current_viewer()
    trail.note("export", object=f"load:{load_id}:rejects", after={"rows": load.rows_rejected})
    response = Response(stream_with_context(_rejects(load_id, viewer)), content_type="text/csv")
    name = f"nova-load-{load_id}-rejects.csv"
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    response.headers["Cache-Control"] = "no-store"
    return response


def _rejects(load_id: int, viewer: Viewer) -> Iterator[str]:
    rows = (reject_cells(row) for row in loads.every_reject(load_id))
    return csv_lines(REJECT_HEADER, rows, viewer.locale)
