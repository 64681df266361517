"""Honest quantiles: moved so that the backtest's actuals fall where they should.

One correction per model and demand class. Where demand is regular, each central interval is scaled
by one factor, the same below and above the median (split conformal scaling; Romano, Patterson &
Candès 2019, "Conformalized quantile regression"): on which side the actuals of two origins lay
tells little of the next one, how far off they were tells much. Where most periods are without
demand there is no distance to scale: there each level takes the quantile of the level that turned
out to be it (recalibration by the randomised probability integral transform; Czado, Gneiting & Held
2009). Both are linear in the quantiles, so a correction is a matrix.

What is calibrated again later, as the members of an ensemble are, takes of a factor only as much as
the origins agree on (shrinkage towards no correction): what one of them says alone is a shock that
hit all series together, and would count twice. Of the move of a level n origins are believed
n ÷ (n + 2).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.classes import INTERMITTENT_CLASSES
from models_offline.quantiles import LEVELS, QUANTILE_COLUMNS, whole_pieces

ENOUGH_POINTS = 60
ENOUGH_FORECASTS = 200
"""Series times origins by which a class is judged half by itself: the points of one forecast go
wrong together, so they count as one."""
ENOUGH_BEYOND = 8
"""An interval with fewer expected points outside borrows from the next narrower one."""
DOUBTED_ORIGINS = 2
"""Origins that say nothing of the levels of intermittent demand, with which those of the backtest
are averaged: what all series have in common in a horizon moves them as much as an error would."""
NARROWEST = 0.3
WIDEST = 4.0
TOLERANCE = 0.01
"""An interval that holds within so much is left as it is."""
SMALLEST = 1e-12
MEDIAN = LEVELS.index(0.5)
INTERVALS = [(at, LEVELS.index(round(1 - LEVELS[at], 3))) for at in reversed(range(MEDIAN))]
"""Indices of the levels of each central interval, the narrowest first."""

Correction = NDArray[np.float64]
"""Shape (quantiles, quantiles): corrected = quantiles @ correction."""
Corrections = dict[tuple[str, str], Correction]


def corrections(points: pd.DataFrame, *, agreed: bool = False) -> Corrections:
    """(demand class, model) → correction, from backtest points; `agreed`: as far as the origins
    agree.

    That of a class is drawn towards the one of all regular, or all intermittent, classes together,
    the more the fewer forecasts it was judged by.
    """
    pauses = points["demand_class"].isin(INTERMITTENT_CLASSES)
    found = {}
    for (model, _), alike in points.groupby(["model", pauses], sort=True):
        shared = _believed(str(alike["demand_class"].iloc[0]), alike, agreed=agreed)
        for name, group in alike.groupby("demand_class", sort=True):
            judged = len(group[["unique_id", "cut"]].drop_duplicates())
            own = judged / (judged + ENOUGH_FORECASTS)
            alone = _believed(str(name), group, agreed=agreed)
            found[str(name), str(model)] = own * alone + (1 - own) * shared
    return found


def apply(rows: pd.DataFrame, series: pd.DataFrame, found: Corrections) -> pd.DataFrame:
    """Rows with corrected quantiles; `series` gives demand_class, smallest and piece by
    unique_id."""
    ids = rows["unique_id"]
    values = rows[QUANTILE_COLUMNS].to_numpy(dtype=float, copy=True)
    groups = rows.groupby([ids.map(series["demand_class"]).to_numpy(), "model"]).indices
    for key, mine in groups.items():
        if key in found:
            values[mine] = values[mine] @ found[key]
    values = np.sort(np.maximum(values, 0.0), axis=1)
    smallest, piece = (ids.map(series[name]).to_numpy()[:, None] for name in ("smallest", "piece"))
    whole = whole_pieces(values, smallest, piece)
    return rows.assign(**dict(zip(QUANTILE_COLUMNS, whole.T, strict=True)))


def _believed(demand_class: str, points: pd.DataFrame, *, agreed: bool) -> Correction:
    """The correction of one group of points, as far as their origins (`cut`) can be believed."""
    found = correction(demand_class, points, agreed=agreed)
    if demand_class not in INTERMITTENT_CLASSES:
        return found
    origins = points["cut"].nunique()
    share = origins / (origins + DOUBTED_ORIGINS)
    return share * found + (1 - share) * np.eye(len(LEVELS))


def correction(demand_class: str, points: pd.DataFrame, *, agreed: bool = False) -> Correction:
    """The correction of one group of points; none where there are too few. `agreed`: as far as
    their origins (`cut`) agree."""
    if len(points) < ENOUGH_POINTS:
        return np.eye(len(LEVELS))
    values = points[QUANTILE_COLUMNS].to_numpy(dtype=float)
    actual = points["actual"].to_numpy(dtype=float)
    if demand_class in INTERMITTENT_CLASSES:
        return _relevelled(values, actual)
    origins = points["cut"].to_numpy() if agreed else np.zeros(len(points), dtype=int)
    return _scaled(values, actual, origins)


def _scaled(
    values: NDArray[np.float64], actual: NDArray[np.float64], origins: NDArray[np.int_]
) -> Correction:
    found, factor = [], 1.0
    for low, high in INTERVALS:
        share = LEVELS[high] - LEVELS[low]
        if len(actual) * (1 - share) >= ENOUGH_BEYOND:
            factor = _agreed(values[:, [low, MEDIAN, high]], actual, share, origins)
        found.append(factor)
    tails = np.maximum(LEVELS, 1 - np.array(LEVELS))
    factors = np.interp(tails, [LEVELS[high] for _, high in INTERVALS], found)
    factors[MEDIAN] = 1.0
    matrix = np.diag(factors)
    matrix[MEDIAN] += 1 - factors
    return matrix


def _agreed(
    interval: NDArray[np.float64],
    actual: NDArray[np.float64],
    share: float,
    origins: NDArray[np.int_],
) -> float:
    """The factor of all origins, its logarithm shrunk by how uncertain their factors leave it."""
    factor = _factor(interval, actual, share)
    each = [origins == origin for origin in np.unique(origins)]
    if factor == 1.0 or len(each) < 2:
        return factor
    alone = [np.log(_factor(interval[here], actual[here], share)) for here in each]
    together, noise = np.log(factor), np.var(alone, ddof=1) / len(alone)
    return float(np.exp(together**3 / max(together**2 + noise, SMALLEST)))


def _factor(interval: NDArray[np.float64], actual: NDArray[np.float64], share: float) -> float:
    """What both halves of an interval (n, 3: low, median, high) have to be multiplied by to hold
    `share` of the actuals."""
    low, median, high = interval.T
    width = np.where(actual >= median, high - median, median - low)
    distance = np.abs(actual - median)
    wide = width > 1e-9
    if wide.sum() < ENOUGH_POINTS or abs(np.mean(distance <= width) - share) < TOLERANCE:
        return 1.0
    ratio = np.quantile(distance[wide] / width[wide], share)
    return float(np.clip(ratio, NARROWEST, WIDEST))


def _relevelled(values: NDArray[np.float64], actual: NDArray[np.float64]) -> Correction:
    """Each level takes the quantile of the level that turned out to be it."""
    grid = np.linspace(0.0, 1.0, 401)
    below, upto = transform(values, actual)
    shares = np.array([held(below, upto, level) for level in grid])
    wanted = np.clip(np.interp(LEVELS, shares, grid), LEVELS[0], LEVELS[-1])
    wanted = np.maximum.accumulate(wanted)
    return np.array([np.interp(wanted, LEVELS, row) for row in np.eye(len(LEVELS))])


def transform(
    values: NDArray[np.float64], actual: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """P(demand < actual) and P(demand ≤ actual) of each point, from its quantiles (n, levels).

    Between two quantiles that an actual lies between, the probability is interpolated; a jump at
    the actual itself ends halfway to the next level.
    """
    edges = np.array([0.0, *LEVELS, 1.0])
    middles = (edges[1:] + edges[:-1]) / 2
    less = (values < actual[:, None] - 1e-9).sum(axis=1)
    most = (values <= actual[:, None] + 1e-9).sum(axis=1)
    inside = (less == most) & (less > 0) & (less < len(LEVELS))
    rows = np.flatnonzero(inside)
    low, high = values[rows, less[rows] - 1], values[rows, less[rows]]
    share = (actual[rows] - low) / (high - low)
    below, upto = middles[less], middles[most]
    below[rows] = upto[rows] = edges[less[rows]] + share * (
        edges[less[rows] + 1] - edges[less[rows]]
    )
    below[less == 0] = 0.0
    upto[most == len(LEVELS)] = 1.0
    return below, upto


def held(below: NDArray[np.float64], upto: NDArray[np.float64], level: float) -> float:
    """Expected share (0–1) of randomised transforms at or below `level`."""
    jump = upto - below
    share = np.where(jump > 0, (level - below) / np.where(jump > 0, jump, 1.0), level >= below)
    return float(np.clip(share, 0.0, 1.0).mean())
