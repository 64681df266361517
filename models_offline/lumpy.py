"""Demand over lead times as samples, for items whose demand is rare and comes in lots.

How often: in each period something is demanded with a probability of which a beta distribution is
known: exponentially weighted counts of periods with and without demand, and a few periods of what
all items have in common. The periods with demand in a lead time are then beta-binomial. How much:
drawn from what the item itself was asked for (bootstrap of Willemain, Smart & Schwarz 2004, "A new
approach to forecasting intermittent demand for service parts inventories") and, the fewer those
are, from what items of its kind were (a Dirichlet process with their sizes as base).

The same seed draws the same positions for an item at every estimate, so that levels move because
of the data and not because of chance. Quantities are in units of issue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_offline.quantiles import recent_weights

Array = NDArray[np.float64]

EARLY = (1 / 3, 2 / 3)
LENT = np.array([0.125, 0.375, 0.625, 0.875])
"""Where among an item's sizes those are that it lends."""


@dataclass(frozen=True)
class Sampling:
    """memory: weight of a period against the next one, in how often; prior: periods of all items'
    mean that an item's own are mixed with; borrowed: sizes of items alike that an item's own are
    mixed with; draws: samples of each item."""

    memory: float = 0.985
    prior: float = 1.0
    borrowed: float = 1.5
    draws: int = 1500
    seed: int = 1


@dataclass(frozen=True)
class Samples:
    """What an order placed now has to serve; every row of samples has `draws` columns.

    rate: probability of demand in a period, shape (items,). before: demand of all but the last
    period of the lead time. early: the same of the first third and two thirds of these periods.
    size: demand of a period in which there is some. last: demand of any period, independent of
    `before`: `before + last` is the lead time's demand.
    """

    rate: Array
    before: Array
    early: tuple[Array, ...]
    size: Array
    last: Array

    def lead_time(self) -> Array:
        """Samples of the demand over the whole lead time, in order."""
        return np.sort(self.before + self.last, axis=1)


def samples(
    history: Array, lead_time: NDArray[np.int64], kinds: NDArray[np.int64], sampling: Sampling
) -> Samples:
    """Samples of each item from its history (items × periods, oldest first), for its lead time in
    periods (at least 1). Items of the same kind lend each other sizes. Items without demand are
    given none."""
    random = np.random.default_rng(sampling.seed)
    hit, shape = history > 0, (len(history), sampling.draws)
    some, none = _counts(hit, sampling)
    counts = _beta_binomial(some, none, lead_time - 1, _strata(random, shape))
    rate = np.where(hit.any(axis=1), some / (some + none), 0.0)
    size_at, last_at = _strata(random, shape), _strata(random, shape)
    before, size = np.zeros(shape), np.zeros(shape)
    early = tuple(np.zeros(shape) for _ in EARLY)
    usual = usual_sizes(history, kinds)
    for row in np.flatnonzero(hit.any(axis=1)):
        own, lent = np.sort(history[row][hit[row]]), usual[int(kinds[row])]
        share = sampling.borrowed / (sampling.borrowed + len(own))
        size[row] = _mixed(own, lent, share, size_at[row])
        alone = np.random.default_rng((sampling.seed, int(row)))
        chances, when = alone.random((2, sampling.draws, int(lead_time[row]) - 1))
        asked = _mixed(own, lent, share, chances)
        asked[np.arange(asked.shape[1]) >= counts[row][:, None]] = 0.0
        before[row] = asked.sum(axis=1)
        for part, until in zip(early, EARLY, strict=True):
            part[row] = np.where(when < until, asked, 0.0).sum(axis=1)
    return Samples(rate, before, early, size, size * (last_at < rate[:, None]))


def usual_sizes(history: Iterable[Array], kinds: NDArray[np.int64]) -> dict[int, Array]:
    """Sizes of each kind in order: of each of its items as many, spread over the item's own."""
    found: dict[int, list[Array]] = {}
    for row, kind in zip(history, kinds.tolist(), strict=True):
        sizes = np.sort(row[row > 0])
        if len(sizes):
            found.setdefault(kind, []).append(_at(sizes, LENT))
    return {kind: np.sort(np.concatenate(sizes)) for kind, sizes in found.items()}


def _mixed(own: Array, lent: Array, share: float, chances: Array) -> Array:
    """Sizes at `chances`: of `lent` below `share`, of the item's own above it."""
    above = np.clip((chances - share) / (1 - share), 0.0, 1 - 1e-12)
    below = np.clip(chances / max(share, 1e-12), 0.0, 1 - 1e-12)
    return np.where(chances < share, _at(lent, below), _at(own, above))


def _counts(hit: NDArray[np.bool_], sampling: Sampling) -> tuple[Array, Array]:
    """The beta distribution of each item's probability: weighted periods with and without."""
    weights = recent_weights(hit.shape[1], sampling.memory)
    usual = float(np.clip(np.average(hit.mean(axis=0), weights=weights), 1e-6, 1 - 1e-6))
    some = hit @ weights + sampling.prior * usual
    return some, weights.sum() + sampling.prior - some


def _beta_binomial(
    some: Array, none: Array, periods: NDArray[np.int64], chances: Array
) -> NDArray[np.int64]:
    """Quantiles at `chances` (items × draws) of the number of periods with demand, of `periods`."""
    from scipy.special import betaln, gammaln

    most = int(periods.max(initial=0))
    k, n = np.arange(most + 1)[None, :], periods[:, None]
    rest = np.maximum(n - k, 0)
    chosen = gammaln(n + 1) - gammaln(k + 1) - gammaln(rest + 1)
    shares = np.exp(
        chosen + betaln(k + some[:, None], rest + none[:, None]) - betaln(some, none)[:, None]
    )
    upto = np.cumsum(np.where(k <= n, shares, 0.0), axis=1)
    found = (upto[:, None, :] < chances[:, :, None] * upto[:, -1:, None]).sum(axis=2)
    return np.minimum(found, n)


def _strata(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Chances in [0, 1), one in each of as many equal parts, in any order (rows on their own)."""
    order = random.permuted(np.tile(np.arange(shape[1]), (shape[0], 1)), axis=1)
    return (order + random.random(shape)) / shape[1]


def _at(sizes: Array, chances: Array) -> Array:
    return sizes[(chances * len(sizes)).astype(int)]
