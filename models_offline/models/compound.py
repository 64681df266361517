"""Compound demand: how often there is some, times how much at a time."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd

from models_offline.models.base import Results, Series, Setup, split
from models_offline.quantiles import VALUE_COLUMNS, Values
from models_offline.sizes import BORROWED, MEMORY, Sizes, mean, of_a_period, quantiles

RATE_MEMORY = {"D": 0.99, "W": 0.96, "M": 0.96}
"""Weight of a period against the next one, in how often."""
PRIOR = 1.0
"""Periods of all series' mean that a series' own are mixed with."""


class Compound:
    """A flat rate whose quantiles are those of what was asked for, not of a fitted curve.

    How often: exponentially weighted share of periods with demand. How much: the series' own sizes
    and those of series alike (bootstrap of Willemain, Smart & Schwarz 2004, "A new approach to
    forecasting intermittent demand for service parts inventories").
    """

    name: ClassVar[str] = "compound"
    library: ClassVar[str] = "numpy"
    scope: ClassVar[Literal["series", "global"]] = "global"

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.failures: dict[Any, str] = {}
        self.notes: dict[Any, dict[str, float]] = {}
        self._series: list[Series] = []
        self._sizes = Sizes.of([], setup.frequency.code)
        self._usual = 0.0

    @classmethod
    def parameters(cls, setup: Setup) -> dict[str, Any]:
        code = setup.frequency.code
        memories = {"memory": RATE_MEMORY[code], "size_memory": MEMORY[code]}
        return memories | {"prior": PRIOR, "borrowed": BORROWED}

    def fit(self, history: pd.DataFrame) -> Self:
        """Learns which sizes series lend each other, and how often there is demand on average."""
        self.look_at(history)
        self._sizes = Sizes.of((series.y for series in self._series), self.setup.frequency.code)
        hits = np.array([self._hits(series) for series in self._series]).reshape(-1, 2).sum(axis=0)
        self._usual = float(hits[0] / max(hits[1], 1.0))
        return self

    def look_at(self, history: pd.DataFrame) -> Self:
        """Forecasts will be of this history; what series have in common stays that of an earlier
        one."""
        self._series = list(split(history))
        return self

    def predict(self, horizon: int) -> pd.DataFrame:
        results = Results(self.setup)
        for series in self._series:
            results.add(series, horizon, partial(self._values, series, horizon))
        self.failures = results.failures
        return results.frame()

    def _values(self, series: Series, horizon: int) -> Values:
        if not series.y.any():
            return np.zeros((len(VALUE_COLUMNS), horizon))
        sizes = self._sizes.at(series.y)
        some, periods = self._hits(series)
        chance = (some + PRIOR * self._usual) / (periods + PRIOR)
        column = [chance * mean(sizes), *quantiles(of_a_period(sizes, chance))]
        return np.repeat(np.array(column)[:, None], horizon, axis=1)

    def _hits(self, series: Series) -> tuple[float, float]:
        """Weighted periods with demand, and all weighted periods."""
        weights = RATE_MEMORY[self.setup.frequency.code] ** np.arange(len(series.y))[::-1]
        return float(weights[series.y > 0].sum()), float(weights.sum())
