"""Where the numbers of an alert or a recommendation come from: run, loads and overrides."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from domain.errors import NotFound
from domain.receipts import ALERT_RULES, Source, Workings, workings
from domain.recommendation_receipts import workings_of
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.filtering import series_where
from warehouse.queries.published import AS_OF, published_run
from warehouse.queries.recommendations import both_ends

_ALERT = """
SELECT alert.facts, alert.item_id, alert.site_id FROM analytics.alert
JOIN core.item USING (item_id) JOIN core.site USING (site_id)
WHERE alert.run_id = :run_id AND alert.id = :alert_id AND {where}
"""

_RECOMMENDATION = """
SELECT recommendation.kind, recommendation.facts, recommendation.item_id, recommendation.site_id,
    recommendation.from_site_id
FROM analytics.recommendation
JOIN core.item USING (item_id)
JOIN core.site ON site.site_id = recommendation.site_id
LEFT JOIN core.site AS giver ON giver.site_id = recommendation.from_site_id
WHERE recommendation.run_id = :run_id AND recommendation.id = :recommendation_id AND {where}
"""

_SOURCES = f"""
WITH counted AS (
    SELECT stock_date FROM analytics.series_overview
    WHERE item_id = :item_id AND site_id = :site_id
), loads AS (
    SELECT 'stock' AS kind, stock.load_id, stock.date AS counted_on
    FROM core.stock JOIN counted ON stock.date = counted.stock_date
    WHERE item_id = :item_id AND site_id = :site_id
    UNION
    SELECT 'purchase_orders', load_id, NULL FROM core.purchase_order
    WHERE item_id = :item_id AND site_id = :site_id AND (received_on IS NULL
        OR received_on > least((SELECT stock_date FROM counted), {AS_OF}))
    UNION
    SELECT 'items', load_id, NULL FROM core.item WHERE item_id = :item_id
)
SELECT 'run' AS kind, run_id AS number, '' AS name, computed_at AS at, NULL::date AS counted_on
FROM analytics.run WHERE run_id = :run_id
UNION ALL
SELECT loads.kind, load.id, load.file, load.finished_at, counted_on
FROM loads JOIN staging.load ON load.id = loads.load_id
UNION
SELECT 'override', override_id, override.actor, override.created_at, NULL
FROM analytics.override_in_force JOIN support.override USING (override_id)
WHERE override_in_force.run_id = :run_id AND item_id = :item_id AND site_id = :site_id
ORDER BY 1 DESC, 2 DESC
"""


@read_model(at_most=ages.PRESCRIPTIVE)
def of_alert(connection: Connection, *, alert_id: int, scope: Scope = EVERYTHING) -> Workings:
    """The receipt of an alert of the published run. Raises NotFound, NothingPublished."""
    run, where = published_run(connection), series_where(scope)
    row = connection.execute(
        text(_ALERT.format(where=where.sql)),
        {**where.params, "run_id": run.run_id, "alert_id": alert_id},
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no alert {alert_id}.")
    sources = sources_of(connection, run.run_id, row.item_id, row.site_id)
    return workings(row.facts, ALERT_RULES, sources)


@read_model(at_most=ages.PRESCRIPTIVE)
def of_recommendation(
    connection: Connection, *, recommendation_id: int, scope: Scope = EVERYTHING
) -> Workings:
    """The receipt of a recommendation of the published run; of a transfer with what is known of the
    giver too. Raises NotFound, NothingPublished."""
    run, where = published_run(connection), series_where(scope)
    both_ends(where, scope)
    row = connection.execute(
        text(_RECOMMENDATION.format(where=where.sql)),
        {**where.params, "run_id": run.run_id, "recommendation_id": recommendation_id},
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no recommendation {recommendation_id}.")
    places = [row.site_id] if row.from_site_id is None else [row.site_id, row.from_site_id]
    found = [
        one for place in places for one in sources_of(connection, run.run_id, row.item_id, place)
    ]
    return replace(workings_of(row.kind, row.facts), sources=list(dict.fromkeys(found)))


def sources_of(connection: Connection, run_id: int, item_id: int, site_id: int) -> list[Source]:
    """What the policy of one item at one site was made from."""
    params = {"run_id": run_id, "item_id": item_id, "site_id": site_id}
    return [Source(*row) for row in connection.execute(text(_SOURCES), params)]
