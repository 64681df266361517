"""How members' forecasts become one: shared by the trainer and by the page that explains it.

Jose & Winkler (2008), "Simple robust averages of forecasts"; Petropoulos & Svetunkov (2020), "A
simple combination of univariate models".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TOLERANCE = 1.15
"""A member whose error is more than so many times the best's is dropped."""
MEDIAN_SHARE = 0.5
ENOUGH_TO_TRIM = 5
"""With fewer members a mean without the lowest and the highest would be their median."""


@dataclass(frozen=True)
class Combined:
    """One value of the ensemble: how many members were kept, their weighted mean, their median."""

    kept: int
    mean: float
    median: float

    @property
    def value(self) -> float:
        """Half the mean, half the median."""
        return (1 - MEDIAN_SHARE) * self.mean + MEDIAN_SHARE * self.median


def combined(forecasts: Sequence[float], errors: Sequence[float]) -> Combined:
    """Members' forecasts of one period (units) with their backtest errors: the weight of each that
    is kept is the inverse of its error. Raises ValueError for none, or for lists that differ."""
    values, error = np.asarray(forecasts, float), np.asarray(errors, float)
    if len(values) == 0 or values.shape != error.shape:
        raise ValueError(f"{len(values)} forecasts but {len(error)} errors")
    kept = error <= TOLERANCE * error.min() + 1e-12
    values, weight = values[kept], 1.0 / np.maximum(error[kept], 1e-9)
    median = float(np.median(values))
    if len(values) >= ENOUGH_TO_TRIM:
        order = np.argsort(values, kind="stable")[1:-1]
        values, weight = values[order], weight[order]
    mean = float((values * weight).sum() / weight.sum())
    return Combined(int(kept.sum()), mean, median)
