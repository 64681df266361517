"""REORDER: how much, by when and from whom; EXPEDITE: which order must come sooner."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from domain.inventory import lot
from domain.recommending.frames import (
    EPSILON,
    EXPEDITE,
    IDENTITY,
    REORDER,
    STOCK,
    Array,
    Context,
    as_frame,
    day_after,
    facts,
    holding_brl,
    normal_in_lead_time,
    priority,
    unmet,
    unmet_in_lead_time,
)
from domain.rounding import WHOLE

ORDER_COLUMNS = (
    "item_id site_id order_no line supplier_id supplier quantity unit_price_brl ordered_on"
    " promised_on received_on expected_on"
).split()

PRICE_DECIMALS = 4
"""Of a unit price: there are things that cost less than a cent. Values are in cents."""
LEAST_POINT = 0.5
"""A reorder point of less asks for no stock."""


def reorders(stock: pd.DataFrame, sources: pd.DataFrame, context: Context) -> pd.DataFrame:
    """A purchase wherever the position, transfers included, is at its reorder point or will be
    within the review days; where something moves there, wherever it is under its reorder point.

    `sources` (index item_id): supplier_id, supplier, price_brl, supplier_lines. Quantity: the
    whole packs (units where none are given) that lift the position to its order-up-to level and not
    above it, at least the minimum. The level is an economic lot above the reorder point, so what is
    due has room for one; what is not due yet and has none waits.
    value = (units missing in lead time + cover days if nothing is done − units missing in the lead
    time, which nothing helps; not more than are bought) × cost of a missing unit − cost of an
    order − holding the lot for the cover days. Those of the lead time are the policy's, and what
    the cover days add is that of a normal distribution.
    """
    short = order_quantities(stock, context)
    rows = stock[short > 0].assign(quantity=short[short > 0])
    rows = rows.join(sources, on="item_id")
    window = rows["lead_time_days"] + context.rates.cover_days
    supply, received = rows["position"].to_numpy(float), rows["received"]
    added = unmet(rows, window, supply) - normal_in_lead_time(rows, received)
    unavoidable = unmet_in_lead_time(rows, received)
    lost = unavoidable + np.maximum(added, 0)
    price = rows["price_brl"].astype("float64").fillna(rows["unit_cost_brl"]).round(PRICE_DECIMALS)
    holding = rows["quantity"] * holding_brl(price, context.rates.cover_days, context)
    avoided = np.clip(added, 0, rows["quantity"].to_numpy(float))
    order = context.policy.order_cost_brl
    rows = rows.assign(
        window_days=window,
        unmet_quantity=lost,
        unavoidable_quantity=unavoidable,
        avoided_quantity=avoided,
        least_order=rows["min_order_qty"].fillna(0),
        pack=packs(rows),
        order_cost_brl=order,
        holding_brl=holding,
        price_brl=price,
        order_value_brl=(rows["quantity"] * price).round(2),
        value_brl=avoided * rows["shortage_brl"] - order - holding,
        risk_brl=lost * rows["shortage_brl"],
    )
    return as_frame([_reorder(row, context) for row in rows.to_dict("records")])


def order_quantities(stock: pd.DataFrame, context: Context) -> Array:
    """Units to order of each row, 0 where nothing is: see `reorders`."""
    point, position = stock["reorder_point"], stock["position"]
    moved = stock[["received", "given"]].gt(0).any(axis=1)
    short = np.where(moved, position < point - EPSILON, position <= point)
    soon = position - point <= stock["daily_demand"] * context.rates.review_days
    soon &= ~moved
    wanted = stock["order_up_to"] - position
    asked = (point >= LEAST_POINT) | (stock["project_demand"] > 0)
    known = asked & position.notna() & (wanted > EPSILON)
    size = packs(stock)
    quantity = np.floor(wanted.clip(lower=0) / size + WHOLE) * size
    least = lot(size, stock["min_order_qty"], size)
    return np.where(known & (short | soon) & (quantity >= least), quantity, 0.0)


def packs(stock: pd.DataFrame) -> pd.Series:
    """Units of a pack; one where the items file gives none."""
    return stock["pack_size"].where(stock["pack_size"] > 0, 1.0)


def _reorder(row: dict[Any, Any], context: Context) -> dict[str, Any]:
    act_by = _order_by(row, context)
    names = (
        "quantity least_order pack safety_stock demand_std lead_time_std bought received given"
        " supplier supplier_lines price_brl order_value_brl order_cost_brl holding_brl window_days"
        " unmet_quantity unavoidable_quantity avoided_quantity value_brl"
    ).split()
    nothing = facts(row, ("stockout_on", "unmet_quantity", "risk_brl", "window_days"))
    known = facts(row, [*IDENTITY, *STOCK, *names], today=context.today, act_by=act_by)
    return {
        "fingerprint": f"{REORDER}|{row['item_id']}|{row['site_id']}",
        "kind": REORDER,
        "priority": priority(act_by, context),
        "item_id": row["item_id"],
        "site_id": row["site_id"],
        "supplier_id": row["supplier_id"],
        "quantity": row["quantity"],
        "act_by": act_by,
        "value_brl": row["value_brl"],
        "facts": known | {"if_nothing": nothing},
    }


def _order_by(row: dict[Any, Any], context: Context) -> date:
    """The last day on which an order still arrives before the projected stockout; where none is
    projected, the day on which the position meets the reorder point."""
    lead, rate = row["lead_time_days"], row["daily_demand"]
    deadline = row["days_to_stockout"] - lead
    meets = (row["position"] - row["reorder_point"]) / rate if rate > 0 else 0.0
    found = day_after(context, meets if np.isnan(deadline) else deadline)
    return found or context.today


def expedites(stock: pd.DataFrame, orders: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The first open order line that comes after its item has run out, if hurry is worth it: not
    if it was received since.

    `orders`: ORDER_COLUMNS and counted. value = units that the days gained serve, less those that a
    transfer or what is in transit serves × cost of a missing unit − premium × value of the line −
    cost of hurry.
    """
    rates = context.rates
    lines = orders.loc[orders["counted"].astype(bool), ORDER_COLUMNS]
    rows = lines.merge(stock, on=["item_id", "site_id"])
    expected = (rows["expected_on"] - pd.Timestamp(context.today)).dt.days.astype("float64")
    rows = rows.assign(expected_days=expected)
    rows = rows[rows["expected_days"] > rows["days_to_stockout"]].sort_values("expected_days")
    rows = rows.drop_duplicates(["item_id", "site_id"])
    arrives = np.maximum(np.floor(rows["days_to_stockout"]), np.ceil(rates.expedite_days))
    gained = rows["expected_days"] - arrives
    left_out = _left_out(rows, rows["expected_days"])
    spared = left_out - _left_out(rows, np.maximum(rows["days_to_stockout"], arrives))
    served = np.minimum(rows["quantity"], spared.clip(lower=0))
    served = (served - rows["received"]).clip(lower=0)
    worth = rows["quantity"] * rows["unit_price_brl"].fillna(rows["unit_cost_brl"])
    cost = worth * rates.expedite_premium + rates.expedite_cost_brl
    rows = rows.assign(
        days_gained=gained,
        avoided_quantity=served,
        order_value_brl=worth,
        expedite_premium=rates.expedite_premium,
        expedite_cost_brl=rates.expedite_cost_brl,
        cost_brl=cost,
        expedite_days=rates.expedite_days,
        window_days=rows["expected_days"],
        unmet_quantity=left_out,
        risk_brl=left_out * rows["shortage_brl"],
        value_brl=served * rows["shortage_brl"] - cost,
    )
    gains = rows["received_on"].isna() & (rows["days_gained"] > 0)
    rows = rows[gains & (rows["value_brl"] >= rates.least_value_brl)]
    return as_frame([_expedite(row, context) for row in rows.to_dict("records")])


