"""Where a site is."""

from __future__ import annotations

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from domain.records import Filters
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.filtering import series_where


@read_model(at_most=ages.FACTS)
def uf_of(connection: Connection, *, site: str, scope: Scope = EVERYTHING) -> str | None:
    """The UF of a site in view; None for a site without one, and for one that is not in view."""
    where = series_where(scope, Filters(site=(site,)))
    sql = f"SELECT site.uf FROM core.site WHERE {where.sql}"
    found: str | None = connection.execute(text(sql), where.params).scalar_one_or_none()
    return found
