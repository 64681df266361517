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
    """value: mean value of the stock at the ends of periods, in money. lines: share of the periods
    with demand in which all of it was served at once. units: share of the units."""

    value: float
    lines: float
    units: float


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
    lines, asked = found.lines.sum(), found.asked.sum()
    return Outcome(
        float(unit_cost @ found.stock[:, 0]) / demand.shape[1],
        float(found.full.sum() / lines) if lines else 0.0,
        float(found.served.sum() / asked) if asked else 1.0,
    )
