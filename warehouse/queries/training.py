"""What the trainer reads: one consistent snapshot of `core`. No Flask in its import chain."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, text

from warehouse.clock import DEMAND_LOADED_ON
from warehouse.db import copy

_DEMAND = """
SELECT item_id, site_id, date, sum(quantity) AS quantity
FROM core.demand GROUP BY item_id, site_id, date
"""
BY_PARTITION = "SET LOCAL enable_partitionwise_aggregate = on"
"""Every date is in one partition: each is added up by itself, without sorting all of them."""
_LOADED_ON = f"""
SELECT {DEMAND_LOADED_ON} FROM (SELECT max(date) AS date FROM core.demand) AS last
"""
_ROW = np.dtype(
    [
        ("columns", ">i2"),
        ("item_bytes", ">i4"),
        ("item_id", ">i4"),
        ("site_bytes", ">i4"),
        ("site_id", ">i4"),
        ("date_bytes", ">i4"),
        ("date", ">i4"),
        ("quantity_bytes", ">i4"),
        ("quantity", ">f8"),
    ]
)
"""A row of `_DEMAND` in the format of COPY BINARY; dates are days since 2000."""
_HEADER_BYTES, _TRAILER_BYTES = 19, 2
_FIRST_DATE = np.datetime64("2000-01-01", "D")

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

    demand: sku and site (text, or categories in order), date (datetime64[ns]), quantity (units of
    issue, less what came back), sorted by sku, site and date, one row a date that has demand rows;
    a date missing inside the span is zero demand.
    items: sku, name, family, unit, unit_cost_brl (NaN: unknown), lead_time_days, criticality,
    active. sites: site, name, uf (None: unknown), region, kind, depot. drivers: date, driver,
    value, uf (None: national). data_version: id of the last accepted load.
    equipment: equipment, site, kind, measured_at, failure (0, 1, NaN: not said) and a column for
    each measurement; what kind of failure it was is not read. tower_kpis: site, date and the
    figures of the last year. parts: kind of equipment, sku and units that a failure takes.
    loaded_on: the day on which the last demand was loaded (None: unknown).
    """

    demand: pd.DataFrame
    items: pd.DataFrame
    sites: pd.DataFrame
    drivers: pd.DataFrame
    data_version: str
    equipment: pd.DataFrame = field(default_factory=pd.DataFrame)
    tower_kpis: pd.DataFrame = field(default_factory=pd.DataFrame)
    parts: pd.DataFrame = field(default_factory=pd.DataFrame)
    loaded_on: date | None = None


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
        loaded_on = connection.execute(text(_LOADED_ON)).scalar()
    return TrainingSet(
        demand=demand,
        items=items.drop(columns="item_id"),
        sites=sites.drop(columns="site_id"),
        drivers=drivers,
        data_version=str(version),
        equipment=equipment,
        tower_kpis=tower_kpis,
        parts=parts,
        loaded_on=loaded_on,
    )


def _frame(connection: Connection, sql: str, numbers: tuple[str, ...] = ()) -> pd.DataFrame:
    result = connection.execute(text(sql))
    frame = pd.DataFrame.from_records(result.all(), columns=list(result.keys()))
    return frame.astype({name: "float64" for name in numbers})


def _demand(connection: Connection, items: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    """`items` and `sites` in the order of their codes."""
    connection.execute(text(BY_PARTITION))
    buffer = BytesIO()
    copy(connection, f"COPY ({_DEMAND}) TO STDOUT (FORMAT binary)", buffer)
    count = (buffer.tell() - _HEADER_BYTES - _TRAILER_BYTES) // _ROW.itemsize
    raw = np.frombuffer(buffer.getbuffer(), _ROW, count, _HEADER_BYTES)
    sku = pd.Index(items["item_id"]).get_indexer(raw["item_id"].astype(np.int64))
    site = pd.Index(sites["site_id"]).get_indexer(raw["site_id"].astype(np.int64))
    days = raw["date"].astype(np.int64)
    first = int(days.min(initial=0))
    span = int(days.max(initial=0)) - first + 1
    order = np.argsort((sku * len(sites) + site) * span + (days - first))
    return pd.DataFrame(
        {
            "sku": pd.Categorical.from_codes(sku[order], pd.Index(items["sku"])),
            "site": pd.Categorical.from_codes(site[order], pd.Index(sites["site"])),
            "date": (_FIRST_DATE + days[order]).astype("datetime64[ns]"),
            "quantity": raw["quantity"].astype(np.float64)[order],
        }
    )


def _copied(
    connection: Connection, sql: str, types: dict[str, str], moments: list[str]
) -> pd.DataFrame:
    # COPY and the C parser: several times faster than rows through the driver, and compact.
    # Only an empty cell is none: NA and null are codes like others
    buffer = BytesIO()
    copy(connection, f"COPY ({sql}) TO STDOUT (FORMAT csv, HEADER)", buffer)
    buffer.seek(0)
    raw = pd.read_csv(
        buffer,
        dtype=types,
        keep_default_na=False,
        na_values=[""],
        parse_dates=moments,
        date_format="ISO8601",
    )
    return raw.astype({name: "datetime64[ns]" for name in moments})


def _equipment(connection: Connection) -> pd.DataFrame:
    types = {"equipment": "str", "site": "str", "kind": "str", "readings": "str"}
    raw = _copied(connection, _EQUIPMENT, types, ["measured_at"])
    measured = pd.DataFrame([json.loads(one) for one in raw.pop("readings")], index=raw.index)
    clash = [name for name in measured if name in raw]
    measured = measured.drop(columns=clash).apply(pd.to_numeric, errors="coerce")
    return pd.concat([raw, measured.reindex(sorted(measured), axis=1)], axis=1)
