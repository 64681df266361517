"""Replaying order-up-to levels on what was then demanded: lost sales, a look every period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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

    It starts with a full first level and nothing on order. In a period deliveries come first, then
    demand; what is not in stock is lost. Then stock on hand and on order is raised to the level;
    that delivery comes `lead_time` periods later. Of the stock what is left then is counted.
    """
    items, periods = demand.shape
    on_hand, on_order = np.array(levels[0], float), np.zeros(items)
    span = int(lead_time.max(initial=1)) + 1
    arriving, rows = np.zeros((items, span)), np.arange(items)
    value, lines, full, served = 0.0, 0, 0, 0.0
    for period in range(periods):
        slot = period % span
        on_hand += arriving[:, slot]
        on_order -= arriving[:, slot]
        arriving[:, slot] = 0.0
        asked = demand[:, period]
        given = np.minimum(on_hand, asked)
        on_hand -= given
        lines += int((asked > 0).sum())
        full += int(((asked > 0) & (given >= asked)).sum())
        served += float(given.sum())
        order = np.maximum(levels[period // every] - on_hand - on_order, 0.0)
        arriving[rows, (slot + lead_time) % span] += order
        on_order += order
        value += float(unit_cost @ on_hand)
    total = float(demand.sum())
    return Outcome(value / periods, full / max(lines, 1), served / total if total else 1.0)
