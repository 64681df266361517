"""GET /geographic/data and /inventory/regions."""

from __future__ import annotations

from typing import Literal

from api.exporting import exported
from api.parameters import Query, SeriesFilters, SpannedSeries, Texts
from api.routing import route
from auth.guards import current_viewer
from domain.regions import Move, Place, UfRow
from warehouse.queries import regions


@route("GET", "/geographic/data", query=SpannedSeries, data=list[UfRow])
def by_uf(query: SpannedSeries) -> list[UfRow]:
    """One row a federative unit in view, all 27 without scope and filter: demand, stock, alerts,
    sites, exposure."""
    return regions.rows(scope=current_viewer().scope, filters=query.filters())


@route("GET", "/inventory/regions", query=SpannedSeries, data=list[UfRow])
def by_region(query: SpannedSeries) -> list[UfRow]:
    """The same added up to the five regions of the country."""
    return regions.rows(scope=current_viewer().scope, filters=query.filters(), by=regions.REGION)


@exported("ufs", query=SpannedSeries, record=UfRow)
def ufs_file(query: SpannedSeries) -> list[UfRow]:
    """One row a federative unit in view, all 27 without scope and filter."""
    return by_uf(query)


@exported("regions", query=SpannedSeries, record=UfRow)
def regions_file(query: SpannedSeries) -> list[UfRow]:
    """The same added up to the five regions of the country."""
    return by_region(query)


class PlacesQuery(Query):
    """Depots, towers or both, of some regions or of all."""

    kind: Literal["depot", "tower", ""] = ""
    region: Texts = ()


@exported("map-places", query=PlacesQuery, record=Place)
def places_file(query: PlacesQuery) -> list[Place]:
    """Depots and towers on the map."""
    found = regions.places(scope=current_viewer().scope, region=query.region)
    return [one for one in found if query.kind in ("", one.kind)]


@exported("map-transfers", query=SeriesFilters, record=Move)
def transfers_file(query: SeriesFilters) -> list[Move]:
    """Recommended transfers on the map, the most valuable first."""
    return regions.moves(scope=current_viewer().scope, filters=query.filters())
