"""What the board pack tells: the queries of the executive pages, for one reader and filter."""

from __future__ import annotations

from dataclasses import replace

from callbacks import main
from callbacks.address import Address
from domain.records import DataStatus
from domain.viewer import Viewer
from layouts.board_pack import BoardData
from warehouse.queries import recommendations, regions, savings, sla

SHOWN = 10


def data(viewer: Viewer, address: Address, current: DataStatus) -> BoardData:
    """The pack of this reader and these filters."""
    seen = main.data(viewer, address, current)
    opened = replace(seen.filters, status=("open",))
    return BoardData(
        filters=seen.filters,
        measure=seen.measure,
        kpis=seen.kpis,
        points=seen.points,
        recommendations=recommendations.page(scope=viewer.scope, filters=opened, limit=SHOWN).rows,
        recommended=seen.recommended,
        alerts=seen.alerts,
        alert_count=seen.alert_count,
        savings=savings.total(scope=viewer.scope, filters=seen.filters),
        contracts=sla.listed(scope=viewer.scope, month=None),
        regions=regions.rows(scope=viewer.scope, filters=seen.filters),
        status=current,
    )
