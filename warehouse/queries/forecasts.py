"""Forecasts of one series or many, what was then demanded, and how good each model is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from domain.access import EVERYTHING, Scope
from domain.errors import NotFound, NothingPublished
from domain.records import (
    NO_FILTERS,
    Accuracy,
    BacktestPoint,
    Decomposition,
    DemandPoint,
    Filters,
    ForecastPoint,
    Page,
    Residuals,
    SeriesDiagnostics,
    SeriesProfile,
)
from warehouse import ages
from warehouse.caching import read_model
from warehouse.planned import planned_once
from warehouse.queries.filtering import series_where
from warehouse.queries.paging import fetch_page
from warehouse.queries.published import (
    LAST_WHOLE,
    NO_RUN,
    PublishedRun,
    calendar,
    published_run,
)
from warehouse.queries.series import find_series

# an actual is known for whole periods that the loaded demand has passed; no row then means zero, as
# in the backtest does a period in which more came back than was asked for
_ACTUAL = """
LEFT JOIN LATERAL (
    SELECT greatest(0, sum(demand.quantity)) AS actual
    FROM core.demand
    WHERE demand.item_id = forecast.item_id AND demand.site_id = forecast.site_id
        AND demand.date >= forecast.date
        AND demand.date < forecast.date + CAST(:period AS interval)
    HAVING forecast.date + CAST(:period AS interval) - interval '1 day' <= CAST(:known AS date)
) AS then_demanded ON forecast.date <= CAST(:known AS date)
"""

_POINTS = f"""
SELECT item.sku, site.site, forecast.date, forecast.model, forecast.mean, forecast.p10,
    forecast.p50, forecast.p90, then_demanded.actual, instead.override_id,
    instead.mean AS override_mean, instead.p10 AS override_p10, instead.p50 AS override_p50,
    instead.p90 AS override_p90, forecast.item_id, forecast.site_id
FROM analytics.forecast
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
LEFT JOIN analytics.override_in_force AS instead ON forecast.model = 'ensemble'
    AND instead.run_id = forecast.run_id AND instead.item_id = forecast.item_id
    AND instead.site_id = forecast.site_id AND instead.date = forecast.date
{_ACTUAL}
"""


@read_model(at_most=ages.FORECASTS)
def page(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    model: str = "ensemble",
    limit: int = 50,
    cursor: str | None = None,
) -> Page[ForecastPoint]:
    """Forecasts of one model over the series in view, by series and date; three statements."""
    run = published_run(connection)
    where = series_where(scope, filters)
    where.add(
        "forecast.run_id = :run_id AND forecast.model = :model",
        **_of_run(run),
        model=model,
    )
    if filters.date_from:
        where.add("forecast.date >= :date_from", date_from=filters.date_from)
    if filters.date_to:
        where.add("forecast.date <= :date_to", date_to=filters.date_to)
    return fetch_page(
        connection,
        f"{_POINTS} WHERE {where.sql}",
        where.params,
        _to_point,
        sort="item_id",
        sorts={"item_id": "bigint"},
        tie={"item_id": "bigint", "site_id": "bigint", "date": "date"},
        limit=limit,
        cursor=cursor,
    )


@read_model(at_most=ages.FORECASTS)
def series(
    connection: Connection,
    *,
    sku: str,
    site: str,
    scope: Scope = EVERYTHING,
    models: Sequence[str] | None = None,
) -> list[ForecastPoint]:
    """The horizon of one series, every model unless named, by model and date.

    Empty for a series that was not trained. Raises UnknownMaterial, NotFound, NothingPublished.
    """
    run = published_run(connection)
    found = find_series(connection, sku, site, scope)
    sql = f"""{_POINTS}
        WHERE forecast.run_id = :run_id
            AND forecast.item_id = :item_id AND forecast.site_id = :site_id
            AND (CAST(:models AS text[]) IS NULL OR forecast.model = ANY(:models))
        ORDER BY forecast.model, forecast.date
    """
    params = {**_of_run(run), **vars(found), "models": models and list(models)}
    return [_to_point(row) for row in connection.execute(planned_once(sql), params)]


@read_model(at_most=ages.FORECASTS)
def history(
    connection: Connection,
    *,
    sku: str,
    site: str,
    scope: Scope = EVERYTHING,
    since: date | None = None,
) -> list[DemandPoint]:
    """Demand in the run's periods from the first one with demand (or `since`) to the last one
    known whole, zeros filled."""
    run = published_run(connection)
    found = find_series(connection, sku, site, scope)
    sql = f"""
        WITH known AS (
            SELECT date_trunc(:bucket, date::timestamp) AS date, sum(quantity) AS quantity
            FROM core.demand WHERE item_id = :item_id AND site_id = :site_id GROUP BY 1
        )
        SELECT grid.date::date, coalesce(known.quantity, 0) AS quantity
        FROM generate_series(
            greatest(
                (SELECT min(date) FROM known),
                date_trunc(:bucket, CAST(:since AS timestamp))
            ),
            {LAST_WHOLE},
            CAST(:period AS interval)
        ) AS grid (date)
        LEFT JOIN known USING (date) ORDER BY 1
    """
    params = {**vars(found), **calendar(run, run.known_to), "since": since}
    return [DemandPoint(*row) for row in connection.execute(planned_once(sql), params)]


@read_model(at_most=ages.FORECASTS)
def accuracy(
    connection: Connection, *, sku: str, site: str, scope: Scope = EVERYTHING
) -> list[Accuracy]:
    """Backtest accuracy of each model for one series, best WAPE first, with ensemble weights."""
    run = published_run(connection)
    found = find_series(connection, sku, site, scope)
    sql = """
        SELECT accuracy.model, accuracy.points, accuracy.wape, accuracy.mase, accuracy.rmsse,
            accuracy.bias, accuracy.mape, accuracy.mape_coverage, accuracy.coverage80,
            CAST(profile.weights ->> accuracy.model AS double precision) AS weight,
            accuracy.demand_class, 1 AS series
        FROM analytics.forecast_accuracy AS accuracy
        LEFT JOIN analytics.series_profile AS profile USING (run_id, item_id, site_id)
        WHERE accuracy.run_id = :run_id
            AND accuracy.item_id = :item_id AND accuracy.site_id = :site_id
        ORDER BY accuracy.wape NULLS LAST, accuracy.model
    """
    rows = connection.execute(planned_once(sql), {**vars(found), "run_id": run.run_id})
    return [Accuracy(**row._mapping) for row in rows]


@read_model(at_most=ages.FORECASTS)
def backtest(
    connection: Connection, *, sku: str, site: str, scope: Scope = EVERYTHING
) -> list[BacktestPoint]:
    """Every model's backtest of one series, by model, origin and date."""
    run = published_run(connection)
    found = find_series(connection, sku, site, scope)
    sql = """
        SELECT model, origin, date, actual, mean, p10, p90 FROM analytics.backtest
        WHERE run_id = :run_id AND item_id = :item_id AND site_id = :site_id
        ORDER BY model, origin, date
    """
    rows = connection.execute(planned_once(sql), {**vars(found), "run_id": run.run_id})
    return [BacktestPoint(*row) for row in rows]


