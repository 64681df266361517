"""Forecasts of the levels above item × depot, what was demanded there, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from domain.errors import NotFound
from domain.levels import COUNTRY, DEPOTS, LEVELS, visible_levels
from domain.records import DemandPoint, LevelAccuracy, LevelPoint, Option, Page
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.filtering import Where, level_where
from warehouse.queries.paging import fetch_page
from warehouse.queries.published import LAST_WHOLE, calendar, published_run

ENSEMBLE, NAIVE = "ensemble", "seasonal_naive"

_POINTS = """
SELECT nodes.level, item.sku, nullif(nodes.family, '') AS family, nullif(nodes.unit, '') AS unit,
    nodes.area, nodes.date, nodes.mean, nodes.p025, nodes.p10, nodes.p50, nodes.p90, nodes.p975,
    nodes.item_id, nodes.family AS sort_family, nodes.unit AS sort_unit
FROM analytics.level_forecast AS nodes LEFT JOIN core.item USING (item_id)
"""

_OF = {
    "item": "item.sku = :sku",
    "family": "item.family = :family AND item.unit = :unit",
    "all": "true",
}
_IN = {"uf": "site.uf = :area", "region": "uf.region = :area", "country": "true"}

_HISTORY = """
WITH member AS (
    SELECT profile.item_id, profile.site_id FROM analytics.series_profile AS profile
    JOIN core.item USING (item_id) JOIN core.site USING (site_id) LEFT JOIN core.uf USING (uf)
    WHERE profile.run_id = :run_id AND {of} AND {inside}
), known AS (
    SELECT date_trunc(:bucket, date::timestamp) AS date, sum(quantity) AS quantity
    FROM core.demand JOIN member USING (item_id, site_id) GROUP BY 1
)
SELECT grid.date::date, coalesce(known.quantity, 0) AS quantity
FROM generate_series(
    greatest((SELECT min(date) FROM known), date_trunc(:bucket, CAST(:since AS timestamp))),
    {last},
    CAST(:period AS interval)
) AS grid (date)
LEFT JOIN known USING (date) ORDER BY 1
"""

_ACCURACY = """
SELECT level, count(*) FILTER (WHERE {ours}) AS nodes, sum(points) FILTER (WHERE {ours}) AS points,
    sum(abs_error_sum) FILTER (WHERE {ours}) / nullif(sum(actual_sum) FILTER (WHERE {ours}), 0)
        AS wape,
    avg(mase) FILTER (WHERE {ours}) AS mase, avg(rmsse) FILTER (WHERE {ours}) AS rmsse,
    sum(error_sum) FILTER (WHERE {ours}) / nullif(sum(actual_sum) FILTER (WHERE {ours}), 0)
        AS bias,
    sum(covered80_points) FILTER (WHERE {ours})::float8 / sum(points) FILTER (WHERE {ours})
        AS coverage80,
    sum(covered95_points) FILTER (WHERE {ours})::float8 / sum(points) FILTER (WHERE {ours})
        AS coverage95,
    sum(abs_error_sum) FILTER (WHERE model = :naive)
        / nullif(sum(actual_sum) FILTER (WHERE model = :naive), 0) AS naive_wape
