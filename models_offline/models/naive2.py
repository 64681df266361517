"""Naive 2 of the M competitions: the last quantity, put back into the classical season."""

from __future__ import annotations

import numpy as np

from models_offline.frequency import Frequency
from models_offline.models.base import PerSeries, Series
from models_offline.quantiles import Values, normal
from models_offline.seasonality import Season, classical

LONGEST_SEASON = 12
"""As in the M4 competition, weekly series have no season here: the forecast is then naive."""


class Naive2(PerSeries):
    """The reference that OWA divides by."""

    name = "naive2"

    def fit_one(self, series: Series) -> Season:
        return classical(series.y, competition_season(self.setup.frequency))

    def predict_one(self, series: Series, state: Season, horizon: int) -> Values:
        rest = state.remove(series.y)
        spread = float(np.diff(rest).std()) if len(rest) > 1 else 0.0
        flat = np.full(horizon, rest[-1])
        values = normal(flat, spread * np.sqrt(1 + np.arange(horizon)))
        return state.restore(values, len(series.y))


def competition_season(frequency: Frequency) -> int:
    """The season (periods) that errors are scaled by: 12 months, 7 days, 1 week."""
    season = frequency.season_length
    return season if season <= LONGEST_SEASON else 1
