"""The models, one per file, found by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module

from models_offline.models import lstm, prophet
from models_offline.models.arima import Arima
from models_offline.models.base import Forecaster, PerSeries, Setup
from models_offline.models.ces import Ces
from models_offline.models.compound import Compound
from models_offline.models.ets import Ets
from models_offline.models.family import FamilySeason
from models_offline.models.flat import FlatRates
from models_offline.models.imapa import Imapa
from models_offline.models.lightgbm import LightGbm
from models_offline.models.lstm import Lstm
from models_offline.models.moving_average import MovingAverage
from models_offline.models.naive import Naive
from models_offline.models.naive2 import Naive2
from models_offline.models.pooled import Pooled
from models_offline.models.prophet import Prophet
from models_offline.models.scum import Scum
from models_offline.models.seasonal_naive import SeasonalNaive
from models_offline.models.ses import Ses
from models_offline.models.theta import Theta
from models_offline.models.tsb import Tsb

ForecasterType = (
    type[PerSeries] | type[Lstm] | type[LightGbm] | type[FamilySeason] | type[FlatRates]
)

FALLBACK = SeasonalNaive.name

MODELS: dict[str, ForecasterType] = {
    model.name: model
    for model in (
        Arima,
        Prophet,
        Lstm,
        LightGbm,
        Ets,
        Theta,
        Ces,
        Ses,
        Imapa,
        Tsb,
        Pooled,
        Compound,
        FamilySeason,
        Naive,
        SeasonalNaive,
        MovingAverage,
    )
}
"""Heavy libraries are imported inside `fit`, so this table costs nothing."""


REFERENCES: dict[str, ForecasterType] = {model.name: model for model in (Naive2, Scum)}
"""What a benchmark compares with; never part of a forecast."""


LIBRARIES: dict[str, Callable[[], object]] = {
    "lightgbm": lambda: import_module("lightgbm"),
    "prophet": prophet.load,
    "statsforecast": lambda: import_module("statsforecast.models"),
    "tensorflow": lstm.load,
}
"""How each heavy library is imported."""


def load(names: Iterable[str]) -> None:
    """Imports the libraries of some models, so that their first fits need not. Of one that is not
    there the fit tells."""
    for library in sorted({kind(name).library for name in names} & LIBRARIES.keys()):
        with suppress(ImportError):
            LIBRARIES[library]()


def kind(name: str) -> ForecasterType:
    """The class of a model or reference. Raises KeyError for an unknown name."""
    return MODELS.get(name) or REFERENCES[name]


def create(name: str, setup: Setup) -> Forecaster:
    """A fresh model. Raises KeyError for an unknown name."""
    return kind(name)(setup)
