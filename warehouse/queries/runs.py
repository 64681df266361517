"""The runs that have been loaded, and whether the published one is still that of the data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, Row, text

from domain.erp import TRAINING_KINDS
from domain.errors import NotFound
from domain.records import Page, Run
from warehouse.db import primary
from warehouse.queries.paging import fetch_page
from warehouse.queries.published import last_day
from warehouse.queries.status import is_training_needed

SORTS = {"run_id": "bigint"}
_SELECT = """
    SELECT run.run_id, bundle, state, published.run_id IS NOT NULL AS is_published,
        frequency, horizon, data_from, data_to,
        coalesce((manifest #>> '{counts,series_trained}')::integer, 0) AS series_trained,
        coalesce((manifest #>> '{counts,series_total}')::integer, 0) AS series_total,
        coalesce((manifest #>> '{counts,series_fallback}')::integer, 0) AS series_fallback,
        (metrics ->> 'wape')::double precision AS wape, computed_at, loaded_at,
        published.published_at, published.published_by
    FROM analytics.run LEFT JOIN analytics.published ON published.run_id = run.run_id
"""


def runs(engine: Engine) -> list[Run]:
    """Every run, newest first, dropped ones included."""
    with engine.connect() as connection:
        found = connection.execute(text(f"{_SELECT} ORDER BY run.run_id DESC"))
        return [_run(row) for row in found]


def one(run_id: int) -> Run:
    """Raises NotFound, Unavailable."""
    with primary() as connection:
        sql = text(f"{_SELECT} WHERE run.run_id = :run_id")
        row = connection.execute(sql, {"run_id": run_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no run {run_id}.")
    return _run(row)


def page(*, limit: int = 50, cursor: str | None = None, sort: str = "-run_id") -> Page[Run]:
    """Runs, newest first; two statements, never cached. Raises Unavailable."""
    with primary() as connection:
        return fetch_page(
            connection,
            _SELECT,
            {},
            _run,
            sort=sort,
            sorts=SORTS,
            tie={"run_id": "bigint"},
            limit=limit,
            cursor=cursor,
        )


def _run(row: Row[Any]) -> Run:
    found = Run(**row._mapping)
    return replace(found, data_to=last_day(found.data_to, found.frequency))


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
