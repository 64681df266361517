"""Outside drivers against the demand in view, and what the run's backtest says they bring."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from domain.drivers import (
    LAGS,
    LEAST_PERIODS,
    DriverContribution,
    DriverDetail,
    DriverPeriod,
    DriverScore,
    Measure,
    lags,
    strongest,
)
from domain.errors import NotFound
from domain.records import NO_FILTERS, Filters
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.daily import daily, daily_filter
from warehouse.queries.filtering import driver_where
from warehouse.queries.published import DEMAND_TO, NATIVE, first_day

MONTHS = 36

_DEMAND = f"""
WITH span AS (
    SELECT greatest(known.first, coalesce(
            CAST(:first AS date), (known.last - make_interval(months => :months))::date + 1
        )) AS first,
        least(known.last, CAST(:last AS date)) AS last
    FROM (SELECT min(date) AS first, {DEMAND_TO} AS last FROM analytics.demand_by_day) AS known
)
SELECT day::date AS date, coalesce(sum(daily.{{value}}), 0) AS demand
FROM span CROSS JOIN generate_series(span.first, span.last, interval '1 day') AS day
LEFT JOIN (SELECT * FROM {{relation}} AS daily WHERE {{where}}) AS daily ON daily.date = day::date
GROUP BY 1 ORDER BY 1
"""

_DRIVERS = f"""
WITH seen AS (
    SELECT driver.*, bool_or(uf <> '') OVER (PARTITION BY driver) AS by_uf
    FROM core.driver AS driver WHERE {{where}}
), days AS (
    SELECT driver, date, date_trunc('week', date::timestamp)::date AS week,
        avg(value) AS value, count(*) FILTER (WHERE uf <> '') AS areas
    FROM seen WHERE (uf <> '') = by_uf GROUP BY driver, date
), demanded AS (
    SELECT {NATIVE} AS native FROM analytics.published JOIN analytics.run USING (run_id)
), rhythm AS (
    SELECT driver, max(areas) AS areas, CASE
        WHEN (SELECT native FROM demanded) = 'M' THEN 'month'
        WHEN count(DISTINCT week) * 2 > (max(week) - min(week)) / 7 + 1 THEN 'week'
        ELSE 'month'
    END AS period
    FROM days GROUP BY driver
)
SELECT rhythm.driver, rhythm.areas, period,
    min(min(date)) OVER of AS first, max(max(date)) OVER of AS last,
    date_trunc(period, date::timestamp)::date AS start, avg(value) AS value
FROM rhythm LEFT JOIN days ON days.driver = rhythm.driver AND date BETWEEN :first AND :last
GROUP BY rhythm.driver, rhythm.areas, period, start
WINDOW of AS (PARTITION BY rhythm.driver) ORDER BY driver, start
"""

_CONTRIBUTIONS = """
SELECT one.*
FROM analytics.published JOIN analytics.run USING (run_id)
CROSS JOIN LATERAL jsonb_to_recordset(coalesce(nullif(manifest -> 'drivers', 'null'), '[]')) AS one(
    driver text, country text, demand_class text, frequency text, series integer,
    delay_days integer, window_days integer, days_ahead integer, error_without float8,
    error_with float8, error_if_known float8, used boolean, reason text)
