"""Item-depots: stock, what is coming, levels of the policy, and what is at risk."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from domain.errors import NotFound
from domain.kpis import ratio
from domain.records import (
    NO_FILTERS,
    STOCK_FLAGS,
    Filters,
    ItemDepot,
    OpenOrder,
    Page,
    StockCount,
    StockTotal,
)
from warehouse import ages
from warehouse.caching import once, read_model
from warehouse.queries.filtering import between, is_open, series_where
from warehouse.queries.materials import ON_HAND, TEXTBOOK_ORDER_UP_TO, orders_on_their_way
from warehouse.queries.paging import fetch_page, record_of
from warehouse.queries.published import AS_OF, RUN, PublishedRun, published_run_or_none
from warehouse.queries.series import find_item, find_series, is_known

SORTS = {
    "sku": "text",
    "item_name": "text",
    "family": "text",
    "site": "text",
    "uf": "text",
    "flag": "text",
    "abc": "text",
    "xyz": "text",
    "demand_class": "text",
    "on_hand": "double precision",
    "reserved": "double precision",
    "in_transit": "double precision",
    "on_order": "double precision",
    "safety_stock": "double precision",
    "reorder_point": "double precision",
    "order_up_to": "double precision",
    "lead_time_days": "double precision",
    "demand_90d": "double precision",
    "forecast_horizon": "double precision",
    "days_of_supply": "double precision",
    "days_to_stockout": "double precision",
    "stockout_p50_on": "date",
    "stockout_p90_on": "date",
    "stock_value_brl": "double precision",
    "risk_brl": "double precision",
    "open_alerts": "bigint",
}
COUNTED_DAYS = 400

_JOINED = f"""
FROM analytics.series_overview AS series
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
LEFT JOIN (SELECT * FROM analytics.material_overview WHERE run_id = :run_id) AS material
    USING (item_id, site_id)
LEFT JOIN (
    SELECT *, (facts ->> 'risk_brl')::double precision AS risk_brl,
        (facts ->> 'project_demand')::double precision AS project_demand,
        coalesce((facts ->> 'received_of_ordered')::double precision, 0)
            + coalesce((facts ->> 'arrived_since')::double precision, 0) AS came_since
    FROM analytics.policy WHERE run_id = :run_id
) AS policy USING (item_id, site_id)
CROSS JOIN LATERAL (
    SELECT {ON_HAND} AS on_hand,
        coalesce(policy.reserved, series.reserved) AS reserved
) AS now
CROSS JOIN LATERAL (
    SELECT now.on_hand - coalesce(now.reserved, 0) AS available,
        now.on_hand - coalesce(now.reserved, 0) + coalesce(policy.on_order, 0)
            - coalesce(policy.project_demand, 0) AS position
) AS stock
CROSS JOIN LATERAL (
    SELECT CASE WHEN now.on_hand IS NULL THEN 'unknown'
        WHEN stock.available <= 0 THEN 'out'
        WHEN policy.reorder_point IS NULL THEN 'unknown'
        WHEN stock.position <= policy.reorder_point THEN 'below'
        WHEN stock.position > policy.order_up_to THEN 'above'
        ELSE 'ok' END AS flag
) AS judged
"""

_ROWS = f"""
SELECT {{keys}} item.sku, item.name AS item_name, item.family, item.unit, site.site,
    site.name AS site_name, site.uf, judged.flag, material.abc, material.xyz,
    material.demand_class, now.on_hand, now.reserved,
    series.in_transit - least(series.in_transit, coalesce(policy.came_since, 0)) AS in_transit,
    policy.on_order,
    policy.project_demand, policy.safety_stock, policy.reorder_point, policy.order_up_to,
    policy.lead_time_days, policy.service_level, policy.textbook_safety_stock,
    policy.textbook_reorder_point, {TEXTBOOK_ORDER_UP_TO} AS textbook_order_up_to,
    policy.stockout_probability,
    series.demand_90d, ahead.forecast_horizon,
    now.on_hand / nullif(ahead.forecast_horizon, 0)
        * CAST(:horizon_days AS double precision) AS days_of_supply,
    policy.days_to_stockout, policy.stockout_p50_on, policy.stockout_p90_on,
    now.on_hand * item.unit_cost_brl AS stock_value_brl, policy.risk_brl,
    coalesce(alerts.open_alerts, 0) AS open_alerts
{_JOINED}
LEFT JOIN (
    SELECT item_id, site_id, sum(instead.mean - forecast.mean) AS more
    FROM analytics.override_in_force AS instead
    JOIN analytics.forecast USING (run_id, item_id, site_id, date)
    WHERE run_id = :run_id AND forecast.model = 'ensemble'
    GROUP BY item_id, site_id
) AS overridden USING (item_id, site_id)
CROSS JOIN LATERAL (
    SELECT material.forecast_horizon + coalesce(overridden.more, 0) AS forecast_horizon
) AS ahead
LEFT JOIN (
    SELECT item_id, site_id, count(*) AS open_alerts
    FROM analytics.alert WHERE run_id = :run_id AND {is_open("alert")}
    GROUP BY item_id, site_id
) AS alerts USING (item_id, site_id)
WHERE {{where}}
"""

_RUN_ID = "(SELECT run_id FROM analytics.published)"
_KEYS = "item.item_id, site.site_id, material.champion,"

_TOTALS = f"""
SELECT judged.flag, count(*), sum(now.on_hand * item.unit_cost_brl), sum(policy.risk_brl)
{_JOINED}
WHERE {{where}} GROUP BY judged.flag
"""

_COUNTS = """
SELECT date, on_hand, reserved, in_transit FROM core.stock
WHERE item_id = :item_id AND site_id = :site_id
    AND date >= coalesce(
        CAST(:since AS date), (SELECT max(date) FROM core.stock) - CAST(:days AS integer) + 1
    ) AND date <= CAST(:to AS date)
