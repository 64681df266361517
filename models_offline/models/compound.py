"""Compound demand: how often there is some, times how much at a time."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from models_offline.models.base import Setup
from models_offline.models.flat import FlatRates
from models_offline.quantiles import VALUE_COLUMNS, recent_weights
from models_offline.sizes import BORROWED, MEMORY, mean, of_a_period, quantiles

Array = NDArray[np.float64]

RATE_MEMORY = {"D": 0.99, "W": 0.96, "M": 0.96}
"""Weight of a period against the next one, in how often."""
PRIOR = 1.0
"""Periods of all series' mean that a series' own are mixed with."""


class Compound(FlatRates):
    """A flat rate whose quantiles are those of what was asked for, not of a fitted curve.

    How often: exponentially weighted share of periods with demand. How much: the series' own sizes
    and those of series alike (bootstrap of Willemain, Smart & Schwarz 2004, "A new approach to
    forecasting intermittent demand for service parts inventories").
    """

    name: ClassVar[str] = "compound"
    library: ClassVar[str] = "numpy"
    _usual = 0.0

    @classmethod
    def parameters(cls, setup: Setup) -> dict[str, Any]:
        code = setup.frequency.code
        memories = {"memory": RATE_MEMORY[code], "size_memory": MEMORY[code]}
        return memories | {"prior": PRIOR, "borrowed": BORROWED}

    def learn(self) -> None:
        """How often there is demand on average."""
        hits = np.array([self._hits(one.y) for one in self._series]).reshape(-1, 2).sum(axis=0)
        self._usual = float(hits[0] / max(hits[1], 1.0))

    def column(self, y: Array) -> Array:
        if not y.any():
            return np.zeros(len(VALUE_COLUMNS))
        sizes = self._sizes.at(y)
        some, periods = self._hits(y)
        chance = (some + PRIOR * self._usual) / (periods + PRIOR)
        return np.array([chance * mean(sizes), *quantiles(of_a_period(sizes, chance))])

    def _hits(self, y: Array) -> tuple[float, float]:
        """Weighted periods with demand, and all weighted periods."""
        weights = recent_weights(len(y), RATE_MEMORY[self.setup.frequency.code])
        return float(weights[y > 0].sum()), float(weights.sum())
