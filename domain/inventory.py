"""Stock: how much to keep, when to order, when it will run out.

Quantities are in units of issue, times in days, rates per day. Functions take numbers or NumPy
arrays and work element by element; NaN stands for "not known" and stays NaN. Source unless named:
Silver, Pyke & Thomas (2017), "Inventory and Production Management in Supply Chains", chapters 4, 6;
of costs, Snyder & Shen (2019), "Fundamentals of Supply Chain Theory", chapters 3 to 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import erf, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.policy_settings import MOST_LEVEL

Array = NDArray[np.float64]

SEARCHES = 80
"""Halvings of an interval; more change nothing that a double can hold."""


def projected_stock(available: ArrayLike, demand: ArrayLike, receipts: ArrayLike) -> Array:
    """Stock at the end of each day, (rows, days): what was there, less the day's demand, plus what
    arrives; what is asked for when there is none is lost."""
    wanted, arriving = np.asarray(demand, float), np.asarray(receipts, float)
    stock = np.array(available, float)
    found = np.empty(wanted.shape)
    for day in range(wanted.shape[1]):
        stock = np.maximum(stock + arriving[:, day] - wanted[:, day], 0.0)
        found[:, day] = stock
    return found


def service_level(
    level: ArrayLike,
    criticality: ArrayLike,
    risk: Mapping[str, float],
    own: ArrayLike = np.nan,
) -> Array:
    """An item's `own` service level, MOST_LEVEL at most. Where none is given (NaN or 0), its
    class's with the risk of a stockout times what `risk` says of the item's criticality (0 to 10;
    NaN: medium)."""
    given = np.minimum(np.asarray(own, float), MOST_LEVEL)
    found = np.asarray(criticality, float)
    times = np.select([found >= 8, found < 4], [risk["high"], risk["low"]], risk["medium"])
    usual = 1 - np.minimum((1 - np.asarray(level, float)) * times, 0.99)
    return np.where(given > 0, given, usual)


def service_factor(service_level: ArrayLike) -> Array:
    """Z of a normal distribution for a cycle service level in (0, 1); NaN outside of it."""
    return _each(lambda p: NormalDist().inv_cdf(p) if 0 < p < 1 else np.nan, service_level)


def safety_stock(
    service_level: ArrayLike,
    demand_std: ArrayLike,
    lead_time_days: ArrayLike,
    daily_demand: ArrayLike = 0.0,
    lead_time_std: ArrayLike = 0.0,
) -> Array:
    """SS = Z·√(L·σ_D² + D²·σ_L²), never below 0.

    demand_std is σ of one day's demand, lead_time_std σ_L in days; with σ_L = 0 it is the formula
    of a fixed lead time, Z·σ_D·√L.
    """
    return np.maximum(
        0.0,
        service_factor(service_level)
        * lead_time_demand_std(demand_std, lead_time_days, daily_demand, lead_time_std),
    )


def lead_time_demand_std(
    demand_std: ArrayLike,
    lead_time_days: ArrayLike,
    daily_demand: ArrayLike = 0.0,
    lead_time_std: ArrayLike = 0.0,
) -> Array:
    """σ of the demand over a lead time, √(L·σ_D² + D²·σ_L²)."""
    sigma, lead = np.asarray(demand_std, float), np.asarray(lead_time_days, float)
    rate, lead_sigma = np.asarray(daily_demand, float), np.asarray(lead_time_std, float)
    return np.sqrt(lead * sigma**2 + rate**2 * lead_sigma**2)


def reorder_point(
    daily_demand: ArrayLike, lead_time_days: ArrayLike, safety_stock: ArrayLike
) -> Array:
    """PP = D·L + SS: order when stock on hand and on order has come down to it."""
    rate, lead = np.asarray(daily_demand, float), np.asarray(lead_time_days, float)
    return rate * lead + np.asarray(safety_stock, float)


def order_up_to(
    daily_demand: ArrayLike,
    lead_time_days: ArrayLike,
    review_days: ArrayLike,
    safety_stock: ArrayLike,
) -> Array:
    """S = D·(L + R) + SS: where stock is looked at every R days, an order raises stock on hand and
    on order to it. The safety stock is that of L + R days."""
    review = np.asarray(review_days, float)
    return reorder_point(daily_demand, np.asarray(lead_time_days, float) + review, safety_stock)


def eoq(annual_demand: ArrayLike, order_cost: ArrayLike, annual_holding_cost: ArrayLike) -> Array:
    """Economic order quantity √(2·D·S ÷ H) (Harris 1913); NaN where H is not above 0.

    order_cost S in BRL an order, annual_holding_cost H in BRL a unit and year.
    """
    holding = np.asarray(annual_holding_cost, float)
    usable = np.where(holding > 0, holding, np.nan)
    return np.sqrt(2.0 * np.asarray(annual_demand, float) * np.asarray(order_cost, float) / usable)


def cycle_cost(
    quantity: ArrayLike,
    annual_demand: ArrayLike,
    order_cost: ArrayLike,
    annual_holding_cost: ArrayLike,
) -> Array:
    """S·D ÷ Q + H·Q ÷ 2: cost of ordering and holding lots of Q, in BRL a year."""
    lot_size = np.asarray(quantity, float)
    orders = np.asarray(annual_demand, float) / np.where(lot_size > 0, lot_size, np.nan)
    return (
        np.asarray(order_cost, float) * orders
        + np.asarray(annual_holding_cost, float) * lot_size / 2
    )


def economic_lot(
    annual_demand: ArrayLike,
    order_cost: ArrayLike,
    annual_holding_cost: ArrayLike,
    minimum: ArrayLike = np.nan,
    pack: ArrayLike = np.nan,
) -> Array:
    """The cheapest lot that can be ordered: EOQ in whole packs, not under the minimum order.

    Costs are convex in the lot, so it is one of the two whole packs around EOQ, or the minimum.
    What is asked for comes in a pack at least (one unit if none is given), also where an order
    costs nothing. NaN where EOQ is.
    """
    best = eoq(annual_demand, order_cost, annual_holding_cost)
    size = np.asarray(pack, float)
    above = lot(best, minimum, pack)
    least = np.where(np.asarray(annual_demand, float) > 0, np.where(size > 0, size, 1.0), 0.0)
    above = np.where(above > 0, above, least)
    below = lot(np.maximum(above - np.where(size > 0, size, 0.0), 0.0), minimum, pack)
    below = np.where(below > 0, below, above)
    costs = [cycle_cost(q, annual_demand, order_cost, annual_holding_cost) for q in (below, above)]
    chosen = np.where(costs[0] < costs[1], below, above)
    return np.where(np.isnan(best), np.nan, chosen)


def lot(quantity: ArrayLike, minimum: ArrayLike = np.nan, pack: ArrayLike = np.nan) -> Array:
    """A quantity raised to the minimum order and up to whole packs; NaN: there is none."""
    wanted = np.fmax(np.asarray(quantity, float), np.asarray(minimum, float))
    size = np.asarray(pack, float)
    size = np.where(size > 0, size, np.nan)
    return np.where(np.isnan(size), wanted, np.ceil(wanted / size - 1e-9) * size)


def comes_in_pieces(history: Array) -> NDArray[np.bool_]:
    """Of each row of recorded demand (series × periods), whether every quantity is whole."""
    return np.asarray(~(history % 1).any(axis=1))


def in_pieces(level: ArrayLike, pieces: ArrayLike) -> Array:
    """A stock level in units of issue, rounded up where demand comes in whole `pieces`: stock does
    too, and at 0.8 of a piece an order would wait for none."""
    found = np.asarray(level, float)
    return np.where(pieces, np.ceil(found - 1e-6), found)


def cumulative(rates: Array, days: ArrayLike) -> Array:
    """Demand over the first `days` of each row of `rates` (series × days), fractions of a day
    included; beyond the last column it goes on at the row's mean."""
    span = rates.shape[1]
    total = np.concatenate([np.zeros((len(rates), 1)), np.cumsum(rates, axis=1)], axis=1)
    wanted = np.broadcast_to(np.asarray(days, float), len(rates))
    inside = np.clip(np.nan_to_num(wanted), 0, span)
    whole = np.minimum(np.floor(inside).astype(int), span - 1)
    rows = np.arange(len(rates))
    known = total[rows, whole] + (inside - whole) * rates[rows, whole]
    beyond = np.maximum(np.nan_to_num(wanted) - span, 0) * rates.mean(axis=1)
    return np.where(np.isnan(wanted), np.nan, known + beyond)


