"""What was decided about rows with a fingerprint: a statement changes them all and adds a decision
and an audit row of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from domain.errors import NotFound, StepNotAllowed, StepsNotAllowed
from warehouse.caching import COUNT_REVISION
from warehouse.commands import audit
from warehouse.commands.users import Actor

Told = Callable[[Row[Any]], Mapping[str, Any]]

_RECORD = f"""
WITH changed AS ({{change}}), counted AS ({COUNT_REVISION}), decided AS (
    INSERT INTO support.decision
        (actor, user_id, kind, fingerprint, raised_at, status, reason, until, facts)
    SELECT :actor, :user_id, :kind, fingerprint, raised_at, :status, :reason, :until, facts
    FROM jsonb_to_recordset(CAST(:decided AS jsonb))
        AS row (fingerprint text, raised_at timestamptz, facts jsonb)
)
{audit.tell()}
"""


def held(
    connection: Connection, select: str, params: Mapping[str, Any], ids: Sequence[int], what: str
) -> list[Row[Any]]:
    """The rows with these `ids` of a SELECT … FOR UPDATE, which looks twice: where the first look
    waited for a derivation, it has put new rows in their places, with the same ids. Raises NotFound
    for an id without a row; `what` names such a row."""
    for _ in range(2):
        rows = connection.execute(text(select), {**params, "ids": list(ids)}).all()
        missing = set(ids) - {row.id for row in rows}
        if not missing:
            return list(rows)
    raise NotFound(f"There is no {what} {min(missing)}.")


def check_steps(
    rows: Sequence[Row[Any]], status: str, steps: Mapping[str, Sequence[str]], count: int
) -> None:
    """Raises StepNotAllowed where no step leads from a row's status to this one, StepsNotAllowed of
    several; rows: those of the `count` that were asked for that have another status."""
    shut = [row for row in rows if status not in steps[row.status]]
    if not shut:
        return
    kind = StepNotAllowed if count == 1 else StepsNotAllowed
    held = " or ".join(sorted({row.status for row in shut}))
    said = "it is" if count == 1 else f"{len(shut)} of {count} are"
    why, params = f"cannot be {status}: {said} {held}", {"count": len(shut), "all": count}
    raise kind(f"status {why}.", fields={"status": why}, params=params)


def record(
    connection: Connection,
    rows: Sequence[Row[Any]],
    change: str,
    decided: Mapping[str, Any],
    actor: Actor,
    *,
    action: str,
    before: Told,
    after: Told,
) -> None:
    """`change`: the UPDATE of the rows whose `id` is among `:ids`; `decided`: kind, user_id,
    status, reason and until of the decision, and what else the change takes; `before` and `after`
    tell the audit log of a row."""
    told = [
        {
            "action": action,
            "object": row.fingerprint,
            "before": before(row),
            "after": after(row),
        }
        for row in rows
    ]
    facts = [
        {
            "fingerprint": row.fingerprint,
            "raised_at": row.raised_at.isoformat(),
            "facts": row.facts,
        }
        for row in rows
    ]
    connection.execute(
        text(_RECORD.format(change=change)),
        {
            **decided,
            "ids": [row.id for row in rows],
            "actor": actor.name,
            "decided": json.dumps(facts),
            "audit": audit.told(connection, actor, told),
        },
    )
