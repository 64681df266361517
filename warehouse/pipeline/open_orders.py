"""Purchase orders that are still to come, what else is on its way, and when each is to be
expected."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from warehouse.pipeline.copying import frame_of
from warehouse.pipeline.derivation import Setup
from warehouse.pipeline.lead_times import MEASURED_LINES
from warehouse.queries.daily import CANCELLED, ordered_by, still_to_come

_OPEN_ORDERS = f"""
SELECT line.order_no, line.line, line.item_id, line.site_id, supplier.supplier,
    CASE WHEN line.order_dated THEN line.ordered_on END AS ordered_on, line.promised_on,
    line.received_on, {still_to_come(":today")} AS quantity,
    coalesce(line.unit_price_brl, item.unit_cost_brl) AS unit_price_brl,
    item.active, item.lead_time_days, of_supplier.mean AS supplier_mean,
    greatest(0, coalesce(of_supplier.delay, everywhere.delay, 0)) AS delay
FROM core.purchase_order AS line
JOIN core.item USING (item_id)
JOIN core.supplier ON supplier.supplier_id = line.supplier_id
LEFT JOIN measured_lead_time AS of_supplier
    ON of_supplier.supplier_id = line.supplier_id AND of_supplier.lines >= :lines
LEFT JOIN measured_lead_time AS everywhere
    ON everywhere.supplier_id IS NULL AND everywhere.item_id IS NULL
WHERE {still_to_come(":today")} > 0
    AND lower(coalesce(line.status, '')) <> ALL(:cancelled)
ORDER BY line.item_id, line.site_id, line.promised_on, line.order_no, line.line
"""


_IN_TRANSIT = f"""
SELECT stock.item_id, stock.site_id, stock.date AS counted_on,
    stock.in_transit - coalesce(sum({still_to_come("stock.date")}), 0) AS quantity
FROM analytics.series_overview AS overview
JOIN core.stock ON stock.item_id = overview.item_id AND stock.site_id = overview.site_id
    AND stock.date = overview.stock_date
LEFT JOIN core.purchase_order AS line
    ON line.item_id = stock.item_id AND line.site_id = stock.site_id
    AND {ordered_by("stock.date")}
    AND {still_to_come("stock.date")} > 0
    AND lower(coalesce(line.status, '')) <> ALL(:cancelled)
WHERE stock.in_transit > 0
GROUP BY stock.item_id, stock.site_id, stock.date, stock.in_transit
ORDER BY stock.item_id, stock.site_id
"""


def in_transit(connection: Connection, setup: Setup) -> pd.DataFrame:
    """What the last count has in transit beyond the orders that were open then (goods that another
    depot sent, or all of it where no orders are loaded), one row an item and depot: item_id,
    site_id, quantity, expected_on; the settings' days after the count, one at least. What was
    expected until today is there: see `policy.brought_to_today`."""
    found = frame_of(connection, _IN_TRANSIT, {"cancelled": list(CANCELLED)})
    found = found.astype({"quantity": "float64"})
    days = pd.Timedelta(days=max(setup.settings.in_transit_days, 1))
    found = found.assign(expected_on=pd.to_datetime(found["counted_on"]) + days)
    return found[found["quantity"] > 0].drop(columns="counted_on")


def open_orders(connection: Connection, setup: Setup) -> pd.DataFrame:
    """Open order lines with the day on which each is expected: when it was received, where that is
    after today; as promised; past due, today plus the supplier's mean delay; promised nowhere,
    ordered plus the usual lead time. `counted` is false for a line that is so overdue that nobody
    should count on it; `days_late` is NaN for one without a promise and for one received since."""
    params = {"lines": MEASURED_LINES, "cancelled": list(CANCELLED), "today": setup.today}
    orders = frame_of(connection, _OPEN_ORDERS, params)
    numbers = ("quantity", "unit_price_brl", "lead_time_days", "supplier_mean", "delay")
    orders = orders.astype(dict.fromkeys(numbers, "float64") | {"active": bool})
    today = pd.Timestamp(setup.today)
    dates = ("received_on", "promised_on", "ordered_on")
    received, promised, ordered = (pd.to_datetime(orders[name]) for name in dates)
    usual = orders["supplier_mean"].fillna(orders["lead_time_days"]).fillna(0).round()
    due = received.fillna(promised).fillna(ordered + pd.to_timedelta(usual, unit="D"))
    soonest = today + pd.to_timedelta(orders["delay"].round().clip(lower=1), unit="D")
    orders["expected_on"] = np.where(due > today, due, soonest)
    late = (today - promised).dt.days.astype("float64")
    orders["days_late"] = late.where(received.isna())
    orders["counted"] = (today - due).dt.days <= setup.settings.forgotten_days
    return orders
