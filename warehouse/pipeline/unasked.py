"""Stock of what was never asked for where it lies: it has no forecast, hence no policy, and still
is capital."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Connection

from warehouse.pipeline.copying import frame_of
from warehouse.pipeline.derivation import Setup
from warehouse.pipeline.policy import brought_to_today

# counts show goods that leave for another depot, too: what goes out so is not idle
_UNASKED = """
SELECT item_id, site_id, item.sku, item.active, item.unit_cost_brl, item.min_order_qty,
    item.pack_size, overview.on_hand, overview.reserved, overview.stock_date, counted.unmoved_since
FROM analytics.series_overview AS overview
JOIN core.item USING (item_id)
JOIN (
    SELECT item_id, site_id, max(date) FILTER (
        WHERE on_hand < before OR on_hand > 0 AND coalesce(before, 0) <= 0
    ) AS unmoved_since
    FROM (
        SELECT item_id, site_id, date, stock.on_hand,
            lag(stock.on_hand) OVER (PARTITION BY item_id, site_id ORDER BY date) AS before
        FROM core.stock JOIN analytics.series_overview AS held USING (item_id, site_id)
        WHERE held.demand_total <= 0 AND held.on_hand > 0
    ) AS day
    GROUP BY item_id, site_id
) AS counted USING (item_id, site_id)
ORDER BY item_id, site_id
"""
_NUMBERS = "unit_cost_brl min_order_qty pack_size on_hand reserved".split()


def with_unasked(
    connection: Connection,
    setup: Setup,
    policy: pd.DataFrame,
    sent: pd.DataFrame,
    needs: pd.DataFrame,
) -> pd.DataFrame:
    """The policy with `unmoved_since`: of stock without any demand at its depot the last day on
    which counts show that some went out or the first came, NaT of all else. And with a row for
    each such stock that has no policy and has not moved for the settings' dead_days; what only a
    policy knows is not known of it.

    sent: the lines of `in_transit`; needs: those of `project_needs`.
    """
    key = ["item_id", "site_id"]
    found = frame_of(connection, _UNASKED, {}).astype(
        dict.fromkeys(_NUMBERS, "float64") | {name: "int64" for name in key} | {"active": bool}
    )
    found["unmoved_since"] = pd.to_datetime(found["unmoved_since"])
    policy = policy.merge(found[[*key, "unmoved_since"]], on=key, how="left")
    still = (pd.Timestamp(setup.today) - found["unmoved_since"]).dt.days
    known = pd.MultiIndex.from_frame(found[key]).isin(pd.MultiIndex.from_frame(policy[key]))
    rows = found[(still >= setup.settings.dead_days) & ~known]
    if rows.empty:
        return policy
    rows = brought_to_today(connection, setup, rows, sent)
    taken = needs.groupby(key)["quantity"].sum().reindex(pd.MultiIndex.from_frame(rows[key]))
    available = rows["on_hand"] - rows["reserved"].fillna(0)
    rows = rows.assign(
        available=available,
        position=available,
        project_ahead=taken.fillna(0.0).to_numpy(),
        lead_time_source="",
        **dict.fromkeys(("daily_demand", "annual_quantity", "on_order", "project_demand"), 0.0),
    )
    return pd.concat([policy, rows], ignore_index=True)
