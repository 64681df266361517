"""The country by federative unit and by region, its sites, and the transfers between them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from domain.kpis import availability, days_of_supply, ratio
from domain.records import NO_FILTERS, Filters
from domain.regions import STATIONS, Move, Place, UfRow
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.alerts import ADDED_NET
from warehouse.queries.daily import daily, daily_filter
from warehouse.queries.filtering import Where, daily_where, is_open, of_places, series_where
from warehouse.queries.kpis import HELD, HELD_FROM, known_demand, windows_now

MOST_MOVES = 200
REGION, UF = "region", "uf"

_SELECT = """
WITH place AS (
    SELECT uf.uf, uf.name, uf.region, region.name AS region_name FROM core.uf
    JOIN core.region USING (region) WHERE {visible}
), asked AS (
    SELECT uf, sum(value) AS value FROM {demand} AS daily
    WHERE date > :demand_after AND date <= :demand_to AND {by_day} GROUP BY uf
), empty AS (
    SELECT uf, sum(stockouts)::bigint AS stockouts, sum(positions)::bigint AS positions
    FROM {stock} AS daily WHERE date > :stock_after AND date <= :stock_to AND {by_day} GROUP BY uf
), held AS (
    SELECT site.uf, {held} {held_from} WHERE {series} GROUP BY site.uf
), told AS (
    SELECT uf, count(*) AS alerts, count(*) FILTER (WHERE level = 'critical') AS critical,
        sum(added_net) AS risk
    FROM (
        SELECT site.uf, alert.level, {added_net}
        FROM analytics.alert JOIN core.item USING (item_id) JOIN core.site USING (site_id)
        WHERE alert.run_id = :run_id AND {is_open} AND {series}
    ) AS open_ones GROUP BY uf
), exposed AS (
    SELECT site.uf, sum(exposure_brl) AS value
    FROM analytics.sla_exposure AS exposure
    JOIN core.item USING (item_id) JOIN core.site USING (site_id)
    WHERE exposure.run_id = :run_id AND {series} GROUP BY site.uf
), standing AS (
    SELECT site.uf, count(*) FILTER (WHERE kind = 'depot') AS depots,
        count(*) FILTER (WHERE kind = 'tower') AS towers,
        count(contract_id) FILTER (WHERE {covered}) AS covered
    FROM core.site WHERE {sites} GROUP BY site.uf
), down AS (
    SELECT uf, sum(hours) AS hours FROM (
        SELECT *, '' AS family FROM analytics.downtime_by_day
    ) AS daily
    WHERE date > :sla_after AND date <= :sla_to AND contract_id <> 0 AND {no_family} GROUP BY uf
), counted AS (
    SELECT uf, sum(value) AS stations FROM (
        SELECT DISTINCT ON (driver, uf) driver, uf, value FROM core.driver
        WHERE driver LIKE :stations AND uf <> '' ORDER BY driver, uf, date DESC
    ) AS latest GROUP BY uf
)
SELECT place.*, asked.value AS demand, held.value AS stock, held.covered, held.forecast,
    held.priced, empty.stockouts, empty.positions, told.alerts, told.critical, told.risk,
    exposed.value AS exposure, standing.depots, standing.towers, standing.covered AS sites,
    down.hours, counted.stations,
    EXISTS (SELECT FROM core.outage) AS has_outages
FROM place
LEFT JOIN asked USING (uf) LEFT JOIN held USING (uf) LEFT JOIN told USING (uf)
LEFT JOIN exposed USING (uf) LEFT JOIN standing USING (uf) LEFT JOIN down USING (uf)
LEFT JOIN counted USING (uf) LEFT JOIN empty USING (uf)
ORDER BY place.uf
"""

_SUMS = (
    "demand stockouts positions stock covered forecast alerts critical risk exposure depots towers"
    " sites hours stations"
).split()


@read_model(at_most=ages.KPIS)
def rows(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    by: str = UF,
) -> list[UfRow]:
    """Every federative unit in view that is asked for (all 27 without scope and filter), or the
    regions that hold them; three statements. A scope of contracts sees the UFs of its sites.
    Demand, stockouts and availability are over the dates of the filters, or over the spans that the
    KPIs of the same names have without any."""
    run, _, windows = windows_now(connection, filters)
    series, sites = series_where(scope, filters), series_where(scope)
    by_day = daily_filter(scope, filters)
    no_family = daily_where(scope, of_places(filters))
    covered = daily_where(scope, of_places(filters), "site")
    visible = Where()
    visible.any_of(filters.uf, "uf", "uf.uf = ANY(:uf)")
    visible.any_of(filters.region, "region", "uf.region = ANY(:region)")
    if not scope.everything:
        visible.add(f"uf.uf IN (SELECT uf FROM core.site WHERE {sites.sql})", **sites.params)
    sql = _SELECT.format(
        added_net=ADDED_NET,
        is_open=is_open("alert"),
        held=HELD,
        held_from=HELD_FROM,
        visible=visible.sql,
        demand=daily("demand", filters),
        stock=daily("stock", filters),
        by_day=by_day.sql,
        series=series.sql,
        sites=sites.sql,
        no_family=no_family.sql,
        covered=covered.sql,
    )
    params = {**series.params, **visible.params, **by_day.params, **no_family.params}
    params |= windows | {"stations": f"{STATIONS}%"}
    found = [dict(row._mapping) for row in connection.execute(text(sql), params)]
    for one in found:
        asked = one["demand"], one["priced"]
        one["demand"] = known_demand(*asked, windows, "demand_after", "demand_to")
    days, hours = run.horizon_days if run else 0, windows["sla_hours"]
    return [_row(one, days, hours) for one in (_by_region(found) if by == REGION else found)]


def _by_region(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sums of a region's units; rates are made of the sums, never of rates."""
    regions: dict[str, dict[str, Any]] = {}
    for one in found:
        known = regions.setdefault(
            one["region"],
            one | dict.fromkeys(_SUMS) | {"uf": one["region"], "name": one["region_name"]},
        )
        for name in _SUMS:
            if one[name] is not None:
                known[name] = (known[name] or 0) + one[name]
    return sorted(regions.values(), key=lambda one: one["uf"])


