"""The catalogue of materials."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from domain.access import EVERYTHING, Scope
from domain.records import NO_FILTERS, Filters, Item, Page
from warehouse import ages
from warehouse.caching import read_model
from warehouse.planned import planned_once
from warehouse.queries.filtering import item_where
from warehouse.queries.paging import fetch_page
from warehouse.queries.series import unknown_material

SORTS = {
    "sku": "text",
    "name": "text",
    "family": "text",
    "unit_cost_brl": "double precision",
    "criticality": "double precision",
    "lead_time_days": "double precision",
}

_COLUMNS = """
item.sku, item.name, item.family, item.unit, item.unit_cost_brl, item.criticality,
    item.lead_time_days, item.min_order_qty, item.pack_size, nullif(supplier.supplier, '-')
    AS supplier, supplier.name AS supplier_name, item.service_level, item.shelf_life_days,
    item.active, item.attributes
"""
_FROM = "FROM core.item LEFT JOIN core.supplier USING (supplier_id)"


@read_model(at_most=ages.FACTS)
def page(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    limit: int = 50,
    cursor: str | None = None,
    sort: str = "sku",
) -> Page[Item]:
    """The catalogue, by `sort`; a scoped viewer sees what has demand or stock at sites in view."""
    where = item_where(scope, filters)
    return fetch_page(
        connection,
        f"SELECT {_COLUMNS} {_FROM} WHERE {where.sql}",
        where.params,
        to_item,
        sort=sort,
        sorts=SORTS,
        tie={"sku": "text"},
        limit=limit,
        cursor=cursor,
    )


def item_with_key(connection: Connection, sku: str, scope: Scope) -> tuple[int, Item]:
    """The key of an item and its line. Raises UnknownMaterial where it has nothing at the sites in
    view."""
    where = item_where(scope, NO_FILTERS)
    sql = f"SELECT item.item_id, {_COLUMNS} {_FROM} WHERE item.sku = :code AND {where.sql}"
    row = connection.execute(planned_once(sql), {**where.params, "code": sku}).one_or_none()
    if row is None:
        raise unknown_material(sku)
    values = dict(row._mapping)
    return values.pop("item_id"), Item(**values)


def to_item(row: Row[Any]) -> Item:
    """The typed row of one line of the select above."""
    return Item(**row._mapping)
