"""Replaying order-up-to levels on what was then demanded: lost sales, a look every period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain import simulation
from models_offline.lumpy import Array


@dataclass(frozen=True)
class Outcome:
    """items: of each item (items × 5) the mean value of its stock at the ends of periods, in money,
    the periods with demand in which all of it was served at once, those with demand, the units
    served, the units asked for."""

    items: Array

    def drawn(self, times: Array) -> tuple[Array, Array, Array]:
        """Value, share of lines and share of units if each item counts so often (draws × items)."""
        value, full, lines, served, asked = (times @ self.items).T
        none = (np.zeros_like(full), np.ones_like(served))
        return (
            value,
            np.divide(full, lines, out=none[0], where=lines > 0),
            np.divide(served, asked, out=none[1], where=asked > 0),
        )

    @property
    def value(self) -> float:
        """Mean value of the stock at the ends of periods, in money."""
        return float(self.items[:, 0].sum())

    @property
    def lines(self) -> float:
        """Share of the periods with demand in which all of it was served at once."""
        return float(self.drawn(np.ones((1, len(self.items))))[1][0])

    @property
    def units(self) -> float:
        """Share of the units that were served."""
        return float(self.drawn(np.ones((1, len(self.items))))[2][0])


def replay(
    demand: Array,
    unit_cost: Array,
    lead_time: NDArray[np.int64],
    levels: Sequence[Array],
    every: int,
) -> Outcome:
    """What `levels` would have done on `demand` (items × periods); levels[k] holds from period
    k × every on.

    It starts with a full first level and nothing on order; see `domain.simulation` for what
    happens in a period. Of the stock what is left at its end is counted.
    """
    found = simulation.replay(
        demand,
        [simulation.Rules(level, level) for level in levels],
        lead_time,
        simulation.Start(levels[0]),
        rule_of=np.arange(demand.shape[1]) // every,
    )
    sums = (found.full, found.lines, found.served, found.asked)
    value = unit_cost * found.stock.sum(axis=1) / demand.shape[1]
    return Outcome(np.column_stack([value, *(one.sum(axis=1) for one in sums)]))
