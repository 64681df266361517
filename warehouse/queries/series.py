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
    item_id = find_item(connection, sku, scope)
    where = series_where(scope)
    found = connection.execute(
        text(f"SELECT site_id FROM core.site WHERE site.site = :code AND {where.sql}"),
        {**where.params, "code": site},
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(f"There is no site {site!r}.", fields={"site": "unknown"})
    return Series(item_id, found)


def find_item(connection: Connection, sku: str, scope: Scope) -> int:
    """The key of an item; raises UnknownMaterial where it has nothing at the sites in view."""
    where = item_where(scope, NO_FILTERS)
    found = connection.execute(
        text(f"SELECT item_id FROM core.item WHERE item.sku = :code AND {where.sql}"),
        {**where.params, "code": sku},
    ).scalar_one_or_none()
    if found is None:
        raise UnknownMaterial(f"There is no material {sku!r}.", fields={"sku": "unknown"})
    return found
