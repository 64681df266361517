"""Where and since when outside drivers matter: what `flask drivers fetch` asks for by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, text

from warehouse.connectors.rows import Asked, Point

_POINTS = """
SELECT DISTINCT ON (uf.uf) uf.uf, coalesce(depot.latitude, uf.latitude) AS latitude,
    coalesce(depot.longitude, uf.longitude) AS longitude, uf.timezone
FROM core.uf
LEFT JOIN core.site AS depot ON depot.uf = uf.uf AND depot.kind = 'depot'
    AND depot.latitude IS NOT NULL AND depot.longitude IS NOT NULL
WHERE CASE WHEN cardinality(CAST(:ufs AS text[])) > 0 THEN uf.uf = ANY(CAST(:ufs AS text[]))
    ELSE EXISTS (SELECT FROM core.site WHERE site.uf = uf.uf)
        OR NOT EXISTS (SELECT FROM core.site WHERE site.uf IS NOT NULL) END
ORDER BY uf.uf, depot.site COLLATE "C"
"""


YEARS = 5
"""How far to go back where no demand is loaded."""


def asked(
    connection: Connection,
    *,
    today: date,
    first: date | None = None,
    last: date | None = None,
    ufs: Sequence[str] = (),
) -> Asked:
    """The days and UFs given; else those of the demand and of the sites, up to `today`, and what is
    known ahead up to the end of the next year."""
    start = first or _first_demand(connection) or date(today.year - YEARS, 1, 1)
    ahead = last or date(today.year + 1, 12, 31)
    return Asked(start, last or today, today, ahead, _points(connection, ufs))


def _points(connection: Connection, ufs: Sequence[str]) -> list[Point]:
    """Each UF's first depot with coordinates, else its capital; where no site is loaded, of all."""
    rows = connection.execute(text(_POINTS), {"ufs": list(ufs)})
    return [Point(**row._mapping) for row in rows]


def _first_demand(connection: Connection) -> date | None:
    return connection.execute(text("SELECT min(date) FROM core.demand")).scalar()
