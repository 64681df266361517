"""Demo data gives way to real data, and never joins it."""

from __future__ import annotations

from sqlalchemy import Connection, text

NOT_MIXED = "real data is loaded: demo files are not added to it"

_LOADED = "SELECT EXISTS (SELECT FROM staging.load WHERE state = 'accepted' AND is_demo = :demo)"

# what refers to others, first
_CLEARED = (
    "project_material",
    "project",
    "outage",
    "demand",
    "stock",
    "purchase_order",
    "equipment_reading",
    "tower_kpi",
    "driver",
    "item",
    "site WHERE site_id <> 0",
    "contract",
    "supplier WHERE supplier_id <> 0",
)


def real_data_loaded(connection: Connection) -> bool:
    """Whether any file that is no demo file has been accepted."""
    return bool(connection.execute(text(_LOADED), {"demo": False}).scalar())


def demo_data_loaded(connection: Connection) -> bool:
    """Whether it is the demo company that is loaded."""
    return bool(connection.execute(text(_LOADED), {"demo": True}).scalar())


def remove_demo_rows(connection: Connection) -> None:
    """Empties `core` of the demo company, and forgets its loads, if it is what is loaded.

    Demo and real rows are never there together, so everything goes but the reference rows. What was
    trained on them is no longer shown; the next publish removes it as it removes unfinished runs.
    """
    if not demo_data_loaded(connection):
        return
    for table in _CLEARED:
        connection.execute(text(f"DELETE FROM core.{table}"))
    connection.execute(text("DELETE FROM analytics.published"))
    connection.execute(text("UPDATE analytics.run SET state = 'loading' WHERE state = 'ready'"))
    connection.execute(text("DELETE FROM staging.load WHERE is_demo"))
