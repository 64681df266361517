"""Seasonal naive: the last season again. What every other model falls back to."""

from __future__ import annotations

import numpy as np

from models_offline.models.base import PerSeries, Series
from models_offline.quantiles import Values, spread_by


class SeasonalNaive(PerSeries):
    """Repeats the last season (the last quantity when there is not a whole one).

    Errors are those of the same forecast inside the history, one season further for each season
    of the horizon; of a history of one season alone, the changes from period to period.
    """

    name = "seasonal_naive"

    def fit_one(self, series: Series) -> int:
        season = self.setup.frequency.season_length
        return season if len(series.y) >= season else 1

    def predict_one(self, series: Series, state: int, horizon: int) -> Values:
        last = series.y[-state:]
        steps = np.arange(horizon)
        seasons = steps // state
        errors = [_errors(series.y, state, 1 + n) for n in range(seasons[-1] + 1)]
        return spread_by(errors, last[steps % state], series.y, seasons)


def _errors(y: np.ndarray, season: int, seasons: int) -> np.ndarray:
    for count in range(seasons, 0, -1):
        lag = season * count
        if len(y) >= 2 * lag or (count == 1 and len(y) > lag):
            return y[lag:] - y[:-lag]
    return np.diff(y)
