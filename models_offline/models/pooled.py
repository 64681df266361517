"""Pooled smoothing: exponential averages of several memories, mixed as all series together like it.

One series of rare demand is too short to tell its own smoothing weight: what is fitted to it is
mostly noise. The weights of a few averages are linear, and least squares over every origin of every
series tell them well (cross-learning; Montero-Manso & Hyndman 2021, "Principles and algorithms for
forecasting groups of time series"). They need not sum to one: demand of ageing parts fades.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from domain.demand import is_intermittent
from models_offline.models.base import Setup
from models_offline.models.flat import FlatRates
from models_offline.quantiles import negative_binomial
from models_offline.sizes import mixed
from models_offline.survivors import first_origin, least_demands

MEMORIES = (0.01, 0.03, 0.1, 0.3)
"""Weights of the newest period in the averages."""
WEIGHT_A_HORIZON_AGO = 0.7
"""How much the error of an origin a horizon before another one counts against it."""
FIRST_ORIGIN = 0.25
"""The share of a series before its first origin: averages have to know something."""

Array = NDArray[np.float64]


class Pooled(FlatRates):
    """A global model of flat rates: one set of weights for all series whose demand pauses."""

    name: ClassVar[str] = "pooled"
    library: ClassVar[str] = "scipy"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._weights: Array = np.full(len(MEMORIES), 1 / len(MEMORIES))

    @classmethod
    def parameters(cls, setup: Setup) -> dict[str, Any]:
        return {"memories": list(MEMORIES), "weight_a_horizon_ago": WEIGHT_A_HORIZON_AGO}

    def learn(self) -> None:
        """Least squares, weights at least 0; equal ones where no series is longer than the horizon.

        An error counts in standard deviations of its series.
        """
        from scipy.optimize import nnls

        gram, moment = np.zeros((len(MEMORIES), len(MEMORIES))), np.zeros(len(MEMORIES))
        least = least_demands((series.y for series in self._series), self.setup.horizon)
        for series in self._series:
            if is_intermittent(series.y) and series.y.any():
                known, later, counts = _origins(series.y, self.setup.horizon, least)
                counted = known * (counts / series.y.var())[:, None]
                gram += counted.T @ known
                moment += counted.T @ later
        if moment.any():
            root = np.linalg.cholesky(gram + 1e-9 * np.trace(gram) * np.eye(len(gram)))
            self._weights = nnls(root.T, np.linalg.solve(root, moment))[0]

    def column(self, y: Array) -> Array:
        """Quantiles of both a negative binomial and what was asked for, half of each."""
        rate = float(averages(y)[-1] @ self._weights)
        fitted = negative_binomial(np.array([rate]), y)[:, 0]
        if rate > 0:
            fitted[1:] = mixed(fitted[1:], self._sizes.of_rate(y, rate))
        return fitted


def averages(y: Array) -> Array:
    """Exponentially weighted means of the periods up to each one, (periods, MEMORIES)."""
    from scipy.signal import lfilter

    periods = np.arange(1, len(y) + 1)
    columns = [
        lfilter([memory], [1.0, memory - 1.0], y) / (1 - (1 - memory) ** periods)
        for memory in MEMORIES
    ]
    return np.column_stack(columns)


def _origins(y: Array, horizon: int, least: int) -> tuple[Array, Array, Array]:
    """Averages known at each origin from `least` demands on, the mean of the `horizon` periods
    after it, and how much it counts."""
    first = max(horizon, int(FIRST_ORIGIN * len(y)), first_origin(y, least))
    ends = np.arange(first, len(y) - horizon + 1)
    sums = np.concatenate([[0.0], np.cumsum(y)])
    later = (sums[ends + horizon] - sums[ends]) / horizon
    counts = WEIGHT_A_HORIZON_AGO ** ((len(y) - horizon - ends) / horizon)
    return averages(y)[ends - 1], later, counts
