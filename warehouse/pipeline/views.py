"""The materialized views behind the first screens, and whether they hold what was loaded."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text

from warehouse.caching import count_revision

VIEWS = (
    "demand_by_day",
    "stock_by_day",
    "order_by_day",
    "downtime_by_day",
    "series_overview",
    "forecast_by_day",
    "material_overview",
)
WRITE_LOCK = 0x6E6F7662
"""Held by whoever writes: a load, a publish, a derivation."""

_LAST_LOAD = "SELECT max(id) FROM staging.load WHERE state = 'accepted'"


def refresh_views(connection: Connection) -> int | None:
    """Brings the materialized views up to date; readers keep the old rows until the commit. Gives
    the last load that they hold, for `note_refreshed`. This and what follows in the transaction
    takes one processor of Postgres's: readers need the others meanwhile."""
    connection.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))
    load_id = connection.execute(text(_LAST_LOAD)).scalar()
    for view in VIEWS:
        connection.execute(text(f"REFRESH MATERIALIZED VIEW CONCURRENTLY analytics.{view}"))
    return load_id


def note_refreshed(connection: Connection, load_id: int | None) -> None:
    """The last step of a transaction that refreshed: its row lock makes other writers wait."""
    count_revision(connection)
    connection.execute(text("UPDATE analytics.revision SET load_id = :id"), {"id": load_id})


def note_outdated(connection: Connection) -> None:
    """In a transaction before rows go or come otherwise than by a load: the views do not hold what
    is there until the next refresh."""
    connection.execute(text("UPDATE analytics.revision SET load_id = NULL"))


def note_derived(connection: Connection) -> None:
    """The last step of a transaction that derived the published run again."""
    count_revision(connection)
    connection.execute(text("UPDATE analytics.revision SET derived = number"))


def refresh_needed(engine: Engine) -> bool:
    """True if the views do not hold what is there: the refresh after a load was killed, say."""
    sql = f"SELECT coalesce(({_LAST_LOAD}) > coalesce(max(load_id), 0), false)"
    with engine.connect() as connection:
        return connection.execute(text(f"{sql} FROM analytics.revision")).scalar_one()
