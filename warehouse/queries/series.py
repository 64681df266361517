"""Finding one item and one site by their codes, within what the viewer may see."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from domain.access import Scope
from domain.errors import NotFound, UnknownMaterial
from domain.records import NO_FILTERS
from warehouse.queries.filtering import item_where, series_where


@dataclass(frozen=True)
class Series:
    """The keys of one item at one site."""

    item_id: int
    site_id: int


def find_series(connection: Connection, sku: str, site: str, scope: Scope) -> Series:
    """Raises UnknownMaterial, or NotFound for a site that does not exist or is out of scope."""
    items, sites = item_where(scope, NO_FILTERS), series_where(scope)
    found = connection.execute(
        text(
            "SELECT"
            f" (SELECT item_id FROM core.item WHERE item.sku = :code AND {items.sql}) AS item_id,"
            f" (SELECT site_id FROM core.site WHERE site.site = :place AND {sites.sql}) AS site_id"
        ),
        {**items.params, **sites.params, "code": sku, "place": site},
    ).one()
    if found.item_id is None:
        raise unknown_material(sku)
    if found.site_id is None:
        raise NotFound(f"There is no site {site!r}.", fields={"site": "unknown"})
    return Series(found.item_id, found.site_id)


def find_item(connection: Connection, sku: str, scope: Scope) -> int:
    """The key of an item; raises UnknownMaterial where it has nothing at the sites in view."""
    where = item_where(scope, NO_FILTERS)
    found = connection.execute(
        text(f"SELECT item_id FROM core.item WHERE item.sku = :code AND {where.sql}"),
        {**where.params, "code": sku},
    ).scalar_one_or_none()
    if found is None:
        raise unknown_material(sku)
    return found


def unknown_material(sku: str) -> UnknownMaterial:
    """The error for a code that is not there or not in view."""
    return UnknownMaterial(f"There is no material {sku!r}.", fields={"sku": "unknown"})
