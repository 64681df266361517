"""Seasonal naive: the last season again. What every other model falls back to."""

from __future__ import annotations

import numpy as np

from models_offline.models.base import PerSeries, Series
from models_offline.quantiles import LEVELS, Values, around, empirical_offsets


class SeasonalNaive(PerSeries):
    """Repeats the last season (the last quantity when there is not a whole one).

    Errors are those of the same forecast inside the history, one season further for each season
    of the horizon.
    """

    name = "seasonal_naive"

    def fit_one(self, series: Series) -> int:
        season = self.setup.frequency.season_length
        return season if len(series.y) >= season else 1

    def predict_one(self, series: Series, state: int, horizon: int) -> Values:
        last = series.y[-state:]
        steps = np.arange(horizon)
        seasons = steps // state
        offsets = np.array([_offsets(series.y, state, 1 + n) for n in range(seasons[-1] + 1)])
        return around(last[steps % state], offsets[seasons].T)


def _offsets(y: np.ndarray, season: int, seasons: int) -> np.ndarray:
    for count in range(seasons, 0, -1):
        lag = season * count
        if len(y) >= 2 * lag or (count == 1 and len(y) > lag):
            return empirical_offsets(y[lag:] - y[:-lag])
    return np.zeros(len(LEVELS))
