"""Is a promise kept: asked for 95 % cycle service, are 95 % of lead times covered?

The level for a service is a quantile of lead-time demand; which one is learnt from the known
periods. Levels set at earlier origins are held against the demand that then came, and each service
takes the quantile that turned out to deliver it (recalibration; Czado, Gneiting & Held 2009). What
whole lots cover beyond what was asked is thereby part of the promise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.inventory import service_factor
from models_offline.lumpy import Array, Sampling, samples

ASKED = (0.80, 0.90, 0.95, 0.98, 0.99)
GRID = np.concatenate([np.linspace(0.3, 0.9, 61), np.linspace(0.905, 0.995, 19), [0.9975, 0.999]])
LOOKED_BACK = 6
"""Earlier origins that the quantiles are learnt from."""
SEEN = 2
"""Items with fewer periods of demand before an origin have no level then."""


@dataclass(frozen=True)
class Origin:
    """Samples of lead-time demand in order (items × draws), what came, and the textbook's levels
    (items × ASKED), for the items that were known at an origin."""

    demand: Array
    came: Array
    textbook: Array

    def covered(self, quantile: float) -> float:
        """Share of items whose demand was at most the quantile of their samples."""
        draws = self.demand.shape[1]
        place = min(int(np.ceil(quantile * draws - 1e-9)), draws) - 1
        return float(np.mean(self.came <= self.demand[:, place]))


@dataclass(frozen=True)
class Delivered:
    """Shares of lead times that were covered, in the order of ASKED."""

    ours: list[float]
    textbook: list[float]

    def gap(self) -> float:
        """Mean distance of ours from what was asked."""
        return float(np.mean(np.abs(np.array(self.ours) - ASKED)))


def delivered(
    demand: Array,
    lead_time: NDArray[np.int64],
    kinds: NDArray[np.int64],
    known: int,
    every: int,
    sampling: Sampling,
) -> Delivered | None:
    """What levels deliver that are set at `known` periods and at every `every`-th after it.

    demand: items × periods; lead_time in periods; items of a kind lend each other sizes. At each
    origin only what was known then is used; the last one is the last whose longest lead time ends
    within the data. Origins at which no item is known yet are left out; None if none is left.
    """
    longest = int(lead_time.max())
    if known + longest > demand.shape[1]:
        return None
    back = every * -(-longest // every) + every * (LOOKED_BACK - 1)
    last = demand.shape[1] - longest
    origins = {
        at: _origin(demand, lead_time, kinds, at, sampling)
        for at in range(known - back, last + 1, every)
        if at >= min(known, longest) and _known(demand, at).any()
    }
    ours, textbook = [], []
    for at, now in origins.items():
        if at < known:
            continue
        past = [one for when, one in origins.items() if when + longest <= at][-LOOKED_BACK:]
        ours.append([now.covered(quantile) for quantile in quantiles_for(ASKED, past)])
        textbook.append((now.came[:, None] <= now.textbook).mean(axis=0))
    if not ours:
        return None
    return Delivered(np.mean(ours, axis=0).tolist(), np.mean(textbook, axis=0).tolist())


def quantiles_for(asked: Sequence[float], past: Sequence[Origin]) -> list[float]:
    """The quantile that delivered each service level at past origins; the level itself without."""
    if not past:
        return list(asked)
    shares = np.mean([[one.covered(quantile) for quantile in GRID] for one in past], axis=0)
    return np.interp(asked, np.maximum.accumulate(shares), GRID).tolist()


def _known(demand: Array, at: int) -> NDArray[np.bool_]:
    return (demand[:, :at] > 0).sum(axis=1) >= SEEN


def _origin(
    demand: Array,
    lead_time: NDArray[np.int64],
    kinds: NDArray[np.int64],
    at: int,
    sampling: Sampling,
) -> Origin:
    known = _known(demand, at)
    history, lead = demand[known, :at], lead_time[known]
    until = at + lead[:, None]
    ahead = np.arange(demand.shape[1])[None, :]
    came = np.where((ahead >= at) & (ahead < until), demand[known], 0.0).sum(axis=1)
    mean, std = history.mean(axis=1), history.std(axis=1, ddof=1)
    spread = np.sqrt(lead)[:, None] * std[:, None] * service_factor(ASKED)
    textbook = np.ceil(np.maximum((lead * mean)[:, None] + spread, 0.0) - 1e-9)
    return Origin(samples(history, lead, kinds[known], sampling).lead_time(), came, textbook)
