"""The runs that have been loaded, and whether the published one is still that of the data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine, text

from domain.erp import TRAINING_KINDS
from warehouse.queries.status import is_training_needed


@dataclass(frozen=True)
class Run:
    """One run as `flask runs` shows it. `wape` is the ensemble's over its backtest, a fraction."""

    run_id: int
    bundle: str
    state: str
    is_published: bool
    frequency: str
    horizon: int
    data_from: date
    data_to: date
    series_trained: int
    series_total: int
    wape: float | None
    computed_at: datetime | None
    loaded_at: datetime


def runs(engine: Engine) -> list[Run]:
    """Every run, newest first, dropped ones included."""
    sql = """
        SELECT run.run_id, bundle, state, published.run_id IS NOT NULL AS is_published,
            frequency, horizon, data_from, data_to,
            (manifest #>> '{counts,series_trained}')::integer AS series_trained,
            (manifest #>> '{counts,series_total}')::integer AS series_total,
            (metrics ->> 'wape')::double precision AS wape, computed_at, loaded_at
        FROM analytics.run LEFT JOIN analytics.published ON published.run_id = run.run_id
        ORDER BY run.run_id DESC
    """
    with engine.connect() as connection:
        return [Run(**row._mapping) for row in connection.execute(text(sql))]


def training_needed(engine: Engine) -> bool:
    """True if something that the trainer reads was loaded after the published run's data, or
    nothing is published yet."""
    sql = """
        SELECT (
                SELECT max(id) FROM staging.load WHERE state = 'accepted' AND kind = ANY(:kinds)
            ) AS last_load,
            (SELECT manifest FROM analytics.published JOIN analytics.run USING (run_id)) AS manifest
    """
    with engine.connect() as connection:
        row = connection.execute(text(sql), {"kinds": list(TRAINING_KINDS)}).one()
    return is_training_needed(row.last_load, row.manifest or {})
