"""Outside drivers beside the demand of one item-depot."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from domain.drivers import MONTHS_SHOWN
from domain.records import DriverMonth
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.filtering import between
from warehouse.queries.published import DEMAND_TO
from warehouse.queries.series import find_series

_MONTHS = f"""
WITH demanded AS (
    SELECT date_trunc('month', date)::date AS month, sum(quantity) AS quantity
    FROM core.demand WHERE item_id = :item_id AND site_id = :site_id GROUP BY 1
), span AS (
    SELECT greatest(
            (SELECT min(month) FROM demanded),
            (date_trunc('month', days.first - 1) + interval '1 month')::date,
            coalesce(
                date_trunc('month', CAST(:since AS date) - 1) + interval '1 month',
                date_trunc('month', days.last + 1) - make_interval(months => :months)
            )::date
        ) AS first,
        date_trunc('month', least(days.last, CAST(:to AS date)) + 1)::date AS until
    FROM (
        SELECT min(date) AS first, {DEMAND_TO} AS last FROM analytics.demand_by_day
    ) AS days
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


@read_model(at_most=ages.FORECASTS)
def months(
    connection: Connection,
    *,
    sku: str,
    site: str,
    scope: Scope = EVERYTHING,
    since: date | None = None,
    to: date | None = None,
) -> list[DriverMonth]:
    """Every driver of the depot's UF or of the country, over the whole months from one day to
    another, the last MONTHS_SHOWN where neither is named, in which the item was known there. Raises
    UnknownMaterial, NotFound."""
    series = find_series(connection, sku, site, scope)
    params = {**vars(series), **between(since, to), "months": MONTHS_SHOWN}
    rows = connection.execute(text(_MONTHS), params)
    return [DriverMonth(*row) for row in rows]
