"""Which run is published, and the calendar of its frequency."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from domain.clock import months_after
from domain.errors import NothingPublished
from domain.kpis import STOCK_DAYS
from warehouse.caching import once
from warehouse.clock import DEMAND_LOADED_ON
from warehouse.planned import planned_once

LATER_DAYS = 5
"""So many days less than STOCK_DAYS may lie between two counts that are compared: months differ,
and end on a Saturday."""
NO_RUN = "No forecasts have been published yet."
LATE_DAYS = 3
"""So many days may pass until demand that there should be is loaded."""

BUCKET = {"D": "day", "W": "week", "M": "month"}
"""What `date_trunc` calls a period; weeks start on Monday."""

NATIVE = "run.manifest -> 'dataset' ->> 'inferred_frequency'"
"""The period that each row of demand stands for (D, W, M), as the run's trainer found it."""


def _reached(bucket: str) -> str:
    start = f"date_trunc('{bucket}', last.date::timestamp)"
    end = f"({start} + interval '1 {bucket}')::date - 1"
    return f"CASE WHEN {end} > {DEMAND_LOADED_ON} THEN {start}::date - 1 ELSE {end} END"


REACHED = f"""
    CASE {NATIVE}
        WHEN 'W' THEN {_reached("week")} WHEN 'M' THEN {_reached("month")} ELSE last.date
    END
"""
"""Until when demand is known whose last row is dated `last.date`: to the end of its period, or of
the one before where it was still running on the day on which it was loaded."""

DEMAND_TO = f"""(
    SELECT {REACHED} FROM (SELECT max(date) AS date FROM analytics.demand_by_day) AS last
    LEFT JOIN analytics.published ON true LEFT JOIN analytics.run USING (run_id)
)"""
"""The same of what is loaded, to the published run; by the day before the first one."""

LAST_WHOLE = """greatest(
    CAST(:data_to AS timestamp),
    date_trunc(:bucket, CAST(:known AS date) + interval '1 day') - CAST(:period AS interval)
)"""
"""The first day of the last period that demand is known of to its end, or that the run took for
whole; null before any demand. Takes the parameters of `calendar`."""

LAST_SPOKEN_OF = """coalesce(
    greatest(known.demand, known.stock),
    (SELECT max(coalesce(received_on, ordered_on)) FROM core.purchase_order)
)"""
"""The last day that data speak of: of demand and stock, else of orders; null without any."""

KNOWN = f"""(
    SELECT {DEMAND_TO} AS demand, (SELECT max(date) FROM analytics.stock_by_day) AS stock
) AS known"""
"""Until when demand and stock are known: what LAST_SPOKEN_OF is told of."""

AS_OF = f"(SELECT {LAST_SPOKEN_OF} FROM {KNOWN})"
"""The same for a statement that knows neither."""


def _count_before(day: str) -> str:
    return f"""(
        SELECT CASE
            WHEN later - aim <= {LATER_DAYS} AND (earlier IS NULL OR later - aim < aim - earlier)
                THEN later ELSE earlier
        END
        FROM (
            SELECT aim, (SELECT max(date) FROM analytics.stock_by_day WHERE date <= aim) AS earlier,
                (SELECT min(date) FROM analytics.stock_by_day WHERE date > aim) AS later
            FROM (SELECT {day} - {STOCK_DAYS} AS aim) AS wanted
        ) AS counted
    )"""


OUTAGES_TO = f"""greatest(
    {DEMAND_TO},
    (SELECT max(date) FROM analytics.stock_by_day),
    (SELECT max(date) FROM analytics.downtime_by_day)
)"""
"""The last day that outages are known of: analytics.downtime_by_day ends those that go on there."""

OUTAGES_FROM = """greatest(
    date_trunc('month', outage.first)::date,
    least(outage.first::date, (SELECT min(date) FROM analytics.demand_by_day))
)"""
"""The first day that outages are known of, the first of which began at `outage.first`; or that of
demand in the same month: a month that only begins quietly is known whole."""

