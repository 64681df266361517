"""Stock: how much to keep, when to order, when it will run out.

Quantities are in units of issue, times in days, rates per day. Functions take numbers or NumPy
arrays and work element by element; NaN stands for "not known" and stays NaN. Source unless named:
Silver, Pyke & Thomas (2017), "Inventory and Production Management in Supply Chains", chapters 4, 6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import erf, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PolicySettings:
    """What the textbook leaves to the company; `support.setting['policy']` overrides each.

    service_levels: probability of no stockout in a cycle, by ABC class, for items without their
    own. order_cost_brl: cost of placing one order. holding_rate: cost of holding stock for a
    year, a fraction of its value. critical_days, warning_days: a projected stockout within them
    raises an alert of that level (a warning also within the lead time). late_days: an order is
    late after this many days past its promise. forgotten_days: an order that is overdue by more
    is no longer counted on.
    """

    service_levels: dict[str, float] = field(
        default_factory=lambda: {"A": 0.97, "B": 0.95, "C": 0.90}
    )
    default_service_level: float = 0.95
    order_cost_brl: float = 150.0
    holding_rate: float = 0.22
    critical_days: float = 7.0
    warning_days: float = 14.0
    late_days: int = 7
    forgotten_days: int = 180


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


def eoq(annual_demand: ArrayLike, order_cost: ArrayLike, annual_holding_cost: ArrayLike) -> Array:
    """Economic order quantity √(2·D·S ÷ H) (Harris 1913); NaN where H is not above 0.

    order_cost S in BRL an order, annual_holding_cost H in BRL a unit and year.
    """
    holding = np.asarray(annual_holding_cost, float)
    usable = np.where(holding > 0, holding, np.nan)
    return np.sqrt(2.0 * np.asarray(annual_demand, float) * np.asarray(order_cost, float) / usable)


def lot(quantity: ArrayLike, minimum: ArrayLike = np.nan, pack: ArrayLike = np.nan) -> Array:
    """A quantity raised to the minimum order and up to whole packs; NaN: there is none."""
    wanted = np.fmax(np.asarray(quantity, float), np.asarray(minimum, float))
    size = np.asarray(pack, float)
    size = np.where(size > 0, size, np.nan)
    return np.where(np.isnan(size), wanted, np.ceil(wanted / size - 1e-9) * size)


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


def days_to_stockout(on_hand: ArrayLike, demand: Array, receipts: Array) -> Array:
    """Days until the projected stock reaches 0, within the day by proportion; a receipt counts
    from the morning. NaN where it does not within the days given; 0 where there is none now.
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
    return np.where((start <= 0) & (receipts[:, 0] <= 0) & found, 0.0, days)


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


def _each(function: object, values: ArrayLike) -> Array:
    return np.vectorize(function, otypes=[float])(np.asarray(values, float))  # type: ignore
