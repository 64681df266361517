"""Quantiles of a sum from the quantiles of its parts.

Summing quantiles would take all depots to have their worst day together. Instead each part is
drawn from its own quantiles, the draws tied together by one common factor (a Gaussian copula with
the same correlation between every two parts, estimated on the backtest), and the quantiles of the
summed draws are taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models_offline.quantiles import LEVELS

Values = NDArray[np.float64]

DRAWS = 1000
STRATA = 20
"""Points of a distribution that its standard deviation is taken from."""
MOST_CORRELATED = 0.9
RARE = LEVELS.index(0.9)
_GRID = np.array([0.0, *LEVELS, 1.0])


def quantiles_of_sum(parts: Values, means: Values, correlation: float, seed: int) -> Values:
    """Quantiles (steps, levels) of the sum of `parts` (parts, steps, levels), whose expected values
    are `means` (parts, steps). A single part keeps its quantiles.

    The same draws serve every step, so that neighbouring dates do not differ by chance.
    """
    if len(parts) == 1:
        return parts[0]
    shares = _shares(len(parts), correlation, np.random.default_rng(seed))
    total = np.zeros((parts.shape[1], DRAWS))
    for part, expected, share in zip(parts, means, shares, strict=True):
        total += _draws(part, expected, share)
    mean, drawn = means.sum(axis=0), total.mean(axis=1)
    total *= np.divide(mean, drawn, out=np.ones_like(mean), where=drawn > 0)[:, None]
    return np.quantile(total, LEVELS, axis=1).T


def _draws(quantiles: Values, mean: Values, shares: Values) -> Values:
    """Quantities (steps, draws) of one part. Demand in less than a tenth of all periods is mostly
    beyond the last quantile, which may be 0: the end there is lifted by what the mean lacks."""
    drawn = at_shares(quantiles, shares)
    rare = quantiles[:, RARE] <= 0
    lacking = np.where(rare, np.maximum(mean - drawn.mean(axis=1), 0.0), 0.0)
    beyond = np.maximum(shares - LEVELS[-1], 0.0) / (1 - LEVELS[-1])
    return drawn + np.outer(lacking * 2 / (1 - LEVELS[-1]), beyond)


def at_shares(quantiles: Values, shares: Values) -> Values:
    """The inverse distribution function (…, shares) of quantiles (…, levels), linear between
    them; beyond the outermost it goes on as from the one before, never below 0."""
    low = np.maximum(2 * quantiles[..., :1] - quantiles[..., 1:2], 0.0)
    high = 2 * quantiles[..., -1:] - quantiles[..., -2:-1]
    ends = np.concatenate([low, quantiles, high], axis=-1)
    right = np.clip(np.searchsorted(_GRID, shares), 1, len(_GRID) - 1)
    weight = (shares - _GRID[right - 1]) / (_GRID[right] - _GRID[right - 1])
    return ends[..., right - 1] * (1 - weight) + ends[..., right] * weight


def spread(quantiles: Values) -> Values:
    """Standard deviation (…) of the distributions with quantiles (…, levels)."""
    middles = (np.arange(STRATA) + 0.5) / STRATA
    return at_shares(quantiles, middles).std(axis=-1)


def _shares(parts: int, correlation: float, random: np.random.Generator) -> Values:
    """Uniform draws (parts, draws), each part's evenly spread over 0–1."""
    from scipy.special import ndtr, ndtri

    even = ndtri((np.arange(DRAWS) + 0.5) / DRAWS)
    own = random.permuted(np.tile(even, (parts, 1)), axis=1)
    return ndtr(np.sqrt(correlation) * even + np.sqrt(1 - correlation) * own)


def correlation(errors: Values, independent: Values, together: Values) -> float:
    """The common correlation of the parts' errors, between 0 and MOST_CORRELATED.

    Of sums, one value each: `errors` (actual − forecast), and the standard deviation that they
    would have if the parts' errors were `independent`, or all went `together`. The expected squared
    error is linear in the correlation; the fit is by least squares of both ÷ independent².
    """
    usable = (independent > 0) & (together > independent * (1 + 1e-9))
    if not usable.any():
        return 0.0
    base = independent[usable] ** 2
    excess = errors[usable] ** 2 / base - 1
    slope = together[usable] ** 2 / base - 1
    return float(np.clip((excess * slope).sum() / (slope**2).sum(), 0.0, MOST_CORRELATED))
