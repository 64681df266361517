"""The models, one per file, found by name."""

from __future__ import annotations

from models_offline.models.arima import Arima
from models_offline.models.base import Forecaster, PerSeries, Setup
from models_offline.models.lstm import Lstm
from models_offline.models.moving_average import MovingAverage
from models_offline.models.naive import Naive
from models_offline.models.prophet import Prophet
from models_offline.models.seasonal_naive import SeasonalNaive

ForecasterType = type[PerSeries] | type[Lstm]

FALLBACK = SeasonalNaive.name

MODELS: dict[str, ForecasterType] = {
    model.name: model for model in (Arima, Prophet, Lstm, Naive, SeasonalNaive, MovingAverage)
}
"""Heavy libraries are imported inside `fit`, so this table costs nothing."""


def create(name: str, setup: Setup) -> Forecaster:
    """A fresh model. Raises KeyError for an unknown name."""
    return MODELS[name](setup)
