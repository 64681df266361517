"""Naive: the last quantity again."""

from __future__ import annotations

import numpy as np

from models_offline.models.base import PerSeries, Series
from models_offline.quantiles import Values, spread_by


class Naive(PerSeries):
    """Repeats the last quantity; the spread of each step is that of past changes over its lag."""

    name = "naive"

    def fit_one(self, series: Series) -> None:
        return None

    def predict_one(self, series: Series, state: None, horizon: int) -> Values:
        mean = np.full(horizon, series.y[-1])
        longest = max(1, min(horizon, len(series.y) // 2))
        changes = [series.y[lag:] - series.y[:-lag] for lag in range(1, longest + 1)]
        return spread_by(changes, mean, series.y, np.minimum(np.arange(horizon), longest - 1))
