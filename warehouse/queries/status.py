"""What is loaded and published, and how old it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from domain.erp import KINDS, TRAINING_KINDS
from domain.records import DataStatus, FileStatus
from domain.rhythm import expected_next
from warehouse import ages
from warehouse.caching import VERSION_SQL, read_model
from warehouse.clock import IN_BRASILIA
from warehouse.planned import planned_once
from warehouse.queries.published import (
    KNOWN,
    LAST_SPOKEN_OF,
    NATIVE,
    fresh_until,
    last_day,
    next_period,
    run_and_days,
)

_STATUS = planned_once(
    f"""
    SELECT run.run_id, run.computed_at, published.published_at, run.frequency, run.horizon,
        run.manifest, loads.loaded_at, loads.is_demo, loads.training_id,
        coalesce(run.data_from, demand.date_from) AS data_from,
        coalesce(run.data_to, demand.date_to) AS data_to, loads.days,
        (SELECT max(month) + interval '1 month' - interval '1 day' FROM core.archived_month)::date
            AS archived_to,
        known.demand AS demand_to, coalesce({NATIVE}, 'D') AS native, {LAST_SPOKEN_OF} AS as_of,
        {VERSION_SQL} AS data_version,
        concat_ws('.', coalesce(run.run_id, 0), coalesce(shown.load_id, 0), shown.derived)
            AS shown_version
    FROM (
        SELECT max(finished_at) AS loaded_at, coalesce(bool_or(is_demo), false) AS is_demo,
            max(id) FILTER (WHERE kind = ANY(:training)) AS training_id,
            array_agg(DISTINCT (finished_at {IN_BRASILIA})::date)
                FILTER (WHERE finished_at > now() - interval '1 year' AND NOT is_demo) AS days
        FROM staging.load WHERE state = 'accepted'
    ) AS loads
    CROSS JOIN (
        SELECT min(date) AS date_from, max(date) AS date_to FROM analytics.demand_by_day
    ) AS demand
    CROSS JOIN {KNOWN}
    LEFT JOIN analytics.revision AS shown ON true
    LEFT JOIN analytics.published ON true
    LEFT JOIN analytics.run USING (run_id)
    """
)

_ROWS = {
    "demand": "analytics.demand_by_day",
    "stock": "analytics.stock_by_day",
    "suppliers": "core.supplier WHERE {loaded}",
    "items": "core.item WHERE {loaded}",
    "contracts": "core.contract WHERE {loaded}",
    "sites": "core.site WHERE {loaded}",
    "purchase_orders": "core.purchase_order",
    "outages": "core.outage",
    "projects": "core.project",
    "equipment": "core.equipment_reading",
    "tower_kpis": "core.tower_kpi",
    "drivers": "core.driver",
}

_BY_DAY = "sum(rows), min(date), max(date)"
_UNDATED = "count(*), NULL::date, NULL::date"
_DATED = "count(*), min(date), max(date)"
_COUNTED = {
    "demand": _BY_DAY,
    "stock": _BY_DAY,
    "suppliers": _UNDATED,
    "items": _UNDATED,
    "contracts": _UNDATED,
    "sites": _UNDATED,
    "purchase_orders": "count(*), min(ordered_on), max(ordered_on)",
    "outages": "count(*), min(started_at)::date, max(started_at)::date",
    "projects": "count(*), min(planned_start), max(planned_end)",
    "equipment": "count(*), min(measured_at)::date, max(measured_at)::date",
    "tower_kpis": _DATED,
    "drivers": _DATED,
}

_QUANTITY = {"demand": "(SELECT sum(quantity)::float FROM analytics.demand_by_day)"}

# a demand file alone also makes items and sites (their codes): only a file of the kind counts
_LOADED = "load_id IN (SELECT id FROM staging.load WHERE kind = '{kind}')"


@read_model(at_most=ages.KPIS)
def current(connection: Connection) -> DataStatus:
    """The published run and the last load; empty fields before the first ones."""
    row = connection.execute(_STATUS, {"training": list(TRAINING_KINDS)}).one()
    manifest = row.manifest or {}
    counts, dataset = manifest.get("counts", {}), manifest.get("dataset", {})
    return DataStatus(
        run_id=row.run_id,
        data_version=row.data_version,
        computed_at=row.computed_at,
        published_at=row.published_at,
        loaded_at=row.loaded_at,
        data_from=row.data_from,
        data_to=row.data_to if row.run_id is None else last_day(row.data_to, row.frequency),
        frequency=row.frequency,
        horizon=row.horizon,
        forecast_to=None if row.run_id is None else _forecast_to(row),
        series_total=counts.get("series_total", 0),
        series_trained=counts.get("series_trained", 0),
        series_fallback=counts.get("series_fallback", 0),
        negative_periods=dataset.get("negative_periods", 0),
        empty_periods=dataset.get("empty_periods", 0),
        last_empty_periods=tuple(map(date.fromisoformat, dataset.get("last_empty_periods", ()))),
        is_demo=row.is_demo,
        training_needed=is_training_needed(row.training_id, manifest),
        shown_version=row.shown_version,
        archived_to=row.archived_to,
        as_of=row.as_of,
        demand_to=row.demand_to,
        fresh_until=fresh_until(row.demand_to, row.native) if row.demand_to else None,
        next_load_on=expected_next(row.days or []),
    )


def _forecast_to(row: Row[Any]) -> date:
    return last_day(next_period(row.data_to, row.frequency, row.horizon), row.frequency)


def seen_by(user_id: int | None) -> DataStatus:
    """The same, with what others have decided."""
    return replace(current(), decided_version=decided_by_others(user_id=user_id))


@read_model(at_most=ages.WORK)
def decided_by_others(connection: Connection, *, user_id: int | None) -> int:
    """The number of the last decision or override that is not this person's; 0: there is none."""
    sql = """
        SELECT decision_id FROM support.decision WHERE user_id IS DISTINCT FROM :user_id
        ORDER BY decision_id DESC LIMIT 1
    """
    return connection.execute(text(sql), {"user_id": user_id}).scalar() or 0


