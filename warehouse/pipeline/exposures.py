"""What missing parts may cost in contract penalties, part by part: a model."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Connection, text

from warehouse.pipeline.copying import copy_frame
from warehouse.pipeline.derivation import Setup

_COLUMNS = (
    "run_id contract_id item_id site_id stockout_probability penalty_brl exposure_brl".split()
)


def write_exposures(
    connection: Connection,
    setup: Setup,
    policy: pd.DataFrame,
    penalties: dict[tuple[int, int], float],
) -> None:
    """Fills sla_exposure of a run, replacing what was there: Σ P(part missing) × E[penalty] has a
    row for each item, depot and contract, where both are above 0. penalties: see
    `penalties_by_contract`."""
    params = {"run_id": setup.run_id}
    connection.execute(text("DELETE FROM analytics.sla_exposure WHERE run_id = :run_id"), params)
    known = [(depot, contract, brl) for (depot, contract), brl in penalties.items() if brl > 0]
    costs = pd.DataFrame(known, columns=["site_id", "contract_id", "penalty_brl"])
    likely = policy[policy["stockout_probability"].astype("float64") > 0]
    rows = likely[["item_id", "site_id", "stockout_probability"]].merge(costs, on="site_id")
    exposure = rows["stockout_probability"].astype("float64") * rows["penalty_brl"]
    rows = rows.assign(run_id=setup.run_id, exposure_brl=exposure)
    copy_frame(connection, "analytics.sla_exposure", rows[_COLUMNS])