def _row(one: dict[str, Any], horizon_days: int, hours: int) -> UfRow:
    covered = one["sites"] or None
    down = one["hours"] or (0.0 if one["has_outages"] else None)
    return UfRow(
        uf=one["uf"],
        name=one["name"],
        region=one["region"],
        region_name=one["region_name"],
        demand_brl=one["demand"],
        stockout_rate=ratio(one["stockouts"], one["positions"]),
        stock_brl=one["stock"],
        days_of_supply=days_of_supply(one["covered"], one["forecast"], horizon_days or 1),
        alerts=one["alerts"] or 0,
        critical=one["critical"] or 0,
        risk_brl=one["risk"] if one["alerts"] else 0.0,
        exposure_brl=one["exposure"],
        depots=one["depots"] or 0,
        towers=one["towers"] or 0,
        availability=None if down is None else availability(down, covered, hours),
        stations=one["stations"],
    )


@read_model(at_most=ages.FACTS)
def places(
    connection: Connection, *, scope: Scope = EVERYTHING, region: tuple[str, ...] = ()
) -> list[Place]:
    """Every site in view that has a UF, towers and depots; in some regions, if they are named."""
    where = series_where(scope, Filters(region=region))
    server = series_where(scope).sql_of("depot")
    sql = f"""
        SELECT site.site, site.name, site.uf, site.kind, depot.site AS depot,
            coalesce(site.latitude, uf.latitude) AS latitude,
            coalesce(site.longitude, uf.longitude) AS longitude
        FROM core.site JOIN core.uf ON uf.uf = site.uf
        LEFT JOIN core.site AS depot ON site.kind = 'tower' AND depot.site_id = site.depot_id
            AND {server}
        WHERE site.kind IN ('tower', 'depot') AND {where.sql} ORDER BY site.site
    """
    return [Place(**row._mapping) for row in connection.execute(text(sql), where.params)]


@read_model(at_most=ages.WORK)
def moves(
    connection: Connection, *, scope: Scope = EVERYTHING, filters: Filters = NO_FILTERS
) -> list[Move]:
    """The open transfers of the published run both of whose ends are in view, the most valuable
    first, MOST_MOVES of them. The filters, their dates aside, are those of where they go to, as
    for all advice."""
    where = series_where(scope, filters)
    giver = series_where(scope).sql_of("giver")
    sql = f"""
        SELECT advice.id, item.sku, item.name AS item_name, item.unit, advice.quantity,
            advice.value_brl, giver.site AS from_site, giver.uf AS from_uf,
            coalesce(giver.latitude, there.latitude) AS from_latitude,
            coalesce(giver.longitude, there.longitude) AS from_longitude, site.site, site.uf,
            coalesce(site.latitude, here.latitude) AS latitude,
            coalesce(site.longitude, here.longitude) AS longitude
        FROM analytics.recommendation AS advice
        JOIN core.item USING (item_id)
        JOIN core.site ON site.site_id = advice.site_id
        JOIN core.site AS giver ON giver.site_id = advice.from_site_id
        JOIN core.uf AS here ON here.uf = site.uf
        JOIN core.uf AS there ON there.uf = giver.uf
        WHERE advice.run_id = (SELECT run_id FROM analytics.published)
            AND advice.kind = 'TRANSFER' AND {is_open("advice")} AND {where.sql} AND {giver}
        ORDER BY advice.value_brl DESC NULLS LAST, advice.id LIMIT {MOST_MOVES}
    """
    return [Move(**row._mapping) for row in connection.execute(text(sql), where.params)]
