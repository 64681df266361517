"""Materials of open projects as dated demand of the depots that serve their UFs, and what that does
to the stock there.

A project's demand comes on top of the forecast of maintenance demand, which knows nothing of it. A
material counts once: it is ahead until its day has come (`domain.projects.needed_when`), and
history after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sqlalchemy import Connection, text

from domain.inventory import Array, days_to_stockout
from domain.projects import Status, needed_when
from warehouse.pipeline.copying import copy_frame, frame_of
from warehouse.pipeline.derivation import Setup

_NEEDS = """
SELECT bill.project_id, project.project, bill.item_id, depot.site_id, bill.needed_on, bill.quantity,
    newest.as_of, newest.status, newest.planned_start, newest.planned_end, newest.actual_end,
    newest.progress_pct / 100 AS progress
FROM core.project_material AS bill
JOIN core.project AS project USING (project_id)
JOIN LATERAL (
    SELECT * FROM core.project_status AS status
    WHERE status.project_id = project.project_id ORDER BY as_of DESC LIMIT 1
) AS newest ON true
LEFT JOIN (
    SELECT DISTINCT ON (uf) uf, site_id FROM (
        SELECT tower.uf, depot.site_id, depot.site, count(*) AS towers
        FROM core.site AS tower JOIN core.site AS depot ON depot.site_id = tower.depot_id
        GROUP BY tower.uf, depot.site_id, depot.site
        UNION ALL SELECT uf, site_id, site, 0 FROM core.site WHERE kind = 'depot'
    ) AS serving WHERE uf IS NOT NULL ORDER BY uf, towers DESC, site
) AS depot ON depot.uf = project.uf
WHERE bill.quantity > 0
ORDER BY project.project, bill.item_id, bill.needed_on
"""
"""The depot of a UF: that which serves the most of its towers, else the first that stands in it."""

COLUMNS = (
    "run_id project_id item_id needed_on site_id expected_on quantity on_hand arriving projected"
    " shortage lead_time_days stockout_on stockout_as_planned_on stockout_without_on"
).split()
_SAID = [field.name for field in fields(Status) if not field.name.endswith("_brl")]


def project_needs(connection: Connection, setup: Setup) -> pd.DataFrame:
    """Lines that are still to come, one row each: project_id, project, item_id, site_id (NaN
    without a depot), needed_on, expected_on, quantity, and the days from tomorrow (0) on that both
    dates are; `planned_day` is below 0 for what the plan had in the past."""
    frame = frame_of(connection, _NEEDS, {})
    expected = pd.Series(
        [
            needed_when(_status(row), row["needed_on"], setup.today)
            for row in frame.to_dict("records")
        ],
        index=frame.index,
        dtype=object,
    )
    frame = frame.assign(expected_on=expected)[expected.notna().to_numpy()]
    kept = "project_id project item_id site_id needed_on expected_on quantity".split()
    return (
        frame[kept]
        .assign(
            day=_days_ahead(frame["expected_on"], setup),
            planned_day=_days_ahead(frame["needed_on"], setup),
        )
        .astype({"site_id": "float64", "quantity": "float64"})
    )


def _status(row: Mapping[Any, Any]) -> Status:
    said: dict[str, Any] = {name: None if row[name] != row[name] else row[name] for name in _SAID}
    return Status(**said)


def _days_ahead(days: pd.Series, setup: Setup) -> NDArray[np.int64]:
    first = setup.today + timedelta(days=1)
    return np.array([(day - first).days for day in days], int)


def dated(rows: ArrayLike, days: ArrayLike, quantities: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Quantities by row and day from tomorrow on; those of other days are left out."""
    found = np.zeros(shape)
    row, day = np.asarray(rows, int), np.asarray(days, int)
    within = (day >= 0) & (day < shape[1])
    np.add.at(found, (row[within], day[within]), np.asarray(quantities, float)[within])
    return found


def effects(
    setup: Setup, needs: pd.DataFrame, series: pd.DataFrame, rates: Array, receipts: Array
) -> pd.DataFrame:
    """`needs` (`row`: their place in `series`) with the stock that they find, in the order of their
    days, and with when it runs out: as expected, with the project on its planned dates, without it.
    Of those after the last of the days what is in the stock today is all that is known.

    `series` has available and lead_time_days; rates and receipts are (series, days) without
    projects.
    """
    needs = needs.sort_values(["row", "day", "project", "needed_on"])
    row, day = needs["row"].to_numpy(int), needs["day"].to_numpy(int)
    is_beyond, day = day >= rates.shape[1], np.minimum(day, rates.shape[1] - 1)
    quantity = needs["quantity"].to_numpy(float)
    earlier = needs.groupby("row")["quantity"].cumsum().to_numpy(float) - quantity
    available = series["available"].to_numpy(float)
    arriving = receipts.cumsum(axis=1)[row, day]
    left = available[row] + arriving - rates.cumsum(axis=1)[row, day] - earlier
    left[is_beyond] = np.nan
    projected = np.maximum(left, 0.0)
    return needs.assign(
        on_hand=available[row],
        arriving=np.where(np.isnan(left), np.nan, arriving),
        projected=projected,
        shortage=np.maximum(quantity - projected, 0.0),
        lead_time_days=series["lead_time_days"].to_numpy(float)[row],
        **_stockouts(setup, needs, available, rates, receipts),
    )


def _stockouts(
    setup: Setup, needs: pd.DataFrame, available: Array, rates: Array, receipts: Array
) -> dict[str, Any]:
    quantity = needs["quantity"]
    everything = rates + dated(needs["row"], needs["day"], quantity, rates.shape)
    group = needs.groupby(["row", "project_id"], sort=False).ngroup().to_numpy(int)
    rows = needs["row"].to_numpy(int)[np.unique(group, return_index=True)[1]]
    shape = (len(rows), rates.shape[1])
    own = dated(group, needs["day"], quantity, shape)
    planned = dated(group, needs["planned_day"], quantity, shape)
    without = np.maximum(everything[rows] - own, 0.0)
    cases = {
        "stockout_on": everything[rows],
        "stockout_as_planned_on": without + planned,
        "stockout_without_on": without,
    }
    known = ~np.isnan(available[rows])
    found: dict[str, Any] = {}
    for name, demand in cases.items():
        days = np.full(len(rows), np.nan)
        if known.any():
            at = rows[known]
            days[known] = days_to_stockout(available[at], demand[known], receipts[at])
        found[name] = setup.stockout_on(days).to_numpy()[group]
    return found


def write_project_needs(
    connection: Connection, setup: Setup, needs: pd.DataFrame, met: pd.DataFrame
) -> None:
    """Fills project_need of a run, replacing what was there: every line to come, with what `met`
    (see `effects`) says of those whose depot has a policy for the material."""
    params = {"run_id": setup.run_id}
    connection.execute(text("DELETE FROM analytics.project_need WHERE run_id = :run_id"), params)
    rows = needs.join(met.reindex(columns=COLUMNS[7:])).assign(run_id=setup.run_id)
    rows["site_id"] = rows["site_id"].astype("Int64")
    copy_frame(connection, "analytics.project_need", rows[COLUMNS])
