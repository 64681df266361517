"""Outside drivers beside the demand of one item-depot."""

from __future__ import annotations

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from domain.records import DriverMonth
from warehouse.caching import read_model
from warehouse.queries.series import find_series

MONTHS = 36

_MONTHS = """
WITH demanded AS (
    SELECT date_trunc('month', date)::date AS month, sum(quantity) AS quantity
    FROM core.demand WHERE item_id = :item_id AND site_id = :site_id GROUP BY 1
), span AS (
    SELECT greatest(
            (SELECT min(month) FROM demanded), (last.day - make_interval(months => :months))::date
        ) AS first, date_trunc('month', last.day + 1)::date AS until
    FROM (SELECT max(date) AS day FROM analytics.demand_by_day) AS last
), known AS (
    SELECT driver, uf, date_trunc('month', date)::date AS month, avg(value) AS value
    FROM core.driver CROSS JOIN span
    WHERE date >= span.first AND date < span.until
        AND uf IN ('', (SELECT coalesce(uf, '') FROM core.site WHERE site_id = :site_id))
    GROUP BY 1, 2, 3
)
SELECT DISTINCT ON (driver, month) driver, uf, month, value, coalesce(quantity, 0)
FROM known LEFT JOIN demanded USING (month) ORDER BY driver, month, uf DESC
"""


@read_model(ttl=3600)
def months(
    connection: Connection, *, sku: str, site: str, scope: Scope = EVERYTHING
) -> list[DriverMonth]:
    """Every driver of the depot's UF or of the country, over the last MONTHS whole months in which
    the item was known there. Raises UnknownMaterial, NotFound."""
    series = find_series(connection, sku, site, scope)
    rows = connection.execute(text(_MONTHS), {**vars(series), "months": MONTHS})
    return [DriverMonth(*row) for row in rows]
