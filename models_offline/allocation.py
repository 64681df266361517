"""Stock levels decided across items: the next unit goes where it serves most for its money.

Each item's order-up-to level is the one with the highest served share less λ times the value of
its stock. One λ for all is what greedy marginal analysis ends at (Sherbrooke 2004, "Optimal
Inventory Modeling of Systems", chapter 2), and it stays right where a lot has to be covered whole
before the first line is served, which greedy steps would not see.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models_offline.lumpy import Array, Samples

LARGE_COUNTS = 0.75
"""A request of q units counts as q to this power, between a unit each (1) and a line each (0):
large sizes are what is known least."""
NEAR_PRICES = (0.5, 0.7, 1.0, 1.4, 2.0)
"""A level is the mean of those that are best at so many times the price: the best one moves in
jumps where the price, or what a part was once asked for, moves a little."""
MOST_LEVELS = 500
"""Levels of an item that are looked at, evenly spread over its samples."""


@dataclass(frozen=True)
class Choices:
    """What each level of each item does; all of shape (items, levels), a row's levels in order.

    levels: order up to so many units. counted: units served from stock, a period, each as much as
    LARGE_COUNTS says. on_hand: units in stock at the end of a period. They are those of the time
    after the lead time, shortages as if they waited.
    """

    levels: Array
    counted: Array
    on_hand: Array


def choices(samples: Samples, first: bool = False) -> Choices:
    """What the levels do that are the demand of some sample, and none at all.

    first: of the cycle that begins with a full level and nothing on order, in the mean of its
    periods, instead of later ones.
    """
    draws = samples.size.shape[1]
    needed = np.sort(samples.before + samples.size, axis=1)
    kept = np.unique(np.linspace(draws - 1, 0, min(draws, MOST_LEVELS)).round().astype(int))
    levels = np.concatenate([np.zeros((len(needed), 1)), needed[:, kept]], axis=1)
    phases = [np.zeros_like(samples.before), *samples.early, samples.before]
    parts = [_phase(samples, before, levels) for before in (phases if first else phases[-1:])]
    counted, on_hand = (np.mean(one, axis=0) for one in zip(*parts, strict=True))
    return Choices(levels, counted, on_hand)


def _phase(samples: Samples, before: Array, levels: Array) -> tuple[Array, Array]:
    """Counted units and stock of a period before which `before` was demanded since the order."""
    needed, after = before + samples.size, before + samples.last
    counts = np.maximum(samples.size, 1.0) ** (LARGE_COUNTS - 1)
    whole = np.ones(before.shape[1])
    counted, on_hand = np.empty(levels.shape), np.empty(levels.shape)
    for row, at in enumerate(levels):
        counted[row] = left_over(before[row], at, counts[row])
        counted[row] -= left_over(needed[row], at, counts[row])
        on_hand[row] = left_over(after[row], at, whole)
    return samples.rate[:, None] * counted, on_hand


def left_over(demand: Array, levels: Array, counts: Array) -> Array:
    """E[max(0, level − demand) · counts] of each level, from the samples of one item."""
    order = np.argsort(demand)
    sums = [np.cumsum(one[order]) for one in (counts, counts * demand)]
    weight, total = (np.concatenate([[0.0], one]) for one in sums)
    upto = np.searchsorted(demand[order], levels, side="right")
    return (weight[upto] * levels - total[upto]) / len(demand)


def allocate(found: Choices, unit_cost: Array, price: float) -> Array:
    """The level of each item. price: λ, the share of all counted units of a period that a EUR of
    stock has to serve."""
    served = found.counted / max(found.counted[:, -1].sum(), 1e-12)
    value = unit_cost[:, None] * found.on_hand
    rows = np.arange(len(value))
    best = [(served - near * price * value).argmax(axis=1) for near in NEAR_PRICES]
    mean: Array = np.mean([found.levels[rows, at] for at in best], axis=0)
    return np.ceil(mean - 1e-9)
