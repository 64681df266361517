"""What the board pack tells: the queries of the executive pages, for one reader and filter."""

from __future__ import annotations

from dataclasses import replace

from callbacks import main
from callbacks.address import Address
from domain.errors import NothingPublished
from domain.records import DataStatus, Filters
from domain.sla import wanted
from domain.viewer import Viewer
from layouts.board_pack import BoardData, pdf
from warehouse.queries import recommendations, regions, savings, sla, status

SHOWN = 10


def made(viewer: Viewer, filters: Filters, measure: str = "") -> bytes:
    """The pack of these filters as they are: a family that nobody knows has nothing in it. Raises
    NothingPublished."""
    current = status.current()
    if current.run_id is None:
        raise NothingPublished("No run has been published.")
    return pdf(data(viewer, Address({"measure": measure}, viewer.t), current, filters), viewer)


def data(
    viewer: Viewer, address: Address, current: DataStatus, filters: Filters | None = None
) -> BoardData:
    """The pack of this reader, and of the address or these filters."""
    seen = main.data(viewer, address, current, filters)
    today = seen.filters.at_any_time()
    opened = replace(today, status=("open",))
    places = seen.filters.at_places()
    return BoardData(
        filters=seen.filters,
        measure=seen.measure,
        kpis=seen.kpis,
        points=seen.points,
        shares=seen.shares,
        recommendations=recommendations.page(scope=viewer.scope, filters=opened, limit=SHOWN).rows,
        recommended=seen.recommended,
        alerts=seen.alerts,
        alert_count=seen.alert_count,
        savings=savings.total(scope=viewer.scope, filters=seen.filters),
        contracts=wanted(
            sla.listed(scope=viewer.scope, month=None, filters=places), seen.filters.contract
        ),
        regions=regions.rows(scope=viewer.scope, filters=seen.filters),
        status=current,
    )