def project(on_hand: ArrayLike, demand: Array, receipts: Array) -> Array:
    """Stock at the end of each day: what is there, plus receipts, minus demand (series × days).

    It goes below 0 by what could not be served (backorders).
    """
    start = np.asarray(on_hand, float).reshape(-1, 1)
    return start + np.cumsum(receipts, axis=1) - np.cumsum(demand, axis=1)


def lost_demand(demand: Array, share: Array, supply: Array) -> Array:
    """Units of each draw of `demand` (rows, draws) that find no stock, where what is asked for
    while there is none is lost: the most by which demand runs ahead of supply at any moment.

    share, supply, (rows, moments): how much of the demand is asked for until each moment, and what
    there was and came before it, NaN: not known, infinite: no moment of this row. The first is the
    end, the others the mornings on which something arrives.
    """
    ahead = demand * share[:, :1] - supply[:, :1]
    for moment in range(1, share.shape[1]):
        here = np.isfinite(supply[:, moment])
        until = demand[here] * share[here, moment, None] - supply[here, moment, None]
        ahead[here] = np.maximum(ahead[here], until)
    return np.maximum(ahead, 0.0)


def days_to_stockout(on_hand: ArrayLike, demand: Array, receipts: Array) -> Array:
    """Days until the projected stock reaches 0, within the day by proportion; a receipt counts
    from the morning. NaN where it does not within the days given; 0 where there is none now,
    whatever comes tomorrow. What nobody asks for in these days never runs out.
    """
    start = np.asarray(on_hand, float)
    end = project(start, demand, receipts)
    out = (end <= 0) & (demand > 0)
    found = out.any(axis=1)
    day = np.where(found, out.argmax(axis=1), 0)
    rows = np.arange(len(start))
    morning = end[rows, day] + demand[rows, day]
    part = np.divide(
        np.maximum(morning, 0), demand[rows, day], out=np.zeros(len(start)), where=found
    )
    days = np.where(found, day + part, np.nan)
    return np.where((start <= 0) & (demand > 0).any(axis=1), 0.0, days)


