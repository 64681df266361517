"""Materials with their demand, stock, forecast, policy and alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from domain.access import EVERYTHING, Scope
from domain.records import (
    NO_FILTERS,
    Filters,
    Item,
    Material,
    MaterialDetail,
    OpenOrder,
    Option,
    Page,
    SitePosition,
)
from warehouse import ages
from warehouse.caching import read_model
from warehouse.planned import planned_once
from warehouse.queries.alerts import alerts_of_item
from warehouse.queries.daily import CANCELLED, still_to_come
from warehouse.queries.filtering import (
    Where,
    is_open,
    item_where,
    pattern,
    series_where,
    unaccented,
)
from warehouse.queries.items import item_with_key
from warehouse.queries.paging import fetch_page
from warehouse.queries.published import AS_OF, PublishedRun, published_run_or_none
from warehouse.queries.series import find_item, unknown_material

OPTIONS = 20
"""Materials offered before anything is searched."""
SORTS = {
    "sku": "text",
    "name": "text",
    "family": "text",
    "abc": "text",
    "demand_class": "text",
    "sites": "bigint",
    "unit_cost_brl": "double precision",
    "demand_90d": "double precision",
    "demand_total": "double precision",
    "forecast_horizon": "double precision",
    "on_hand": "double precision",
    "stock_value_brl": "double precision",
    "days_of_supply": "double precision",
    "wape": "double precision",
    "open_alerts": "bigint",
    "next_stockout_on": "date",
}

ON_HAND = "coalesce(policy.on_hand, series.on_hand)"
"""The last count as of today where the run has a policy: see `warehouse.pipeline.policy`."""
TEXTBOOK_ORDER_UP_TO = "policy.textbook_reorder_point + policy.order_up_to - policy.reorder_point"
"""Both policies order the same quantity."""

_OPEN_ALERTS = f"""
LEFT JOIN (
    SELECT item_id, site_id, count(*) AS open_alerts
    FROM analytics.alert WHERE run_id = :run_id AND {is_open("alert")}
    GROUP BY item_id, site_id
) AS alerts USING (item_id, site_id)
"""

_SERIES = f"""
FROM analytics.series_overview AS series
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
LEFT JOIN (SELECT * FROM analytics.material_overview WHERE run_id = :run_id) AS material
    USING (item_id, site_id)
LEFT JOIN (SELECT * FROM analytics.policy WHERE run_id = :run_id) AS policy
    USING (item_id, site_id)
{_OPEN_ALERTS}
"""

_BY_ITEM = f"""
SELECT item.sku, item.name, item.family, item.unit, item.unit_cost_brl,
    min(material.abc) AS abc,
    (array_agg(material.demand_class ORDER BY series.demand_total DESC, site.site)
        FILTER (WHERE material.demand_class IS NOT NULL))[1] AS demand_class,
    count(*) AS sites,
    sum(series.demand_90d) AS demand_90d,
    sum(series.demand_total) AS demand_total,
    sum(material.forecast_horizon) AS forecast_horizon,
    sum({ON_HAND}) AS on_hand,
    sum({ON_HAND}) * item.unit_cost_brl AS stock_value_brl,
    sum({ON_HAND}) FILTER (WHERE material.forecast_horizon IS NOT NULL)
        / nullif(sum(material.forecast_horizon) FILTER (WHERE {ON_HAND} IS NOT NULL), 0)
        * CAST(:horizon_days AS double precision) AS days_of_supply,
    sum(material.abs_error_sum) / nullif(sum(material.actual_sum), 0) AS wape,
    coalesce(sum(alerts.open_alerts), 0)::bigint AS open_alerts,
    min(policy.stockout_on) AS next_stockout_on
{_SERIES}
WHERE {{where}}
GROUP BY item.item_id
"""

_BY_SITE = f"""
SELECT site.site, site.name AS site_name, site.uf, material.demand_class, series.demand_90d,
    material.forecast_horizon, {ON_HAND} AS on_hand,
    policy.on_order, policy.lead_time_days, policy.service_level, policy.safety_stock,
    policy.reorder_point, policy.textbook_safety_stock, policy.textbook_reorder_point,
    policy.order_up_to, {TEXTBOOK_ORDER_UP_TO} AS textbook_order_up_to,
    policy.stockout_probability, policy.stockout_on, policy.stockout_p50_on,
    policy.stockout_p90_on, policy.days_to_stockout, material.wape,
    coalesce(alerts.open_alerts, 0) AS open_alerts
{_SERIES}
WHERE series.item_id = :item_id AND {{where}}
ORDER BY policy.days_to_stockout NULLS LAST, series.demand_90d DESC, site.site
"""

_OPEN_ORDERS = f"""
SELECT line.order_no, line.line, supplier.supplier, supplier.name, site.site,
    CASE WHEN line.order_dated THEN line.ordered_on END AS ordered_on, line.promised_on,
    line.received_on, line.quantity, line.received_qty, line.unit_price_brl,
    CASE WHEN line.promised_on IS NOT NULL AND line.received_on IS NULL
        THEN greatest(0, today.date - line.promised_on) END AS days_late