ORDER BY used DESC, (error_with - error_without) / nullif(error_without, 0), driver, demand_class
"""


def every(
    *, scope: Scope = EVERYTHING, filters: Filters = NO_FILTERS, measure: Measure = "brl"
) -> list[DriverScore]:
    """Every driver of the country and of the UFs in view against the demand in view, over the dates
    in the filters (else the last MONTHS months) in whole periods; those first that chance explains
    least. Three statements, which `detail` shares.

    `measure`: demand in BRL at today's unit costs, or in units of issue. A driver of several UFs is
    the mean of those in view. Empty where nothing in view was demanded.
    """
    details = _details(scope=scope, filters=filters, measure=measure)
    known = (one for one in details if one.score.last)
    wanted = [one.score for one in known if any(period.demand for period in one.history)]
    return sorted(wanted, key=_by_chance)


def detail(
    *,
    driver: str,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    measure: Measure = "brl",
) -> DriverDetail:
    """One driver with its periods, its lags and its contributions, also where it is not known on
    the dates in the filters. Raises NotFound."""
    for one in _details(scope=scope, filters=filters, measure=measure):
        if one.score.driver == driver:
            return one
    raise NotFound("No driver has this name.")


@read_model(at_most=ages.FORECASTS)
def contributions(connection: Connection) -> list[DriverContribution]:
    """What the published run's backtest says that each driver brings, holidays among them; empty
    where nothing was tried. Expected parts that could not be tried have a row with the reason."""
    return _contributions(connection)


def _contributions(connection: Connection) -> list[DriverContribution]:
    rows = connection.execute(text(_CONTRIBUTIONS))
    return [DriverContribution(**row._mapping) for row in rows]


@read_model(at_most=ages.FORECASTS)
def _details(
    connection: Connection, *, scope: Scope, filters: Filters, measure: Measure
) -> list[DriverDetail]:
    """Of all drivers: the demand that each is held against is asked once."""
    demand = _demand(connection, scope, filters, measure)
    first, last = min(demand, default=date.max), max(demand, default=date.min)
    where = driver_where(scope, filters)
    asked = {**where.params, "first": first, "last": last}
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(text(_DRIVERS.format(where=where.sql)), asked):
        rows[row.driver].append(row)
    brought: dict[str, list[DriverContribution]] = defaultdict(list)
    for one in _contributions(connection):
        brought[one.driver].append(one)
    weekly, monthly = _by_week(demand), _by_month(demand, first, last)
    return [
        _detail(found, weekly if found[0].period == "week" else monthly, brought[name])
        for name, found in rows.items()
    ]


def _demand(
    connection: Connection, scope: Scope, filters: Filters, measure: Measure
) -> dict[date, float]:
    """Demand a day, days without any included."""
    where = daily_filter(scope, filters)
    sql = _DEMAND.format(
        value="value" if measure == "brl" else "quantity",
        relation=daily("demand", filters),
        where=where.sql,
    )
    span = {
        "months": MONTHS,
        "first": filters.date_from or (date.min if filters.has_dates else None),
        "last": filters.date_to,
    }
    rows = connection.execute(text(sql), {**where.params, **span})
    return {row.date: row.demand for row in rows}


def _by_week(demand: dict[date, float]) -> dict[date, float]:
    """By whole weeks, from their Mondays."""
    sums: dict[date, list[float]] = defaultdict(list)
    for day, quantity in demand.items():
        sums[first_day(day, "W")].append(quantity)
    return {start: sum(days) for start, days in sums.items() if len(days) == 7}


def _by_month(demand: dict[date, float], first: date, last: date) -> dict[date, float]:
    """By whole months, from their first days."""
    sums: dict[date, float] = defaultdict(float)
    for day, quantity in demand.items():
        sums[day.replace(day=1)] += quantity
    ends = {start: (start + timedelta(days=31)).replace(day=1) for start in sums}
    return {
        start: quantity
        for start, quantity in sums.items()
        if start >= first and ends[start] - timedelta(days=1) <= last
    }


def _detail(
    rows: list[Any], demand: dict[date, float], brought: list[DriverContribution]
) -> DriverDetail:
    values = {row.start: row.value for row in rows}
    history = [DriverPeriod(start, values.get(start), units) for start, units in demand.items()]
    known = [one for one in history if one.value is not None]
    told = rows[0]
    looked_at = lags(history, LAGS[told.period]) if len(known) >= LEAST_PERIODS else []
    best = strongest(looked_at)
    score = DriverScore(
        driver=told.driver,
        period=told.period,
        areas=told.areas,
        first=told.first,
        last=told.last,
        value=rows[-1].value,
        periods=len(known),
        lag=best.lag if best else None,
        correlation=best.correlation if best else None,
        effective=best.effective if best else None,
        p_value=best.p_value if best else None,
        limit=best.limit if best else None,
        is_significant=best.is_significant if best else None,
        tried=len(brought),
        used=sum(one.used for one in brought) if brought else None,
    )
    return DriverDetail(score, history, looked_at, brought)


def _by_chance(score: DriverScore) -> tuple[bool, float, str]:
    return score.p_value is None, score.p_value or 0.0, score.driver
