"""What people do about an alert. The decision, the alert's status and the audit row are one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, text

from domain.access import Scope
from domain.errors import InvalidInput, NotFound
from warehouse.caching import count_revision, forget_version
from warehouse.commands import audit
from warehouse.commands.users import Actor
from warehouse.queries.filtering import series_where
from warehouse.tables.support import decision

STATUSES = ("open", "acknowledged", "snoozed", "resolved")
SNOOZE_DAYS = 7


def set_status(
    engine: Engine,
    *,
    alert_id: int,
    status: str,
    actor: Actor,
    user_id: int | None,
    scope: Scope,
    reason: str | None = None,
) -> None:
    """Acknowledges, snoozes (for SNOOZE_DAYS), resolves or reopens an alert of the published run.

    The same status again changes nothing. Raises InvalidInput for another word, NotFound for an
    alert that is not there or not in the scope.
    """
    if status not in STATUSES:
        reason_text = f"must be one of {', '.join(STATUSES)}"
        raise InvalidInput(f"status {reason_text}.", fields={"status": reason_text})
    with engine.begin() as connection:
        alert = _locked(connection, alert_id, scope)
        if alert.status == status:
            return
        connection.execute(
            text("UPDATE analytics.alert SET status = :status WHERE id = :id"),
            {"status": status, "id": alert_id},
        )
        connection.execute(insert(decision), _decision(alert, status, actor.name, user_id, reason))
        audit.record(
            connection,
            actor=actor.name,
            role=actor.role,
            address=actor.address,
            request_id=actor.request_id,
            action="alert.status",
            object=alert.fingerprint,
            before={"status": alert.status},
            after={"status": status, "reason": reason},
        )
        count_revision(connection)
    forget_version()


def _locked(connection: Connection, alert_id: int, scope: Scope) -> Row[Any]:
    where = series_where(scope)
    row = connection.execute(
        text(
            f"""
            SELECT alert.fingerprint, alert.status, alert.facts FROM analytics.alert
            JOIN core.item USING (item_id) JOIN core.site USING (site_id)
            WHERE alert.id = :alert_id
                AND alert.run_id = (SELECT run_id FROM analytics.published) AND {where.sql}
            FOR UPDATE OF alert
            """
        ),
        {**where.params, "alert_id": alert_id},
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no alert {alert_id}.")
    return row


def _decision(
    alert: Row[Any], status: str, actor: str, user_id: int | None, reason: str | None
) -> dict[str, Any]:
    snoozed = status == "snoozed"
    return {
        "user_id": user_id,
        "actor": actor,
        "kind": "alert",
        "fingerprint": alert.fingerprint,
        "status": status,
        "reason": reason,
        "until": datetime.now(UTC) + timedelta(days=SNOOZE_DAYS) if snoozed else None,
        "facts": alert.facts,
    }
