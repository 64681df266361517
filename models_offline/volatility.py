"""Calm and restless times: how far the quantiles of weekly demand that never stops reach.

A calm quarter is followed by a calm one more often than not, and series grow calm or restless
together (volatility clustering; Engle 1982). The interval that was right at the origins of the
backtest is then too wide or too narrow at the next one. So before an ensemble is calibrated its
quantiles are brought to the volatility known at their origin, as in normalised conformal prediction
(Papadopoulos, Vovk & Gammerman 2011). Volatility is the mean absolute change from week to week
over the last horizon, divided by that over all weeks. What a series shows alone is mostly over in
a horizon, what all show is not. In days and months such changes are seasons and holidays, and tell
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models_offline.dataset import Dataset
from models_offline.models.naive2 import competition_season
from models_offline.quantiles import LEVELS, QUANTILE_COLUMNS

ALONE = 0.25
"""The power of a series' own deviation from the volatility that all share."""
FEW_SERIES = 10
"""With so many series what they share counts half more than their own."""
WIDEST = 5.0
MEDIAN = LEVELS.index(0.5)


def spreads(dataset: Dataset, horizon: int, cuts: Iterable[int]) -> pd.Series:
    """What the distances of an ensemble's quantiles from its median are multiplied by, by
    unique_id and cut; empty where nothing is."""
    if competition_season(dataset.frequency) > 1:
        return pd.Series(dtype=float)
    groups = dataset.history.groupby("unique_id")["y"]
    known: dict[Any, NDArray[np.float64]] = {
        uid: y.to_numpy(dtype=float) for uid, y in groups if (y > 0).all()
    }
    found: dict[tuple[Any, int], float] = {}
    for cut in cuts:
        factors = _spreads([y[: max(0, len(y) - cut * horizon)] for y in known.values()], horizon)
        found |= {(uid, cut): one for uid, one in zip(known, factors, strict=True)}
    return pd.Series(found, dtype=float)


def _spreads(histories: Iterable[NDArray[np.float64]], horizon: int) -> NDArray[np.float64]:
    """The factors of histories that end at the same origin."""
    logs = np.log(np.clip([_ratio(y, horizon) for y in histories], 1 / WIDEST, WIDEST))
    judged = int(np.isfinite(logs).sum())
    shared = float(np.nanmean(logs)) if judged else 0.0
    together = ALONE + (1 - ALONE) * judged / (judged + FEW_SERIES)
    alone = np.where(np.isfinite(logs), logs - shared, 0.0)
    return np.exp(together * shared + ALONE * alone)


def _ratio(y: NDArray[np.float64], horizon: int) -> float:
    """Recent ÷ usual volatility; NaN where there is too little to tell."""
    changes = np.abs(np.diff(y))
    recent = changes[-horizon:].mean() if len(changes) >= 2 * horizon else 0.0
    return float(recent / changes.mean()) if recent > 0 else np.nan


def stretched(rows: pd.DataFrame, factors: pd.Series) -> pd.DataFrame:
    """Rows (unique_id, cut, quantiles) with the distances from their medians multiplied."""
    if factors.empty:
        return rows
    keys = pd.MultiIndex.from_frame(rows[["unique_id", "cut"]])
    factor = factors.reindex(keys).fillna(1.0).to_numpy()[:, None]
    values = rows[QUANTILE_COLUMNS].to_numpy(dtype=float)
    median = values[:, [MEDIAN]]
    values = np.maximum(median + factor * (values - median), 0.0)
    return rows.assign(**dict(zip(QUANTILE_COLUMNS, values.T, strict=True)))
