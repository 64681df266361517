"""Overrides: what one would do, those that there are, and what past ones did to accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from domain.access import EVERYTHING, Scope
from domain.clock import today
from domain.errors import NotFound
from domain.overrides import (
    NO_RECORD,
    Adjustment,
    Override,
    Preview,
    SeriesChange,
    TrackRecord,
    ValueStep,
)
from domain.records import NO_FILTERS, Filters, Page
from warehouse import ages
from warehouse.caching import read_model
from warehouse.clock import TODAY
from warehouse.queries.filtering import Where, series_where
from warehouse.queries.override_targets import COUNTS, ahead, as_of_day, check_reach, target_of
from warehouse.queries.paging import fetch_page
from warehouse.queries.published import last_day, published_run

SHOWN_CHANGES = 10

_REACH = f"""
WITH point AS MATERIALIZED ({{points}}), changed AS (
    SELECT item.sku, item.name AS item_name, item.unit, site.site, site.name AS site_name, site.uf,
        sum(model_mean) AS before, sum(point.mean) AS after,
        sum(point.mean - model_mean) * min(item.unit_cost_brl) AS change_brl,
        row_number() OVER (
            ORDER BY abs(sum(point.mean - model_mean) * min(item.unit_cost_brl)) DESC NULLS LAST,
                abs(sum(point.mean - model_mean)) DESC, sku, site
        ) AS place
    FROM point JOIN core.item USING (item_id) JOIN core.site USING (site_id)
    GROUP BY item.item_id, site.site_id
)
SELECT count(DISTINCT (item_id, site_id)) AS series, count(DISTINCT date) AS periods,
    count(*) AS points, min(date) AS date_from, max(date) AS date_to,
    CASE WHEN count(DISTINCT item.unit) = 1 THEN min(item.unit) END AS unit,
    sum(model_mean) AS before, sum(point.mean) AS after,
    coalesce(sum(model_mean * unit_cost_brl), 0) AS before_brl,
    coalesce(sum(point.mean * unit_cost_brl), 0) AS after_brl,
    (
        SELECT count(DISTINCT override_id) FROM support.override
        JOIN support.override_point AS old USING (override_id)
        JOIN point AS new USING (item_id, site_id, date)
        WHERE old.superseded_by IS NULL AND {COUNTS}
    ) AS replaces,
    (
        SELECT jsonb_agg(to_jsonb(changed) - 'place' ORDER BY place) FROM changed
        WHERE place <= :shown
    ) AS changes
FROM point JOIN core.item USING (item_id)
"""
"""How far an adjustment reaches, with its largest changes."""

_PASSED = """
SELECT override_id, item_id, site_id, point.mean, point.model_mean, point.naive_mean,
    then_demanded.actual, override.user_id
FROM support.override
JOIN support.override_point AS point USING (override_id)
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
CROSS JOIN LATERAL (
    SELECT (point.date + CASE override.frequency WHEN 'D' THEN interval '1 day'
        WHEN 'W' THEN interval '7 days' ELSE interval '1 month' END)::date AS next
) AS period
CROSS JOIN LATERAL (
    SELECT greatest(0, sum(quantity)) AS actual FROM core.demand
    WHERE demand.item_id = point.item_id AND demand.site_id = point.site_id
        AND demand.date >= point.date AND demand.date < period.next
) AS then_demanded
WHERE point.superseded_by IS NULL AND period.next <= CAST(:known AS date) + 1
    AND (ended_as_of IS NULL OR period.next <= ended_as_of + 1)
    AND period.next <= override.expires_on + 1 AND {where}
"""
"""Periods of overrides that have passed while they were in force, with what was then demanded."""

_RECORD = """
SELECT {place} AS place, count(DISTINCT override_id) AS overrides, count(*) AS periods,
    sum(abs(model_mean - actual)) / nullif(sum(actual), 0) AS model_wape,
    sum(abs(mean - actual)) / nullif(sum(actual), 0) AS override_wape
