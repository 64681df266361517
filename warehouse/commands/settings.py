"""Thresholds, rates and the policy's method: changed by an administrator, audited, and followed by
alerts, policy, recommendations, savings and what-ifs."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Engine, text

from domain.thresholds import DEFAULTS, changed, in_force, row_of
from warehouse.caching import COUNT_REVISION, forget_version
from warehouse.commands import audit, jobs
from warehouse.commands.users import Actor

_READ = """
SELECT pg_advisory_xact_lock(hashtext('settings'));
SELECT key, value FROM support.setting WHERE key = ANY(:keys)
"""
"""Two statements in one round trip: there may be no row to lock yet, and the second sees what
others wrote while the first waited."""
_WRITE = f"""
WITH counted AS ({COUNT_REVISION}), written AS (
    INSERT INTO support.setting (key, value, changed_by)
    SELECT key, value, :actor
    FROM jsonb_to_recordset(CAST(:settings AS jsonb)) AS new (key text, value jsonb)
    ON CONFLICT (key) DO UPDATE
        SET value = excluded.value, changed_by = excluded.changed_by, changed_at = now()
)
{audit.tell()}
"""


def change(engine: Engine, wanted: Mapping[str, float | str], *, actor: Actor) -> int | None:
    """Puts thresholds and the method in force; gives the job that derives the published run again,
    None where nothing changes. Raises InvalidInput naming each one that cannot be."""
    with engine.begin() as connection:
        rows = connection.execute(text(_READ), {"keys": list(DEFAULTS)})
        kept = {row.key: row.value for row in rows}
        made = changed(kept, wanted)
        new = {name: value for name, value in wanted.items() if in_force(kept, name) != value}
        touched = sorted({row_of(name) for name in new})
        if not new:
            return None
        told = []
        for key in touched:
            here = {name: value for name, value in new.items() if row_of(name) == key}
            before = {name: in_force(kept, name) for name in here}
            told.append(
                {"action": "setting.change", "object": key, "before": before, "after": here}
            )
        params = {
            "actor": actor.name,
            "settings": json.dumps([{"key": key, "value": made[key]} for key in touched]),
            "audit": audit.told(connection, actor, told),
        }
        connection.execute(text(_WRITE), params)
        job_id = jobs.queue_derive(connection, object=f"setting:{','.join(touched)}", actor=actor)
    jobs.spawn(engine, job_id)
    forget_version()
    return job_id
