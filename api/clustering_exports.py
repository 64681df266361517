"""Files of failure risk, expected parts and the members of clusters."""

from __future__ import annotations

from typing import Any

from flask import Response, stream_with_context

from api.clustering import MachineFilters, PlaceFilters
from api.files import CSV, XLSX, file_answer, records_csv, records_xlsx
from api.routing import route
from auth import trail
from auth.guards import current_viewer
from domain.access import Permission
from domain.clusters import EQUIPMENT, TOWERS, ClusterMember, Family, feature_words
from domain.failure_risk import MachineRisk, PartsDemand
from domain.sheets import Cell, csv_lines
from domain.viewer import Viewer
from warehouse.queries import clustering

MOST_REASONS = 3


@route(
    "GET", "/exports/failure-risk.csv", permission=Permission.EXPORT, query=MachineFilters, data=CSV
)
def failure_risk_csv(query: MachineFilters) -> Response:
    """Every machine with its risk and the reasons, the riskiest first."""
    viewer = current_viewer()
    trail.note("export", object="failure_risk", after={"search": query.search})
    header = [
        *("equipment", "kind", "site", "uf", "depot", "measured_on", "probability", "rank"),
        *("cluster", *(f"reason_{place}" for place in range(1, MOST_REASONS + 1))),
    ]
    found = clustering.every_risk(scope=viewer.scope, filters=query.filters())
    lines = csv_lines(header, (_risk_cells(row, viewer) for row in found), viewer.locale)
    return file_answer(stream_with_context(lines), CSV, "failure-risk")


@route(
    "GET", "/exports/parts-demand.csv", permission=Permission.EXPORT, query=PlaceFilters, data=CSV
)
def parts_csv(query: PlaceFilters) -> Response:
    """Parts that expected failures take, by item and depot."""
    return records_csv(PartsDemand, _parts(query), "parts-demand", current_viewer())


@route(
    "GET", "/exports/parts-demand.xlsx", permission=Permission.EXPORT, query=PlaceFilters, data=XLSX
)
def parts_xlsx(query: PlaceFilters) -> Response:
    """The same as a workbook."""
    return records_xlsx(PartsDemand, _parts(query), "parts-demand")


@route(
    "GET",
    "/exports/equipment-clusters.csv",
    permission=Permission.EXPORT,
    query=MachineFilters,
    data=CSV,
)
def equipment_csv(query: MachineFilters) -> Response:
    """Every machine with its cluster and what was measured."""
    return _members_csv(EQUIPMENT, query)


@route(
    "GET",
    "/exports/tower-clusters.csv",
    permission=Permission.EXPORT,
    query=MachineFilters,
    data=CSV,
)
def towers_csv(query: MachineFilters) -> Response:
    """Every tower with its cluster, the one before, and its figures of the last window."""
    return _members_csv(TOWERS, query)


def _members_csv(family: Family, query: MachineFilters) -> Response:
    viewer = current_viewer()
    trail.note("export", object="cluster_members", after={"family": family})
    asked: dict[str, Any] = {
        "family": family,
        "locale": viewer.locale,
        "scope": viewer.scope,
        "filters": query.filters(),
    }
    profile = clustering.clusters(**asked | {"filters": PlaceFilters.filters(query)})
    features = [one.feature for one in profile[0].profile] if profile else []
    header = ["member", "kind", "site", "uf", "cluster", "name", "previous", "next", *features]
    rows = (_member_cells(row, features) for row in clustering.every_member(**asked))
    lines = csv_lines(header, rows, viewer.locale)
    return file_answer(stream_with_context(lines), CSV, family)


def _parts(query: PlaceFilters) -> list[PartsDemand]:
    found = clustering.parts(scope=current_viewer().scope, filters=query.filters())
    trail.note("export", object="parts_demand", after={"rows": len(found)})
    return found


def _risk_cells(row: MachineRisk, viewer: Viewer) -> list[Cell]:
    reasons: list[Cell] = [
        f"{feature_words(one.feature, viewer.locale)} = {one.value:g}" for one in row.reasons
    ]
    return [
        *(row.equipment, row.kind, row.site, row.uf, row.depot, row.measured_on),
        *(row.probability, row.rank, row.cluster),
        *[*reasons, None, None, None][:MOST_REASONS],
    ]


def _member_cells(row: ClusterMember, features: list[str]) -> list[Cell]:
    return [
        *(row.member, row.kind, row.site, row.uf, row.cluster, row.name, row.previous, row.next),
        *(row.features.get(name) for name in features),
    ]