FROM ({passed}) AS passed
"""

_LISTED = f"""
SELECT override.override_id AS id,
    CASE WHEN override.superseded_by IS NOT NULL THEN 'superseded'
        WHEN ended_at IS NOT NULL THEN 'ended'
        WHEN expires_on < {TODAY} THEN 'expired' ELSE 'in_force' END AS state,
    override.sku, named_item.name AS item_name, override.site, named_site.name AS site_name,
    override.family, override.uf, change, seen.date_from, seen.date_to, seen.series, seen.points,
    seen.unit, seen.before, seen.after, reason, note, expires_on, actor AS created_by, created_at,
    ended_by, ended_at, override.superseded_by,
    EXISTS (SELECT FROM analytics.override_in_force AS now WHERE now.run_id = :run_id
        AND now.override_id = override.override_id) AS applied,
    EXISTS (SELECT FROM support.override_point AS point
        JOIN core.item USING (item_id) JOIN core.site USING (site_id)
        WHERE point.override_id = override.override_id AND NOT coalesce(({{in_view}}), false)
    ) AS beyond
FROM support.override
LEFT JOIN core.item AS named_item ON named_item.sku = override.sku
LEFT JOIN core.site AS named_site ON named_site.site = override.site
JOIN LATERAL (
    SELECT min(date) AS date_from, max(date) AS date_to, count(*) AS points,
        count(DISTINCT (item_id, site_id)) AS series, sum(model_mean) AS before,
        sum(mean) AS after,
        CASE WHEN count(DISTINCT item.unit) = 1 THEN min(item.unit) END AS unit
    FROM support.override_point AS point
    JOIN core.item USING (item_id) JOIN core.site USING (site_id)
    WHERE point.override_id = override.override_id AND {{where}}
) AS seen ON seen.points > 0
"""


def preview(asked: Adjustment, *, scope: Scope = EVERYTHING, user_id: int | None = None) -> Preview:
    """What the adjustment would do. Raises InvalidInput, NotFound, NothingPublished."""
    given = asked.quantities
    return _preview(
        sku=asked.sku,
        site=asked.site,
        family=asked.family,
        uf=asked.uf,
        quantities=None if given is None else tuple(sorted(given.items())),
        change=asked.change,
        date_from=asked.date_from,
        date_to=asked.date_to,
        scope=scope,
        user_id=user_id,
        today=today(),
    )


@read_model(at_most=ages.WORK)
def _preview(
    connection: Connection,
    *,
    quantities: tuple[tuple[date, float], ...] | None,
    scope: Scope,
    user_id: int | None,
    today: date,
    **narrowed: Any,
) -> Preview:
    given = None if quantities is None else dict(quantities)
    asked = Adjustment(quantities=given, **narrowed)
    target = target_of(connection, asked, scope)
    sql = text(_REACH.format(points=target.sql))
    reach = connection.execute(sql, {**target.params, "shown": SHOWN_CHANGES}).one()
    check_reach(asked, reach.points)
    sku = narrowed["sku"]
    wanted = [_whose(scope, user_id=user_id)] if user_id else []
    wanted += [_whose(scope, sku=sku)] if sku else []
    records = _records(connection, wanted) if wanted else []
    return Preview(
        **{**reach._mapping, "changes": [SeriesChange(**one) for one in reach.changes]},
        person=records[0] if user_id else NO_RECORD,
        item=records[-1] if sku else None,
        passed=sum(last_day(day, target.run.frequency) < today for day in target.dates),
    )


@read_model(at_most=ages.FORECASTS)
def record(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    user_id: int | None = None,
    sku: str | None = None,
) -> TrackRecord:
    """What past overrides of a person, of an item, or of all in view did to accuracy."""
    return _records(connection, [_whose(scope, user_id=user_id, sku=sku)])[0]


def _whose(
    scope: Scope,
    *,
    user_id: int | None = None,
    sku: str | None = None,
    override_id: int | None = None,
) -> Where:
    """Which overrides a record is of."""
    where = series_where(scope, Filters(sku=(sku,) if sku else ()))
    if user_id is not None:
        where.add("override.user_id = :user_id", user_id=user_id)
    if override_id is not None:
        where.add("override.override_id = :override_id", override_id=override_id)
    return where


def _records(connection: Connection, wanted: Sequence[Where]) -> list[TrackRecord]:
    """A record of each, in one statement."""
    params: dict[str, Any] = {"known": published_run(connection).known_to}
    parts = []
    for place, where in enumerate(wanted):
        parts.append(_RECORD.format(place=place, passed=_PASSED.format(where=where.sql)))
        params |= where.params
    rows = connection.execute(text(f"{' UNION ALL '.join(parts)} ORDER BY place"), params)
    return [TrackRecord(*row[1:]) for row in rows]


@read_model(at_most=ages.WORK)
def page(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    state: tuple[str, ...] = (),
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Override]:
    """Overrides that reach something in view, the newest first. Raises NothingPublished."""
    where = series_where(scope, filters)
    inner = _LISTED.format(where=where.sql, in_view=series_where(scope).sql)
    wanted = Where(params={**where.params, "run_id": published_run(connection).run_id})
    wanted.any_of(state, "state", "state = ANY(:state)")
    return fetch_page(
        connection,
        f"SELECT * FROM ({inner}) AS every WHERE {wanted.sql}",
        wanted.params,
        to_override,
        sort="-id",
        sorts={"id": "bigint"},
        tie={"id": "bigint"},
        limit=limit,
        cursor=cursor,
    )


@read_model(at_most=ages.WORK)
def one(connection: Connection, *, override_id: int, scope: Scope = EVERYTHING) -> Override:
    """One with what it did to accuracy. Raises NotFound, NothingPublished."""
    return read(connection, override_id, scope)


def read(connection: Connection, override_id: int, scope: Scope) -> Override:
    """The same on a connection that is open. Raises NotFound."""
    where, run = series_where(scope), published_run(connection)
    listed = _LISTED.format(where=where.sql, in_view=where.sql)
    sql = f"{listed} WHERE override.override_id = :override_id"
    params = {**where.params, "run_id": run.run_id, "override_id": override_id}
    row = connection.execute(text(sql), params).one_or_none()
    if row is None:
        raise NotFound(f"There is no override {override_id}.")
    return to_override(row, _records(connection, [_whose(scope, override_id=override_id)])[0])


def to_override(row: Row[Any], record: TrackRecord = NO_RECORD) -> Override:
    """The typed row of one line of the select above."""
    known = {field.name for field in fields(Override)}
    values = {name: value for name, value in row._mapping.items() if name in known}
    return Override(**values, record=record)


@read_model(at_most=ages.FORECASTS)
def periods(connection: Connection) -> list[date]:
    """First days of the published periods that can be adjusted. Raises NothingPublished."""
    run = published_run(connection)
    return ahead(run, as_of_day(connection, run))


_BACKTEST = """
SELECT count(*) AS series, sum(ours.points) AS points,
    sum(naive.abs_error_sum) AS naive, sum(ours.abs_error_sum) AS model,
    sum(ours.actual_sum) AS actual