@read_model(at_most=ages.FORECASTS)
def diagnostics(
    connection: Connection, *, sku: str, site: str, scope: Scope = EVERYTHING
) -> SeriesDiagnostics | None:
    """What the trainer found in one series; None for a run of a trainer that did not look."""
    run = published_run(connection)
    found = find_series(connection, sku, site, scope)
    sql = """
        SELECT residuals, decomposition FROM analytics.series_diagnostics
        WHERE run_id = :run_id AND item_id = :item_id AND site_id = :site_id
    """
    row = connection.execute(planned_once(sql), {**vars(found), "run_id": run.run_id}).one_or_none()
    if row is None:
        return None
    parts = row.decomposition
    first = {"first_date": date.fromisoformat(parts["first_date"])} if parts else {}
    return SeriesDiagnostics(
        residuals=Residuals(**row.residuals) if row.residuals else None,
        decomposition=Decomposition(**parts | first) if parts else None,
    )


@read_model(at_most=ages.FORECASTS)
def profile(
    connection: Connection, *, sku: str, site: str, scope: Scope = EVERYTHING
) -> SeriesProfile:
    """Raises NotFound for a series that the run does not know."""
    run = published_run(connection)
    found = find_series(connection, sku, site, scope)
    sql = """
        SELECT demand_class, adi, cv2, abc, xyz, first_date, last_date, champion, weights,
            fallback_reason
        FROM analytics.series_profile
        WHERE run_id = :run_id AND item_id = :item_id AND site_id = :site_id
    """
    row = connection.execute(planned_once(sql), {**vars(found), "run_id": run.run_id}).one_or_none()
    if row is None:
        raise NotFound(f"The published run has no series {sku!r} at {site!r}.")
    return SeriesProfile(sku=sku, site=site, **row._mapping)


@read_model(at_most=ages.FORECASTS)
def most_demanded(
    connection: Connection,
    *,
    sku: str | None = None,
    site: str | None = None,
    scope: Scope = EVERYTHING,
) -> list[str]:
    """Item and site code of the series in view with the most demand, among those that the
    published run forecasts; of one material or site where given. Empty where there is none. Raises
    NothingPublished."""
    named = Filters(sku=(sku,) if sku else (), site=(site,) if site else ())
    where = series_where(scope, named)
    sql = f"""
        SELECT first.sku, first.site FROM analytics.published LEFT JOIN LATERAL (
            SELECT item.sku, site.site FROM analytics.material_overview AS forecast
            JOIN analytics.series_overview AS series USING (item_id, site_id)
            JOIN core.item USING (item_id) JOIN core.site USING (site_id)
            WHERE forecast.run_id = published.run_id AND forecast.forecast_horizon IS NOT NULL
                AND {where.sql}
            ORDER BY series.demand_total DESC NULLS LAST, item.sku, site.site LIMIT 1
        ) AS first ON true
    """
    row = connection.execute(text(sql), where.params).one_or_none()
    if row is None:
        raise NothingPublished(NO_RUN)
    return [] if row.sku is None else list(row)


def _of_run(run: PublishedRun) -> dict[str, Any]:
    return {"run_id": run.run_id, "period": f"1 {run.bucket}", "known": run.known_to}


def _to_point(row: Row[Any]) -> ForecastPoint:
    return ForecastPoint(*tuple(row)[:14])
