"""Moving average: the mean of the last periods, flat."""

from __future__ import annotations

from typing import Any

import numpy as np

from models_offline.models.base import PerSeries, Series, Setup
from models_offline.quantiles import Values, spread_by


class MovingAverage(PerSeries):
    """The mean of a fixed window; the spread is that of its one-step errors inside the history."""

    name = "moving_average"

    @classmethod
    def parameters(cls, setup: Setup) -> dict[str, Any]:
        return {"window": setup.frequency.moving_average}

    def fit_one(self, series: Series) -> int:
        return max(1, min(self.setup.frequency.moving_average, len(series.y) // 2))

    def predict_one(self, series: Series, state: int, horizon: int) -> Values:
        means = np.convolve(series.y, np.full(state, 1 / state), mode="valid")
        errors = series.y[state:] - means[:-1]
        return spread_by([errors], np.full(horizon, means[-1]), series.y)
