"""ARIMA: statsforecast's AutoARIMA without season, on deseasonalised data.

The seasonal search costs several times as much and is not better (Hyndman & Khandakar 2008 for
the stepwise search). statsmodels' Ljung–Box test says whether the residuals still hold structure.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.demand import is_intermittent
from models_offline import residuals
from models_offline.models.base import PerSeries, Series, Setup
from models_offline.quantiles import Values, negative_binomial, normal
from models_offline.seasonality import Season, estimate

LEVEL = 80
Z_LEVEL = 1.2816
RECENT_PERIODS = 420
"""Older periods tell an ARIMA without annual terms nothing, and cost time."""
SEARCH: dict[str, Any] = {
    "max_p": 3,
    "max_q": 3,
    "start_p": 1,
    "start_q": 1,
    "max_order": 4,
    "approximation": True,
}
"""Larger orders, and a search by exact likelihood, cost twice as much for the same forecasts."""
INTERMITTENT_SEARCH = {"max_p": 1, "max_q": 1, "start_p": 0, "start_q": 0}
"""Higher orders double the cost there and forecast the same."""
SHORTEST = 4


class State(NamedTuple):
    model: Any
    season: Season
    y: NDArray[np.float64]


class Arima(PerSeries):
    """AutoARIMA with its own normal intervals; intermittent demand gets a negative binomial's."""

    name = "arima"
    library = "statsforecast"

    @classmethod
    def parameters(cls, setup: Setup) -> dict[str, Any]:
        return {
            "seasonality": "classical indices when the autocorrelation test passes",
            "recent_periods": RECENT_PERIODS,
            "search": SEARCH,
            "intermittent_search": INTERMITTENT_SEARCH,
        }

    def fit_one(self, series: Series) -> State:
        y = series.y[-RECENT_PERIODS:]
        if len(y) < SHORTEST:
            raise ValueError(f"{len(y)} periods are too few for ARIMA")
        season = estimate(y, self.season_length(series))
        model = _search(season.remove(y), is_intermittent(y))
        p, q = model.model_["arma"][:2]
        self.notes[series.unique_id] = residuals.note(model.model_["residuals"], fitted=p + q)
        return State(model, season, y)

    def predict_one(self, series: Series, state: State, horizon: int) -> Values:
        raw = state.model.predict(h=horizon, level=[LEVEL])
        mean = np.asarray(raw["mean"], dtype=float)
        sigma = (np.asarray(raw[f"hi-{LEVEL}"], dtype=float) - mean) / Z_LEVEL
        values = state.season.restore(normal(mean, sigma), len(state.y))
        if is_intermittent(state.y):
            return negative_binomial(np.maximum(values[0], 0.0), state.y)
        return values


def _search(y: NDArray[np.float64], intermittent: bool) -> Any:
    from statsforecast.models import AutoARIMA

    search = SEARCH | (INTERMITTENT_SEARCH if intermittent else {})
    model = AutoARIMA(season_length=1, **search)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence notes on candidate orders, not on the result
        return model.fit(y)
