"""What people do about alerts. Decision, status and audit row are one; of several alerts at once
either all change or none does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, text

from domain.access import Scope
from domain.errors import InvalidInput, OwnerCannotSee
from domain.records import ALERT_STEPS
from warehouse.caching import forget_version
from warehouse.commands import decisions
from warehouse.commands.users import Actor
from warehouse.queries import users
from warehouse.queries.alerts import STATUSES
from warehouse.queries.filtering import series_where, status_now
from warehouse.queries.users import UserRow
from warehouse.tables.support import user

SNOOZE_DAYS, MOST_SNOOZE_DAYS = 7, 90
MOST_AT_ONCE = 500


@contextmanager
def together(engine: Engine) -> Iterator[Connection]:
    """One transaction for several of these commands: all of them are done or none."""
    with engine.begin() as connection:
        yield connection
    forget_version()


def _begun(place: Engine | Connection) -> AbstractContextManager[Connection]:
    return nullcontext(place) if isinstance(place, Connection) else together(place)


def set_status(
    place: Engine | Connection,
    *,
    alert_ids: Sequence[int],
    status: str,
    actor: Actor,
    user_id: int | None,
    scope: Scope,
    reason: str | None = None,
    days: int = SNOOZE_DAYS,
) -> None:
    """Acknowledges, snoozes (for so many days), resolves or reopens alerts of the published run.

    The same status again changes nothing, but for the end of a snooze. Raises InvalidInput for
    another word, too many days or too many alerts, StepNotAllowed where ALERT_STEPS does not know
    the step, NotFound for one that is not there or not in the scope.
    """
    if status not in STATUSES:
        raise _invalid("status", f"must be one of {', '.join(STATUSES)}")
    if not 1 <= days <= MOST_SNOOZE_DAYS:
        raise _invalid("days", f"must be 1 to {MOST_SNOOZE_DAYS}")
    until = datetime.now(UTC) + timedelta(days=days) if status == "snoozed" else None
    with _begun(place) as connection:
        held = _locked(connection, alert_ids, scope)
        others = [alert for alert in held if alert.status != status]
        decisions.check_steps(others, status, ALERT_STEPS, len(alert_ids))
        changed = others if until is None else held
        if changed:
            decisions.record(
                connection,
                changed,
                "UPDATE analytics.alert SET status = :status, snoozed_until = :until"
                " WHERE id = ANY(:ids)",
                _decided(user_id, status, reason, until),
                actor,
                action="alert.status",
                before=lambda alert: {"status": alert.status},
                after=lambda _alert: {"status": status, "reason": reason},
            )


def assign(
    place: Engine | Connection,
    *,
    alert_ids: Sequence[int],
    owner: str | None,
    actor: Actor,
    user_id: int | None,
    scope: Scope,
) -> None:
    """Gives alerts to somebody who may act, by e-mail, or with None to nobody. Raises InvalidInput
    for anybody else, OwnerCannotSee where one is not in the owner's scope, NotFound for an alert
    that is not there or not in the scope."""
    with _begun(place) as connection:
        person = None if owner is None else _who_may_act(connection, owner)
        owner_id = None if person is None else person.user_id
        alerts = _locked(connection, alert_ids, scope)
        if person is not None:
            _check_sight(connection, alerts, person)
        changed = [alert for alert in alerts if alert.owner_id != owner_id]
        if changed:
            decisions.record(
                connection,
                changed,
                "UPDATE analytics.alert SET owner_id = :owner_id WHERE id = ANY(:ids)",
                {"owner_id": owner_id, **_decided(user_id, "assigned")},
                actor,
                action="alert.assign",
                before=lambda alert: {"owner_id": alert.owner_id},
                after=lambda _alert: {"owner_id": owner_id},
            )


def _who_may_act(connection: Connection, email: str) -> UserRow:
    found = users.one(connection, func.lower(user.c.email) == email.lower(), held=True)
    if found is None or not found.may_act:
        raise _invalid("owner", "must be the e-mail of an active analyst or administrator")
    return found


def _check_sight(connection: Connection, alerts: Sequence[Row[Any]], person: UserRow) -> None:
    if person.scope.everything:
        return
    ids = [alert.id for alert in alerts]
    select, params = _in_sight(person.scope)
    hidden = len(ids) - len(connection.execute(text(select), {**params, "ids": ids}).all())
    if hidden:
        why = f"may not see {hidden} of {len(ids)}"
        told: dict[str, Any] = {"fields": {"owner": why}, "params": {"count": hidden}}
        raise OwnerCannotSee(f"owner {why}.", **told)


def _invalid(name: str, why: str) -> InvalidInput:
    return InvalidInput(f"{name} {why}.", fields={name: why})


def _locked(connection: Connection, ids: Sequence[int], scope: Scope) -> list[Row[Any]]:
    """The alerts in the order of their ids, so that two at once never wait for each other. Raises
    InvalidInput, NotFound."""
    if len(ids) > MOST_AT_ONCE:
        raise _invalid("ids", f"must be {MOST_AT_ONCE} at most")
    select, params = _in_sight(scope)
    return decisions.held(connection, select, params, ids, "alert")


def _in_sight(scope: Scope) -> tuple[str, dict[str, Any]]:
    """The SELECT … FOR UPDATE of those among `:ids` that the scope lets through."""
    where = series_where(scope)
    select = f"""
        SELECT alert.id, alert.fingerprint, alert.raised_at,
            {status_now("alert")} AS status, alert.owner_id, alert.facts
        FROM analytics.alert
        JOIN core.item USING (item_id) JOIN core.site USING (site_id)
        WHERE alert.id = ANY(:ids)
            AND alert.run_id = (SELECT run_id FROM analytics.published) AND {where.sql}
        ORDER BY alert.id
        FOR UPDATE OF alert
        """
    return select, where.params


def _decided(
    user_id: int | None, status: str, reason: str | None = None, until: datetime | None = None
) -> dict[str, Any]:
    told = {"status": status, "reason": reason, "until": until}
    return {"kind": "alert", "user_id": user_id, **told}
