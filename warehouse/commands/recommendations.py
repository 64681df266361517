"""What people decide about recommendations. Decision, status and audit row are one; of many
recommendations decided at once either all are or none is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, text, update

from domain.access import Scope
from domain.errors import (
    InvalidInput,
    QuantitiesChanged,
    QuantityChanged,
    ReasonRequired,
)
from domain.records import ADVICE_STEPS
from warehouse.caching import forget_version
from warehouse.commands import decisions
from warehouse.commands.users import Actor
from warehouse.decided import as_decided
from warehouse.queries.filtering import series_where, status_now
from warehouse.queries.recommendations import DECIDED, LAST_DECISION, STATUSES, accepted
from warehouse.tables.analytics import recommendation

SNOOZE_DAYS = 7
MOST_AT_ONCE = 500


_ACCEPTED_SAVINGS = f"""
WITH advised AS (
    SELECT DISTINCT item_id, site_id, item.sku, site.site
    FROM analytics.recommendation JOIN core.item USING (item_id) JOIN core.site USING (site_id)
    WHERE recommendation.id = ANY(:ids)
), followed AS (
    SELECT item_id, site_id, since IS NOT NULL AS accepted
    FROM advised LEFT JOIN ({
    accepted("(facts ->> 'sku', facts ->> 'site') IN (SELECT sku, site FROM advised)")
}) AS accepted USING (item_id, site_id)
)
UPDATE analytics.savings SET accepted = followed.accepted FROM followed
WHERE savings.run_id = (SELECT run_id FROM analytics.published)
    AND savings.item_id = followed.item_id AND savings.site_id = followed.site_id
    AND savings.accepted <> followed.accepted
"""
"""Savings are accepted where a recommendation about the item-depot is, as in `pipeline.savings`."""


def set_status(
    engine: Engine,
    *,
    recommendation_ids: Sequence[int],
    status: str,
    actor: Actor,
    user_id: int | None,
    scope: Scope,
    reason: str | None = None,
    seen: Mapping[int, float] | None = None,
) -> None:
    """Accepts, rejects (a reason is required), snoozes (for SNOOZE_DAYS), ends or reopens
    recommendations of the published run; one that has the status already stays as it is. What is
    done after it was accepted is what was accepted. seen: the quantities that the reader saw, by
    id, of those that have one.

    Raises InvalidInput for another word, a missing reason or too many at once, StepNotAllowed where
    ADVICE_STEPS does not know the step, QuantityChanged where a quantity is another than was seen;
    NotFound for one that is not there or not in the scope.
    """
    reason = (reason or "").strip() or None
    _check(status, reason, len(recommendation_ids))
    with engine.begin() as connection:
        held = _locked(connection, recommendation_ids, scope)
        _check_seen(held, seen or {})
        if status == "done" and _as_accepted(connection, held):
            held = _locked(connection, recommendation_ids, scope)
        rows = [row for row in held if row.status != status]
        decisions.check_steps(rows, status, ADVICE_STEPS, len(recommendation_ids))
        if rows:
            _decide(connection, rows, status, actor, user_id, reason)
            connection.execute(text(_ACCEPTED_SAVINGS), {"ids": [row.id for row in rows]})
    forget_version()


def _check(status: str, reason: str | None, count: int) -> None:
    if status not in STATUSES:
        raise _invalid("status", f"must be one of {', '.join(STATUSES)}")
    if status == "rejected" and reason is None:
        why = "is required to reject"
        raise ReasonRequired(f"reason {why}.", fields={"reason": why})
    if count > MOST_AT_ONCE:
        raise _invalid("ids", f"must be {MOST_AT_ONCE} at most")


def _invalid(name: str, why: str) -> InvalidInput:
    return InvalidInput(f"{name} {why}.", fields={name: why})


def _check_seen(rows: Sequence[Row[Any]], seen: Mapping[int, float]) -> None:
    changed = [row for row in rows if row.id in seen and row.quantity != seen[row.id]]
    if not changed:
        return
    if len(rows) > 1:
        why = f"has changed meanwhile: {len(changed)} of {len(rows)}"
        params = {"count": len(changed), "all": len(rows)}
        raise QuantitiesChanged(f"quantity {why}.", fields={"quantity": why}, params=params)
    now = changed[0].quantity
    why = f"has changed meanwhile: now {'none' if now is None else f'{now:.10g}'}"
    raise QuantityChanged(f"quantity {why}.", fields={"quantity": why}, params={"now": now})


def _locked(connection: Connection, ids: Sequence[int], scope: Scope) -> list[Row[Any]]:
    """The rows in the order of their ids, so that two at once never wait for each other."""
    where = series_where(scope)
    giver = where.sql_of("giver")
    select = f"""
        SELECT recommendation.id, recommendation.fingerprint, recommendation.raised_at,
            {status_now("recommendation")} AS status, recommendation.kind,
            recommendation.quantity, recommendation.value_brl, recommendation.facts
                || jsonb_build_object('supplier_code', supplier.supplier) AS facts
        FROM analytics.recommendation
        JOIN core.item USING (item_id)
        JOIN core.site ON site.site_id = recommendation.site_id
        LEFT JOIN core.site AS giver ON giver.site_id = recommendation.from_site_id
        LEFT JOIN core.supplier ON supplier.supplier_id = recommendation.supplier_id
        WHERE recommendation.id = ANY(:ids)
            AND recommendation.run_id = (SELECT run_id FROM analytics.published)
            AND {where.sql} AND (recommendation.from_site_id IS NULL OR {giver})
        ORDER BY recommendation.id
        FOR UPDATE OF recommendation
        """
    return decisions.held(connection, select, where.params, ids, "recommendation")


_ACCEPTED = f"""
SELECT recommendation.id, recommendation.kind, {DECIDED} AS facts
FROM analytics.recommendation CROSS JOIN LATERAL {LAST_DECISION}
WHERE recommendation.id = ANY(:ids) AND status = 'accepted' AND {DECIDED} <> recommendation.facts
"""


def _as_accepted(connection: Connection, rows: Sequence[Row[Any]]) -> bool:
    """Makes those that stand accepted what they were then, whatever is needed by now; False where
    none is another."""
    found = connection.execute(text(_ACCEPTED), {"ids": [row.id for row in rows]}).all()
    for row in found:
        change = update(recommendation).where(recommendation.c.id == row.id)
        connection.execute(change.values(as_decided(row.kind, row.facts)))
    return bool(found)


def _decide(
    connection: Connection,
    rows: Sequence[Row[Any]],
    status: str,
    actor: Actor,
    user_id: int | None,
    reason: str | None,
) -> None:
    until = datetime.now(UTC) + timedelta(days=SNOOZE_DAYS) if status == "snoozed" else None
    decided = {"status": status, "reason": reason, "until": until}
    decisions.record(
        connection,
        rows,
        "UPDATE analytics.recommendation SET status = :status, snoozed_until = :until"
        " WHERE id = ANY(:ids)",
        {"kind": "recommendation", "user_id": user_id, **decided},
        actor,
        action="recommendation.status",
        before=lambda row: {"status": row.status},
        after=lambda row: {"status": status, "reason": reason, "value_brl": row.value_brl},
    )
