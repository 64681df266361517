"""Stock levels decided across items: the next unit goes where it serves most for its money.

Each item's order-up-to level is the one with the highest served share less λ times the value of
its stock. One λ for all is what greedy marginal analysis ends at (Sherbrooke 2004, "Optimal
Inventory Modeling of Systems", chapter 2), and it stays right where a lot has to be covered whole
before the first line is served, which greedy steps would not see.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_offline.lumpy import Array, Samples

LARGE_COUNTS = 0.85
"""A request of q units counts as q to this power, between a unit each (1) and a line each (0):
large sizes are what is known least."""
MOST_LEVELS = 500
"""Levels of an item that are looked at, evenly spread over its samples."""


@dataclass(frozen=True)
class Choices:
    """What each level of each item does; all of shape (items, levels), a row's levels in order.

    levels: order up to so many units. lines: order lines filled completely, a period. units: units
    served from stock, a period. on_hand: units in stock at the end of a period. Lines and units
    are those of the time after the lead time, shortages as if they waited.
    """

    levels: Array
    lines: Array
    units: Array
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
    lines, units, on_hand = (np.mean(one, axis=0) for one in zip(*parts, strict=True))
    return Choices(levels, lines, units, on_hand)


def _phase(samples: Samples, before: Array, levels: Array) -> tuple[Array, Array, Array]:
    """Lines, units and stock of a period before which `before` was demanded since the order."""
    draws = before.shape[1]
    needed, after = np.sort(before + samples.size, axis=1), np.sort(before + samples.last, axis=1)
    before = np.sort(before, axis=1)
    lines, units, on_hand = (np.empty(levels.shape) for _ in range(3))
    for row, at in enumerate(levels):
        lines[row] = np.searchsorted(needed[row], at, side="right") / draws
        units[row] = left_over(before[row], at) - left_over(needed[row], at)
        on_hand[row] = left_over(after[row], at)
    rate = samples.rate[:, None]
    return rate * lines, rate * units, on_hand


def left_over(demand: Array, levels: Array) -> Array:
    """E[max(0, level − demand)] of each level, from the samples of one item in order."""
    count = np.searchsorted(demand, levels, side="right")
    total = np.concatenate([[0.0], np.cumsum(demand)])
    return (count * levels - total[count]) / len(demand)


def allocate(found: Choices, unit_cost: Array, price: float, units_weight: float) -> Array:
    """The level of each item. price: λ, the share of all that is asked for which a EUR of stock
    has to serve; units_weight: how much of that share is units (0–1), see LARGE_COUNTS, the rest is
    order lines."""
    usual = found.units[:, -1] / np.maximum(found.lines[:, -1], 1e-12)
    counted = found.units * np.maximum(usual, 1.0)[:, None] ** (LARGE_COUNTS - 1)
    lines, units = found.lines[:, -1].sum(), counted[:, -1].sum()
    served = (1 - units_weight) * found.lines / max(lines, 1e-12)
    served = served + units_weight * counted / max(units, 1e-12)
    worth: NDArray[np.float64] = served - price * unit_cost[:, None] * found.on_hand
    return found.levels[np.arange(len(worth)), worth.argmax(axis=1)]
