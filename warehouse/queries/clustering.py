"""Clusters of machines and towers, failure risk, expected parts, trends: of the published run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from domain.access import EVERYTHING, Scope
from domain.clusters import (
    EQUIPMENT,
    TOWERS,
    Choice,
    Cluster,
    ClusterMember,
    ClusterSummary,
    Family,
    ProfileValue,
    Pull,
    TowerTrend,
    TowerTrends,
)
from domain.errors import NothingPublished
from domain.failure_risk import (
    CalibrationBin,
    MachineRisk,
    PartsDemand,
    Reason,
    RiskQuality,
    RiskSummary,
)
from domain.records import NO_FILTERS, Filters, Page
from warehouse import ages
from warehouse.caching import once, read_model
from warehouse.queries.filtering import Where, of_places, pattern, series_where, unaccented
from warehouse.queries.paging import fetch_page
from warehouse.queries.published import NO_RUN, last_day

NOT_LOADED, NOT_IN_RUN = "not_loaded", "not_in_run"
MEMBER_SORTS = {
    "cluster": "bigint",
    "member": "text",
    "site": "text",
    "silhouette": "double precision",
}
RISK_SORTS = {
    "rank": "bigint",
    "probability": "double precision",
    "equipment": "text",
    "site": "text",
}
MOST_TRENDS = 500

_NETWORK = """
SELECT run_id, frequency, data_to, coalesce(manifest -> 'network', '{}') AS facts,
    EXISTS (SELECT FROM core.equipment_reading) AS has_readings,
    EXISTS (SELECT FROM core.tower_kpi) AS has_figures
FROM analytics.published JOIN analytics.run USING (run_id)
"""

_CLUSTERS = """
SELECT cluster.*, coalesce(seen.members, 0) AS members
FROM analytics.published
LEFT JOIN analytics.cluster
    ON cluster.run_id = published.run_id AND cluster.family = :family
LEFT JOIN (
    SELECT run_id, number, count(*) AS members
    FROM analytics.cluster_member AS member JOIN core.site USING (site_id)
    WHERE run_id = (SELECT run_id FROM analytics.published) AND family = :family AND {where}
    GROUP BY run_id, number
) AS seen ON seen.run_id = cluster.run_id AND seen.number = cluster.number
ORDER BY cluster.number
"""
"""One row without a number where the run has none."""

_MEMBERS = """
SELECT member.member, site.site, site.uf, member.kind, member.number::bigint AS cluster,
    cluster.name, member.previous_number, member.next_number, member.silhouette, member.distance,
    member.features, member.pulls
FROM analytics.cluster_member AS member
JOIN analytics.cluster USING (run_id, family, number)
JOIN core.site USING (site_id)
WHERE run_id = :run_id AND family = :family AND {where}
    AND (member.number = :number OR :any_number)
    AND (member.previous_number <> member.number OR NOT :moved)
"""

_RISKS = """
SELECT risk.equipment, risk.kind, site.site, site.uf, depot.site AS depot, risk.measured_on,
    risk.probability, row_number() OVER (ORDER BY risk.probability DESC, risk.equipment) AS rank,
    member.number AS cluster, risk.reasons
FROM analytics.failure_risk AS risk
JOIN core.site USING (site_id)
LEFT JOIN core.site AS depot ON depot.site_id = site.depot_id
LEFT JOIN analytics.cluster_member AS member ON member.run_id = risk.run_id
    AND member.family = 'equipment-failure' AND member.member = risk.equipment
WHERE risk.run_id = :run_id AND {where}
"""

_RISK_TOTALS = """
SELECT count(*) AS machines, coalesce(sum(probability), 0) AS expected
FROM analytics.failure_risk AS risk JOIN core.site USING (site_id)
WHERE run_id = :run_id AND {where}
"""

_PARTS = """
SELECT item.sku, item.name AS item_name, item.unit, site.site, site.uf, parts.equipment_kind,
    parts.machines, parts.mean, parts.p10, parts.p50, parts.p90, ahead.forecast, held.on_hand
FROM analytics.parts_demand AS parts
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
LEFT JOIN LATERAL (
    SELECT sum(mean) AS forecast FROM analytics.effective_forecast AS f
    WHERE f.run_id = parts.run_id AND f.item_id = parts.item_id AND f.site_id = parts.site_id
        AND f.date <= CAST(:until AS date)
) AS ahead ON true
LEFT JOIN LATERAL (
    SELECT on_hand FROM core.stock AS s
    WHERE s.item_id = parts.item_id AND s.site_id = parts.site_id ORDER BY s.date DESC LIMIT 1
) AS held ON true
WHERE parts.run_id = :run_id AND {where}
ORDER BY parts.mean DESC, item.sku, site.site, parts.equipment_kind
"""

_TRENDS = """
SELECT site.site, site.uf, trend.metric, trend.per_month, trend.changed_on, trend.before,
    trend.after, trend.p, count(*) OVER () AS total, count(trend.changed_on) OVER () AS broken
