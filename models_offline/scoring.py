"""Accuracy per series and model, and the leaderboard per demand class."""

from __future__ import annotations

import pandas as pd

SUMS = {
    "points": "count",
    "abs_error_sum": "sum",
    "error_sum": "sum",
    "actual_sum": "sum",
    "pct_error_sum": "sum",
    "pct_points": "sum",
    "covered80_points": "sum",
}
"""Sufficient statistics of domain.accuracy.ErrorSums: any aggregate can be had from them."""


def accuracy(points: pd.DataFrame) -> pd.DataFrame:
    """One row per series and model, from backtest points; NaN where a measure is undefined."""
    error, actual = points["mean"] - points["actual"], points["actual"]
    has = actual > 0
    parts = points[["unique_id", "model", "demand_class", "absolute", "squared"]].assign(
        points=1,
        abs_error_sum=error.abs(),
        error_sum=error,
        actual_sum=actual,
        pct_error_sum=(error.abs() / actual.where(has)).fillna(0.0),
        pct_points=has.astype(int),
        covered80_points=actual.between(points["p10"], points["p90"]).astype(int),
    )
    keys = ["unique_id", "model", "demand_class"]
    recipe = SUMS | {"absolute": "mean", "squared": "mean"}
    return with_measures(parts.groupby(keys, as_index=False, sort=True).agg(recipe))


def with_measures(sums: pd.DataFrame) -> pd.DataFrame:
    """The measures beside their sufficient statistics."""
    actual = sums["actual_sum"].where(sums["actual_sum"] > 0)
    pct_points = sums["pct_points"].where(sums["pct_points"] > 0)
    return sums.assign(
        wape=sums["abs_error_sum"] / actual,
        mase=sums["absolute"],
        rmsse=sums["squared"] ** 0.5,
        bias=sums["error_sum"] / actual,
        mape=sums["pct_error_sum"] / pct_points,
        mape_coverage=sums["pct_points"] / sums["points"],
        coverage80=sums["covered80_points"] / sums["points"],
    )


def leaderboard(rows: pd.DataFrame) -> pd.DataFrame:
    """Class and model with WAPE, MASE, RMSSE (means over series), bias and coverage."""
    keys = ["demand_class", "model"]
    groups = rows.groupby(keys, sort=True)
    sums = groups[list(SUMS)].sum()
    table = pd.DataFrame(
        {
            "series": groups.size(),
            "wape": sums["abs_error_sum"] / sums["actual_sum"].where(sums["actual_sum"] > 0),
            "mase": groups["mase"].mean(),
            "rmsse": groups["rmsse"].mean(),
            "bias": sums["error_sum"] / sums["actual_sum"].where(sums["actual_sum"] > 0),
            "coverage80": sums["covered80_points"] / sums["points"],
        }
    )
    return table.reset_index().sort_values(["demand_class", "mase"], ignore_index=True)
