"""What was decided about rows with a fingerprint: of many at once a decision and an audit row each,
in two statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert

from warehouse.commands import audit
from warehouse.commands.users import Actor
from warehouse.tables.support import decision

Told = Callable[[Row[Any]], Mapping[str, Any]]


def record(
    connection: Connection,
    rows: Sequence[Row[Any]],
    decided: Mapping[str, Any],
    actor: Actor,
    *,
    action: str,
    before: Told,
    after: Told,
) -> None:
    """`decided`: kind, user_id, status, reason and until of the decision; `before` and `after` tell
    the audit log of a row."""
    connection.execute(
        insert(decision),
        [
            {"actor": actor.name, "fingerprint": row.fingerprint, "facts": row.facts, **decided}
            for row in rows
        ],
    )
    audit.note_each(
        connection,
        actor,
        action,
        [{"object": row.fingerprint, "before": before(row), "after": after(row)} for row in rows],
    )
