"""What the kinds of recommendations have in common: their columns, facts, and missing demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from domain.inventory import expected_shortage
from domain.policy_settings import PolicySettings
from domain.recommending.settings import RecommendationSettings

Array = NDArray[np.float64]

REORDER, EXPEDITE, TRANSFER, REDUCE, SWITCH = KINDS = (
    "REORDER",
    "EXPEDITE",
    "TRANSFER",
    "REDUCE",
    "SWITCH",
)
COLUMNS = (
    "fingerprint kind priority item_id site_id from_site_id supplier_id quantity act_by value_brl"
    " facts"
).split()
DAYS_A_YEAR = 365.25
EPSILON = 1e-9
DECIMALS = 9
"""Of a number among facts: a receipt's inputs give its output to the cent, and what two derivations
of the same data differ by is cut off."""


@dataclass(frozen=True)
class Context:
    """The day from which the future is counted, and the rates."""

    today: date
    policy: PolicySettings
    rates: RecommendationSettings


def holding_brl(unit_cost: ArrayLike, days: ArrayLike, context: Context) -> Array:
    """What holding a unit for so many days costs: c·h·days ÷ 365.25."""
    rate = context.policy.holding_rate / DAYS_A_YEAR
    return np.asarray(unit_cost, float) * rate * np.asarray(days, float)


def shortage_brl(stock: pd.DataFrame, context: Context) -> Array:
    """What a missing unit costs: unit cost × emergency premium, plus the depot's contract penalty
    of a request (0 where none is known) ÷ units of a request. NaN without a unit cost."""
    penalty = stock["penalty_brl"].fillna(0) / stock["request_size"].clip(lower=1).fillna(1)
    premium = stock["unit_cost_brl"] * context.rates.emergency_premium
    return (premium + penalty).to_numpy(float)


def unmet(stock: pd.DataFrame, days: ArrayLike, supply: ArrayLike) -> Array:
    """Units of `days` of demand expected to find no stock, of a supply of so many units: the loss
    function of N(d·t, σ²·t)."""
    span = np.maximum(np.asarray(days, float), 0)
    mean = stock["daily_demand"].to_numpy(float) * span
    return expected_shortage(mean, stock["demand_std"].to_numpy(float) * np.sqrt(span), supply)


def unmet_in_lead_time(stock: pd.DataFrame, more: ArrayLike = 0.0) -> Array:
    """Units of lead-time demand expected to find no stock, with so many units more now than the
    policy counts on: its `risk_quantity`, less as the loss function of a normal falls, and by
    `more` at most. What no new order can help any more."""
    extra = np.broadcast_to(np.asarray(more, float), len(stock))
    missing, without = stock["risk_quantity"].to_numpy(float), normal_in_lead_time(stock)
    left = normal_in_lead_time(stock, extra)
    share = np.divide(left, without, out=np.zeros_like(left), where=without > 0)
    return np.where(extra > 0, np.maximum(missing * share, missing - extra), missing)


def normal_in_lead_time(stock: pd.DataFrame, more: ArrayLike = 0.0) -> Array:
    """The same by the loss function of a normal alone, at the moment of the lead time at which the
    most should be missing: its end, or before something arrives."""
    supply = stock["worst_supply"] + np.asarray(more, float)
    return expected_shortage(stock["worst_demand"], stock["worst_demand_std"], supply)


def usual_rate(stock: pd.DataFrame) -> pd.Series:
    """Demand of a day in the mean of the year ahead; `daily_demand` is that of the lead time."""
    return stock["annual_quantity"] / DAYS_A_YEAR


def day_after(context: Context, days: float) -> date | None:
    """The day that comes so many (whole) days after today, today at the earliest; None of NaN."""
    if np.isnan(days):
        return None
    return context.today + timedelta(days=int(max(0.0, np.floor(days + EPSILON))))


def priority(act_by: date | None, context: Context) -> int:
    """1: act now; 2: within the review days; 3: it has time."""
    if act_by is None:
        return 3
    left = (act_by - context.today).days
    return 1 if left <= 0 else 2 if left <= context.rates.review_days else 3


def facts(row: Mapping[Any, Any], names: Iterable[str], **more: Any) -> dict[str, Any]:
    """The named values of a row and `more`, as plain JSON values; what is not known is None."""
    found = {name: row[name] for name in names} | more
    return {name: plain(value) for name, value in found.items()}


def plain(value: Any) -> Any:
    """A JSON value: dates ISO 8601, numbers to DECIMALS, NaN and NaT None."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if value is None or value is pd.NaT or value != value:
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | bool):
        return value
    number = round(float(value), DECIMALS) + 0.0
    return int(number) if number.is_integer() else number


def as_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Recommendations with COLUMNS."""
    return pd.DataFrame(list(rows), columns=COLUMNS)


IDENTITY = "sku item_name unit site site_name uf unit_cost_brl".split()
"""What of a row says which material and depot it is about."""

STOCK = (
    "counted_quantity used_since received_since arrived_since on_hand reserved available on_order"
    " project_demand position daily_demand lead_time_days lead_time_source reorder_point"
    " order_up_to service_level days_to_stockout stockout_on shortage_brl stock_date"
).split()
