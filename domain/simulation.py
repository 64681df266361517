"""What a stock policy would have done, or would do: replayed period by period, lost sales.

Rows are item-depots, or scenarios of them; all rows are replayed at once. In a period deliveries
come first, then demand; what is not in stock is lost. Then, where it is looked at, stock on hand
and on order that is at the reorder point or under it is raised to the order-up-to level, in whole
packs and not under the minimum. An order that is placed with lead time L is delivered L periods
later, with L = 0 at once. Quantities are in units of issue; a period is a day, a week or a month.
Order of events: Silver, Pyke & Thomas (2017), "Inventory and Production Management in Supply
Chains", chapter 6, (R, s, S) with lost sales.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.inventory import Array, lot


@dataclass(frozen=True)
class Rules:
    """When to order and how far, one value for all rows or one a row. `minimum` and `pack` bind
    the size of an order, NaN: nothing does. `review`: stock is looked at every so many periods."""

    reorder_point: ArrayLike
    order_up_to: ArrayLike
    minimum: ArrayLike = np.nan
    pack: ArrayLike = np.nan
    review: int = 1


@dataclass(frozen=True)
class Start:
    """What there is before the first period: stock on hand, one value a row; and what is on order,
    rows × periods, the column being the period in which it comes."""

    on_hand: ArrayLike
    arriving: Array | None = None


@dataclass(frozen=True)
class Halt:
    """From period `first` until before period `last` nothing is delivered to these rows; what was
    due then comes when it is over."""

    rows: ArrayLike
    first: int
    last: int


@dataclass(frozen=True)
class Outcome:
    """What came of it, sums over the periods of each bucket: (rows…, buckets).

    periods: how many each bucket has, (buckets,). stock: stock at the ends of periods. lines:
    periods with demand, or their weights; full: those of which all was served at once; stockouts:
    periods whose demand leaves nothing in stock; orders: how many were placed. on_hand and
    on_order, (rows…), are what is left in the end.
    """

    periods: Array
    stock: Array
    asked: Array
    served: Array
    lines: Array
    full: Array
    stockouts: Array
    orders: Array
    ordered: Array
    received: Array
    on_hand: Array
    on_order: Array

    def of(self, rows: slice) -> Outcome:
        """The same of some rows."""
        kept = {one.name: getattr(self, one.name)[rows] for one in fields(self)}
        return Outcome(**kept | {"periods": self.periods})

    @property
    def mean_stock(self) -> Array:
        """Stock in the mean of each bucket's periods."""
        return self.stock / np.maximum(self.periods, 1)

    @property
    def lost(self) -> Array:
        """Units that were asked for and not in stock."""
        return self.asked - self.served

    @property
    def expedites(self) -> Array:
        """Requests that stock did not serve in full: each has to be met in a hurry."""
        return self.lines - self.full


_SUMS = ("stock", "asked", "served", "lines", "full", "stockouts", "orders", "ordered", "received")


def replay(
    demand: ArrayLike,
    rules: Rules | Sequence[Rules],
    lead_time: ArrayLike,
    start: Start,
    *,
    rule_of: NDArray[np.int64] | None = None,
    bucket_of: NDArray[np.int64] | None = None,
    weights: ArrayLike | None = None,
    halt: Halt | None = None,
) -> Outcome:
    """Plays `demand`, (rows…, periods), against rules.

    rules: one, or several, of which `rule_of[period]` says which holds. lead_time: whole periods
    from order to delivery, at least 0: one a row, or (rows…, periods), of an order placed then.
    bucket_of: into which bucket a period counts, −1 into none; without it, all into one.
    weights: order lines of a period, (rows…, periods), where they are not just those with demand.
    """
    asked = np.asarray(demand, float)
    shape, periods = asked.shape[:-1], asked.shape[-1]
    state = _State(asked, lead_time, start, shape, halt)
    lines = asked > 0 if weights is None else np.broadcast_to(np.asarray(weights), asked.shape)
    by_period = _by_period(lines, periods)
    every = [rules] if isinstance(rules, Rules) else list(rules)
    plans = [_Plan(one, shape) for one in every]
    which = np.zeros(periods, int) if rule_of is None else np.asarray(rule_of, int)
    bucket = np.zeros(periods, int) if bucket_of is None else np.asarray(bucket_of, int)
    buckets = int(bucket.max(initial=-1)) + 1
    sums = {name: np.zeros((buckets, state.rows)) for name in _SUMS}
    for period in range(periods):
        told = state.play(period, plans[which[period]], by_period[period])
        if bucket[period] >= 0:
            for name, value in told.items():
                sums[name][bucket[period]] += value
    return Outcome(
        periods=np.bincount(bucket[bucket >= 0], minlength=buckets).astype(float),
        on_hand=state.on_hand.reshape(shape),
        on_order=state.on_order.reshape(shape),
        **{name: total.T.reshape(*shape, buckets) for name, total in sums.items()},
    )


