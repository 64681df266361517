"""The point forecast of intermittent demand, drawn towards zero as far as its backtest asks for.

Forecasts of rare demand are noisy, and the noise costs squared error: a forecast times a little
less than 1 has a smaller RMSSE than itself. What it takes away, though, is missing from every sum.
So the factor of a demand class is the one that its backtest liked best, but only what was forecast
too much is taken away: the class's sum does not fall below what was demanded, nor by more than a
fifth.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.classes import INTERMITTENT_CLASSES

LEAST = 0.8
GRID = np.linspace(LEAST, 1.0, 21)
FEW_SERIES = 20
"""A class of fewer series is left as it is."""

Damping = dict[str, float]
"""Demand class → factor; one that is not there is left as it is."""


def learn(points: pd.DataFrame) -> Damping:
    """The factors, from backtest points of one model with `unit` (in-sample naive squared error).

    The error of a series is its RMSSE, that of a class the mean over its series.
    """
    found = {}
    known = points[points["demand_class"].isin(INTERMITTENT_CLASSES) & (points["unit"] > 0)]
    for name, group in known.groupby("demand_class", sort=True):
        if group["unique_id"].nunique() >= FEW_SERIES:
            least = min(1.0, group["actual"].sum() / max(group["mean"].sum(), 1e-9))
            errors = [_error(group, factor) if factor >= least else np.inf for factor in GRID]
            found[str(name)] = round(float(GRID[int(np.argmin(errors))]), 4)
    return found


def _error(points: pd.DataFrame, factor: float) -> float:
    squared = (factor * points["mean"] - points["actual"]) ** 2 / points["unit"]
    return float(np.sqrt(squared.groupby(points["unique_id"]).mean()).mean())


def damp(rows: pd.DataFrame, series: pd.DataFrame, found: Damping) -> pd.DataFrame:
    """Rows with their means multiplied; `series` gives demand_class by unique_id."""
    factors = rows["unique_id"].map(series["demand_class"]).map(found).fillna(1.0)
    return rows.assign(mean=rows["mean"] * factors.astype(float))
