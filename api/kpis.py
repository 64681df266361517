"""GET /kpis."""

from __future__ import annotations

from api.exporting import exported
from api.parameters import SeriesFilters
from api.routing import route
from auth.guards import current_viewer
from domain.records import Kpi
from warehouse.queries import kpis


@route("GET", "/kpis", query=SeriesFilters, data=list[Kpi])
def listed(query: SeriesFilters) -> list[Kpi]:
    """The headline numbers, each with its receipt."""
    return kpis.headline(scope=current_viewer().scope, filters=query.filters())


@exported("kpis", query=SeriesFilters, record=Kpi, leave=("receipt",))
def kpis_file(query: SeriesFilters) -> list[Kpi]:
    """The headline numbers."""
    return listed(query)