def _by_period(values: NDArray[Any], periods: int) -> Array:
    """(periods, rows) in one piece: the loop goes over periods."""
    return np.ascontiguousarray(values.reshape(-1, periods).T, dtype=float)


class _Plan:
    """Rules with a value for every row."""

    def __init__(self, rules: Rules, shape: tuple[int, ...]) -> None:
        self.review = rules.review
        self.point, self.up_to = (
            _per_row(rules.reorder_point, shape),
            _per_row(rules.order_up_to, shape),
        )
        self.minimum, self.pack = _per_row(rules.minimum, shape), _per_row(rules.pack, shape)
        self.has_lots = bool(np.any(self.minimum > 0) or np.any(self.pack > 0))

    def order(self, period: int, position: Array) -> Array:
        """What is ordered at the end of a period, at this stock on hand and on order."""
        if (period + 1) % self.review:
            return np.zeros_like(position)
        wanted = np.maximum(self.up_to - position, 0.0)
        wanted[~(position <= self.point)] = 0.0
        if not self.has_lots:
            return wanted
        sized = lot(wanted, self.minimum, self.pack)
        return np.where(wanted > 0, sized, 0.0)


class _State:
    """Stock and orders of every row while periods go by."""

    def __init__(
        self,
        demand: Array,
        lead_time: ArrayLike,
        start: Start,
        shape: tuple[int, ...],
        halt: Halt | None,
    ) -> None:
        periods = demand.shape[-1]
        self.demand = _by_period(demand, periods)
        self.rows = self.demand.shape[1]
        lead = np.asarray(lead_time, int)
        varies = lead.ndim == len(shape) + 1 and lead.shape[-1] == periods
        self.lead = (
            _by_period(np.broadcast_to(lead, demand.shape), periods).astype(int)
            if varies
            else np.broadcast_to(lead, shape).reshape(1, -1)
        )
        given = start.arriving
        ahead = 0 if given is None else given.shape[-1]
        self.span = max(int(self.lead.max(initial=0)) + 1, ahead, 2)
        self.arriving = np.zeros((self.span, self.rows))
        if given is not None:
            self.arriving[:ahead] = _by_period(np.broadcast_to(given, (*shape, ahead)), ahead)
        self.on_hand = _per_row(start.on_hand, shape).copy()
        self.on_order = self.arriving.sum(axis=0)
        self.index = np.arange(self.rows)
        self.halt = halt
        self.halted = _per_row(halt.rows if halt else False, shape) > 0

    def play(self, period: int, plan: _Plan, lines: Array) -> dict[str, Array]:
        """One period; what happened in it."""
        halted = self._halted_in(period)
        received = self._receive(period, halted)
        asked = self.demand[period]
        served = np.minimum(self.on_hand, asked)
        self.on_hand -= served
        order = plan.order(period, self.on_hand + self.on_order)
        lead = np.maximum(self.lead[period if len(self.lead) > 1 else 0], halted)
        at_once = np.where(lead == 0, order, 0.0)
        self.arriving[(period + lead) % self.span, self.index] += order - at_once
        self.on_order += order - at_once
        stockouts = self.on_hand <= 0
        self.on_hand += at_once
        return {
            "stock": self.on_hand,
            "asked": asked,
            "served": served,
            "lines": lines,
            "full": lines * (served >= asked),
            "stockouts": stockouts,
            "orders": order > 0,
            "ordered": order,
            "received": received + at_once,
        }

    def _halted_in(self, period: int) -> NDArray[np.bool_]:
        """Rows to which nothing is delivered in this period."""
        lasts = self.halt is not None and self.halt.first <= period < self.halt.last
        return self.halted & lasts

    def _receive(self, period: int, halted: NDArray[np.bool_]) -> Array:
        slot = period % self.span
        due = self.arriving[slot].copy()
        self.arriving[slot] = 0.0
        if halted.any():
            waits = np.where(halted, due, 0.0)
            self.arriving[(period + 1) % self.span] += waits
            due -= waits
        self.on_hand += due
        self.on_order -= due
        return due


def _per_row(value: ArrayLike, shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(np.asarray(value, float), shape).reshape(-1)
