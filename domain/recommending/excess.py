"""REDUCE: stock that nobody will ask for in time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from domain.recommending.frames import (
    DAYS_A_YEAR,
    EPSILON,
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


def reductions(stock: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Stock above the order-up-to level and above the demand of the excess days, transfers and
    what projects will take off. Of what was never asked for there is neither: all of it.

    value = holding cost of the excess for a year − cost of getting rid of it; the capital that is
    freed stands beside it in the facts.
    """
    rates = context.rates
    rate = usual_rate(stock)
    needed = np.fmax(stock["order_up_to"].fillna(0), rate * context.policy.excess_days)
    needed = needed + stock["project_ahead"]
    excess = np.floor(stock["available"] - stock["given"] - needed + EPSILON)
    quantity = np.minimum(excess, np.floor(stock["on_hand"]))
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