def _left_out(rows: pd.DataFrame, days: pd.Series) -> pd.Series:
    """Units that are asked for between the stockout and so many days from today, and that what
    arrives of what is in transit does not serve."""
    rate, out, sent = rows["daily_demand"], rows["days_to_stockout"], rows["next_sent_days"]
    asked = rate * (days - out)
    bridged = np.maximum(rate * (sent - out), asked - rows["in_transit"])
    return asked.where(~(sent < days), bridged)


def _expedite(row: dict[Any, Any], context: Context) -> dict[str, Any]:
    act_by = day_after(context, row["days_to_stockout"] - row["expedite_days"])
    names = (
        "quantity supplier ordered_on promised_on expected_on days_gained avoided_quantity received"
        " unit_price_brl order_value_brl expedite_premium expedite_cost_brl expedite_days cost_brl"
        " value_brl"
    ).split()
    window = ("stockout_on", "unmet_quantity", "risk_brl", "window_days", "expected_on")
    nothing = facts(row, window)
    known = facts(row, [*IDENTITY, *STOCK, *names], today=context.today, act_by=act_by)
    known |= {"order": row["order_no"], "line": row["line"], "if_nothing": nothing}
    return {
        "fingerprint": f"{EXPEDITE}|{row['order_no']}|{row['line']}",
        "kind": EXPEDITE,
        "priority": priority(act_by, context),
        "item_id": row["item_id"],
        "site_id": row["site_id"],
        "supplier_id": row["supplier_id"],
        "quantity": row["quantity"],
        "act_by": act_by,
        "value_brl": row["value_brl"],
        "facts": known,
    }
