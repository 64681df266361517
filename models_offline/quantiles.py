"""Quantiles that demand can have: finite, at least 0, in order, of a plausible size.

An array of forecast values has shape (1 + quantiles, horizon): the mean, then one row for each of
LEVELS, in units of issue.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

LEVELS = (0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99)
"""A grid fine enough to average, calibrate and test whole distributions."""
QUANTILE_COLUMNS = [f"p{100 * level:g}" for level in LEVELS]
VALUE_COLUMNS = ["mean", *QUANTILE_COLUMNS]
MEAN_CEILING = 3.0
"""A mean forecast above so many times the largest quantity ever seen is an explosion."""
QUANTILE_CEILING = 5.0
"""Quantiles are cut at so many times the largest quantity ever seen."""
RECENT_WEIGHT = 0.05
"""Weight of the newest period in exponentially weighted moments."""
ENOUGH_ERRORS = 8
"""Fewer errors of its own do not tell the spread of a series by themselves."""


USUAL_ZEROS = 0.1
FINEST = 1000
"""Parts of a unit of issue that quantities are told apart by."""


class Implausible(ValueError):
    """A model's forecast is not finite, or far beyond anything the series ever did."""


def tidy(values: Values, history: NDArray[np.float64]) -> Values:
    """The forecast cut to what is possible; raises Implausible when it exploded.

    Where there never was any demand, none is forecast.
    """
    if not np.all(np.isfinite(values)):
        raise Implausible("the forecast is not finite")
    largest = float(history.max(initial=0.0))
    if largest > 0 and values[0].max(initial=0.0) > MEAN_CEILING * largest:
        raise Implausible(
            f"the mean reaches {values[0].max():.4g} where {largest:.4g} was the most ever seen"
        )
    cut = np.clip(values, 0.0, QUANTILE_CEILING * largest)
    cut[1:] = np.sort(cut[1:], axis=0)
    cut[1:] = no_crumbs(cut[1:], smallest_demand(history))
    return cut


def smallest_demand(history: NDArray[np.float64]) -> float:
    """The smallest quantity ever demanded, where periods without demand are usual; else 0."""
    sizes = history[history > 0]
    usual = len(history) - len(sizes) >= USUAL_ZEROS * len(history)
    return float(sizes.min()) if usual and len(sizes) else 0.0


def piece_of_demand(history: NDArray[np.float64]) -> float:
    """The quantity that all demands are multiples of, where periods without demand are usual;
    else 0."""
    return _piece(history[history > 0]) if smallest_demand(history) > 0 else 0.0


def _piece(sizes: NDArray[np.float64]) -> float:
    """The quantity that all sizes are multiples of, in whole FINEST parts of a unit."""
    return float(np.gcd.reduce(np.rint(FINEST * sizes).astype(np.int64))) / FINEST


def whole_pieces(
    quantiles: NDArray[np.float64], smallest: NDArray[np.float64], piece: NDArray[np.float64]
) -> Values:
    """Quantiles that demand can have: no crumbs, and multiples of `piece` (0: of anything). What
    lies between two multiples never comes, yet would be taken for a share of what does."""
    kept = no_crumbs(quantiles, smallest)
    size = np.where(piece > 0, piece, 1.0)
    return np.where(piece > 0, np.floor(kept / size + 0.5) * size, kept)


def no_crumbs(quantiles: NDArray[np.float64], smallest: float | NDArray[np.float64]) -> Values:
    """Quantiles below the smallest demand rounded to it or to 0, whichever is nearer: nothing lies
    between, and a p10 just above 0 would miss every period without demand. (Rounding down would
    promise more periods without demand than there are.)"""
    return np.where(quantiles < smallest / 2, 0.0, np.maximum(quantiles, smallest))


def pinball(quantiles: NDArray[np.float64], actual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pinball loss (units) of each point and level, from quantiles (n, levels)."""
    error = actual[:, None] - quantiles
    levels = np.array(LEVELS)
    return np.maximum(levels * error, (levels - 1) * error)


def around(mean: NDArray[np.float64], offsets: NDArray[np.float64]) -> Values:
    """The mean (h,) with quantiles at `offsets` (quantiles, h) from it."""
    return np.vstack([mean, mean + offsets])


def spread_by(
    errors: Sequence[NDArray[np.float64]],
    mean: NDArray[np.float64],
    history: NDArray[np.float64],
    which: NDArray[np.int_] | int = 0,
) -> Values:
    """The mean (h,) with the spread of past errors (actual − forecast); `which` of them are those
    of each step (h,), or of all.

    Fewer than ENOUGH_ERRORS count with both signs: on which side so few lay tells nothing. Where
    they show no spread at all, as those of one period or of equal ones, the quantiles are those of
    `negative_binomial`.
    """
    if any(len(some) < ENOUGH_ERRORS and not some.any() for some in errors):
        return negative_binomial(mean, history)
    offsets = np.array([_offsets(some) for some in errors])
    return around(mean, offsets[np.broadcast_to(which, mean.shape)].T)


def _offsets(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    few = len(errors) < ENOUGH_ERRORS
    return np.quantile(np.concatenate([errors, -errors]) if few else errors, LEVELS)


def recent_weights(periods: int, memory: float) -> NDArray[np.float64]:
    """1 for the newest period, the last; of each before it `memory` times that of the next."""
    return np.asarray(memory ** np.arange(periods)[::-1], dtype=np.float64)


def recent_moments(history: NDArray[np.float64]) -> tuple[float, float]:
    """Exponentially weighted mean (units) and variance (units²) of a history."""
    weights = recent_weights(len(history), 1 - RECENT_WEIGHT)
    mean = float(np.average(history, weights=weights))
    return mean, float(np.average((history - mean) ** 2, weights=weights))


def negative_binomial(mean: NDArray[np.float64], history: NDArray[np.float64]) -> Values:
    """Quantiles of a negative binomial around `mean` (h,), as dispersed as the recent history.

    Variance ÷ mean is taken from `recent_moments`; without over-dispersion it is a Poisson. For
    quantities that come in lots the count is the number of lots of half the usual (median) size,
    else of units, or of the parts of a unit that they come in.
    """
    from scipy import stats

    sizes = history[history > 0]
    if len(sizes) == 0:
        return np.zeros((len(VALUE_COLUMNS), len(mean)))
    lot = max(min(1.0, _piece(sizes)), float(np.median(sizes)) / 2)
    recent, variance = recent_moments(history / lot)
    dispersion = max(variance / recent if recent > 0 else 1.0, 1.0 + 1e-6)
    counts = np.maximum(mean / lot, 1e-9)
    size = counts / (dispersion - 1)
    quantiles = [stats.nbinom.ppf(level, size, 1 / dispersion) * lot for level in LEVELS]
    return np.vstack([np.maximum(mean, 0.0), *quantiles])


def normal(mean: NDArray[np.float64], sigma: NDArray[np.float64]) -> Values:
    """Quantiles of a normal distribution of each step's mean and standard deviation."""
    from scipy import stats

    return around(mean, stats.norm.ppf(LEVELS)[:, None] * sigma)
