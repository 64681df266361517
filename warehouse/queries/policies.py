"""The policy of one item-depot: our levels, the textbook's, and how both are made."""

from __future__ import annotations

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from domain.policy_receipts import POLICY_RULES, DepotPolicy, levels
from domain.receipts import workings
from domain.records import Filters
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.filtering import series_where
from warehouse.queries.materials import TEXTBOOK_ORDER_UP_TO
from warehouse.queries.published import published_run
from warehouse.queries.receipts import sources_of
from warehouse.queries.series import find_series

_POLICY = f"""
SELECT policy.item_id, policy.site_id, policy.facts || jsonb_build_object(
    'service_level', policy.service_level, 'lead_time_days', policy.lead_time_days,
    'daily_demand', policy.daily_demand, 'lead_time_demand', policy.lead_time_demand,
    'safety_stock', policy.safety_stock, 'reorder_point', policy.reorder_point,
    'order_up_to', policy.order_up_to, 'textbook_safety_stock', policy.textbook_safety_stock,
    'textbook_reorder_point', policy.textbook_reorder_point,
    'textbook_order_up_to', {TEXTBOOK_ORDER_UP_TO}) AS facts
FROM analytics.policy JOIN core.item USING (item_id) JOIN core.site USING (site_id)
WHERE policy.run_id = :run_id AND {{where}}
"""


@read_model(at_most=ages.PRESCRIPTIVE)
def of_depot(
    connection: Connection, *, sku: str, site: str, scope: Scope = EVERYTHING
) -> list[DepotPolicy]:
    """The one policy there; none where the run made none. Raises NothingPublished, UnknownMaterial,
    NotFound."""
    run = published_run(connection)
    where = series_where(scope, Filters(sku=(sku,), site=(site,)))
    params = {**where.params, "run_id": run.run_id}
    row = connection.execute(text(_POLICY.format(where=where.sql)), params).one_or_none()
    if row is None:
        find_series(connection, sku, site, scope)
        return []
    sources = sources_of(connection, run.run_id, row.item_id, row.site_id)
    return [
        DepotPolicy(
            sku=sku,
            site=site,
            method=row.facts.get("method") or "",
            ours=levels(row.facts),
            textbook=levels(row.facts, "textbook_"),
            receipt=workings(row.facts, POLICY_RULES, sources),
        )
    ]