FROM core.purchase_order AS line
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
JOIN core.supplier ON supplier.supplier_id = line.supplier_id
CROSS JOIN (SELECT {AS_OF} AS date) AS today
WHERE line.item_id = :item_id AND {still_to_come("today.date")} > 0
    AND lower(coalesce(line.status, '')) <> ALL(:cancelled) AND {{where}}
ORDER BY line.promised_on NULLS LAST, line.order_no, line.line
"""

_NO_SERIES = Material(
    sku="",
    name=None,
    family=None,
    unit=None,
    unit_cost_brl=None,
    abc=None,
    demand_class=None,
    sites=0,
    demand_90d=0.0,
    demand_total=0.0,
    forecast_horizon=None,
    on_hand=None,
    stock_value_brl=None,
    days_of_supply=None,
    wape=None,
    open_alerts=0,
    next_stockout_on=None,
)


@read_model(at_most=ages.FACTS)
def page(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    limit: int = 50,
    cursor: str | None = None,
    sort: str = "sku",
) -> Page[Material]:
    """Materials that have demand or stock, each over the sites in view; three statements.

    Works before the first run: what needs one is then None.
    """
    run = published_run_or_none(connection)
    where = series_where(scope, filters)
    return fetch_page(
        connection,
        _BY_ITEM.format(where=where.sql),
        {**where.params, **_of_run(run)},
        _to_material,
        sort=sort,
        sorts=SORTS,
        tie={"sku": "text"},
        limit=limit,
        cursor=cursor,
    )


@read_model(at_most=ages.FACTS)
def detail(connection: Connection, *, sku: str, scope: Scope = EVERYTHING) -> MaterialDetail:
    """Everything about one material over the sites in view. Raises UnknownMaterial."""
    run = published_run_or_none(connection)
    item_id, item = item_with_key(connection, sku, scope)
    return MaterialDetail(
        item=item,
        summary=_summary(connection, item_id, scope) or without_series(item),
        positions=_positions(connection, item_id, scope),
        open_orders=orders_on_their_way(connection, item_id, series_where(scope)),
        alerts=alerts_of_item(connection, run.run_id, item_id, scope) if run else [],
    )


@read_model(at_most=ages.FACTS)
def summary(connection: Connection, *, sku: str, scope: Scope = EVERYTHING) -> Material | None:
    """A material over the sites in view; None without demand and stock. Raises UnknownMaterial."""
    return _summary(connection, find_item(connection, sku, scope), scope)


@read_model(at_most=ages.FACTS)
def positions(connection: Connection, *, sku: str, scope: Scope = EVERYTHING) -> list[SitePosition]:
    """A material at each site in view, the next stockout first. Raises UnknownMaterial."""
    return _positions(connection, find_item(connection, sku, scope), scope)


@read_model(at_most=ages.FACTS)
def open_orders(connection: Connection, *, sku: str, scope: Scope = EVERYTHING) -> list[OpenOrder]:
    """What of a material is on its way to the sites in view. Raises UnknownMaterial."""
    item_id = find_item(connection, sku, scope)
    return orders_on_their_way(connection, item_id, series_where(scope))


def _summary(connection: Connection, item_id: int, scope: Scope) -> Material | None:
    where = series_where(scope)
    params = {**where.params, **_of_run(published_run_or_none(connection)), "item_id": item_id}
    sql = _BY_ITEM.format(where=f"series.item_id = :item_id AND {where.sql}")
    row = connection.execute(planned_once(sql), params).one_or_none()
    return None if row is None else _to_material(row)


def _positions(connection: Connection, item_id: int, scope: Scope) -> list[SitePosition]:
    where = series_where(scope)
    params = {**where.params, **_of_run(published_run_or_none(connection)), "item_id": item_id}
    rows = connection.execute(planned_once(_BY_SITE.format(where=where.sql)), params)
    return [SitePosition(**row._mapping) for row in rows]


@read_model(at_most=ages.FACTS)
def one(connection: Connection, *, sku: str, scope: Scope = EVERYTHING) -> Item:
    """The master data of a material in view. Raises UnknownMaterial."""
    return item_with_key(connection, sku, scope)[1]


def orders_on_their_way(connection: Connection, item_id: int, where: Where) -> list[OpenOrder]:
    """The open lines of an item, at the sites that `where` lets through,
    those promised first at the top."""
    params = {**where.params, "item_id": item_id, "cancelled": list(CANCELLED)}
    rows = connection.execute(planned_once(_OPEN_ORDERS.format(where=where.sql)), params)
    return [OpenOrder(*row) for row in rows]


@read_model(at_most=ages.FACTS)
def item_options(
    connection: Connection, *, scope: Scope = EVERYTHING, search: str = "", limit: int = OPTIONS
) -> list[Option]:
    """Materials whose code or name contains `search`: the code itself first, then codes that start
    with it, then those with the most demand in view."""
    sql, params = options_of(scope, search, limit)
    return [item_option(*row) for row in connection.execute(text(sql), params)]


def options_of(scope: Scope, search: str = "", limit: int = OPTIONS) -> tuple[str, dict[str, Any]]:
    """The statement of `item_options` and its parameters, for others to be part of."""
    where, seen = item_where(scope, Filters(search=search)), series_where(scope)
    sql = f"""
        SELECT item.sku, item.name FROM core.item
        LEFT JOIN (
            SELECT item_id, sum(demand_total) AS demanded
            FROM analytics.series_overview JOIN core.site USING (site_id)
            WHERE {seen.sql} GROUP BY item_id
        ) AS series USING (item_id)
        WHERE {where.sql}
        ORDER BY item.sku = :code DESC, {unaccented("item.sku")} LIKE :start DESC,
            demanded DESC NULLS LAST, item.sku
        LIMIT :limit
    """
    start = pattern(search).removeprefix("%")
    return sql, {**where.params, **seen.params, "code": search, "start": start, "limit": limit}


def item_option(sku: str, name: str | None) -> Option:
    """A material to choose."""
    return Option(value=sku, label=f"{sku} – {name}" if name else sku)


def with_items(options: Sequence[Option], skus: Sequence[str], *, scope: Scope) -> list[Option]:
    """The options, after those of `skus` that are not among them but in view."""
    known = {option.value for option in options}
    missing = tuple(dict.fromkeys(sku for sku in skus if sku and sku not in known))
    return [*(item_names(skus=missing, scope=scope) if missing else []), *options]


@read_model(at_most=ages.FACTS)
def item_names(
    connection: Connection, *, skus: tuple[str, ...], scope: Scope = EVERYTHING
) -> list[Option]:
    """Those of the materials that are in view."""
    where = item_where(scope, Filters(sku=skus))
    sql = f"SELECT sku, name FROM core.item WHERE {where.sql} ORDER BY sku"
    return [item_option(*row) for row in connection.execute(text(sql), where.params)]


@read_model(at_most=ages.FACTS)
def site_options(connection: Connection, *, sku: str, scope: Scope = EVERYTHING) -> list[Option]:
    """The sites in view that have demand or stock of a material, most demand first. Raises
    UnknownMaterial."""
    items, sites = item_where(scope, NO_FILTERS), series_where(scope)
    sql = f"""
        SELECT place.site, place.name, place.uf
        FROM core.item LEFT JOIN LATERAL (
            SELECT site.site, site.name, site.uf, series.demand_total
            FROM analytics.series_overview AS series JOIN core.site USING (site_id)
            WHERE series.item_id = item.item_id AND {sites.sql}
        ) AS place ON true
        WHERE item.sku = :code AND {items.sql}
        ORDER BY place.demand_total DESC, place.site
    """
    rows = connection.execute(text(sql), {**items.params, **sites.params, "code": sku}).all()
    if not rows:
        raise unknown_material(sku)
    return [Option(value=row.site, label=_site_label(*row)) for row in rows if row.site]


def _site_label(site: str, name: str | None, uf: str | None) -> str:
    label = f"{site} – {name}" if name else site
    return f"{label} ({uf})" if uf else label


def _of_run(run: PublishedRun | None) -> dict[str, Any]:
    return {
        "run_id": run.run_id if run else None,
        "horizon_days": run.horizon_days if run else None,
    }


def _to_material(row: Row[Any]) -> Material:
    return Material(**row._mapping)


def without_series(item: Item) -> Material:
    known = {name: getattr(item, name) for name in ("sku", "name", "family", "unit")}
    return Material(**{**vars(_NO_SERIES), **known, "unit_cost_brl": item.unit_cost_brl})
