"""Thresholds: changed by an administrator, audited, and followed by alerts and policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, text

from domain.thresholds import KEY, changed, current
from warehouse.caching import count_revision, forget_version
from warehouse.commands import audit, jobs
from warehouse.commands.users import Actor

_READ = "SELECT value FROM support.setting WHERE key = :key FOR UPDATE"
_WRITE = """
INSERT INTO support.setting (key, value, changed_by) VALUES (:key, CAST(:value AS jsonb), :actor)
ON CONFLICT (key) DO UPDATE
    SET value = excluded.value, changed_by = excluded.changed_by, changed_at = now()
"""


def change(engine: Engine, wanted: Mapping[str, float], *, actor: Actor) -> int | None:
    """Puts thresholds in force; gives the job that derives the published run again, None where
    nothing changes. Raises InvalidInput naming each one that cannot be."""
    with engine.begin() as connection:
        kept = connection.execute(text(_READ), {"key": KEY}).scalar() or {}
        made = changed(kept, wanted)
        new = {name: value for name, value in wanted.items() if current(kept, name) != value}
        if not new:
            return None
        params: dict[str, Any] = {"key": KEY, "value": json.dumps(made), "actor": actor.name}
        connection.execute(text(_WRITE), params)
        audit.record(
            connection,
            actor=actor.name,
            role=actor.role,
            address=actor.address,
            request_id=actor.request_id,
            action="setting.change",
            object=KEY,
            before={name: current(kept, name) for name in new},
            after=new,
        )
        count_revision(connection)
        job_id = jobs.queue_derive(connection, object=f"setting:{KEY}", actor=actor)
    jobs.spawn(engine, job_id)
    forget_version()
    return job_id
