"""Flat rates that are learnt from all series together, with sizes that series lend each other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models_offline.models.base import Results, Series, Setup, split
from models_offline.quantiles import Values
from models_offline.sizes import Sizes


class FlatRates(ABC):
    """A global model whose forecast is the same at every step. Subclasses give `learn` and
    `column`."""

    name: ClassVar[str]
    library: ClassVar[str]
    scope: ClassVar[Literal["series", "global"]] = "global"

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.failures: dict[Any, str] = {}
        self.notes: dict[Any, dict[str, float]] = {}
        self._series: list[Series] = []
        self._sizes = Sizes.of([], setup.frequency.code)

    @classmethod
    @abstractmethod
    def parameters(cls, setup: Setup) -> dict[str, Any]:
        """What the manifest says about the model's settings."""

    @abstractmethod
    def learn(self) -> None:
        """Finds what all of `self._series` have in common."""

    @abstractmethod
    def column(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean and quantiles (1 + quantiles,) of any period after a history."""

    def fit(self, history: pd.DataFrame) -> Self:
        self.look_at(history)
        self._sizes = Sizes.of((series.y for series in self._series), self.setup.frequency.code)
        self.learn()
        return self

    def look_at(self, history: pd.DataFrame) -> Self:
        """Forecasts will be of this history; what was learnt of an earlier one stays."""
        self._series = list(split(history))
        return self

    def predict(self, horizon: int) -> pd.DataFrame:
        results = Results(self.setup)
        for series in self._series:
            results.add(series, horizon, partial(self._values, series.y, horizon))
        self.failures = results.failures
        return results.frame()

    def _values(self, y: NDArray[np.float64], horizon: int) -> Values:
        return np.repeat(self.column(y)[:, None], horizon, axis=1)
