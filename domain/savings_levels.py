"""Savings: the old policy and ours, each month's levels from what was known before that month.

The old policy is the company's textbook with its settings as they were before the first publish:
PP = D·L + SS, SS = Z·√(L·σ_D² + D²·σ_L²), D and σ_D of all demand known (Silver, Pyke & Thomas
2017, chapter 6). Ours is the quantile of the demand that lead times saw, at the service level of
the item's class as it is known then. Both order the economic lot, both learn monthly; only the
old one's settings and classes stand still. Both cover one period at least: the replay looks at
stock once a period, after its demand, however soon an order is delivered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain import inventory
from domain.costs import DAYS_A_YEAR
from domain.inventory import Array
from domain.policy_settings import PolicySettings
from domain.scenarios import known_periods, lead_time_quantile
from domain.simulation import Rules

RECENT_DAYS = 91
YEAR_DAYS = 365
LEARNT_DAYS = 728
"""Days of demand that quantiles are taken of."""


@dataclass(frozen=True)
class Known:
    """What levels may be made of: nothing later than the day they are made on. One value a row.

    history: demand by period, (rows, periods), the last one just over. lead_mean, lead_std in
    periods of `days` days. The rest as in `domain.changes.Stocked`.
    """

    history: Array
    days: float
    lead_mean: Array
    lead_std: Array
    service_level: Array
    unit_cost: Array
    minimum: Array
    pack: Array


def textbook(known: Known, settings: PolicySettings) -> Rules:
    """Levels of the old policy."""
    periods = known_periods(known.history)
    mean = known.history.sum(axis=1) / np.maximum(periods, 1)
    squares = (known.history**2).sum(axis=1)
    spread = np.sqrt(np.maximum(squares - periods * mean**2, 0.0) / np.maximum(periods - 1, 1))
    lead = np.maximum(known.lead_mean, 1.0)
    safety = inventory.safety_stock(known.service_level, spread, lead, mean, known.lead_std)
    point = inventory.reorder_point(mean, lead, safety)
    return _rules(point, mean, known, settings)


def ours(known: Known, settings: PolicySettings) -> Rules:
    """Levels of ours: the expected demand is the mean of the last quarter's and the last year's."""
    rate = (_mean(known, RECENT_DAYS) + _mean(known, YEAR_DAYS)) / 2
    learnt = known.history[:, -max(1, round(LEARNT_DAYS / known.days)) :]
    point = lead_time_quantile(learnt, rate, known.lead_mean, known.lead_std, known.service_level)
    return _rules(point, rate, known, settings)


def _mean(known: Known, days: int) -> Array:
    """Demand of a period, in the mean of the last days since the first demand."""
    count = max(1, round(days / known.days))
    since = np.minimum(known_periods(known.history), count)
    found: Array = known.history[:, -count:].sum(axis=1) / np.maximum(since, 1)
    return found


def _rules(point: Array, rate: Array, known: Known, settings: PolicySettings) -> Rules:
    """Order a lot at the point; an item without demand is not ordered."""
    annual = rate * DAYS_A_YEAR / known.days
    lot = inventory.economic_lot(
        annual,
        settings.order_cost_brl,
        known.unit_cost * settings.holding_rate,
        known.minimum,
        known.pack,
    )
    size = np.where(np.isnan(lot), np.maximum(rate * 30 / known.days, 1.0), np.maximum(lot, 1.0))
    wanted = rate > 0
    reorder = np.where(wanted, np.nan_to_num(point), -1.0)
    return Rules(reorder, np.where(wanted, reorder + size, 0.0), known.minimum, known.pack)
