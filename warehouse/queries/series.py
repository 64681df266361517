"""Finding one item and one site by their codes, within what the viewer may see."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row

from domain.access import EVERYTHING, Scope
from domain.errors import NotFound, UnknownMaterial
from domain.records import NO_FILTERS
from warehouse import ages
from warehouse.caching import once, read_model
from warehouse.planned import planned_once
from warehouse.queries.filtering import item_where, series_where


@dataclass(frozen=True)
class Series:
    """The keys of one item at one site, and what else all cards about it need; `demand_class` is
    None where the published run does not know it, `champion` where it names none."""

    item_id: int
    site_id: int
    unit: str | None
    family: str | None
    uf: str | None
    demand_class: str | None
    champion: str | None


def find_series(connection: Connection, sku: str, site: str, scope: Scope) -> Series:
    """Raises UnknownMaterial, or NotFound for a site that does not exist or is out of scope."""
    items, sites = item_where(scope, NO_FILTERS), series_where(scope)
    sql = f"""
        SELECT item.item_id, site.site_id, item.unit, item.family, site.uf,
            profile.demand_class, profile.champion
        FROM (SELECT 1) AS asked
        LEFT JOIN core.item ON item.sku = :code AND {items.sql}
        LEFT JOIN core.site ON site.site = :place AND {sites.sql}
        LEFT JOIN analytics.published ON true
        LEFT JOIN analytics.series_profile AS profile ON profile.run_id = published.run_id
            AND profile.item_id = item.item_id AND profile.site_id = site.site_id
    """
    params = {**items.params, **sites.params, "code": sku, "place": site}
    found: Any = once(
        connection,
        ("series", sku, site, scope),
        lambda: connection.execute(planned_once(sql), params).one(),
    )
    if found.item_id is None:
        raise unknown_material(sku)
    if found.site_id is None:
        raise NotFound(f"There is no site {site!r}.", fields={"site": "unknown"})
    return Series(**{one.name: getattr(found, one.name) for one in fields(Series)})


def is_known(connection: Connection, sku: str, site: str, scope: Scope, row: Row[Any]) -> None:
    """Spares `find_series` and `find_item` their statements in this snapshot: `row` has an
    attribute for each of Series."""
    once(connection, ("series", sku, site, scope), lambda: row)
    once(connection, ("item", sku, scope), lambda: row.item_id)


@read_model(at_most=ages.FORECASTS)
def one(connection: Connection, *, sku: str, site: str, scope: Scope = EVERYTHING) -> Series:
    """The same, for pages."""
    return find_series(connection, sku, site, scope)


def find_item(connection: Connection, sku: str, scope: Scope) -> int:
    """The key of an item; raises UnknownMaterial where it has nothing at the sites in view."""
    where = item_where(scope, NO_FILTERS)
    sql = f"SELECT item_id FROM core.item WHERE item.sku = :code AND {where.sql}"
    params = {**where.params, "code": sku}
    found: int | None = once(
        connection,
        ("item", sku, scope),
        lambda: connection.execute(planned_once(sql), params).scalar_one_or_none(),
    )
    if found is None:
        raise unknown_material(sku)
    return found


def unknown_material(sku: str) -> UnknownMaterial:
    """The error for a code that is not there or not in view."""
    return UnknownMaterial(f"There is no material {sku!r}.", fields={"sku": "unknown"})
