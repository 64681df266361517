"""All recommendations of a run, from its policy, open orders and measured suppliers."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from domain.recommending import excess, purchases, supply, transfers
from domain.recommending.frames import COLUMNS, Context, as_frame

NEEDED = (
    "item_id site_id sku item_name unit active site site_name uf latitude longitude own_supplier_id"
    " own_supplier unit_cost_brl min_order_qty pack_size service_level counted_quantity used_since"
    " received_since arrived_since on_hand reserved available on_order in_transit in_transit_days"
    " project_demand project_ahead stock_date last_demand_on unmoved_since lead_time_days"
    " lead_time_std lead_time_source daily_demand annual_quantity demand_std worst_demand"
    " worst_demand_std worst_supply safety_stock reorder_point order_up_to days_to_stockout"
    " stockout_on risk_quantity shortage_brl"
).split()
"""Columns of the stock frame, one row an item and depot. daily_demand: of a day of the lead time,
annual_quantity: of the year ahead. risk_quantity: units that are expected to be missing over the
lead time; shortage_brl: what one of them costs. worst_demand, worst_supply: until the moment of the
lead time at which the most should be missing. project_demand: units that projects will take within
the lead time, project_ahead: all that they will. in_transit: units of no order that arrive after
in_transit_days. unmoved_since: of stock that was never asked for, the last day on which some went
out or the first came."""

FOLLOWED = ("bought", "took", "gave", "reduced")
"""Units of an item and depot that were decided and that its data do not show yet: bought; brought
and taken by transfers; got rid of."""


def recommend(
    stock: pd.DataFrame,
    orders: pd.DataFrame,
    suppliers: pd.DataFrame,
    context: Context,
    rejected: Collection[str] = (),
    followed: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Every recommendation, one row each with COLUMNS; `facts` are plain JSON values.

    Transfers come first, purchases cover what they leave: no need is claimed twice. A transfer of
    which the fingerprint is `rejected` is told too, and counts for nothing. Of an item that is out
    of use (not `active`) there are reductions alone. stock: NEEDED; orders: see
    `purchases.expedites`; suppliers: see `supply.supply_costs`; followed: item_id, site_id and
    FOLLOWED, what counts as if it were done.
    """
    if stock.empty:
        return as_frame([])
    stock = prepared(_with_followed(stock, followed), orders, context)
    moves = transfers.transfers(stock, context, rejected)
    after = transfers.moved(stock, moves)
    used = after[after["active"]]
    costs = supply.supply_costs(used, suppliers, context)
    parts = [
        purchases.reorders(used, supply.sources(used, costs), context),
        purchases.expedites(used, orders, context),
        transfers.recommended_moves(transfers.moved(stock, moves.iloc[:0]), moves, context),
        excess.reductions(after, context),
        supply.switches(used, costs, context),
    ]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True)[COLUMNS] if filled else as_frame([])


def _with_followed(stock: pd.DataFrame, followed: pd.DataFrame | None) -> pd.DataFrame:
    """`stock` with FOLLOWED: what was bought is on order, what is to be got rid of is reserved."""
    if followed is None:
        return stock.assign(**dict.fromkeys(FOLLOWED, 0.0))
    stock = stock.merge(followed, on=["item_id", "site_id"], how="left")
    stock = stock.fillna(dict.fromkeys(FOLLOWED, 0.0))
    reserved = stock["reserved"].fillna(0) + stock["reduced"]
    return stock.assign(
        on_order=stock["on_order"].fillna(0) + stock["bought"],
        reserved=stock["reserved"].where(stock["reduced"] == 0, reserved),
        available=stock["available"] - stock["reduced"],
    )


def prepared(stock: pd.DataFrame, orders: pd.DataFrame, context: Context) -> pd.DataFrame:
    """`stock` with the next arrival after the stockout, and when what is in transit arrives, if
    that is after it too."""
    stock = stock.reset_index(drop=True)
    sent = stock["in_transit_days"]
    sent = sent.where(sent >= stock["days_to_stockout"] + 1)
    return stock.assign(
        on_order=stock["on_order"].fillna(0),
        next_sent_days=sent,
        next_arrival_days=np.fmin(_next_arrival(stock, orders, context), sent),
    )


def _next_arrival(stock: pd.DataFrame, orders: pd.DataFrame, context: Context) -> pd.Series:
    """Days until the next counted order line that comes after the stockout."""
    lines = orders.loc[orders["counted"].astype(bool), ["item_id", "site_id", "expected_on"]]
    days = (lines["expected_on"] - pd.Timestamp(context.today)).dt.days.astype("float64")
    places = stock[["item_id", "site_id", "days_to_stockout"]].assign(place=np.arange(len(stock)))
    rows = lines.assign(days=days).merge(places, on=["item_id", "site_id"])
    later = rows[rows["days"] > rows["days_to_stockout"]]
    return later.groupby("place")["days"].min().reindex(np.arange(len(stock)))
