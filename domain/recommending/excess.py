"""REDUCE: stock that nobody will ask for in time."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from domain.policy_settings import PolicySettings
from domain.recommending.frames import (
    DAYS_A_YEAR,
    IDENTITY,
    REDUCE,
    STOCK,
    Context,
    as_frame,
    facts,
    holding_brl,
    priority,
    usual_rate,
)
from domain.recommending.purchases import LEAST_POINT
from domain.rounding import WHOLE


def with_enough(stock: pd.DataFrame, policy: PolicySettings, today: date) -> pd.DataFrame:
    """`stock` with `unasked_days`, since it was last asked for (or, if it never was, last moved),
    whether it is `dead`, and `enough_quantity`: what is above is idle.

    Enough is the order-up-to level and the demand of the excess days; of what is dead only a level
    to which it would be bought again. To each comes what projects will take.
    """
    asked = pd.to_datetime(stock["last_demand_on"]).fillna(stock["unmoved_since"])
    unasked = (pd.Timestamp(today) - asked).dt.days.astype("float64")
    dead = (stock["available"] > 0) & (unasked >= policy.dead_days)
    level = stock["order_up_to"].astype("float64").fillna(0)
    bought = stock["active"] & (stock["reorder_point"] >= LEAST_POINT)
    needed = np.fmax(level, usual_rate(stock) * policy.excess_days)
    enough = np.where(dead, level.where(bought, 0), needed) + stock["project_ahead"]
    return stock.assign(unasked_days=unasked, dead=dead, enough_quantity=enough)


def reductions(stock: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Stock above what is enough, transfers off.

    value = holding cost of the excess for a year − cost of getting rid of it; the capital that is
    freed stands beside it in the facts.
    """
    rates = context.rates
    stock = with_enough(stock, context.policy, context.today)
    rate, needed = usual_rate(stock), stock["enough_quantity"]
    excess = stock["available"] - stock["given"] - needed
    quantity = np.floor(np.minimum(excess, stock["on_hand"]) + WHOLE)
    cost = stock["unit_cost_brl"]
    holding = quantity * holding_brl(cost, DAYS_A_YEAR, context)
    rows = stock.assign(
        quantity=quantity,
        needed_quantity=needed,
        excess_days=context.policy.excess_days,
        cover_days=stock["available"] / rate.where(rate > 0),
        capital_brl=quantity * cost,
        holding_rate=context.policy.holding_rate,
        holding_brl=holding,
        reduce_cost_brl=rates.reduce_cost_brl,
        value_brl=holding - rates.reduce_cost_brl,
    )
    rows = rows[(rows["quantity"] > 0) & (rows["value_brl"] >= rates.least_value_brl)]
    return as_frame([_reduction(row, context) for row in rows.to_dict("records")])


def _reduction(row: dict[Any, Any], context: Context) -> dict[str, Any]:
    names = (
        "quantity needed_quantity excess_days cover_days given capital_brl holding_rate holding_brl"
        " reduce_cost_brl unmoved_since value_brl"
    ).split()
    known = facts(row, [*IDENTITY, *STOCK, *names], today=context.today)
    held = {"risk_brl": row["holding_brl"], "window_days": DAYS_A_YEAR}
    nothing = facts(row, ("capital_brl", "cover_days"), **held)
    return {
        "fingerprint": f"{REDUCE}|{row['item_id']}|{row['site_id']}",
        "kind": REDUCE,
        "priority": priority(None, context),
        "item_id": row["item_id"],
        "site_id": row["site_id"],
        "quantity": row["quantity"],
        "value_brl": row["value_brl"],
        "facts": known | {"if_nothing": nothing},
    }
