"""What stock and its absence cost: the prices that replays and what-ifs are valued at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from domain.inventory import Array
from domain.simulation import Outcome

DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class SavingsSettings:
    """How much history a replay needs; `support.setting['savings']` overrides each.

    known_months: months of demand that levels are estimated from before the first replayed month.
    least_months: fewer replayed months than this are not shown as a year's savings.
    """

    known_months: int = 6
    least_months: int = 3


@dataclass(frozen=True)
class Prices:
    """Everything that has a price; arrays have one value a row.

    unit_cost in BRL, 0 where it is not known; holding_rate a fraction of its value a year;
    order_cost in BRL an order; penalty_brl: expected contract penalty of a request that stock did
    not serve, NaN where the depot serves no site under contract. emergency_premium: what a missing
    unit costs beyond its price where no penalty is known, a fraction of its unit cost.
    expedite_cost_brl: what it costs to meet one request in a hurry.
    """

    unit_cost: Array
    holding_rate: float
    order_cost: float
    penalty_brl: Array
    emergency_premium: float
    expedite_cost_brl: float


@dataclass(frozen=True)
class Costs:
    """BRL, each of the shape that the outcome's sums have (rows…, buckets)."""

    holding: Array
    stockout: Array
    expediting: Array
    ordering: Array

    @property
    def total(self) -> Array:
        """All four."""
        return self.holding + self.stockout + self.expediting + self.ordering


def costs(outcome: Outcome, prices: Prices, period_days: ArrayLike) -> Costs:
    """Prices an outcome, whose rows are those of the prices and whose periods have so many days, in
    all its buckets or in each.

    Holding: stock at the ends of periods × unit cost × rate × days ÷ 365.25. Stockout: requests
    not served × their contract penalty, else units not served × unit cost × emergency premium.
    Expediting: requests not served × cost of one. Ordering: orders × cost of one.
    """
    return priced(
        stock_days=outcome.stock * np.asarray(period_days, float),
        missed_units=outcome.lost,
        missed_lines=outcome.expedites,
        orders=outcome.orders,
        prices=prices,
    )


def priced(
    *,
    stock_days: ArrayLike,
    missed_units: ArrayLike,
    missed_lines: ArrayLike,
    orders: ArrayLike,
    prices: Prices,
) -> Costs:
    """The same for what was recorded: arrays are (rows…, buckets), stock_days unit-days held."""
    held, units = np.asarray(stock_days, float), np.asarray(missed_units, float)
    lines = np.asarray(missed_lines, float)
    cost, penalty = _like(prices.unit_cost, held), _like(prices.penalty_brl, held)
    return Costs(
        holding=held * cost * prices.holding_rate / DAYS_A_YEAR,
        stockout=np.where(
            np.isnan(penalty),
            units * cost * prices.emergency_premium,
            lines * np.nan_to_num(penalty),
        ),
        expediting=lines * prices.expedite_cost_brl,
        ordering=np.asarray(orders, float) * prices.order_cost,
    )


def _like(values: Array, shaped: Array) -> Array:
    """One value a row, to go with an array whose first axis is rows."""
    return np.asarray(values, float).reshape(-1, *[1] * (shaped.ndim - 1))