def expected_shortage(mean: ArrayLike, std: ArrayLike, available: ArrayLike) -> Array:
    """E[max(0, X − available)] for X ~ N(mean, std): σ·(φ(k) − k·(1 − Φ(k))), k = (a − μ) ÷ σ."""
    mu, sigma = np.asarray(mean, float), np.asarray(std, float)
    stock = np.asarray(available, float)
    certain = np.maximum(mu - stock, 0.0)
    usable = np.where(sigma > 0, sigma, np.nan)
    k = (stock - mu) / usable
    density = np.exp(-(k**2) / 2) / sqrt(2 * np.pi)
    below = _each(lambda x: 0.5 * (1 + erf(x / sqrt(2))), k)
    loss = sigma * (density - k * (1 - below))
    return np.where(np.isnan(usable), certain, np.maximum(loss, 0.0))


def expected_squared_shortage(mean: ArrayLike, std: ArrayLike, available: ArrayLike) -> Array:
    """½·E[max(0, X − available)²] for X ~ N(mean, std): its slope is −`expected_shortage`.

    σ²÷2 · ((1 + k²)·(1 − Φ(k)) − k·φ(k)), k = (a − μ) ÷ σ; std above 0.
    """
    sigma = np.asarray(std, float)
    k = (np.asarray(available, float) - np.asarray(mean, float)) / sigma
    beyond = _each(lambda x: 0.5 * (1 - erf(x / sqrt(2))), k)
    density = np.exp(-(k**2) / 2) / sqrt(2 * np.pi)
    return np.maximum(sigma**2 / 2 * ((1 + k**2) * beyond - k * density), 0.0)


def critical_ratio(underage: ArrayLike, overage: ArrayLike) -> Array:
    """c_u ÷ (c_u + c_o): the probability of having enough that costs least.

    underage: cost of a unit that was missing; overage: of a unit left over.
    """
    missing, left = np.asarray(underage, float), np.asarray(overage, float)
    total = missing + left
    return missing / np.where(total > 0, total, np.nan)


def newsvendor(mean: ArrayLike, std: ArrayLike, underage: ArrayLike, overage: ArrayLike) -> Array:
    """The quantity of least cost for demand N(mean, std): F(Q) = c_u ÷ (c_u + c_o)."""
    z = service_factor(critical_ratio(underage, overage))
    return np.asarray(mean, float) + z * np.asarray(std, float)


def newsvendor_cost(
    quantity: ArrayLike,
    mean: ArrayLike,
    std: ArrayLike,
    underage: ArrayLike,
    overage: ArrayLike,
) -> Array:
    """c_o·E[left over] + c_u·E[missing] of a quantity, in BRL a period; demand N(mean, std)."""
    missing = expected_shortage(mean, std, quantity)
    left = np.asarray(quantity, float) - np.asarray(mean, float) + missing
    return np.asarray(overage, float) * left + np.asarray(underage, float) * missing


def enough_for(probabilities: Array, level: ArrayLike) -> NDArray[np.int64]:
    """The smallest stock s with P(demand ≤ s) ≥ level, of each row of `probabilities`.

    probabilities: P(demand = 0, 1, 2 …), shape (items, quantities); level: one, or one an item.
    With the critical ratio as level it is the newsvendor's quantity.
    """
    upto = np.cumsum(probabilities, axis=1)
    wanted = np.minimum(np.reshape(np.asarray(level, float), (-1, 1)), upto[:, -1:])
    return np.argmax(upto >= wanted - 1e-12, axis=1)


