"""From whom: what each supplier of an item costs, lateness included, and SWITCH to a better one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from domain.inventory import safety_stock
from domain.recommending.frames import (
    DAYS_A_YEAR,
    SWITCH,
    Context,
    as_frame,
    facts,
    holding_brl,
    priority,
    usual_rate,
)

SOURCE_COLUMNS = ["supplier_id", "supplier", "price_brl", "supplier_lines"]


def supply_costs(stock: pd.DataFrame, supply: pd.DataFrame, context: Context) -> pd.DataFrame:
    """`supply` (a row an item and supplier: lines, promised of them, on_time of these, lead_mean,
    lead_std, price_brl) with what buying from it costs a year.

    annual_brl = demand of a year × price + holding the safety stock that its lead time and its
    spread ask for, summed over the depots. A supplier with fewer lines than `measured_lines` is
    left out; a price that is not known is the item's unit cost.
    """
    measured = supply[supply["lines"] >= context.rates.measured_lines]
    needed = "item_id annual_quantity demand_std service_level unit_cost_brl".split()
    pairs = measured.merge(stock[needed], on="item_id")
    price = pairs["price_brl"].fillna(pairs["unit_cost_brl"])
    safety = safety_stock(
        pairs["service_level"],
        pairs["demand_std"],
        pairs["lead_mean"],
        usual_rate(pairs),
        pairs["lead_std"].fillna(0),
    )
    pairs = pairs.assign(
        supplier_price_brl=price,
        annual_demand=pairs["annual_quantity"],
        safety_quantity=safety,
        safety_brl=safety * holding_brl(price, DAYS_A_YEAR, context),
    )
    sums = pairs.groupby(["item_id", "supplier_id"], as_index=False).agg(
        supplier_price_brl=("supplier_price_brl", "mean"),
        annual_demand=("annual_demand", "sum"),
        safety_quantity=("safety_quantity", "sum"),
        safety_brl=("safety_brl", "sum"),
    )
    annual = sums["annual_demand"] * sums["supplier_price_brl"] + sums["safety_brl"]
    return measured.merge(sums.assign(annual_brl=annual), on=["item_id", "supplier_id"])


def sources(stock: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """The supplier to buy each item from (index item_id, SOURCE_COLUMNS): the items file's, for
    another than that speaks SWITCH; of an item whose file names none, the cheapest measured in
    all."""
    own = stock.drop_duplicates("item_id").set_index("item_id")
    given = pd.DataFrame(
        {
            "supplier_id": own["own_supplier_id"],
            "supplier": own["own_supplier"],
            "price_brl": np.nan,
            "supplier_lines": 0.0,
        },
        index=own.index,
    )
    named = costs["item_id"].map(own["own_supplier_id"])
    eligible = costs[named.isna() | (costs["supplier_id"] == named)]
    ordered = eligible.sort_values("annual_brl", na_position="last")
    best = ordered.drop_duplicates("item_id").set_index("item_id")
    best = best.rename(columns={"supplier_price_brl": "price", "lines": "supplier_lines"})
    best = best.drop(columns="price_brl").rename(columns={"price": "price_brl"})
    return (
        best[SOURCE_COLUMNS]
        .astype({"supplier_lines": "float64"})
        .combine_first(given)[SOURCE_COLUMNS]
    )


def switches(stock: pd.DataFrame, costs: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Another supplier of an item, measured and significantly better in deliveries on time and in
    full, in lead time or in price, and cheaper in all by more than the change costs.

    value = what buying from the present supplier costs a year − from the other − cost of changing.
    """
    own = stock.drop_duplicates("item_id")[
        ["item_id", "own_supplier_id", "sku", "item_name", "unit", "unit_cost_brl"]
    ]
    present = costs.merge(
        own, left_on=["item_id", "supplier_id"], right_on=["item_id", "own_supplier_id"]
    )
    pairs = present.merge(costs, on="item_id", suffixes=("_now", "_new"))
    pairs = pairs[pairs["supplier_id_now"] != pairs["supplier_id_new"]]
    pairs = pairs.assign(
        on_time_z=_share_z(pairs, context.rates.measured_lines),
        lead_z=_mean_z(pairs),
        price_gain=1 - pairs["supplier_price_brl_new"] / pairs["supplier_price_brl_now"],
        switch_cost_brl=context.rates.switch_cost_brl,
        value_brl=pairs["annual_brl_now"] - pairs["annual_brl_new"] - context.rates.switch_cost_brl,
    )
    rates = context.rates
    better = (pairs["on_time_z"] >= rates.significance) | (pairs["lead_z"] >= rates.significance)
    better |= pairs["price_gain"] >= rates.price_gain
    pairs = pairs[better & (pairs["value_brl"] >= rates.least_value_brl)]
    pairs = pairs.sort_values("value_brl", ascending=False).drop_duplicates("item_id")
    return as_frame([_switch(row, context) for row in pairs.to_dict("records")])


def _share_z(pairs: pd.DataFrame, least: int) -> pd.Series:
    """Two-proportion z of promised lines on time and in full, new over present (pooled); 0 where
    either has fewer than `least` of them."""
    now, new = (
        pairs[name].where(pairs[name] >= least) for name in ("promised_now", "promised_new")
    )
    pooled = (pairs["on_time_now"] + pairs["on_time_new"]) / (now + new)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / now + 1 / new))
    gap = pairs["on_time_new"] / new - pairs["on_time_now"] / now
    return (gap / spread.where(spread > 0)).fillna(0)


def _mean_z(pairs: pd.DataFrame) -> pd.Series:
    """Welch's z of the mean lead time, positive where the new one is shorter."""
    now = pairs["lead_std_now"].fillna(0) ** 2 / pairs["lines_now"]
    new = pairs["lead_std_new"].fillna(0) ** 2 / pairs["lines_new"]
    spread = np.sqrt(now + new)
    gap = pairs["lead_mean_now"] - pairs["lead_mean_new"]
    return (gap / spread.where(spread > 0)).fillna(0)


def _switch(row: dict[Any, Any], context: Context) -> dict[str, Any]:
    names = (
        "sku item_name unit unit_cost_brl on_time_z lead_z price_gain switch_cost_brl value_brl"
    ).split()
    compared = (
        "supplier lines promised on_time lead_mean lead_std supplier_price_brl safety_quantity"
        " annual_brl"
    ).split()
    pairs = [f"{name}_{which}" for name in compared for which in ("now", "new")]
    known = facts(
        row, [*names, *pairs], today=context.today, annual_demand=row["annual_demand_now"]
    )
    for which in ("now", "new"):
        promised = row[f"promised_{which}"]
        share = row[f"on_time_{which}"] / promised if promised else None
        known |= facts({}, (), **{f"otif_{which}": share})
    paid = {"annual_brl": row["annual_brl_now"], "risk_brl": row["value_brl"]}
    nothing = facts({}, (), **paid, window_days=DAYS_A_YEAR)
    return {
        "fingerprint": f"{SWITCH}|{row['item_id']}|{row['supplier_id_new']}",
        "kind": SWITCH,
        "priority": priority(None, context),
        "item_id": row["item_id"],
        "site_id": 0,
        "supplier_id": row["supplier_id_new"],
        "value_brl": row["value_brl"],
        "facts": known | {"if_nothing": nothing},
    }
