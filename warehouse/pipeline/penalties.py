"""What a request that stock does not serve costs in contract penalties, by depot: measured.

Hours of outage per unserved request, as recorded: hours of outages that waited for material, over
the requests that found an empty shelf. Stock that is out hides them, so they are estimated: the
requests of each item-depot's days with stock, at the same rate on its days without. Times what an
hour costs at the sites that the depot serves: the highest percent that the schedule can come to
under its cap, spread evenly over the hours from which it is due. An expectation, not a bill.
"""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Connection, text

from warehouse.queries.requests import with_hidden

MEASURED_DAYS = 365

_PENALTIES = f"""
WITH waited AS (
    SELECT sum(extract(epoch FROM least(ended_at, CAST(:today AS date) + 1) - started_at) / 3600)
        AS hours
    FROM core.outage
    WHERE item_waited_for_id IS NOT NULL AND started_at::date > :since
        AND started_at::date <= :today
), missed AS (
    SELECT sum(hidden) AS requests FROM ({with_hidden("date > :since AND date <= :today")}) AS asked
), hourly AS MATERIALIZED (
    SELECT contract.contract_id,
        highest.percent / 100 * contract.monthly_fee_brl / highest.hours
            / (SELECT count(*) FROM core.site AS covered
               WHERE covered.contract_id = contract.contract_id) AS brl
    FROM core.contract
    CROSS JOIN LATERAL (
        SELECT hours, least(percent, contract.cap_pct) AS percent
        FROM jsonb_to_recordset(contract.penalty_schedule)
            AS band (hours double precision, percent double precision)
        WHERE hours > 0 ORDER BY 2 DESC, hours LIMIT 1
    ) AS highest
    WHERE EXISTS (SELECT FROM core.site WHERE site.contract_id = contract.contract_id)
)
SELECT depot_id, contract_id, sites * brl / sum(sites) OVER (PARTITION BY depot_id)
    * (SELECT hours FROM waited) / nullif((SELECT requests FROM missed), 0) AS brl
FROM (
    SELECT coalesce(site.depot_id, site.site_id) AS depot_id, contract_id, hourly.brl,
        count(*) AS sites
    FROM core.site AS site JOIN hourly USING (contract_id)
    WHERE hourly.brl IS NOT NULL GROUP BY 1, 2, 3
) AS served
"""


def penalties_by_contract(connection: Connection, today: date) -> dict[tuple[int, int], float]:
    """BRL to be expected of a request that stock does not serve, by the keys of depot and contract:
    an hour's price times the share of the depot's sites under the contract. Those of a depot add up
    to what its request costs. A depot that serves no site under contract is not in it; without
    outages that waited for material, or without stock, none is."""
    params = {"today": today, "since": today - timedelta(days=MEASURED_DAYS)}
    found = connection.execute(text(_PENALTIES), params)
    return {(row.depot_id, row.contract_id): float(row.brl) for row in found if row.brl is not None}


def by_depot(penalties: dict[tuple[int, int], float]) -> dict[int, float]:
    """The same by the depot's key."""
    found: dict[int, float] = {}
    for (depot, _), brl in penalties.items():
        found[depot] = found.get(depot, 0.0) + brl
    return found