RUN = f"""
    WITH known AS MATERIALIZED (
        SELECT {DEMAND_TO} AS demand,
            (SELECT min(date) FROM analytics.demand_by_day) AS first_demand,
            (SELECT max(date) FROM analytics.stock_by_day) AS stock,
            (SELECT max(date) FROM analytics.downtime_by_day) AS outage,
            (SELECT {OUTAGES_FROM} FROM (
                SELECT min(date) AS first FROM analytics.downtime_by_day
            ) AS outage WHERE first IS NOT NULL) AS outages_from,
            {OUTAGES_TO} AS outages_to,
            EXISTS (SELECT FROM analytics.order_by_day) AS has_orders,
            EXISTS (SELECT FROM core.site WHERE contract_id IS NOT NULL) AS has_contracts,
            EXISTS (SELECT FROM core.item WHERE unit_cost_brl IS NOT NULL) AS has_costs
    ),
    counted AS MATERIALIZED (SELECT {_count_before("stock")} AS stock_before FROM known)
    SELECT run.run_id, published.previous_run_id, run.frequency, run.horizon,
        run.data_from, run.data_to, run.metrics,
        (manifest -> 'counts' -> 'series_trained') <> (manifest -> 'counts' -> 'series_total')
            AS limited,
        known.demand AS known_to, coalesce({NATIVE}, 'D') AS native, known.*,
        {LAST_SPOKEN_OF} AS as_of, stock_before,
        {_count_before("stock_before")} AS stock_before_that
    FROM known CROSS JOIN counted
    LEFT JOIN analytics.published ON true LEFT JOIN analytics.run USING (run_id)
"""
"""What `run_and_days` gives, for statements to be part of whose row is taken for it. `stock_before`
is the day of the count nearest to STOCK_DAYS before the last one, as analytics.series_overview has
it, and `stock_before_that` the same of it."""


def period_end(day: str) -> str:
    """SQL: the last day of the period that `day` lies in. Takes `bucket` and `period` of
    `calendar`."""
    return f"((date_trunc(:bucket, {day}::timestamp) + CAST(:period AS interval))::date - 1)"


@dataclass(frozen=True)
class PublishedRun:
    """The run that everybody sees; `data_to` is the first day of its last known period, `known_to`
    the last day that demand is known of by now. `limited`: some series were not trained. `native`:
    the period that a row of demand stands for."""

    run_id: int
    previous_run_id: int | None
    frequency: str
    horizon: int
    data_from: date
    data_to: date
    metrics: dict[str, Any]
    limited: bool | None
    known_to: date | None
    native: str = "D"

    @property
    def bucket(self) -> str:
        """The run's period in the words of `date_trunc`."""
        return BUCKET[self.frequency]

    @property
    def horizon_days(self) -> int:
        """Days that the forecast covers."""
        first = next_period(self.data_to, self.frequency)
        return (next_period(first, self.frequency, self.horizon) - first).days


def published_run(connection: Connection) -> PublishedRun:
    """Raises NothingPublished before the first run."""
    return run_of(run_and_days(connection))


def run_of(row: Row[Any]) -> PublishedRun:
    """The run of a row that begins with what RUN selects. Raises NothingPublished."""
    if row.run_id is None:
        raise NothingPublished(NO_RUN)
    return PublishedRun(*row[: len(fields(PublishedRun))])


def published_run_or_none(connection: Connection) -> PublishedRun | None:
    """The published run, or None before the first one."""
    row = run_and_days(connection)
    return None if row.run_id is None else run_of(row)


def run_and_days(connection: Connection) -> Row[Any]:
    """The published run, with nulls before the first one, and until when each file reaches."""
    return once(connection, PublishedRun, lambda: connection.execute(planned_once(RUN)).one())


def calendar(run: PublishedRun | None, known: date | None) -> dict[str, Any]:
    """The run's periods, days without one, of demand that is known to the day `known`."""
    bucket = run.bucket if run else BUCKET["D"]
    data_to = run.data_to if run else None
    return {"bucket": bucket, "period": f"1 {bucket}", "data_to": data_to, "known": known}


def next_period(day: date, frequency: str, count: int = 1) -> date:
    """The day `count` periods after `day` (before, when negative), the month's last where it has
    none of that number."""
    if frequency == "M":
        return months_after(day, count)
    return day + timedelta(days=count * (7 if frequency == "W" else 1))


def first_day(day: date, frequency: str) -> date:
    """The first day of the period that `day` lies in."""
    if frequency == "M":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday() if frequency == "W" else 0)


def last_day(period_start: date, frequency: str) -> date:
    """The last day of the period that starts on `period_start`."""
    return next_period(period_start, frequency) - timedelta(days=1)


def fresh_until(demand_to: date, native: str) -> date:
    """The last day on which demand that is known to `demand_to` is not old: LATE_DAYS after it, of
    weeks and months after the end of the next one. `native`: the period of a row of demand."""
    due = demand_to if native == "D" else last_day(demand_to + timedelta(days=1), native)
    return due + timedelta(days=LATE_DAYS)
