"""GET /clustering/…, /failure-risk/…: machines and towers by what they are like, and their risk."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, Field

from api.parameters import MAX_TEXT, Paged, Query, Text, Texts, Ufs, clean, one_of
from api.routing import route
from auth.guards import current_viewer
from domain.clusters import (
    EQUIPMENT,
    TOWERS,
    Cluster,
    ClusterMember,
    ClusterSummary,
    Family,
    TowerTrend,
)
from domain.failure_risk import MachineRisk, PartsDemand, RiskSummary
from domain.records import Filters, Page
from warehouse.queries import clustering


class PlaceFilters(Query):
    """What narrows a list to some places."""

    site: Texts = ()
    uf: Ufs = ()
    region: Texts = ()

    def filters(self) -> Filters:
        """The same as the queries' argument."""
        return Filters(site=self.site, uf=self.uf, region=self.region)


class MachineFilters(PlaceFilters):
    """The same; `search` looks into codes and kinds."""

    search: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(clean)] = ""

    def filters(self) -> Filters:
        """The same as the queries' argument."""
        return replace(super().filters(), search=self.search)


class MembersFilters(MachineFilters):
    """Members of one cluster or of all; `moved`: only those that were in another cluster one window
    before."""

    cluster: int | None = Field(None, ge=1, le=100)
    moved: bool = False


class MembersQuery(MachineFilters, Paged):
    """Members by pages, of one cluster or of all."""

    cluster: int | None = Field(None, ge=1, le=100)
    sort: Annotated[Text, one_of(clustering.MEMBER_SORTS)] = "cluster"


class TowersQuery(MembersQuery):
    """The same; `moved`: only those that were in another cluster one window before."""

    moved: bool = False


class RisksQuery(MachineFilters, Paged):
    """Machines by pages, the riskiest first unless asked otherwise."""

    sort: Annotated[Text, one_of(clustering.RISK_SORTS)] = "rank"


class TrendsQuery(MachineFilters):
    """Figures whose level broke; all trends with `changed=false`."""

    changed: bool = True


@route("GET", "/clustering/equipment-failure", query=PlaceFilters, data=list[Cluster])
def equipment(query: PlaceFilters) -> list[Cluster]:
    """Clusters of machines by their last readings, the largest first."""
    return _clusters(EQUIPMENT, query)


@route("GET", "/clustering/equipment-failure/summary", data=ClusterSummary)
def equipment_summary() -> ClusterSummary:
    """How the clusters of machines came about, or why there are none."""
    return clustering.summary(family=EQUIPMENT)


@route(
    "GET",
    "/clustering/equipment-failure/members",
    query=MembersQuery,
    data=list[ClusterMember],
    paged=True,
)
def equipment_members(query: MembersQuery) -> Page[ClusterMember]:
    """Machines with their cluster, and what keeps them in it."""
    return _members(EQUIPMENT, query)


@route("GET", "/clustering/tower-performance", query=PlaceFilters, data=list[Cluster])
def towers(query: PlaceFilters) -> list[Cluster]:
    """Clusters of towers by their figures of the last window, the largest first."""
    return _clusters(TOWERS, query)


@route("GET", "/clustering/tower-performance/summary", data=ClusterSummary)
def towers_summary() -> ClusterSummary:
    """How the clusters of towers came about, or why there are none."""
    return clustering.summary(family=TOWERS)


@route(
    "GET",
    "/clustering/tower-performance/members",
    query=TowersQuery,
    data=list[ClusterMember],
    paged=True,
)
def tower_members(query: TowersQuery) -> Page[ClusterMember]:
    """Towers with their cluster, the one before, and what keeps them where they are."""
    return _members(TOWERS, query, moved=query.moved)


@route("GET", "/clustering/tower-performance/trends", query=TrendsQuery, data=list[TowerTrend])
def tower_trends(query: TrendsQuery) -> list[TowerTrend]:
    """Towers' figures whose level broke: when, from what to what, and the trend; at most 500."""
    return clustering.trends(
        changed=query.changed, scope=current_viewer().scope, filters=query.filters()
    ).rows


@route("GET", "/failure-risk", query=RisksQuery, data=list[MachineRisk], paged=True)
def risks(query: RisksQuery) -> Page[MachineRisk]:
    """Machines by the chance that they fail within the horizon, with the reasons."""
    return clustering.risks(
        scope=current_viewer().scope,
        filters=query.filters(),
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )


@route("GET", "/failure-risk/summary", query=PlaceFilters, data=RiskSummary)
def risk_summary(query: PlaceFilters) -> RiskSummary:
    """How good the risk model is, cross-validated, and the failures expected in view."""
    return clustering.risk_summary(scope=current_viewer().scope, filters=query.filters())


@route("GET", "/failure-risk/parts", query=PlaceFilters, data=list[PartsDemand])
def parts(query: PlaceFilters) -> list[PartsDemand]:
    """Parts that expected failures take by item and depot, beside forecast and stock."""
    return clustering.parts(scope=current_viewer().scope, filters=query.filters())


def _clusters(family: Family, query: PlaceFilters) -> list[Cluster]:
    viewer = current_viewer()
    return clustering.clusters(
        family=family, locale=viewer.locale, scope=viewer.scope, filters=query.filters()
    )


def _members(family: Family, query: MembersQuery, moved: bool = False) -> Page[ClusterMember]:
    viewer = current_viewer()
    return clustering.members(
        family=family,
        number=query.cluster,
        moved=moved,
        locale=viewer.locale,
        scope=viewer.scope,
        filters=query.filters(),
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )
