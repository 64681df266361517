"""GET /exports/… of machines and towers: risks, parts, clusters, trends, as .csv and .xlsx."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from api.clustering import MachineFilters, MembersFilters, PlaceFilters, TrendsQuery
from api.exporting import exported
from api.files import Table
from api.parameters import Query
from auth.guards import current_viewer
from domain.clusters import (
    EQUIPMENT,
    TOWERS,
    Choice,
    Cluster,
    ClusterMember,
    Family,
    TowerTrend,
    feature_words,
)
from domain.failure_risk import CalibrationBin, MachineRisk, PartsDemand
from domain.sheets import Cell
from domain.viewer import Viewer
from warehouse.queries import clustering
from warehouse.queries.paging import every

MOST_REASONS = 3
RISK = (
    *("equipment", "kind", "site", "uf", "depot", "measured_on", "probability", "rank", "cluster"),
    *(f"reason_{place}" for place in range(1, MOST_REASONS + 1)),
)
MEMBER = ("member", "kind", "site", "uf", "cluster", "name", "previous", "next")


class FamilyQuery(Query):
    """Machines or towers."""

    of: Literal["equipment", "towers"] = "equipment"


@exported("failure-risk", query=MachineFilters)
def failure_risk_file(query: MachineFilters) -> Table:
    """Every machine with its risk and the reasons, the riskiest first."""
    viewer = current_viewer()
    found = every(clustering.risks, scope=viewer.scope, filters=query.filters())
    return Table(RISK, (_risk_cells(row, viewer) for row in found))


@exported("parts-demand", query=PlaceFilters, record=PartsDemand)
def parts_file(query: PlaceFilters) -> list[PartsDemand]:
    """Parts that expected failures take, by item and depot."""
    return clustering.parts(scope=current_viewer().scope, filters=query.filters())


@exported("risk-calibration", record=CalibrationBin)
def calibration_file() -> list[CalibrationBin]:
    """Risks that were told beside the share that failed, cross-validated over all machines."""
    found = clustering.risk_summary(scope=current_viewer().scope)
    return found.quality.bins if found.quality else []


@exported("cluster-choices", query=FamilyQuery, record=Choice)
def choices_file(query: FamilyQuery) -> list[Choice]:
    """Numbers of clusters that were tried, and how good each is."""
    family = TOWERS if query.of == "towers" else EQUIPMENT
    return list(clustering.summary(family=family).choices)


@exported("equipment-profiles", query=PlaceFilters)
def equipment_profiles_file(query: PlaceFilters) -> Table:
    """Each cluster of machines with the middle of what was measured."""
    return _profiles(EQUIPMENT, query)


@exported("tower-profiles", query=PlaceFilters)
def tower_profiles_file(query: PlaceFilters) -> Table:
    """Each cluster of towers with the middle of its figures."""
    return _profiles(TOWERS, query)


@exported("equipment-clusters", query=MembersFilters)
def equipment_file(query: MembersFilters) -> Table:
    """Every machine with its cluster and what was measured."""
    return _members(EQUIPMENT, query)


@exported("tower-clusters", query=MembersFilters)
def towers_file(query: MembersFilters) -> Table:
    """Every tower with its cluster, the one before, and its figures of the last window."""
    return _members(TOWERS, query)


@exported("tower-trends", query=TrendsQuery, record=TowerTrend)
def trends_file(query: TrendsQuery) -> list[TowerTrend]:
    """Towers' figures whose level broke: when, from what to what, and the trend."""
    scope = current_viewer().scope
    found = clustering.trends(
        changed=query.changed, scope=scope, filters=query.filters(), limit=None
    )
    return found.rows


def _asked(family: Family, query: PlaceFilters) -> dict[str, Any]:
    viewer = current_viewer()
    return {
        "family": family,
        "locale": viewer.locale,
        "scope": viewer.scope,
        "filters": query.filters(),
    }


def _features(found: list[Cluster]) -> list[str]:
    return [one.feature for one in found[0].profile] if found else []


def _profiles(family: Family, query: PlaceFilters) -> Table:
    found = clustering.clusters(**_asked(family, query))
    features = _features(found)
    header = ["number", "name", "size", "silhouette", "failure_rate", "mean_risk", *features]
    return Table(header, [_profile_cells(one, features) for one in found])


def _profile_cells(one: Cluster, features: list[str]) -> list[Cell]:
    middles: Mapping[str, float | None] = {each.feature: each.value for each in one.profile}
    return [
        *(one.number, one.name, one.size, one.silhouette, one.failure_rate, one.mean_risk),
        *(middles.get(name) for name in features),
    ]


def _members(family: Family, query: MembersFilters) -> Table:
    asked = _asked(family, query)
    known = clustering.clusters(**asked | {"filters": PlaceFilters.filters(query)})
    features = _features(known)
    rows: Iterator[ClusterMember] = every(
        clustering.members, **asked, number=query.cluster, moved=query.moved
    )
    return Table([*MEMBER, *features], (_member_cells(row, features) for row in rows))


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
