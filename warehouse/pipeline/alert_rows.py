"""Alerts as rows: those of a run replace what was there, statuses of the ones that persist stay."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Connection, text

from warehouse.commands.owners import release
from warehouse.pipeline.copying import stage
from warehouse.queries import users
from warehouse.queries.filtering import status_now

LEVELS = ["info", "warning", "critical"]


def stage_alerts(connection: Connection, alerts: pd.DataFrame) -> None:
    """Puts the alerts of `alerting` where `write_alerts` takes them from."""
    stage(connection, "raised", "analytics.alert", alerts)


def write_alerts(connection: Connection, run_id: int) -> dict[str, int]:
    """Replaces the run's alerts by those that are staged; one that was there before keeps its
    number, status, owner and date; the owner as long as they may act on it. What was snoozed wakes
    up when its time is over, and what was snoozed or resolved is open again when its level has
    risen. From here to the commit nobody can decide about alerts. Gives how many of those that are
    shown each owner has lost, by e-mail."""
    params = {"run_id": run_id}
    # a status that is being changed now must be among those that are kept; a weaker lock would let
    # people hold rows that are deleted here, and wait for it with them
    connection.execute(text("LOCK TABLE analytics.alert IN EXCLUSIVE MODE"))
    connection.execute(text("DROP TABLE IF EXISTS carried"))
    connection.execute(text(_CARRIED), params)
    connection.execute(text("DELETE FROM analytics.alert WHERE run_id = :run_id"), params)
    connection.execute(text(_RAISE), params | {"levels": LEVELS})
    owners = set(connection.execute(text(_OWNERS)).scalars())
    people = [person for person in users.everyone(connection) if person.user_id in owners]
    lost = {person.email: release(connection, person) for person in people}
    return {email: count for email, count in lost.items() if count}


_CARRIED = f"""
CREATE TEMPORARY TABLE carried ON COMMIT DROP AS
SELECT DISTINCT ON (fingerprint) fingerprint, raised_at, owner_id, level AS level_before,
    CASE WHEN run_id = :run_id THEN id END AS id, {status_now("alert")} AS status, snoozed_until
FROM analytics.alert
WHERE run_id = :run_id OR run_id = (SELECT run_id FROM analytics.published)
ORDER BY fingerprint, run_id = :run_id
"""

_RAISE = """
INSERT INTO analytics.alert (id, run_id, fingerprint, kind, level, item_id, site_id, stockout_on,
    days_to_stockout, risk_brl, acting_brl, net_brl, facts, status, snoozed_until, owner_id,
    raised_at)
SELECT coalesce(carried.id, nextval(pg_get_serial_sequence('analytics.alert', 'id'))),
    :run_id, fingerprint, kind, level, item_id, site_id, stockout_on, days_to_stockout,
    risk_brl, acting_brl, net_brl, facts, now.status,
    CASE WHEN now.status = 'snoozed' THEN carried.snoozed_until END, carried.owner_id,
    coalesce(carried.raised_at, now())
FROM raised LEFT JOIN carried USING (fingerprint)
CROSS JOIN LATERAL (
    SELECT CASE WHEN carried.status IN ('snoozed', 'resolved')
            AND array_position(:levels, level) > array_position(:levels, level_before) THEN 'open'
        ELSE coalesce(carried.status, 'open') END AS status
) AS now
"""

_OWNERS = "SELECT DISTINCT owner_id FROM analytics.alert WHERE owner_id IS NOT NULL"
