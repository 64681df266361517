"""What what-ifs start from, and the curve of stock value against service: a step of derive."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from domain.changes import Stocked
from domain.inventory import Array
from domain.what_if import NOTHING
from domain.years import GRID, Terms, Year, a_year
from warehouse.pipeline.copying import copy_frame
from warehouse.pipeline.derivation import Setup
from warehouse.pipeline.histories import daily_matrix
from warehouse.queries.stocked import Rows, packed, rows, stocked, terms

HISTORY = {"D": 728, "W": 1_092, "M": 1_826}
"""Days of demand that scenarios are drawn from, by the period that it is recorded by."""
TODAY = 0.0
"""Stands for each item's own level."""
SCENARIOS = 4
CHUNK = 2_000


def write_simulation(connection: Connection, setup: Setup, policy: pd.DataFrame) -> None:
    """Fills replay_input and service_curve of a run from its policy, replacing what was there."""
    run_id = setup.run_id
    _write_inputs(connection, setup, policy)
    found = rows(connection, run_id).with_levels
    valued = replace(terms(connection, setup.native), scenarios=SCENARIOS)
    parts = []
    for start in range(0, len(found), CHUNK):
        some = found.at(np.arange(start, min(start + CHUNK, len(found))))
        here = stocked(connection, run_id, some, np.ones(len(some)))
        parts += [_point(some, here, level, valued) for level in (TODAY, *GRID)]
    connection.execute(
        text("DELETE FROM analytics.service_curve WHERE run_id = :run_id"), {"run_id": run_id}
    )
    if parts:
        summed = pd.concat(parts).groupby(["service_level", "abc", "site_id"], as_index=False).sum()
        copy_frame(connection, "analytics.service_curve", summed.assign(run_id=run_id))


def _write_inputs(connection: Connection, setup: Setup, policy: pd.DataFrame) -> None:
    connection.execute(
        text("DELETE FROM analytics.replay_input WHERE run_id = :run_id"), {"run_id": setup.run_id}
    )
    made = policy[["item_id", "site_id", "penalty_brl"]]
    days = HISTORY[setup.native]
    history = daily_matrix(connection, made, setup.native, setup.known_to, days)
    made = made.assign(run_id=setup.run_id, history=["\\x" + row.hex() for row in packed(history)])
    copy_frame(connection, "analytics.replay_input", made)


def _point(found: Rows, here: Stocked, level: float, valued: Terms) -> pd.DataFrame:
    """The sums of a mean year with all items at this service level, by class and site."""
    year = a_year(here, NOTHING, valued, level or None)
    rows_of: dict[str, Array] = _measures(year)
    columns = {"abc": found.columns["abc"], "site_id": found.columns["site_id"]}
    frame = pd.DataFrame({**columns, "items": 1.0, **rows_of}).assign(service_level=level)
    return frame.groupby(["service_level", "abc", "site_id"], as_index=False).sum()


def _measures(year: Year) -> dict[str, Array]:
    return {
        "stock_value": year.stock_value,
        "asked": year.asked,
        "served": year.served,
        "lines": year.lines,
        "full_lines": year.full,
        "orders": year.orders,
        "penalty_brl": year.penalty_brl,
        "annual_cost_brl": year.costs.total,
    }
