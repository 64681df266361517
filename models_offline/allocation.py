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


def choices(samples: Samples) -> Choices:
    """Every level that is the demand of some sample, and none at all."""
    needed = np.sort(samples.before + samples.size, axis=1)
    items, draws = needed.shape
    levels = np.concatenate([np.zeros((items, 1)), needed], axis=1)
    filled = np.empty(levels.shape)
    units, on_hand = np.empty(levels.shape), np.empty(levels.shape)
    before, after = np.sort(samples.before, axis=1), samples.lead_time()
    for row in range(items):
        at = levels[row]
        filled[row] = np.searchsorted(needed[row], at, side="right") / draws
        units[row] = left_over(before[row], at) - left_over(needed[row], at)
        on_hand[row] = left_over(after[row], at)
    filled[:, 0] = np.where(needed[:, -1] > 0, filled[:, 0], 0.0)
    rate = samples.rate[:, None]
    return Choices(levels, rate * filled, rate * units, on_hand)


def left_over(demand: Array, levels: Array) -> Array:
    """E[max(0, level − demand)] of each level, from the samples of one item in order."""
    count = np.searchsorted(demand, levels, side="right")
    total = np.concatenate([[0.0], np.cumsum(demand)])
    return (count * levels - total[count]) / len(demand)


def allocate(found: Choices, unit_cost: Array, price: float, units_weight: float) -> Array:
    """The level of each item. price: λ, the share of all that is asked for which a EUR of stock
    has to serve; units_weight: how much of that share is units (0–1), the rest is order lines."""
    lines, units = found.lines[:, -1].sum(), found.units[:, -1].sum()
    served = (1 - units_weight) * found.lines / max(lines, 1e-12)
    served = served + units_weight * found.units / max(units, 1e-12)
    worth: NDArray[np.float64] = served - price * unit_cost[:, None] * found.on_hand
    return found.levels[np.arange(len(worth)), worth.argmax(axis=1)]