FROM analytics.forecast_accuracy AS ours
JOIN analytics.forecast_accuracy AS naive USING (run_id, item_id, site_id, points)
JOIN core.item USING (item_id) JOIN core.site USING (site_id)
WHERE run_id = :run_id AND ours.model = 'ensemble' AND naive.model = 'seasonal_naive' AND {where}
"""

_OVERRIDDEN = """
SELECT count(DISTINCT (item_id, site_id)) AS series, count(*) AS points,
    sum(abs(naive_mean - actual)) AS naive, sum(abs(model_mean - actual)) AS model,
    sum(abs(mean - actual)) AS override, sum(actual) AS actual
FROM ({passed}) AS passed WHERE naive_mean IS NOT NULL
"""


@read_model(at_most=ages.FORECASTS)
def value_added(
    connection: Connection, *, scope: Scope = EVERYTHING, filters: Filters = NO_FILTERS
) -> list[ValueStep]:
    """Forecast value added by step: naive and model over the backtest; naive, model and override
    over the passed periods of overrides, as they stood when each was saved. Raises
    NothingPublished."""
    run, where = published_run(connection), series_where(scope, filters)
    params = {**where.params, "run_id": run.run_id, "known": run.known_to}
    tested = connection.execute(text(_BACKTEST.format(where=where.sql)), params).one()
    sql = _OVERRIDDEN.format(passed=_PASSED.format(where=where.sql))
    passed = connection.execute(text(sql), params).one()
    return [
        *_steps("backtest", tested, ("naive", "model")),
        *_steps("overridden", passed, ("naive", "model", "override")),
    ]


def _steps(over: str, row: Row[Any], names: tuple[str, ...]) -> list[ValueStep]:
    found: list[ValueStep] = []
    before: float | None = None
    for name in names:
        error = row._mapping[name]
        wape = error / row.actual if row.actual and error is not None else None
        added = before - wape if before is not None and wape is not None else None
        found.append(ValueStep(over, name, row.series, row.points or 0, wape, added))
        before = wape
    return found
