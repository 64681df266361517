"""Honest intervals: widths scaled so that the backtest's actuals fall where they should.

One factor per side, model and demand class (split conformal scaling; Romano, Patterson & Candès
2019, "Conformalized quantile regression").
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from domain.demand import INTERMITTENT_CLASSES
from models_offline.quantiles import no_crumbs

ENOUGH_POINTS = 60
NARROWEST = 0.3
WIDEST = 4.0
TAIL = 0.9
"""p90 must lie above 90 % of the actuals, p10 below 90 %."""


class Widths(NamedTuple):
    """Factors on p50 − p10 and on p90 − p50."""

    lower: float
    upper: float


Factors = dict[tuple[str, str], Widths]


def factors(points: pd.DataFrame) -> Factors:
    """(demand class, model) → widths, from backtest points."""
    groups = points.groupby(["demand_class", "model"], sort=True)
    return {(str(key[0]), str(key[1])): _widths(str(key[0]), group) for key, group in groups}


def apply(rows: pd.DataFrame, series: pd.DataFrame, found: Factors) -> pd.DataFrame:
    """Rows with p10 and p90 moved; `series` gives demand_class and smallest by unique_id."""
    ids = rows["unique_id"]
    keys = pd.MultiIndex.from_arrays([ids.map(series["demand_class"]), rows["model"]])
    table = pd.DataFrame(list(found.values()), columns=["lower", "upper"], dtype=float)
    table.index = pd.MultiIndex.from_tuples(list(found), names=["demand_class", "model"])
    widths = table.reindex(keys).fillna(1.0).to_numpy()
    p10 = rows["p50"] - (rows["p50"] - rows["p10"]) * widths[:, 0]
    p90 = rows["p50"] + (rows["p90"] - rows["p50"]) * widths[:, 1]
    smallest = ids.map(series["smallest"]).to_numpy()
    return rows.assign(p10=no_crumbs(p10.clip(lower=0.0).to_numpy(), smallest), p90=p90)


def _widths(demand_class: str, points: pd.DataFrame) -> Widths:
    actual, middle = points["actual"], points["p50"]
    lower = _factor(middle - actual, middle - points["p10"])
    upper = _factor(actual - middle, points["p90"] - middle)
    if demand_class in INTERMITTENT_CLASSES:
        # counts: zeros tie with the quantiles, so too much coverage is not a fault to mend
        return Widths(1.0, max(1.0, upper))
    return Widths(lower, upper)


def _factor(distance: pd.Series, width: pd.Series) -> float:
    wide = width > 1e-9
    if wide.sum() < ENOUGH_POINTS:
        return 1.0
    return float(np.clip(np.quantile(distance[wide] / width[wide], TAIL), NARROWEST, WIDEST))