def is_training_needed(last_training_load: int | None, manifest: dict) -> bool:
    """True if something that the trainer reads was loaded after the published run's data."""
    if last_training_load is None:
        return False
    return int(manifest.get("dataset", {}).get("data_version", 0)) < last_training_load


@read_model(at_most=ages.FACTS)
def files(connection: Connection) -> list[FileStatus]:
    """One row for each kind of ERP file, in loading order, loaded or not."""
    parts = [
        f"SELECT '{kind}', rows, date_from, date_to, {_QUANTITY.get(kind, 'NULL::float')},"
        f" (SELECT max(finished_at) FROM staging.load WHERE kind = '{kind}' AND state = 'accepted')"
        f" FROM (SELECT {_COUNTED[kind]} FROM {_rows(kind)}) AS counted (rows, date_from, date_to)"
        for kind in KINDS
    ]
    rows = connection.execute(text(" UNION ALL ".join(parts))).all()
    return [_file_status(*row) for row in rows]


@read_model(at_most=ages.FACTS)
def loaded(connection: Connection) -> set[str]:
    """The kinds of ERP files that there are rows of."""
    parts = [f"SELECT '{kind}' WHERE EXISTS (SELECT FROM {_rows(kind)})" for kind in KINDS]
    return set(connection.scalars(text(" UNION ALL ".join(parts))))


def _rows(kind: str) -> str:
    return _ROWS[kind].format(loaded=_LOADED.format(kind=kind))


@read_model(at_most=ages.FACTS)
def has_costs(connection: Connection) -> bool:
    """True if some item has a unit cost: without any nothing is known in R$."""
    return bool(run_and_days(connection).has_costs)


@read_model(at_most=ages.FACTS)
def has_ufs(connection: Connection) -> bool:
    """True if some site has a UF: without any nothing lies on the map."""
    return bool(
        connection.scalar(text("SELECT EXISTS (SELECT FROM core.site WHERE uf IS NOT NULL)"))
    )


def _file_status(
    kind: str,
    rows: int | None,
    first: date | None,
    last: date | None,
    quantity: float | None,
    loaded_at: datetime | None,
) -> FileStatus:
    return FileStatus(kind, int(rows or 0), loaded_at, first, last, quantity)
