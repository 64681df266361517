"""What suppliers' lead times cost in safety stock, series by series."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Connection, text

from domain.later_delivery import lateness_stock, later_stock
from domain.suppliers import LATER_DAYS
from warehouse.pipeline.copying import copy_frame, frame_of
from warehouse.pipeline.derivation import Setup

_SUPPLIED = """
SELECT item_id, supplier_id, contract_lead_time_days
FROM core.item JOIN core.supplier USING (supplier_id)
"""
_INPUTS = ("service_level", "demand_std", "lead_time_days", "daily_demand", "lead_time_std")


def write_lead_time_costs(connection: Connection, setup: Setup, policy: pd.DataFrame) -> None:
    """Fills lead_time_cost of a run, replacing what was there: series with a supplier, a lead time
    and a unit cost."""
    params = {"run_id": setup.run_id}
    connection.execute(text("DELETE FROM analytics.lead_time_cost WHERE run_id = :run_id"), params)
    supplied = frame_of(connection, _SUPPLIED, {}).astype({"contract_lead_time_days": "float64"})
    series = policy.merge(supplied, on="item_id")
    series = series[series["lead_time_days"].notna() & series["unit_cost_brl"].notna()]
    if series.empty:
        return
    inputs = {name: series[name].to_numpy(float) for name in _INPUTS}
    cost = series["unit_cost_brl"].to_numpy(float)
    contract = series["contract_lead_time_days"].to_numpy(float)
    rows = series[["item_id", "site_id", "supplier_id"]].assign(
        run_id=setup.run_id,
        holding_rate=setup.settings.holding_rate,
        safety_stock_brl=series["textbook_safety_stock"].to_numpy(float) * cost,
        lateness_brl=lateness_stock(**inputs, contract_days=contract) * cost,
        **{f"later_{days}_brl": later_stock(**inputs, days=days) * cost for days in LATER_DAYS},
    )
    copy_frame(connection, "analytics.lead_time_cost", rows)
