"""Decomposition: is there a season, and what does it look like?

`classical` is that of the M competitions' Naive 2 (Makridakis, Wheelwright & Hyndman 1998,
"Forecasting: Methods and Applications", chapter 3; the autocorrelation test included). `estimate`,
which the models use, asks no test: it trusts recent seasons more than old ones, outliers less, and
shrinks the indices towards no season by what of them is noise (Miller & Williams 2003, "Shrinkage
estimators of time series seasonal factors").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z_90 = 1.645
MEMORY = 0.7
"""What a season counts of what the next one does."""
TRIMMED = 0.2
"""The lowest and highest shares of a phase's ratios are cut to what lies between."""
SHRINKAGE = 1.5
"""Above the James–Stein factor of 1: the noise of neighbouring periods is not independent."""
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
    """The season of a history as far as it stands out of the noise; NO_SEASON without two whole
    seasons. Where there are periods without demand it is that of `classical`."""
    if season_length < 2 or len(y) < 2 * season_length or np.any(y <= 0):
        return classical(y, season_length)
    trend = moving_trend(y, season_length)
    half = season_length // 2
    ratios = np.log(y[half : half + len(trend)] / trend)
    phases = (half + np.arange(len(trend))) % season_length
    age = ((len(ratios) - 1 - np.arange(len(ratios))) // season_length).astype(float)
    indices = _shrunk(ratios, phases, MEMORY**age, season_length)
    if not indices.any():
        return NO_SEASON
    factors = np.exp(indices)
    return Season(factors / factors.mean(), multiplicative=True)


def _shrunk(
    ratios: NDArray[np.float64],
    phases: NDArray[np.int_],
    weights: NDArray[np.float64],
    season_length: int,
) -> NDArray[np.float64]:
    """Log indices of the phases: weighted trimmed means, times the share that is no noise."""
    indices, counts = np.zeros(season_length), np.ones(season_length)
    for phase in range(season_length):
        mine = phases == phase
        low, high = np.quantile(ratios[mine], [TRIMMED, 1 - TRIMMED])
        indices[phase] = np.average(np.clip(ratios[mine], low, high), weights=weights[mine])
        counts[phase] = weights[mine].sum() ** 2 / np.sum(weights[mine] ** 2)
    indices -= indices.mean()
    freedom = max(1, len(ratios) - season_length)
    noise = np.sum((ratios - indices[phases]) ** 2) / freedom / counts.mean()
    signal = max(float(np.sum(indices**2)), 1e-12)
    return indices * max(0.0, 1 - SHRINKAGE * max(season_length - 3, 0) * noise / signal)


def classical(y: NDArray[np.float64], season_length: int) -> Season:
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
