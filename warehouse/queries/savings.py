"""The old policy's costs and ours: in total, by month, by item-depot, row by row. Dates in the
filters choose the months that lie whole within them."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from domain.records import NO_FILTERS, Filters, Page
from domain.savings import SavingsItem, SavingsMonth, SavingsRow, SavingsTotal, annual
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.filtering import Where, series_where
from warehouse.queries.paging import fetch_page
from warehouse.queries.published import published_run

OLD = "old_holding + old_stockout + old_expediting + old_ordering"
NEW = "new_holding + new_stockout + new_expediting + new_ordering"
ITEM_SORTS = {
    "sku": "text",
    "site": "text",
    "old_brl": "double precision",
    "new_brl": "double precision",
    "identified_brl": "double precision",
    "realised_brl": "double precision",
}
ROW_SORTS = {"month": "date", **ITEM_SORTS}
STARTS, ENDS = "savings.month >= :{}", "(savings.month + interval '1 month - 1 day')::date <= :{}"
"""A month begins and ends within the dates of these names."""
PARTS = [
    f"{side}_{part}"
    for side in ("old", "new")
    for part in ("holding", "stockout", "expediting", "ordering")
]

_ROWS = f"""
SELECT savings.month, item.sku, item.name AS item_name, site.site, site.uf, savings.basis,
    old_holding, old_stockout, old_expediting, old_ordering,
    new_holding, new_stockout, new_expediting, new_ordering,
    old_stock, new_stock, old_missed, new_missed,
    {OLD} AS old_brl, {NEW} AS new_brl, {OLD} - ({NEW}) AS identified_brl,
    accepted, realised_brl
FROM analytics.savings JOIN core.item USING (item_id) JOIN core.site USING (site_id)
WHERE savings.run_id = :run_id AND {{where}}
"""

_TOTAL = """
SELECT count(DISTINCT month) AS months, min(month) AS first, max(month) AS last,
    count(DISTINCT (sku, site)) AS item_sites,
    coalesce(sum(old_brl), 0) AS old_brl, coalesce(sum(new_brl), 0) AS new_brl,
    coalesce(sum(identified_brl), 0) AS identified_brl,
    coalesce(sum(identified_brl) FILTER (WHERE accepted), 0) AS accepted_brl,
    sum(realised_brl) AS realised_brl,
    avg((basis = 'recorded')::integer)::double precision AS recorded
FROM ({rows}) AS saved
"""

_MONTHS = f"""
SELECT month, count(*) AS item_sites,
    {", ".join(f"sum({name}) AS {name}" for name in PARTS)},
    sum(old_brl) AS old_brl, sum(new_brl) AS new_brl, sum(identified_brl) AS identified_brl,
    coalesce(sum(identified_brl) FILTER (WHERE accepted), 0) AS accepted_brl,
    sum(realised_brl) AS realised_brl
FROM ({{rows}}) AS saved GROUP BY month ORDER BY month
"""

_ITEMS = """
SELECT sku, item_name, site, uf, count(*) AS months, sum(old_brl) AS old_brl,
    sum(new_brl) AS new_brl, sum(identified_brl) AS identified_brl, bool_or(accepted) AS accepted,
    sum(realised_brl) AS realised_brl
FROM ({rows}) AS saved GROUP BY sku, item_name, site, uf
"""


@read_model(at_most=ages.FACTS)
def total(
    connection: Connection, *, scope: Scope = EVERYTHING, filters: Filters = NO_FILTERS
) -> SavingsTotal:
    """Everything in view added up; no month where nothing could be replayed. Raises
    NothingPublished."""
    rows, params = _rows(connection, scope, filters)
    row = connection.execute(text(_TOTAL.format(rows=rows)), params).one()
    pace = annual(row.identified_brl, row.months)
    return SavingsTotal(**row._mapping, annual_brl=pace)


@read_model(at_most=ages.FACTS)
def months(
    connection: Connection, *, scope: Scope = EVERYTHING, filters: Filters = NO_FILTERS
) -> list[SavingsMonth]:
    """Month by month, the oldest first. Raises NothingPublished."""
    rows, params = _rows(connection, scope, filters)
    found = connection.execute(text(_MONTHS.format(rows=rows)), params)
    return [SavingsMonth(**row._mapping) for row in found]


@read_model(at_most=ages.FACTS)
def items(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    month: date | None = None,
    limit: int = 50,
    cursor: str | None = None,
    sort: str = "-identified_brl",
) -> Page[SavingsItem]:
    """Item-depots with all their months added up, or with `month` (its first day) alone. Raises
    NothingPublished."""
    rows, params = _rows(connection, scope, filters, month)
    return fetch_page(
        connection,
        _ITEMS.format(rows=rows),
        params,
        lambda row: SavingsItem(**row._mapping),
        sort=sort,
        sorts=ITEM_SORTS,
        tie={"sku": "text", "site": "text"},
        limit=limit,
        cursor=cursor,
    )


@read_model(at_most=ages.FACTS)
def page(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    month: date | None = None,
    limit: int = 50,
    cursor: str | None = None,
    sort: str = "-identified_brl",
) -> Page[SavingsRow]:
    """Every row: an item-depot in a month, or those of `month` (its first day). Raises
    NothingPublished."""
    rows, params = _rows(connection, scope, filters, month)
    return fetch_page(
        connection,
        rows,
        params,
        lambda row: SavingsRow(**row._mapping),
        sort=sort,
        sorts=ROW_SORTS,
        tie={"month": "date", "sku": "text", "site": "text"},
        limit=limit,
        cursor=cursor,
    )


def _rows(
    connection: Connection, scope: Scope, filters: Filters, month: date | None = None
) -> tuple[str, dict[str, Any]]:
    where: Where = series_where(scope, filters)
    if filters.date_from:
        where.add(STARTS.format("date_from"), date_from=filters.date_from)
    if filters.date_to:
        where.add(ENDS.format("date_to"), date_to=filters.date_to)
    run = published_run(connection)
    if month is not None:
        where.add("savings.month = :month", month=month)
    return _ROWS.format(where=where.sql), {**where.params, "run_id": run.run_id}
