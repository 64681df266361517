"""Demand that may come, drawn from demand that came; and how much of it a lead time sees.

Paths are made of blocks of recorded periods (moving-block bootstrap, Künsch 1989, "The jackknife
and the bootstrap for general stationary observations"), scaled to the forecast's rate. All rows
draw the same stretches of time, so what is high together stays high together; and a row's paths
are the same whichever other rows are drawn with it. Quantities are in units of issue.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.inventory import Array, comes_in_pieces, in_pieces, service_factor

LEAST_PERIODS = 24
"""Fewer known periods than this are not drawn from: demand then comes unit by unit."""
LEAD_SPREAD = (-1.35, -0.6, 0.0, 0.6, 1.35)
"""Standard deviations at which a lead time that varies is looked at: means of its fifths."""
MOST_SPREAD = 2.5


def known_periods(history: Array) -> NDArray[np.int64]:
    """Of each row (rows × periods, oldest first), the periods since its first demand."""
    asked = history > 0
    return np.where(asked.any(axis=1), history.shape[1] - asked.argmax(axis=1), 0)


def paths(
    history: Array, rate: ArrayLike, scenarios: int, length: int, block: int, seed: int
) -> Array:
    """Demand of each row in each scenario, (rows, scenarios, length), with mean `rate` a period.

    history: (rows, periods), the same periods for all. Deterministic by seed.
    """
    random = np.random.default_rng(seed)
    pieces = -(-length // block)
    chance, phase = random.random((scenarios, pieces)), random.random(scenarios)
    known = known_periods(history)
    wanted = np.asarray(rate, float)
    places = np.maximum(known - block + 1, 1)
    begins = (history.shape[1] - np.maximum(known, block))[:, None, None] + np.floor(
        chance * places[:, None, None]
    ).astype(int)
    index = (begins[..., None] + np.arange(block)).reshape(len(history), scenarios, pieces * block)
    index = np.minimum(index[..., :length], history.shape[1] - 1)
    drawn = history[np.arange(len(history))[:, None, None], index]
    drawn = drawn * scale(history, wanted)[:, None, None]
    steady = _steady(wanted, phase, length)
    return np.where((known >= LEAST_PERIODS)[:, None, None], drawn, steady)


def scale(history: Array, rate: ArrayLike) -> Array:
    """By how much each row's recorded demand is multiplied so that its mean is `rate`."""
    known = known_periods(history)
    mean = history.sum(axis=1) / np.maximum(known, 1)
    return np.where(mean > 0, np.asarray(rate, float) / np.where(mean > 0, mean, 1.0), 0.0)


def _steady(rate: Array, phase: Array, length: int) -> Array:
    """Whole units at even distances, each scenario beginning somewhere else."""
    upto = rate[:, None, None] * np.arange(length + 1) + phase[None, :, None]
    return np.diff(np.floor(upto), axis=2)


def lead_times(
    mean: ArrayLike, std: ArrayLike, scenarios: int, length: int, seed: int
) -> NDArray[np.int64]:
    """Whole periods from order to delivery, (rows, scenarios, length): of an order placed in that
    period. Normal, cut at ±2.5 σ and at 0."""
    random = np.random.default_rng(seed)
    chance = np.clip(random.standard_normal((scenarios, length)), -MOST_SPREAD, MOST_SPREAD)
    centre = np.nan_to_num(np.asarray(mean, float))[:, None, None]
    spread = np.nan_to_num(np.asarray(std, float))[:, None, None]
    found: NDArray[np.int64] = np.maximum(np.rint(centre + spread * chance), 0).astype(int)
    return found


def lead_time_quantile(
    history: Array, rate: ArrayLike, mean: ArrayLike, std: ArrayLike, level: ArrayLike
) -> Array:
    """The demand over a lead time that is not exceeded with probability `level`, of each row; of
    the shape of `level`: (rows,) or (rows, levels).

    From every stretch of recorded demand as long as the lead time, scaled to the rate; a lead time
    that varies is looked at at five lengths. A row with fewer than 24 known periods is taken for
    Poisson demand, by its normal approximation. Lead times in periods, at least one. Whole pieces
    where demand is.
    """
    wanted, lead = np.asarray(rate, float), np.nan_to_num(np.asarray(mean, float))
    spread, asked = np.nan_to_num(np.asarray(std, float)), np.asarray(level, float)
    known, factor = known_periods(history), scale(history, wanted)
    upto = np.concatenate([np.zeros((len(history), 1)), np.cumsum(history, axis=1)], axis=1)
    expected = wanted * np.maximum(lead, 1.0)
    sigma = np.sqrt(expected + (wanted * spread) ** 2)
    found = _column(expected, asked) + service_factor(asked) * _column(sigma, asked)
    found = np.maximum(np.nan_to_num(found), 0.0)
    for row in np.flatnonzero(known >= LEAST_PERIODS):
        sums = _windows(upto[row], int(known[row]), float(lead[row]), float(spread[row]))
        found[row] = factor[row] * np.quantile(sums, asked[row])
    return in_pieces(found, _column(comes_in_pieces(history), asked))


def _column(values: NDArray[Any], like: Array) -> NDArray[Any]:
    return values.reshape(-1, *[1] * (like.ndim - 1))


def _windows(upto: Array, known: int, lead: float, spread: float) -> Array:
    """Recorded demand of all stretches of the row's known periods as long as its lead time."""
    lengths = {max(1, round(lead + spread * z)) for z in (LEAD_SPREAD if spread > 0 else (0.0,))}
    parts = []
    for length in sorted(lengths):
        inside = min(length, known)
        tail = upto[len(upto) - 1 - known :]
        parts.append((tail[inside:] - tail[:-inside]) * length / inside)
    return np.concatenate(parts)
