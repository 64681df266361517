"""How much is asked for until a new order arrives: a distribution, not a mean.

Demand of each coming period is a distribution, kept as the mean of what lies in each of CELLS parts
of its probability. It comes from a forecast's quantiles or, where demand pauses, from what was
recorded. Draws of all periods up to a drawn lead time are added up. Periods are not independent: a
forecast that is too low tomorrow is likely too low the day after. So each draw has one common
error, which the periods share to a measured degree (one-factor Gaussian copula; Vasicek 2002).

Quantities are in units of issue, times in days. Arrays are (series, …).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.inventory import comes_in_pieces, in_pieces

Array = NDArray[np.float64]

EDGES = np.array(
    [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0]
)
"""Where the cells of a distribution end; finer where stock is decided."""
SHARES = np.diff(EDGES)
CELLS = len(SHARES)
BEYOND = 1.5
"""What may be asked for at a time, in the largest recorded; measured in docs/inventory.md."""
LEAD_TIMES = 10
"""Equally likely lead times that stand for all that were measured."""
LEAD_TIME_CHANCES = (np.arange(LEAD_TIMES) + 0.5) / LEAD_TIMES
DRAWS = 400
SEED = 11
_NORMAL = NormalDist()
_Z = np.array([_NORMAL.inv_cdf(middle) for middle in (EDGES[:-1] + EDGES[1:]) / 2])
_Z90 = _NORMAL.inv_cdf(0.9)


@dataclass(frozen=True)
class Calendar:
    """Coming periods as days from now: each begins after `starts` days and has `left` of its
    `lengths` days before it; (periods,)."""

    starts: Array
    left: Array
    lengths: Array

    @property
    def ends(self) -> Array:
        """Days from now until each period's end."""
        return self.starts + self.left

    def share_until(self, days: ArrayLike) -> Array:
        """How much of each period lies in the first `days` days: (…, periods)."""
        until = np.asarray(days, float)[..., None]
        return np.clip(until - self.starts, 0, self.left) / self.lengths


def cells_of_quantiles(mean: Array, p10: Array, p50: Array, p90: Array) -> Array:
    """Forecasts as cells: (…,) → (…, CELLS), never below 0, their mean that of the forecast.

    Each side of the median follows a normal distribution of its own width.
    """
    up, down = (p90 - p50)[..., None] / _Z90, (p50 - p10)[..., None] / _Z90
    cells = np.maximum(p50[..., None] + np.where(_Z > 0, up, down) * _Z, 0.0)
    return _with_mean(cells, mean)


def cells_of_history(history: Array, mean: Array) -> Array:
    """Demand that pauses as cells with the forecasts' mean: (series, horizon) → (series, horizon,
    CELLS).

    history: recorded demand (series, periods), NaN before a series began. Sizes are those that were
    recorded and one BEYOND the largest, since the next of n is the largest once in n + 1 times.
    There is demand as often as makes the mean; where that is more than always, each size grows.
    """
    sizes = np.sort(np.maximum(np.nan_to_num(history), 0.0), axis=1)
    larger = in_pieces(BEYOND * sizes[:, -1], comes_in_pieces(sizes))
    sizes = np.concatenate([sizes, larger[:, None]], axis=1)
    number = (sizes > 0).sum(axis=1, keepdims=True)
    usual = sizes.sum(axis=1, keepdims=True) / np.maximum(number, 1)
    often = np.divide(mean, usual, out=np.zeros_like(mean), where=usual > 0).clip(0.0, 1.0)
    chance = often[..., None]
    upto = np.concatenate([np.zeros((len(sizes), 1)), np.cumsum(sizes, axis=1)], axis=1)
    over = np.maximum(EDGES - (1 - chance), 0.0) / np.where(chance > 0, chance, 1.0)
    places = np.minimum(over, 1.0).reshape(len(sizes), mean.shape[1] * len(EDGES)) * number
    none = sizes.shape[1] - number
    whole = np.minimum(places.astype(int) + none, sizes.shape[1] - 1)
    total = np.take_along_axis(upto, whole, axis=1)
    total += (places + none - whole) * np.take_along_axis(sizes, whole, axis=1)
    share = chance / np.maximum(number, 1)[..., None]
    cells = np.diff(total.reshape(over.shape), axis=2) * share / SHARES
    return _with_mean(cells, mean)


def _with_mean(cells: Array, mean: Array) -> Array:
    found = cells @ SHARES
    scale = np.divide(mean, found, out=np.zeros_like(found), where=found > 0)
    flat = np.where(found > 0, 0.0, mean)
    return cells * scale[..., None] + flat[..., None]


def draws(periods: int, shared: float) -> NDArray[np.float32]:
    """Which cell each draw is in at each period, as 0 and 1: (periods, CELLS, DRAWS).

    The same for the same arguments, so that levels move because of the data.
    """
    random = np.random.default_rng(SEED)
    common = np.array([_NORMAL.inv_cdf(p) for p in (random.permutation(DRAWS) + 0.5) / DRAWS])
    own = random.standard_normal((periods, DRAWS))
    error = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
    limits = [_NORMAL.inv_cdf(edge) for edge in EDGES[1:-1]]
    cell = np.searchsorted(limits, error)
    return (cell[:, None, :] == np.arange(CELLS)[:, None]).astype(np.float32)


def over_lead_time(
    cells: Array, calendar: Calendar, lead_times: Array, drawn: NDArray[np.float32]
) -> Array:
    """Draws of the demand over the lead time, in order: (series, DRAWS).

    cells: (series, periods, CELLS). lead_times: LEAD_TIMES days of each series, equally likely;
    NaN gives NaN. After the calendar each draw goes on at its mean within it.
    """
    found = np.empty((len(cells), DRAWS))
    longer = np.maximum(lead_times / calendar.ends[-1], 1.0)
    for number in range(LEAD_TIMES):
        within = calendar.share_until(lead_times[:, number])
        added = _added(cells, within, drawn[:, :, number::LEAD_TIMES])
        found[:, number::LEAD_TIMES] = added * longer[:, number, None]
    return np.sort(found, axis=1)


def paths(
    cells: Array, calendar: Calendar, levels: tuple[float, ...], drawn: NDArray[np.float32]
) -> Iterator[Array]:
    """Quantiles of the demand up to the end of each period: for each level (series, periods)."""
    part = calendar.left / calendar.lengths
    edges = _steps(len(part))
    found = np.zeros((len(levels), len(cells), len(edges)))
    total = np.zeros((len(cells), DRAWS))
    for number, (start, end) in enumerate(zip([0, *edges[:-1]], edges, strict=True)):
        total += _added(cells[:, start:end], part[start:end], drawn[start:end])
        found[:, :, number] = np.quantile(total, levels, axis=1)
    places, every = np.concatenate([[0.0], calendar.ends[edges - 1]]), calendar.ends
    for level in found:
        known = np.concatenate([np.zeros((len(level), 1)), level], axis=1)
        yield np.stack([np.interp(every, places, row) for row in known]) if len(known) else known


def _added(cells: Array, share: Array, drawn: NDArray[np.float32]) -> Array:
    weighted = (cells * share[..., None]).astype(np.float32)
    flat = weighted.reshape(len(cells), -1) @ drawn.reshape(-1, drawn.shape[-1])
    return np.asarray(flat, float)


def _steps(periods: int) -> NDArray[np.int64]:
    """Periods after which quantiles are taken: all of the first, then ever fewer."""
    steps = np.unique(np.r_[np.arange(1, 15), np.geomspace(15, 400, 14)].round().astype(int))
    return np.unique(np.minimum(steps, periods))
