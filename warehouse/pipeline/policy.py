"""Policy per item and depot: lead time, safety stock, reorder point, order-up-to, stockout."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from domain import inventory
from domain.inventory import Array
from warehouse.pipeline.copying import copy_frame, frame_of
from warehouse.pipeline.derivation import Setup
from warehouse.pipeline.lead_times import MEASURED_LINES
from warehouse.queries.published import last_day, next_period

MAX_PROJECTED_DAYS = 366
CHUNK = 5_000


# an item's own orders know its lead time better than all that its supplier delivers
_SERIES = """
SELECT profile.item_id, profile.site_id, item.sku, item.unit_cost_brl, item.min_order_qty,
    item.pack_size, item.service_level, profile.abc, profile.std AS period_std,
    overview.on_hand, overview.reserved, overview.stock_date,
    of_item.mean AS item_mean, of_item.std AS item_std,
    of_supplier.mean AS supplier_mean, of_supplier.std AS supplier_std,
    item.lead_time_days AS file_lead_time
FROM analytics.series_profile AS profile
JOIN core.item USING (item_id)
LEFT JOIN analytics.series_overview AS overview USING (item_id, site_id)
LEFT JOIN measured_lead_time AS of_item
    ON of_item.item_id = profile.item_id AND of_item.lines >= :lines
LEFT JOIN measured_lead_time AS of_supplier
    ON of_supplier.supplier_id = item.supplier_id AND of_supplier.lines >= :lines