FROM analytics.tower_trend AS trend JOIN core.site USING (site_id)
WHERE run_id = :run_id AND {where} AND (trend.changed_on IS NOT NULL OR NOT :changed)
ORDER BY trend.changed_on DESC NULLS LAST, trend.p, site.site, trend.metric
LIMIT :most
"""


@dataclass(frozen=True)
class _Network:
    """The published run, what its manifest says of the network's families, and whether there are
    rows to learn of machines and of towers from."""

    run_id: int
    frequency: str
    data_to: date
    facts: Mapping[str, Any]
    has_readings: bool
    has_figures: bool

    def absent(self, family: Family) -> str:
        """Why the run says nothing of a family."""
        has_rows = self.has_figures if family == TOWERS else self.has_readings
        return NOT_IN_RUN if has_rows else NOT_LOADED


@read_model(at_most=ages.CLUSTERING)
def summary(connection: Connection, *, family: Family) -> ClusterSummary:
    """How the clusters came about, or why there are none. Raises NothingPublished."""
    network = _network(connection)
    facts = network.facts.get(family)
    if facts is None or facts["reason"] == NOT_LOADED:
        return ClusterSummary(family, network.absent(family))
    if facts["reason"]:
        return ClusterSummary(family, facts["reason"])
    end = facts.get("window_end")
    return ClusterSummary(
        family=family,
        reason=None,
        silhouette=facts["silhouette"],
        stability=facts["stability"],
        choices=tuple(Choice(**one) for one in facts["choices"]),
        window_days=facts.get("window_days"),
        window_end=date.fromisoformat(end) if end else None,
        moved=facts.get("moved"),
        left_out=tuple(facts.get("left_out", ())),
    )


@read_model(at_most=ages.CLUSTERING)
def clusters(
    connection: Connection,
    *,
    family: Family,
    locale: str = "pt_BR",
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
) -> list[Cluster]:
    """The clusters of a family, the largest first; `size` counts the members in view. Raises
    NothingPublished."""
    where = _searched(scope, filters, "member.member", "member.kind")
    params = {**where.params, "family": family}
    rows = connection.execute(text(_CLUSTERS.format(where=where.sql)), params).all()
    if not rows:
        raise NothingPublished(NO_RUN)
    return [_cluster(row, locale) for row in rows if row.number is not None]


@read_model(at_most=ages.CLUSTERING)
def members(
    connection: Connection,
    *,
    family: Family,
    number: int | None = None,
    moved: bool = False,
    locale: str = "pt_BR",
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    limit: int = 50,
    cursor: str | None = None,
    sort: str = "cluster",
) -> Page[ClusterMember]:
    """Members of one cluster or of all; `moved`: only those that were elsewhere one window before.
    `filters.search` looks into their codes."""
    sql, params = _members(connection, family, number, moved, scope, filters)
    return fetch_page(
        connection,
        sql,
        params,
        lambda row: _member(row, locale),
        sort=sort,
        sorts=MEMBER_SORTS,
        tie={"member": "text"},
        limit=limit,
        cursor=cursor,
    )


@read_model(at_most=ages.CLUSTERING)
def risk_summary(
    connection: Connection, *, scope: Scope = EVERYTHING, filters: Filters = NO_FILTERS
) -> RiskSummary:
    """How good the risk model is, and how many failures it expects of the machines in view."""
    network = _network(connection)
    made = network.facts.get(EQUIPMENT, {}).get("risk")
    if not made:
        return RiskSummary(0, 0, 0.0, None, [], reason=network.absent(EQUIPMENT))
    where = _searched(scope, filters, "risk.equipment", "risk.kind")
    totals = connection.execute(
        text(_RISK_TOTALS.format(where=where.sql)), {**where.params, "run_id": network.run_id}
    ).one()
    return RiskSummary(
        horizon_days=made["horizon_days"],
        machines=totals.machines,
        expected_failures=totals.expected,
        quality=_quality(made.get("quality")),
        inputs=made["inputs"],
        derived=made.get("derived", []),
        reason=made.get("reason"),
    )


@read_model(at_most=ages.CLUSTERING)
def risks(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    limit: int = 50,
    cursor: str | None = None,
    sort: str = "rank",
) -> Page[MachineRisk]:
    """Machines by their risk, the riskiest first; `filters.search` looks into codes and kinds."""
    sql, params = _risks(connection, scope, filters)
    return fetch_page(
        connection,
        sql,
        params,
        _risk,
        sort=sort,
        sorts=RISK_SORTS,
        tie={"equipment": "text"},
        limit=limit,
        cursor=cursor,
    )


@read_model(at_most=ages.CLUSTERING)
def parts(
    connection: Connection, *, scope: Scope = EVERYTHING, filters: Filters = NO_FILTERS
) -> list[PartsDemand]:
    """Parts that expected failures take by item and depot, the most first, beside the forecast of
    the same days, as overrides leave it, and the last stock."""
    network = _network(connection)
    where = _placed(scope, filters)
    params = {**where.params, "run_id": network.run_id, "until": _until(network)}
    rows = connection.execute(text(_PARTS.format(where=where.sql)), params)
    return [PartsDemand(**row._mapping) for row in rows]


@read_model(at_most=ages.CLUSTERING)
def trends(
    connection: Connection,
    *,
    changed: bool = True,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    limit: int | None = MOST_TRENDS,
) -> TowerTrends:
    """Towers' figures whose level broke, the latest first; all trends with `changed` off.
    `filters.search` looks into the codes of towers. Without a limit all rows."""
    where = _searched(scope, filters)
    params = {**where.params, "run_id": _network(connection).run_id}
    rows = connection.execute(
        text(_TRENDS.format(where=where.sql)),
        {**params, "changed": changed, "most": limit},
    ).all()
    names = TowerTrend.__dataclass_fields__
    found = [TowerTrend(**{name: getattr(row, name) for name in names}) for row in rows]
    first = rows[0] if rows else None
    return TowerTrends(found, first.total if first else 0, first.broken if first else 0)


def _network(connection: Connection) -> _Network:
    """Raises NothingPublished before the first run."""
    row = once(connection, _Network, lambda: connection.execute(text(_NETWORK)).one_or_none())
    if row is None:
        raise NothingPublished(NO_RUN)
    return _Network(**row._mapping)


def _until(network: _Network) -> date:
    """The last day of the risk's horizon, counted from the last known day of demand."""
    risk = network.facts.get(EQUIPMENT, {}).get("risk") or {}
    known_to = last_day(network.data_to, network.frequency)
    return known_to + timedelta(days=risk.get("horizon_days") or 0)


