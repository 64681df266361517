"""Classical decomposition: is there a season, and what does it look like?

Makridakis, Wheelwright & Hyndman (1998), "Forecasting: Methods and Applications", chapter 3; the
autocorrelation test is that of the M competitions' Naive 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z_90 = 1.645
SMALLEST_FACTOR = 0.1
"""Below this factor a multiplicative season would blow noise up: then it is additive."""


@dataclass(frozen=True)
class Season:
    """One value per phase; phase 0 is the first period of the history it was estimated on.

    Factors (mean 1) when multiplicative, else units of issue (mean 0).
    """

    indices: NDArray[np.float64]
    multiplicative: bool

    def at(self, start: int, periods: int) -> NDArray[np.float64]:
        """The index of `periods` periods from number `start` on."""
        return self.indices[np.arange(start, start + periods) % len(self.indices)]

    def remove(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        index = self.at(0, len(y))
        return y / index if self.multiplicative else y - index

    def restore(self, values: NDArray[np.float64], start: int) -> NDArray[np.float64]:
        """Puts the season back on values of shape (…, periods) that begin at period `start`."""
        index = self.at(start, values.shape[-1])
        return values * index if self.multiplicative else values + index


NO_SEASON = Season(np.ones(1), multiplicative=True)


def estimate(y: NDArray[np.float64], season_length: int) -> Season:
    """The season of a history, or NO_SEASON when it is too short or the test sees none."""
    if season_length < 2 or len(y) < 2 * season_length or not is_seasonal(y, season_length):
        return NO_SEASON
    trend = moving_trend(y, season_length)
    half = season_length // 2
    body, phases = y[half : half + len(trend)], (half + np.arange(len(trend))) % season_length
    factors = _by_phase(body, phases, season_length) / _by_phase(trend, phases, season_length)
    factors /= factors.mean()
    if factors.min() >= SMALLEST_FACTOR and np.all(np.isfinite(factors)):
        return Season(factors, multiplicative=True)
    offsets = _by_phase(body - trend, phases, season_length)
    return Season(offsets - offsets.mean(), multiplicative=False)


def is_seasonal(y: NDArray[np.float64], season_length: int) -> bool:
    """True when the autocorrelation at the season's lag is significant at 90 %."""
    centred = y - y.mean()
    total = float(centred @ centred)
    if total <= 0:
        return False
    lags = np.arange(1, season_length + 1)
    acf = np.array([centred[lag:] @ centred[:-lag] for lag in lags]) / total
    limit = Z_90 * np.sqrt((1 + 2 * np.sum(acf[:-1] ** 2)) / len(y))
    return bool(acf[-1] > limit)


def moving_trend(y: NDArray[np.float64], season_length: int) -> NDArray[np.float64]:
    """Centred moving average over a season; its first value belongs to period season // 2."""
    weights = np.ones(season_length)
    if season_length % 2 == 0:
        weights = np.r_[0.5, np.ones(season_length - 1), 0.5]
    return np.convolve(y, weights / weights.sum(), mode="valid")


def _by_phase(
    values: NDArray[np.float64], phases: NDArray[np.int_], season_length: int
) -> NDArray[np.float64]:
    sums = np.bincount(phases, weights=values, minlength=season_length)
    counts = np.bincount(phases, minlength=season_length)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
