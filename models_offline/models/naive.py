"""Naive: the last quantity again."""

from __future__ import annotations

import numpy as np

from models_offline.models.base import PerSeries, Series
from models_offline.quantiles import Values, around, empirical_offsets


class Naive(PerSeries):
    """Repeats the last quantity; the spread of each step is that of past changes over its lag."""

    name = "naive"

    def fit_one(self, series: Series) -> None:
        return None

    def predict_one(self, series: Series, state: None, horizon: int) -> Values:
        mean = np.full(horizon, series.y[-1])
        longest = max(1, min(horizon, len(series.y) // 2))
        offsets = [
            empirical_offsets(series.y[lag:] - series.y[:-lag]) for lag in range(1, longest + 1)
        ]
        padded = [offsets[min(step, longest - 1)] for step in range(horizon)]
        return around(mean, np.array(padded).T)