WHERE profile.run_id = :run_id AND EXISTS (
    SELECT FROM analytics.forecast
    WHERE forecast.run_id = :run_id AND forecast.item_id = profile.item_id
        AND forecast.site_id = profile.site_id AND forecast.model = 'ensemble'
)
ORDER BY profile.item_id, profile.site_id
"""

_NUMBERS = (
    "unit_cost_brl min_order_qty pack_size service_level period_std on_hand reserved item_mean"
    " item_std supplier_mean supplier_std file_lead_time"
).split()


def _series(connection: Connection, setup: Setup) -> pd.DataFrame:
    frame = frame_of(connection, _SERIES, {"run_id": setup.run_id, "lines": MEASURED_LINES})
    frame = frame.astype(dict.fromkeys(_NUMBERS, "float64"))
    known = [frame["item_mean"].notna(), frame["supplier_mean"].notna()]
    frame["lead_time_days"] = np.select(
        known, [frame["item_mean"], frame["supplier_mean"]], frame["file_lead_time"]
    )
    frame["lead_time_std"] = np.select(known, [frame["item_std"], frame["supplier_std"]], 0.0)
    frame["lead_time_source"] = np.select(
        [*known, frame["file_lead_time"].notna()],
        ["orders of the item", "orders of the supplier", "items file"],
        "",
    )
    default = frame["abc"].map(setup.settings.service_levels)
    default = default.astype("float64").fillna(setup.settings.default_service_level)
    frame["service_level"] = frame["service_level"].fillna(default)
    return frame


def policy_of(connection: Connection, setup: Setup, orders: pd.DataFrame) -> pd.DataFrame:
    """Every series of the run with its stock, lead-time demand, safety stock, reorder point and
    stockout; `orders` are the lines of `open_orders`."""
    series = _series(connection, setup)
    if series.empty:
        return series.assign(**{name: [] for name in _DERIVED})
    series = _brought_to_today(connection, setup, series)
    period_means = _ensemble_means(connection, setup, len(series))
    index = pd.MultiIndex.from_frame(series[["item_id", "site_id"]])
    lines = orders.assign(
        row=index.get_indexer(pd.MultiIndex.from_frame(orders[["item_id", "site_id"]]))
    )
    lines = lines[(lines["row"] >= 0) & lines["counted"]]
    parts = []
    for start in range(0, len(series), CHUNK):
        stop = start + CHUNK
        here = lines[lines["row"].between(start, stop - 1)]
        parts.append(
            _of_chunk(
                setup,
                series.iloc[start:stop].reset_index(drop=True),
                period_means[start:stop],
                here.assign(row=here["row"] - start),
            )
        )
    return pd.concat(parts, ignore_index=True)


_DERIVED = (
    "daily_demand demand_std lead_time_demand lead_time_demand_std safety_stock reorder_point"
    " order_up_to available on_order arriving days_to_stockout stockout_on risk_quantity"
    " risk_brl horizon_demand"
).split()


def _brought_to_today(connection: Connection, setup: Setup, series: pd.DataFrame) -> pd.DataFrame:
    """On hand as of today where the last count is older: minus what was consumed since, plus
    what was received, never below 0."""
    sql = """
        SELECT item_id, site_id,
            (SELECT coalesce(sum(quantity), 0) FROM core.demand
             WHERE demand.item_id = overview.item_id AND demand.site_id = overview.site_id
                AND demand.date > overview.stock_date) AS consumed,
            (SELECT coalesce(sum(coalesce(received_qty, quantity)), 0) FROM core.purchase_order
             WHERE purchase_order.item_id = overview.item_id
                AND purchase_order.site_id = overview.site_id
                AND received_on > overview.stock_date AND received_on <= :today) AS received
        FROM analytics.series_overview AS overview
        WHERE overview.stock_date < :today
    """
    since = frame_of(connection, sql, {"today": setup.today})
    series = series.merge(since, on=["item_id", "site_id"], how="left")
    moved = (series["received"].astype("float64") - series["consumed"].astype("float64")).fillna(0)
    on_hand = (series["on_hand"] + moved).clip(lower=0)
    return series.drop(columns=["received", "consumed"]).assign(on_hand=on_hand)


def _ensemble_means(connection: Connection, setup: Setup, count: int) -> Array:
    """Mean demand of each series and period of the horizon, overrides in their place; series as in
    `_series`."""
    sql = """
        SELECT forecast.mean FROM analytics.effective_forecast AS forecast
        JOIN analytics.series_profile USING (run_id, item_id, site_id)
        WHERE run_id = :run_id ORDER BY item_id, site_id, date
    """
    result = connection.execute(text(sql), {"run_id": setup.run_id}).scalars()
    return np.fromiter(result, float).reshape(count, setup.horizon)


def _daily_rates(setup: Setup, period_means: Array) -> Array:
    """Demand of each day from tomorrow on (series × days), periods spread evenly; after the
    horizon each series goes on at its mean."""
    starts = [
        next_period(setup.data_to, setup.frequency, ahead) for ahead in range(1, setup.horizon + 1)
    ]
    lengths = [(last_day(start, setup.frequency) - start).days + 1 for start in starts]
    daily = np.repeat(period_means / np.array(lengths), lengths, axis=1)
    mean = daily.mean(axis=1, keepdims=True)
    ahead = daily[:, (setup.today - setup.known_to).days :]
    missing = MAX_PROJECTED_DAYS - ahead.shape[1]
    if missing <= 0:
        return ahead[:, :MAX_PROJECTED_DAYS]
    return np.concatenate([ahead, np.repeat(mean, missing, axis=1)], axis=1)


def _of_chunk(
    setup: Setup, series: pd.DataFrame, period_means: Array, lines: pd.DataFrame
) -> pd.DataFrame:
    rates = _daily_rates(setup, period_means)
    receipts = _receipts(setup, lines, rates.shape)
    lead = series["lead_time_days"].to_numpy(float)
    lead_demand = inventory.cumulative(rates, lead)
    daily = np.where(lead > 0, lead_demand / np.where(lead > 0, lead, 1), rates.mean(axis=1))
    sigma = series["period_std"].to_numpy(float) / np.sqrt(_period_days(setup))
    spread = inventory.lead_time_demand_std(sigma, lead, daily, series["lead_time_std"])
    safety = inventory.safety_stock(
        series["service_level"], sigma, lead, daily, series["lead_time_std"]
    )
    reorder = inventory.reorder_point(daily, lead, safety)
    available = (series["on_hand"] - series["reserved"].fillna(0)).to_numpy(float)
    arriving = np.where(np.isnan(lead), np.nan, inventory.cumulative(receipts, lead))
    days = _projected_days(available, rates, receipts)
    shortage = inventory.expected_shortage(lead_demand, spread, available + arriving)
    horizon_days = int(min(setup.horizon * _period_days(setup), rates.shape[1]))
    return series.assign(
        daily_demand=daily,
        demand_std=sigma,
        lead_time_demand=lead_demand,
        lead_time_demand_std=spread,
        safety_stock=safety,
        reorder_point=reorder,
        order_up_to=reorder + _order_quantity(setup, series, rates),
        available=available,
        on_order=receipts.sum(axis=1),
        arriving=arriving,
        days_to_stockout=days,
        stockout_on=_day_after(setup.today, days),
        risk_quantity=shortage,
        risk_brl=shortage * series["unit_cost_brl"].to_numpy(float),
        horizon_demand=rates[:, :horizon_days].sum(axis=1),
    )


def _period_days(setup: Setup) -> float:
    return {"D": 1.0, "W": 7.0, "M": 365.25 / 12}[setup.frequency]


def _receipts(setup: Setup, lines: pd.DataFrame, shape: tuple[int, ...]) -> Array:
    receipts = np.zeros(shape)
    column = (lines["expected_on"] - pd.Timestamp(setup.today)).dt.days.to_numpy(int) - 1
    within = (column >= 0) & (column < shape[1])
    rows = lines["row"].to_numpy(int)[within]
    np.add.at(receipts, (rows, column[within]), lines["quantity"].to_numpy(float)[within])
    return receipts


def _projected_days(available: Array, rates: Array, receipts: Array) -> Array:
    known = ~np.isnan(available)
    days = np.full(len(available), np.nan)
    if known.any():
        days[known] = inventory.days_to_stockout(available[known], rates[known], receipts[known])
    return days


def _order_quantity(setup: Setup, series: pd.DataFrame, rates: Array) -> Array:
    """EOQ where a cost is known, else the demand of 30 days; in packs, not under the minimum."""
    annual = rates.mean(axis=1) * 365.25
    holding = series["unit_cost_brl"].to_numpy(float) * setup.settings.holding_rate
    economic = inventory.eoq(annual, setup.settings.order_cost_brl, holding)
    wanted = np.where(np.isnan(economic), annual / 365.25 * 30, economic)
    return inventory.lot(wanted, series["min_order_qty"], series["pack_size"])


def _day_after(today: date, days: Array) -> pd.Series:
    ahead = pd.to_timedelta(pd.Series(np.floor(days)), unit="D")
    return pd.Timestamp(today) + ahead


_POLICY_COLUMNS = (
    "run_id item_id site_id on_hand on_order reserved stock_date lead_time_days lead_time_source"
    " service_level daily_demand lead_time_demand safety_stock reorder_point order_up_to"
    " stockout_on days_to_stockout facts"
).split()


def write_policy(connection: Connection, setup: Setup, policy: pd.DataFrame) -> None:
    connection.execute(
        text("DELETE FROM analytics.policy WHERE run_id = :run_id"), {"run_id": setup.run_id}
    )
    facts = ("lead_time_std", "demand_std", "lead_time_demand_std", "risk_quantity", "risk_brl")
    rows = policy.assign(run_id=setup.run_id, facts=_json_rows(policy, facts))
    copy_frame(connection, "analytics.policy", rows[_POLICY_COLUMNS])


def _json_rows(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    columns = [frame[name].tolist() for name in names]
    return [
        json.dumps({k: (None if v != v else v) for k, v in zip(names, row, strict=True)})
        for row in zip(*columns, strict=True)
    ]