FROM analytics.level_accuracy AS nodes
WHERE run_id = :run_id AND {where}
GROUP BY level ORDER BY array_position(CAST(:order AS text[]), level)
"""


@read_model(at_most=ages.FORECASTS)
def page(
    connection: Connection,
    *,
    level: str,
    scope: Scope = EVERYTHING,
    sku: Sequence[str] = (),
    family: Sequence[str] = (),
    unit: Sequence[str] = (),
    area: Sequence[str] = (),
    date_from: date | None = None,
    date_to: date | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[LevelPoint]:
    """Forecasts of one level, by item, family and unit, area and date; empty for a run without
    levels and for a level outside the scope. Raises NothingPublished."""
    where = _of_level(connection, level, scope)
    where.any_of(tuple(sku), "sku", "item.sku = ANY(:sku)")
    where.any_of(tuple(family), "family", "nodes.family = ANY(:family)")
    where.any_of(tuple(unit), "unit", "nodes.unit = ANY(:unit)")
    where.any_of(tuple(area), "area", "nodes.area = ANY(:area)")
    if date_from:
        where.add("nodes.date >= :date_from", date_from=date_from)
    if date_to:
        where.add("nodes.date <= :date_to", date_to=date_to)
    return fetch_page(
        connection,
        f"{_POINTS} WHERE {where.sql}",
        where.params,
        lambda row: LevelPoint(*tuple(row)[:12]),
        sort="item_id",
        sorts={"item_id": "bigint"},
        tie={
            "item_id": "bigint",
            "sort_family": "text",
            "sort_unit": "text",
            "area": "text",
            "date": "date",
        },
        limit=limit,
        cursor=cursor,
    )


@read_model(at_most=ages.FORECASTS)
def series(
    connection: Connection,
    *,
    level: str,
    area: str,
    sku: str = "",
    family: str = "",
    unit: str = "",
    scope: Scope = EVERYTHING,
) -> list[LevelPoint]:
    """The horizon of one sum: of `sku`, of a family in one unit, or of everything; empty where
    there is none in view. Raises NothingPublished."""
    where = _of_level(connection, level, scope)
    where.add("nodes.area = :area", area=area)
    if LEVELS[level].what == "item":
        where.add("item.sku = :sku", sku=sku)
    if LEVELS[level].what == "family":
        where.add("nodes.family = :family AND nodes.unit = :unit", family=family, unit=unit)
    rows = connection.execute(text(f"{_POINTS} WHERE {where.sql} ORDER BY date"), where.params)
    return [LevelPoint(*tuple(row)[:12]) for row in rows]


@read_model(at_most=ages.FORECASTS)
def history(
    connection: Connection,
    *,
    level: str,
    area: str,
    sku: str = "",
    family: str = "",
    unit: str = "",
    scope: Scope = EVERYTHING,
    since: date | None = None,
) -> list[DemandPoint]:
    """Demand of the run's series that one sum is made of, in the run's periods to the last one
    known whole, zeros filled. Raises NotFound for a level or an area outside the scope."""
    run = published_run(connection)
    if level not in visible_levels(scope) or (scope.ufs and area not in scope.ufs):
        raise NotFound(f"There is no level {level!r} in {area!r}.")
    of, inside = _OF[LEVELS[level].what], _IN[LEVELS[level].area]
    params = {
        **{"sku": sku, "family": family, "unit": unit, "area": area},
        **calendar(run, run.known_to),
        "run_id": run.run_id,
        "since": since,
    }
    sql = _HISTORY.format(of=of, inside=inside, last=LAST_WHOLE)
    rows = connection.execute(text(sql), params)
    return [DemandPoint(*row) for row in rows]


@read_model(at_most=ages.FORECASTS)
def accuracy(connection: Connection, *, scope: Scope = EVERYTHING) -> list[LevelAccuracy]:
    """The ensemble's backtest at each level in view, the depots' first; empty for a run without
    levels. Raises NothingPublished."""
    run = published_run(connection)
    where = level_where(scope, "nodes")
    sql = _ACCURACY.format(ours="model = :model", where=where.sql)
    order = [DEPOTS, *LEVELS]
    params = {**where.params, "run_id": run.run_id, "model": ENSEMBLE, "naive": NAIVE}
    rows = connection.execute(text(sql), params | {"order": order})
    return [LevelAccuracy(**row._mapping) for row in rows]


@read_model(at_most=ages.FORECASTS)
def families(
    connection: Connection, *, level: str, scope: Scope = EVERYTHING
) -> list[tuple[str, str]]:
    """The families of a level with their units."""
    sql = "SELECT DISTINCT family, unit FROM analytics.level_forecast AS nodes"
    return [(family, unit) for family, unit in _distinct(connection, sql, level, scope)]


@read_model(at_most=ages.FORECASTS)
def areas(
    connection: Connection,
    *,
    level: str,
    sku: str = "",
    family: str = "",
    unit: str = "",
    scope: Scope = EVERYTHING,
) -> list[Option]:
    """The areas in view of an item, a family or everything, with their names."""
    sql = f"""
        SELECT DISTINCT nodes.area, coalesce(uf.name, region.name, '{COUNTRY}')
        FROM analytics.level_forecast AS nodes LEFT JOIN core.item USING (item_id)
        LEFT JOIN core.uf ON uf.uf = nodes.area AND nodes.level LIKE '%uf'
        LEFT JOIN core.region ON region.region = nodes.area AND nodes.level LIKE '%region'
    """
    where = {"item": ("item.sku", sku), "family": ("nodes.family", family)}
    column, value = where.get(LEVELS[level].what, ("nodes.family", ""))
    rows = _distinct(connection, sql, level, scope, **{column: value, "nodes.unit": unit})
    return [Option(value=area, label=name) for area, name in rows]


def _of_level(connection: Connection, level: str, scope: Scope) -> Where:
    """What of the published run's `nodes` at a level may be seen."""
    where = level_where(scope, "nodes")
    run_id = published_run(connection).run_id
    where.add("nodes.run_id = :run_id AND nodes.level = :level", run_id=run_id, level=level)
    return where


def _distinct(
    connection: Connection, sql: str, level: str, scope: Scope, **wanted: str
) -> list[tuple[str, str]]:
    where = _of_level(connection, level, scope)
    for number, (column, value) in enumerate(wanted.items()):
        if value:
            where.add(f"{column} = :wanted{number}", **{f"wanted{number}": value})
    rows = connection.execute(text(f"{sql} WHERE {where.sql} ORDER BY 1, 2"), where.params)
    return [(row[0], row[1]) for row in rows]