def shortages(probabilities: Array) -> Array:
    """E[max(0, demand − s)] for s = 0, 1, 2 …, of each row of P(demand = 0, 1, 2 …)."""
    beyond = np.maximum(1.0 - np.cumsum(probabilities, axis=1), 0.0)
    return np.cumsum(beyond[:, ::-1], axis=1)[:, ::-1]


@dataclass(frozen=True)
class LotCosts:
    """What (r, Q) costs are made of, per unit of any one time (a year, a day): demand of that time,
    S an order, H a unit held and P a unit short for that time."""

    demand: float
    order_cost: float
    holding_cost: float
    shortage_cost: float


def lot_policy_cost(
    reorder: ArrayLike, quantity: ArrayLike, mean: float, std: float, costs: LotCosts
) -> Array:
    """Cost of ordering Q whenever stock on hand and on order falls to r; shortages wait.

    (S·D + ∫ g(y) dy from r to r + Q) ÷ Q, g the newsvendor's cost (Zheng 1992), in BRL a time unit;
    mean and std are those of lead-time demand, N(mean, std).
    """
    low, size = np.asarray(reorder, float), np.asarray(quantity, float)
    high = low + size
    held = costs.holding_cost * ((high - mean) ** 2 - (low - mean) ** 2) / 2
    short = expected_squared_shortage(mean, std, low) - expected_squared_shortage(mean, std, high)
    priced = held + (costs.holding_cost + costs.shortage_cost) * short
    return (costs.order_cost * costs.demand + priced) / size


def reorder_point_for(quantity: float, mean: float, std: float, costs: LotCosts) -> float:
    """The cheapest r for a given Q: where the newsvendor's cost at r and at r + Q is the same."""
    prices = (costs.shortage_cost, costs.holding_cost)
    high = float(newsvendor(mean, std, *prices))
    low = high - quantity
    for _ in range(SEARCHES):
        middle = (low + high) / 2
        here, there = newsvendor_cost([middle, middle + quantity], mean, std, *prices)
        low, high = (low, middle) if here < there else (middle, high)
    return (low + high) / 2


def lot_policy(mean: float, std: float, costs: LotCosts) -> tuple[float, float, float]:
    """The cheapest (r, Q) and its cost, for lead-time demand N(mean, std).

    The cost is convex in Q once r follows it (Zheng 1992): a golden-section search from EOQ, which
    the best Q never is below.
    """
    economic = float(eoq(costs.demand, costs.order_cost, costs.holding_cost))
    spread = costs.shortage_cost / costs.holding_cost + 1

    def cost(quantity: float) -> float:
        reorder = reorder_point_for(quantity, mean, std, costs)
        return float(lot_policy_cost(reorder, quantity, mean, std, costs))

    low, high, golden = economic, economic * sqrt(spread) + spread * std, (sqrt(5) - 1) / 2
    for _ in range(SEARCHES):
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if cost(left) < cost(right) else (left, high)
    best = (low + high) / 2
    return reorder_point_for(best, mean, std, costs), best, cost(best)


def discrete_lot_policy(probabilities: Array, costs: LotCosts) -> tuple[int, int, float]:
    """The cheapest (r, Q) in whole units and its cost, for P(lead-time demand = 0, 1, 2 …).

    Q grows by the cheaper of the two neighbours while that lowers the average (Federgruen & Zheng
    1992). Right where demand comes in single units; of lots the order overshoots r.
    """
    chances = np.asarray(probabilities, float)
    mean = float(chances @ np.arange(len(chances)))
    missing = shortages(chances[None, :])[0]

    def price(stock: int) -> float:
        short = mean - stock if stock < 0 else missing[stock] if stock < len(missing) else 0.0
        left = stock - mean + short
        return costs.holding_cost * left + costs.shortage_cost * short

    ratio = critical_ratio(costs.shortage_cost, costs.holding_cost)
    top = int(enough_for(chances[None, :], ratio)[0])
    reorder, quantity, total = top - 1, 1, costs.order_cost * costs.demand + price(top)
    while True:
        below, above = price(reorder), price(reorder + quantity + 1)
        if min(below, above) >= total / quantity:
            return reorder, quantity, total / quantity
        reorder -= below < above
        total, quantity = total + min(below, above), quantity + 1


def _each(function: object, values: ArrayLike) -> Array:
    return np.vectorize(function, otypes=[float])(np.asarray(values, float))  # type: ignore
