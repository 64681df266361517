"""SCUM: the median of AutoARIMA, AutoETS, AutoCES and Dynamic Optimised Theta.

Petropoulos & Svetunkov (2020), "A simple combination of univariate models"; the outside reference
that an ensemble of this kind has to beat. As there, a season longer than 24 periods is left to
Theta alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from models_offline.models.base import PerSeries, Series
from models_offline.models.wrapped import one_step_error, quietly
from models_offline.quantiles import Values, normal

APPROXIMATE_FROM = 150
LONGEST_SEASON = 24


class Scum(PerSeries):
    """The median of four automatic models, each with its own seasonal terms."""

    name = "SCUM"
    library = "statsforecast"

    def fit_one(self, series: Series) -> list[Any]:
        length = self.season_length(series)
        short = length if length <= LONGEST_SEASON else 1
        fitted = [_fitted(model, series.y) for model in _members(length, short, len(series.y))]
        alive = [model for model in fitted if model is not None]
        if not alive:
            raise ValueError("none of the four models could be fitted")
        return alive

    def predict_one(self, series: Series, state: list[Any], horizon: int) -> Values:
        means = np.array([model.predict(h=horizon)["mean"] for model in state], dtype=float)
        sigma = np.median([one_step_error(model, series.y) for model in state])
        spread = float(sigma) * np.sqrt(1 + np.arange(horizon) / 4)
        return normal(np.median(means, axis=0), spread)


def _members(length: int, short: int, periods: int) -> list[Any]:
    from statsforecast.models import AutoARIMA, AutoCES, AutoETS, DynamicOptimizedTheta

    return [
        AutoARIMA(season_length=short, approximation=periods > APPROXIMATE_FROM),
        AutoETS(season_length=short),
        AutoCES(season_length=short),
        DynamicOptimizedTheta(season_length=length),
    ]


def _fitted(model: Any, y: Any) -> Any | None:
    try:
        return quietly(model.fit, y)
    except Exception:  # one of four may fail on a series: the median is then of the others
        return None
