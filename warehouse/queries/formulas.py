"""What a formula can start from: the figures that a policy was made of."""

from __future__ import annotations

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.published import published_run
from warehouse.queries.series import find_series

_KNOWN = """
SELECT policy.on_hand, policy.on_order, policy.lead_time_days, policy.service_level,
    policy.daily_demand, policy.textbook_safety_stock,
    CAST(policy.facts ->> 'annual_quantity' AS double precision) AS annual_demand,
    CAST(policy.facts ->> 'demand_std' AS double precision) AS demand_std,
    CAST(policy.facts ->> 'lead_time_std' AS double precision) AS lead_time_std,
    item.unit_cost_brl
FROM analytics.policy JOIN core.item USING (item_id)
WHERE policy.run_id = :run_id AND policy.item_id = :item_id AND policy.site_id = :site_id
"""


@read_model(at_most=ages.FACTS)
def known(
    connection: Connection, *, sku: str, site: str, scope: Scope = EVERYTHING
) -> dict[str, float]:
    """The figures of one item-depot's textbook policy by name, those that are known: units, days,
    BRL. Empty without a policy. Raises UnknownMaterial, NotFound, NothingPublished."""
    from warehouse.queries.stocked import terms

    run = published_run(connection)
    found = find_series(connection, sku, site, scope)
    row = connection.execute(text(_KNOWN), {**vars(found), "run_id": run.run_id}).one_or_none()
    if row is None:
        return {}
    values = dict(row._mapping)
    settings = terms(connection, run.frequency).policy
    values["order_cost_brl"] = settings.order_cost_brl
    if values["unit_cost_brl"] is not None:
        values["holding_brl"] = values["unit_cost_brl"] * settings.holding_rate
    return {name: float(value) for name, value in values.items() if value is not None}
