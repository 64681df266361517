"""Trend, season and rest of each series, to be looked at; no model uses them.

STL with a season that does not change (Cleveland et al. 1990, "STL: A seasonal-trend decomposition
procedure based on loess"), by statsmodels. An outlier is a rest outside of its quartiles by three
times their distance (Hyndman 2021, "Detecting time series outliers"): it is flagged, never altered.
Strengths as in Wang, Smith & Hyndman 2006, "Characteristic-based clustering for time series data".
Demand that pauses is summed to months first: day by day it is mostly zeros.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.classes import INTERMITTENT_CLASSES
from models_offline.frequency import FREQUENCIES, Frequency
from models_offline.models.base import Series, split
from models_offline.orphans import end_with
from models_offline.processes import parallel
from models_offline.threads import limit_threads

LONGEST = 420
"""Older periods are left out: the picture is of the present."""
DIGITS = 4
"""Significant digits of the parts."""
DECIMALS = 6
"""Of demand itself, which is told as it was."""
DAYS = {"D": 1, "W": 7}
"""Days of a period that is shorter than a month."""
UNCHANGING = 2 * LONGEST + 1
"""A season smoothed over more cycles than there are is the same in each; with few cycles, a season
that may change takes most of the noise for its own."""
CYCLES = 5
"""With so many, outliers count less for trend and season; with fewer, they could not be told from
the season."""
FENCE = 3.0
"""An outlier is so many times the distance of the quartiles away from them."""
BATCH = 64


def decompositions(
    history: pd.DataFrame, classes: pd.Series, frequency: Frequency, jobs: int
) -> dict[Any, dict[str, Any]]:
    """By unique_id; a series with less than two seasons has none. `classes` by unique_id."""
    from joblib import delayed

    todo = [(one, _calendar(classes[one.unique_id], frequency)) for one in split(history)]
    batches = [todo[at : at + BATCH] for at in range(0, len(todo), BATCH)]
    done = parallel(jobs)(delayed(_batch)(batch, frequency, os.getpid()) for batch in batches)
    return {uid: found for part in done for uid, found in part}


def _calendar(demand_class: str, frequency: Frequency) -> Frequency:
    return FREQUENCIES["M"] if demand_class in INTERMITTENT_CLASSES else frequency


def _batch(
    batch: list[tuple[Series, Frequency]], frequency: Frequency, run: int
) -> list[tuple[Any, dict[str, Any]]]:
    end_with(run)
    limit_threads()
    return list(_found(batch, frequency))


def _found(
    batch: list[tuple[Series, Frequency]], frequency: Frequency
) -> Iterator[tuple[Any, dict[str, Any]]]:
    for series, calendar in batch:
        one = series if calendar == frequency else _monthly(series, DAYS[frequency.code])
        found = decompose(one.ds[-LONGEST:], one.y[-LONGEST:], calendar)
        if found is not None:
            yield series.unique_id, found


def _monthly(series: Series, days: int) -> Series:
    """Sums of whole months of a series of periods of so many days, each spread evenly over its
    days: the first and last months may be cut off and are left out."""
    dates = (series.ds[:, None] + np.arange(days) * np.timedelta64(1, "D")).ravel()
    daily = pd.Series(np.repeat(series.y / days, days), pd.DatetimeIndex(dates))
    months = daily.resample("MS").sum().iloc[1:-1]
    return Series(series.unique_id, months.index.to_numpy(), np.asarray(months, dtype=float))


def decompose(
    ds: NDArray[np.datetime64], y: NDArray[np.float64], calendar: Frequency
) -> dict[str, Any] | None:
    """The parts of one series, each as long as `y` (units of issue); None for less than two
    seasons or no variation."""
    from statsmodels.tsa.seasonal import STL

    if len(y) < 2 * calendar.season_length or not np.any(y - y[0]):
        return None
    season = {"period": calendar.season_length, "seasonal": UNCHANGING, "seasonal_deg": 0}
    parts = STL(y, **season, robust=len(y) >= CYCLES * calendar.season_length).fit()
    rest = float(np.var(parts.resid))
    return {
        "frequency": calendar.code,
        "season_length": calendar.season_length,
        "first_date": str(pd.Timestamp(ds[0]).date()),
        "actual": y.round(DECIMALS).tolist(),
        "trend": _rounded(parts.trend),
        "season": _rounded(parts.seasonal),
        "rest": _rounded(parts.resid),
        "outliers": outliers(parts.resid),
        "trend_strength": _strength(rest, parts.trend + parts.resid),
        "season_strength": _strength(rest, parts.seasonal + parts.resid),
    }


def outliers(rest: NDArray[np.float64]) -> list[int]:
    """The places of those that stand far out; none where most are alike."""
    low, high = np.quantile(rest, [0.25, 0.75])
    reach = FENCE * (high - low)
    far = (rest < low - reach) | (rest > high + reach)
    return np.flatnonzero(far).tolist() if reach > 0 else []


def _strength(rest: float, both: NDArray[np.float64]) -> float:
    """1 − variance of the rest ÷ variance of the part with the rest, at least 0."""
    whole = float(np.var(both))
    return round(max(0.0, 1 - rest / whole), 3) if whole > 0 else 0.0


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]
