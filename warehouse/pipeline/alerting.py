"""Which projected situations are worth an alert. Works on frames: no SQL.

- stockout_imminent: the stock, with the orders already placed, reaches 0 before a new order could
  arrive or within the warning days. Critical within the critical days.
- below_reorder_point: stock on hand and on order, less what projects will take within the lead
  time, is at or under the reorder point, and it is not running out yet. Warning under the safety
  stock, else info.
- late_order: a line past its promise. Warning when it is late by more than the settings' late_days
  and the item's stock is at its reorder point or under it; else info.
- dead_stock: stock of what nobody asked for in the settings' dead_days, or never and counts show
  that nothing went out either (see `unasked`), beyond what would be bought again and what projects
  will take. Info.
- excess: stock beyond the order-up-to level and beyond the demand of the settings' excess_days,
  each with what projects will take, and not dead. Info.

An item covered in time by an order that is already placed raises nothing; one that has nothing now
is out, whatever comes tomorrow. One that is out of use raises dead stock and excess alone.

risk_brl is the expected unmet quantity over the lead time × what a missing unit costs (emergency
purchase and contract penalty); of excess and dead stock what holding it costs a year: a model, not
a bill. acting_brl is what doing something about it costs: an order,
and hurry where an order comes too late; hurry alone of a late order; the work of getting rid of
idle stock. Alerts are ranked by net_brl, risk less acting; in sums the risk of a shortage counts
once for an item-depot (`queries.alerts.ADDED_NET`). A fingerprint names the same situation in every
run. Drifts and gaps: see `drifting`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from domain.policy_settings import PolicySettings
from domain.recommending.excess import with_enough
from domain.recommending.settings import RecommendationSettings
from domain.rounding import WHOLE

COLUMNS = (
    "fingerprint kind level item_id site_id stockout_on days_to_stockout risk_brl acting_brl"
    " net_brl facts"
).split()

LEAST_DEMAND = 0.5
"""Units expected in the window below which running out is not imminent: nobody asks for it."""

_STOCK_FACTS = (
    "counted_quantity used_since received_since arrived_since today"
    " on_hand reserved available on_order project_demand position arriving daily_demand"
    " lead_time_days lead_time_std lead_time_demand lead_time_demand_std service_level"
    " demand_at_service_level safety_stock"
    " textbook_lead_time_demand_std textbook_safety_stock reorder_point order_up_to"
    " stockout_probability days_to_stockout risk_quantity unit_cost_brl emergency_premium"
    " penalty_brl request_size shortage_brl risk_brl order_cost_brl hurry_brl acting_brl net_brl"
).split()
_IDLE_FACTS = (
    "counted_quantity used_since received_since arrived_since today"
    " on_hand reserved available project_ahead annual_quantity order_up_to excess_days"
    " enough_quantity idle_quantity unasked_days last_demand_on unmoved_since unit_cost_brl"
    " capital_brl holding_rate risk_brl acting_brl net_brl"
).split()


def alerts_of(
    policy: pd.DataFrame,
    orders: pd.DataFrame,
    settings: PolicySettings,
    rates: RecommendationSettings,
    today: date,
) -> pd.DataFrame:
    """Every alert that stock and orders raise: one row each with COLUMNS, `facts` as JSON text."""
    policy = _with_acting(policy, settings, rates).assign(today=today)
    imminent = _imminent(policy, settings)
    below = _below_reorder_point(policy, ~imminent)
    parts = [
        _stock_alerts("stockout_imminent", policy[imminent], _imminent_level(policy, settings)),
        _stock_alerts("below_reorder_point", policy[below], _below_level(policy)),
        _late_orders(policy, orders, settings, rates, today),
        *_idle(policy, settings, rates, today),
    ]
    return together(parts)


def together(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Alerts of several kinds as one frame with COLUMNS."""
    filled = [part[COLUMNS].astype("object") for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else _empty()


def _with_acting(
    policy: pd.DataFrame, settings: PolicySettings, rates: RecommendationSettings
) -> pd.DataFrame:
    """With what doing something about a shortage costs, and what is left of the risk."""
    too_late = policy["days_to_stockout"] < policy["lead_time_days"]
    hurry = np.where(too_late, rates.expedite_cost_brl, 0.0)
    acting = settings.order_cost_brl + hurry
    return policy.assign(
        emergency_premium=rates.emergency_premium,
        penalty_brl=policy["penalty_brl"].fillna(0.0),
        request_size=policy["request_size"].clip(lower=1).fillna(1.0),
        order_cost_brl=settings.order_cost_brl,
        hurry_brl=hurry,
        acting_brl=acting,
        net_brl=policy["risk_brl"] - acting,
    )


def _imminent(policy: pd.DataFrame, settings: PolicySettings) -> pd.Series:
    window = policy["lead_time_days"].fillna(0).clip(lower=settings.warning_days)
    wanted = policy["daily_demand"] * window >= LEAST_DEMAND
    wanted |= policy["project_demand"] > 0
    return policy["active"] & wanted & (policy["days_to_stockout"] <= window)


def _imminent_level(policy: pd.DataFrame, settings: PolicySettings) -> pd.Series:
    critical = policy["days_to_stockout"] <= settings.critical_days
    return pd.Series(np.where(critical, "critical", "warning"), policy.index)


def _below_reorder_point(policy: pd.DataFrame, elsewhere: pd.Series) -> pd.Series:
    wanted = policy["lead_time_demand"] >= LEAST_DEMAND
    wanted |= policy["project_demand"] > 0
    return policy["active"] & elsewhere & wanted & (policy["position"] <= policy["reorder_point"])


def _below_level(policy: pd.DataFrame) -> pd.Series:
    urgent = policy["position"] <= policy["safety_stock"]
    return pd.Series(np.where(urgent, "warning", "info"), policy.index)


def _stock_alerts(
    kind: str, rows: pd.DataFrame, level: pd.Series, names: Sequence[str] = _STOCK_FACTS
) -> pd.DataFrame:
    keys = rows["item_id"].astype(str) + "|" + rows["site_id"].astype(str)
    facts = rows[list(names)].to_dict("records")
    sources = zip(facts, rows["lead_time_source"], rows["stock_date"], strict=True)
    return rows.assign(
        kind=kind,
        level=level.loc[rows.index],
        fingerprint=f"{kind}|" + keys,
        facts=[
            to_json(one | {"lead_time_source": source or None, "stock_date": stock_date})
            for one, source, stock_date in sources
        ],
    )


def _idle(
    policy: pd.DataFrame, settings: PolicySettings, rates: RecommendationSettings, today: date
) -> list[pd.DataFrame]:
    """Dead stock and excess: alerts about capital that does not work."""
    policy = with_enough(policy, settings, today)
    dead, over = policy["dead"], np.floor(policy["available"] - policy["enough_quantity"] + WHOLE)
    idle = policy.assign(
        excess_days=settings.excess_days,
        idle_quantity=np.where(over >= 1, over, np.nan),
        holding_rate=settings.holding_rate,
    )
    idle["capital_brl"] = idle["idle_quantity"] * idle["unit_cost_brl"]
    idle["risk_brl"] = idle["capital_brl"] * settings.holding_rate
    idle["acting_brl"] = rates.reduce_cost_brl
    idle["net_brl"] = idle["risk_brl"] - rates.reduce_cost_brl
    idle = idle.assign(stockout_on=None, days_to_stockout=np.nan)
    found = {"dead_stock": dead, "excess": ~dead & policy["order_up_to"].notna()}
    idle = idle[idle["idle_quantity"].notna()]
    return [
        _stock_alerts(kind, rows, pd.Series("info", rows.index), _IDLE_FACTS)
        for kind, rows in ((kind, idle[here[idle.index]]) for kind, here in found.items())
    ]


def _late_orders(
    policy: pd.DataFrame,
    orders: pd.DataFrame,
    settings: PolicySettings,
    rates: RecommendationSettings,
    today: date,
) -> pd.DataFrame:
    late = orders[orders["active"] & (orders["days_late"] > 0)]
    if late.empty:
        return _empty()
    priced = ["risk_quantity", "unit_cost_brl", "emergency_premium", "penalty_brl", "request_size"]
    priced += ["shortage_brl", "risk_brl"]
    known = ["item_id", "site_id", "available", "reorder_point", "stockout_on", "days_to_stockout"]
    late = late.merge(policy[known + priced], on=["item_id", "site_id"], how="left")
    hurry = rates.expedite_cost_brl
    late = late.assign(hurry_brl=hurry, acting_brl=hurry, net_brl=late["risk_brl"] - hurry)
    urgent = (late["days_late"] > settings.late_days) & (late["available"] <= late["reorder_point"])
    names = ["supplier", "quantity", "unit_price_brl", "days_late", "available", "reorder_point"]
    return late.assign(
        kind="late_order",
        level=np.where(urgent, "warning", "info"),
        fingerprint="late_order|" + late["order_no"] + "|" + late["line"],
        facts=[
            to_json(
                {
                    name: row[name]
                    for name in [*names, *priced, "hurry_brl", "acting_brl", "net_brl"]
                }
                | {"order": row["order_no"], "line": row["line"], "today": today}
                | {name: row[name] for name in ("ordered_on", "promised_on", "expected_on")}
            )
            for row in late.to_dict("records")
        ],
    )


def _empty() -> pd.DataFrame:
    return pd.DataFrame(columns=COLUMNS)


def to_json(facts: Mapping[Any, Any]) -> str:
    """Facts as JSON text: what is not known is null, days are ISO."""
    return json.dumps({name: _plain(value) for name, value in facts.items()})


def _plain(value: Any) -> float | str | None:
    if value is None or value is pd.NaT or value != value:
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else value