ORDER BY date
"""


@read_model(at_most=ages.FACTS)
def page(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    flags: tuple[str, ...] = (),
    limit: int = 50,
    cursor: str | None = None,
    sort: str = "-risk_brl",
) -> Page[ItemDepot]:
    """Item-depots that have demand or stock; three statements. Works before the first run: what
    needs one is then None."""
    rows, params = _rows(connection, scope, filters, flags)
    return fetch_page(
        connection,
        rows,
        params,
        lambda row: ItemDepot(**row._mapping),
        sort=sort,
        sorts=SORTS,
        tie={"sku": "text", "site": "text"},
        limit=limit,
        cursor=cursor,
    )


@read_model(at_most=ages.FACTS)
def totals(
    connection: Connection, *, scope: Scope = EVERYTHING, filters: Filters = NO_FILTERS
) -> list[StockTotal]:
    """Number, stock value and risk of the item-depots of each flag, in the order of STOCK_FLAGS;
    what is known of none of them is None."""
    where, params = _asked(connection, scope, filters, ())
    rows = connection.execute(text(_TOTALS.format(where=where)), params)
    found = {row[0]: StockTotal(*row) for row in rows}
    return [found.get(flag, StockTotal(flag, 0, 0.0, 0.0)) for flag in STOCK_FLAGS]


@read_model(at_most=ages.FACTS)
def one(connection: Connection, *, sku: str, site: str, scope: Scope = EVERYTHING) -> ItemDepot:
    """Raises NotFound for an item-depot that has neither demand nor stock, or is out of view. One
    statement, which tells what else is asked about it by which run and keys."""
    where = series_where(scope, Filters(sku=(sku,), site=(site,)))
    found = _ROWS.format(keys=_KEYS, where=where.sql).replace(":run_id", _RUN_ID)
    sql = f"SELECT run.*, found.* FROM ({RUN}) AS run LEFT JOIN ({found}) AS found ON true"
    row = connection.execute(text(sql), {**where.params, "horizon_days": None}).one()
    once(connection, PublishedRun, lambda: row)
    once(connection, AS_OF, lambda: row.as_of)
    if row.item_id is None:
        raise NotFound(f"There is no stock of {sku!r} at {site!r}.")
    is_known(connection, sku, site, scope, row)
    depot = record_of(ItemDepot, row)
    run, share = published_run_or_none(connection), ratio(depot.on_hand, depot.forecast_horizon)
    lasts = share * run.horizon_days if run and share is not None else None
    return replace(depot, days_of_supply=lasts)


@read_model(at_most=ages.FACTS)
def open_orders(
    connection: Connection, *, sku: str, site: str, scope: Scope = EVERYTHING
) -> list[OpenOrder]:
    """What is on its way to one item-depot. Raises UnknownMaterial."""
    where = series_where(scope, Filters(site=(site,)))
    return orders_on_their_way(connection, find_item(connection, sku, scope), where)


@read_model(at_most=ages.FACTS)
def counts(
    connection: Connection,
    *,
    sku: str,
    site: str,
    scope: Scope = EVERYTHING,
    since: date | None = None,
    to: date | None = None,
) -> list[StockCount]:
    """What was counted at one item-depot from one day to another, the oldest first; with neither,
    over the last COUNTED_DAYS of the stock file. Raises UnknownMaterial, NotFound."""
    series = find_series(connection, sku, site, scope)
    params = {**vars(series), **between(since, to), "days": COUNTED_DAYS}
    return [StockCount(*row) for row in connection.execute(text(_COUNTS), params)]


def _rows(
    connection: Connection, scope: Scope, filters: Filters, flags: tuple[str, ...]
) -> tuple[str, dict[str, Any]]:
    where, params = _asked(connection, scope, filters, flags)
    return _ROWS.format(keys="", where=where), params


def _asked(
    connection: Connection, scope: Scope, filters: Filters, flags: tuple[str, ...]
) -> tuple[str, dict[str, Any]]:
    run = published_run_or_none(connection)
    where = series_where(scope, filters)
    where.any_of(flags, "flags", "judged.flag = ANY(:flags)")
    return where.sql, {
        **where.params,
        "run_id": run.run_id if run else None,
        "horizon_days": run.horizon_days if run else None,
    }
