"""How much is asked for at a time where demand pauses: a series' own sizes, and what it borrows.

A few demands do not show how large the next one can be, so a series borrows sizes from those that
are usually asked for about as much at a time (a Dirichlet process with their sizes as its base).
Quantities are in units of issue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models_offline.lumpy import usual_sizes
from models_offline.quantiles import LEVELS, recent_weights

GROUPS = 5
"""So many groups of series, of as many each, by the geometric mean of their sizes."""
BORROWED = 3.0
"""Sizes borrowed by each series."""
MEMORY = {"D": 0.997, "W": 0.98, "M": 0.98}
"""Weight of a size against one of the next period."""
MOST_OFTEN = 0.97
"""A rate that would need demand in more periods than that is of larger sizes instead."""
LEVEL_SHARES = np.diff([0.0, *((np.array(LEVELS[1:]) + LEVELS[:-1]) / 2), 1.0])
"""What each quantile stands for of a distribution."""

Array = NDArray[np.float64]
Distribution = tuple[Array, Array]
"""Values in units, and their probabilities, which sum to 1."""


@dataclass(frozen=True)
class Sizes:
    """edges: the usual sizes between the groups; lent: the sizes of each group in order."""

    edges: Array
    lent: dict[int, Array]
    memory: float

    @classmethod
    def of(cls, histories: Iterable[Array], frequency: str) -> Self:
        """What the series with demand lend each other."""
        known = [y for y in histories if y.any()]
        usual = np.array([_usual(y) for y in known])
        edges = np.quantile(usual, np.arange(1, GROUPS) / GROUPS) if known else np.empty(0)
        groups = np.searchsorted(edges, usual, side="right")
        return cls(edges, usual_sizes(known, groups), MEMORY[frequency])

    def at(self, y: Array) -> Distribution:
        """Sizes of the next demand of a series with demand."""
        own = y[y > 0]
        recent = recent_weights(len(y), self.memory)[y > 0]
        group = int(np.searchsorted(self.edges, _usual(y), side="right"))
        lent = self.lent.get(group, own)
        share = BORROWED / (BORROWED + len(own))
        chances = [(1 - share) * recent / recent.sum(), np.full(len(lent), share / len(lent))]
        return np.concatenate([own, lent]), np.concatenate(chances)

    def of_rate(self, y: Array, rate: float) -> Distribution:
        """The demand of a period of a series with demand, whose mean is `rate`."""
        values, chances = self.at(y)
        often = rate / mean((values, chances))
        larger = max(1.0, often / MOST_OFTEN)
        return of_a_period((values * larger, chances), min(often, MOST_OFTEN))


def _usual(y: Array) -> float:
    return float(np.log(y[y > 0]).mean())


def mean(sizes: Distribution) -> float:
    return float(sizes[0] @ sizes[1])


def of_a_period(sizes: Distribution, chance: float) -> Distribution:
    """The demand of a period in which there is some with the probability `chance`."""
    values, chances = sizes
    return np.append(values, 0.0), np.append(chance * chances, 1 - chance)


def quantiles(demand: Distribution) -> Array:
    """At LEVELS."""
    values, chances = demand
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(chances[order])
    at = np.searchsorted(upto, np.array(LEVELS) * upto[-1] - 1e-12)
    return np.asarray(values[order][at])


def mixed(at_levels: Array, demand: Distribution) -> Array:
    """Quantiles at LEVELS of a distribution known by its own, and another, half of each."""
    values, chances = demand
    both = np.concatenate([LEVEL_SHARES, chances]) / 2
    return quantiles((np.concatenate([at_levels, values]), both))
