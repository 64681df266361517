"""What the trainer reads: one consistent snapshot of `core`. No Flask in its import chain."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import pandas as pd
from sqlalchemy import Connection, Engine, text

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


@dataclass(frozen=True)
class TrainingSet:
    """Frames that belong together: read in one transaction, whatever is loaded meanwhile.

    demand: sku, site, date (datetime64[ns]), quantity (units of issue), sorted by sku, site and
    date, one row a date that has demand rows; a date missing inside the span is zero demand.
    items: sku, name, family, unit, unit_cost_brl (NaN: unknown), lead_time_days, criticality,
    active. sites: site, name, uf (None: unknown), region, kind, depot. drivers: date, driver,
    value, uf (None: national). data_version: id of the last accepted load.
    """

    demand: pd.DataFrame
    items: pd.DataFrame
    sites: pd.DataFrame
    drivers: pd.DataFrame
    data_version: str


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
    return TrainingSet(
        demand=demand,
        items=items.drop(columns="item_id"),
        sites=sites.drop(columns="site_id"),
        drivers=drivers,
        data_version=str(version),
    )


def _frame(connection: Connection, sql: str, numbers: tuple[str, ...] = ()) -> pd.DataFrame:
    result = connection.execute(text(sql))
    frame = pd.DataFrame.from_records(result.all(), columns=list(result.keys()))
    return frame.astype({name: "float64" for name in numbers})


def _demand(connection: Connection, items: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    # COPY and the C parser: several times faster than rows through the driver, and compact
    buffer = BytesIO()
    with connection.connection.driver_connection.cursor() as cursor:  # type: ignore[union-attr]
        cursor.copy_expert(f"COPY ({_DEMAND}) TO STDOUT (FORMAT csv, HEADER)", buffer)
    buffer.seek(0)
    types = {"item_id": "int32", "site_id": "int32", "quantity": "float64"}
    raw = pd.read_csv(buffer, dtype=types, parse_dates=["date"], date_format="%Y-%m-%d")
    demand = pd.DataFrame(
        {
            "sku": raw["item_id"].map(items.set_index("item_id")["sku"]).astype(object),
            "site": raw["site_id"].map(sites.set_index("site_id")["site"]).astype(object),
            "date": raw["date"].astype("datetime64[ns]"),
            "quantity": raw["quantity"],
        }
    )
    return demand.sort_values(["sku", "site", "date"], ignore_index=True)
