"""What the KPIs that are sums are made of: item-depots, each with its quantity at unit cost."""

from __future__ import annotations

from sqlalchemy import Connection

from domain.access import EVERYTHING, Scope
from domain.records import NO_FILTERS, Filters, KpiRow, Page
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.filtering import series_where
from warehouse.queries.kpis import windows_now
from warehouse.queries.paging import fetch_page

SORTS = {
    "value_brl": "double precision",
    "quantity": "double precision",
    "sku": "text",
    "site": "text",
}

_QUANTITIES = {
    "inventory_value": """
        SELECT item_id, site_id, on_hand AS quantity FROM analytics.series_overview
        WHERE on_hand IS NOT NULL
    """,
    "demand_value": """
        SELECT item_id, site_id, sum(quantity) AS quantity FROM core.demand
        WHERE date > :demand_after AND date <= :demand_to GROUP BY item_id, site_id
    """,
    "forecast_value": """
        SELECT item_id, site_id, sum(mean) AS quantity FROM analytics.forecast
        WHERE run_id = :run_id AND model = 'ensemble' GROUP BY item_id, site_id
    """,
}

_ROWS = """
SELECT item.sku, item.name AS item_name, item.family, site.site, site.uf, amount.quantity,
    item.unit_cost_brl, amount.quantity * item.unit_cost_brl AS value_brl
FROM ({quantities}) AS amount
JOIN core.item USING (item_id) JOIN core.site USING (site_id)
WHERE item.unit_cost_brl IS NOT NULL AND {where}
"""


@read_model(at_most=ages.KPIS)
def page(
    connection: Connection,
    *,
    kpi: str,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    limit: int = 50,
    cursor: str | None = None,
    sort: str = "-value_brl",
) -> Page[KpiRow]:
    """Item-depots of one KPI of `domain.kpis.SUMMED`; their values add up to it, over its dates
    where the filters name some."""
    *_, windows = windows_now(connection, filters)
    where = series_where(scope, filters)
    return fetch_page(
        connection,
        _ROWS.format(quantities=_QUANTITIES[kpi], where=where.sql),
        {**where.params, **windows},
        lambda row: KpiRow(**row._mapping),
        sort=sort,
        sorts=SORTS,
        tie={"sku": "text", "site": "text"},
        limit=limit,
        cursor=cursor,
    )
