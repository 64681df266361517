"""Projected stock, day by day, as derive stored it."""

from __future__ import annotations

import sys
from array import array
from datetime import timedelta

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from domain.records import Filters, ProjectedDay
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.filtering import series_where
from warehouse.queries.published import published_run
from warehouse.queries.series import find_series

_SELECT = """
SELECT first_on, likely, cautious FROM analytics.projection
JOIN core.item USING (item_id) JOIN core.site USING (site_id)
WHERE projection.run_id = :run_id AND {where}
"""


@read_model(at_most=ages.FACTS)
def days(
    connection: Connection, *, sku: str, site: str, scope: Scope = EVERYTHING
) -> list[ProjectedDay]:
    """From the day after the last day of the data on; empty where no stock is known there. Raises
    NothingPublished, UnknownMaterial, NotFound."""
    run = published_run(connection)
    where = series_where(scope, Filters(sku=(sku,), site=(site,)))
    params = {**where.params, "run_id": run.run_id}
    row = connection.execute(text(_SELECT.format(where=where.sql)), params).one_or_none()
    if row is None:
        find_series(connection, sku, site, scope)
        return []
    pairs = zip(_floats(row.likely), _floats(row.cautious), strict=True)
    return [
        ProjectedDay(row.first_on + timedelta(days=number), likely, cautious)
        for number, (likely, cautious) in enumerate(pairs)
    ]


def _floats(packed: bytes) -> array[float]:
    found = array("f", bytes(packed))
    if sys.byteorder == "big":
        found.byteswap()
    return found
