"""What the trainer reads: one consistent snapshot of `core`. No Flask in its import chain."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from io import BytesIO

import pandas as pd
from sqlalchemy import Connection, Engine, text

from warehouse.db import copy

NO_SITE = "-"
"""The code of the site that stands for demand without a site."""

_DEMAND = """
SELECT item_id, site_id, date, sum(quantity) AS quantity
FROM core.demand GROUP BY item_id, site_id, date
"""

_ITEMS = """
SELECT item_id, sku, name, family, unit, unit_cost_brl, lead_time_days, criticality, active
FROM core.item ORDER BY sku COLLATE "C"
"""

_SITES = """
SELECT site.site_id, site.site, site.name, site.uf, uf.region, site.kind, depot.site AS depot
FROM core.site
LEFT JOIN core.uf ON uf.uf = site.uf
LEFT JOIN core.site AS depot ON depot.site_id = site.depot_id
ORDER BY site.site COLLATE "C"
"""

_DRIVERS = """
SELECT date, driver, value, nullif(uf, '') AS uf
FROM core.driver ORDER BY driver COLLATE "C", uf, date
"""


_EQUIPMENT = """
SELECT equipment, site, reading.kind, measured_at, failure, readings
FROM core.equipment_reading AS reading JOIN core.site USING (site_id)
"""

_TOWER_KPIS = """
SELECT site, date, availability_pct, latency_ms, throughput_mbps, drop_rate_pct, energy_kwh,
    traffic_gb
FROM core.tower_kpi JOIN core.site USING (site_id)
WHERE date > (SELECT max(date) FROM core.tower_kpi) - 365
"""

_PARTS = """
SELECT equipment_kind AS kind, sku, coalesce(units_per_failure, 1) AS units
FROM core.item WHERE equipment_kind IS NOT NULL ORDER BY kind, sku COLLATE "C"
"""


@dataclass(frozen=True)
class TrainingSet:
    """Frames that belong together: read in one transaction, whatever is loaded meanwhile.

    demand: sku, site, date (datetime64[ns]), quantity (units of issue), sorted by sku, site and
    date, one row a date that has demand rows; a date missing inside the span is zero demand.
    items: sku, name, family, unit, unit_cost_brl (NaN: unknown), lead_time_days, criticality,
    active. sites: site, name, uf (None: unknown), region, kind, depot. drivers: date, driver,
    value, uf (None: national). data_version: id of the last accepted load.
    equipment: equipment, site, kind, measured_at, failure (0, 1, NaN: not said) and a column for
    each measurement; what kind of failure it was is not read. tower_kpis: site, date and the
    figures of the last year. parts: kind of equipment, sku and units that a failure takes.
    """

    demand: pd.DataFrame
    items: pd.DataFrame
    sites: pd.DataFrame
    drivers: pd.DataFrame
    data_version: str
    equipment: pd.DataFrame = field(default_factory=pd.DataFrame)
    tower_kpis: pd.DataFrame = field(default_factory=pd.DataFrame)
    parts: pd.DataFrame = field(default_factory=pd.DataFrame)


def load_training_set(engine: Engine) -> TrainingSet:
    """Everything in `core` that the models learn from; frames are empty when nothing is loaded."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        version = connection.execute(
            text("SELECT coalesce(max(id), 0) FROM staging.load WHERE state = 'accepted'")
        ).scalar_one()
        items = _frame(
            connection, _ITEMS, numbers=("unit_cost_brl", "lead_time_days", "criticality")
        )
        sites = _frame(connection, _SITES)
        drivers = _frame(connection, _DRIVERS, numbers=("value",))
        drivers["date"] = pd.to_datetime(drivers["date"]).astype("datetime64[ns]")
        demand = _demand(connection, items, sites)
        equipment = _equipment(connection)
        tower_kpis = _copied(connection, _TOWER_KPIS, {"site": "str"}, ["date"])
        parts = _frame(connection, _PARTS, numbers=("units",))
    return TrainingSet(
        demand=demand,
        items=items.drop(columns="item_id"),
        sites=sites.drop(columns="site_id"),
        drivers=drivers,
        data_version=str(version),
        equipment=equipment,
        tower_kpis=tower_kpis,
        parts=parts,
    )


def _frame(connection: Connection, sql: str, numbers: tuple[str, ...] = ()) -> pd.DataFrame:
    result = connection.execute(text(sql))
    frame = pd.DataFrame.from_records(result.all(), columns=list(result.keys()))
    return frame.astype({name: "float64" for name in numbers})


def _demand(connection: Connection, items: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    types = {"item_id": "int32", "site_id": "int32", "quantity": "float64"}
    raw = _copied(connection, _DEMAND, types, ["date"])
    demand = pd.DataFrame(
        {
            "sku": raw["item_id"].map(items.set_index("item_id")["sku"]).astype(object),
            "site": raw["site_id"].map(sites.set_index("site_id")["site"]).astype(object),
            "date": raw["date"].astype("datetime64[ns]"),
            "quantity": raw["quantity"],
        }
    )
    return demand.sort_values(["sku", "site", "date"], ignore_index=True)


def _copied(
    connection: Connection, sql: str, types: dict[str, str], moments: list[str]
) -> pd.DataFrame:
    # COPY and the C parser: several times faster than rows through the driver, and compact
    buffer = BytesIO()
    copy(connection, f"COPY ({sql}) TO STDOUT (FORMAT csv, HEADER)", buffer)
    buffer.seek(0)
    raw = pd.read_csv(buffer, dtype=types, parse_dates=moments, date_format="ISO8601")
    return raw.astype({name: "datetime64[ns]" for name in moments})


def _equipment(connection: Connection) -> pd.DataFrame:
    types = {"equipment": "str", "site": "str", "kind": "str", "readings": "str"}
    raw = _copied(connection, _EQUIPMENT, types, ["measured_at"])
    measured = pd.DataFrame([json.loads(one) for one in raw.pop("readings")], index=raw.index)
    clash = [name for name in measured if name in raw]
    measured = measured.drop(columns=clash).apply(pd.to_numeric, errors="coerce")
    return pd.concat([raw, measured.reindex(sorted(measured), axis=1)], axis=1)