def _members(
    connection: Connection,
    family: Family,
    number: int | None,
    moved: bool,
    scope: Scope,
    filters: Filters,
) -> tuple[str, dict[str, Any]]:
    where = _searched(scope, filters, "member.member", "member.kind")
    return _MEMBERS.format(where=where.sql), {
        **where.params,
        "run_id": _network(connection).run_id,
        "family": family,
        "number": number or 0,
        "any_number": number is None,
        "moved": moved,
    }


def _risks(connection: Connection, scope: Scope, filters: Filters) -> tuple[str, dict[str, Any]]:
    where = _searched(scope, filters, "risk.equipment", "risk.kind")
    return _RISKS.format(where=where.sql), {
        **where.params,
        "run_id": _network(connection).run_id,
    }


def _placed(scope: Scope, filters: Filters) -> Where:
    return series_where(scope, replace(of_places(filters), site=filters.site))


def _searched(scope: Scope, filters: Filters, *columns: str) -> Where:
    where = _placed(scope, filters)
    if filters.search.strip():
        looked = " OR ".join(f"{unaccented(one)} LIKE :search" for one in (*columns, "site.site"))
        where.add(f"({looked})", search=pattern(filters.search))
    return where


def _cluster(row: Row[Any], locale: str) -> Cluster:
    return Cluster(
        number=row.number,
        name=_in(row.name, locale),
        size=row.members,
        silhouette=row.silhouette,
        failure_rate=row.failure_rate,
        mean_risk=row.mean_risk,
        profile=[ProfileValue(**one) for one in row.profile],
    )


def _in(names: Mapping[str, str], locale: str) -> str:
    return names.get(locale) or names["pt_BR"]


def _member(row: Row[Any], locale: str) -> ClusterMember:
    return ClusterMember(
        member=row.member,
        site=row.site,
        uf=row.uf,
        kind=row.kind,
        cluster=row.cluster,
        name=_in(row.name, locale),
        previous=row.previous_number,
        next=row.next_number,
        silhouette=row.silhouette,
        distance=row.distance,
        features=row.features,
        pulls=[Pull(**one) for one in row.pulls],
    )


def _risk(row: Row[Any]) -> MachineRisk:
    reasons = [Reason(**one) for one in row.reasons]
    return MachineRisk(**{**row._mapping, "reasons": reasons})


def _quality(facts: Mapping[str, Any] | None) -> RiskQuality | None:
    if facts is None:
        return None
    bins = [CalibrationBin(**one) for one in facts["bins"]]
    return RiskQuality(**{**facts, "bins": bins})
