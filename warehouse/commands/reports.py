"""Setting up, stopping and dropping board packs by e-mail, and taking those that are due.

Several machines may send at once: what is due is put into the queue under the row's lock, once for
each time, and a sending is held by its row's lock until what came of it is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from domain.access import Permission, may
from domain.errors import NotForReport, NotFound
from domain.records import Filters
from domain.reports import Schedule, Wanted, wait_after
from warehouse.commands import audit
from warehouse.commands.users import Actor
from warehouse.queries.reports import FILTERS, filters_in
from warehouse.queries.users import UserRow, known

_SAVE = """
INSERT INTO support.report
    (user_id, rhythm, day, hour, language, filters, created_by, next_at)
VALUES (:user_id, :rhythm, :day, :hour, :language, CAST(:filters AS jsonb), :by, :next_at)
RETURNING report_id
"""
_DUE = """
SELECT report_id, rhythm, day, hour, next_at FROM support.report
WHERE active AND next_at <= :now FOR UPDATE SKIP LOCKED
"""
_QUEUE = """
INSERT INTO support.report_delivery (report_id, due_at, next_try_at)
VALUES (:report_id, :due_at, :due_at) ON CONFLICT (report_id, due_at) DO NOTHING
"""
_TAKE = """
SELECT delivery.delivery_id, delivery.attempts, delivery.due_at, report.user_id, report.language,
    report.filters
FROM support.report_delivery AS delivery JOIN support.report USING (report_id)
WHERE delivery.state = 'queued' AND delivery.next_try_at <= :now
ORDER BY delivery.next_try_at, delivery.delivery_id LIMIT 1
FOR UPDATE OF delivery SKIP LOCKED
"""
_DONE = """
UPDATE support.report_delivery SET state = :state, attempts = :attempts, message = :message,
    next_try_at = coalesce(:next_try_at, next_try_at), sent_at = :sent_at, run_id = :run_id
WHERE delivery_id = :delivery_id
"""
_HELD = """
SELECT report.*, "user".email FROM support.report JOIN support."user" USING (user_id)
WHERE report_id = :id FOR UPDATE OF report
"""
_SKIP = """
UPDATE support.report_delivery SET state = 'skipped', message = 'The report was stopped.'
WHERE report_id = :id AND state = 'queued'
"""


@dataclass(frozen=True)
class Taken:
    """A sending that is this process's own until it says what came of it."""

    delivery_id: int
    attempts: int
    due_at: datetime
    user_id: int
    language: str
    filters: Filters
    measure: str


@dataclass
class Outcome:
    """What came of it: `state` as of `Delivery`, or `again` for another try later."""

    state: str = "again"
    message: str | None = None
    run_id: int | None = None


def may_have(account: UserRow) -> bool:
    """Whether the account may have a board pack: it is active and may export."""
    return account.active and may(account.role, Permission.EXPORT, account.scope)


def save(engine: Engine, wanted: Wanted, *, now: datetime, actor: Actor) -> int:
    """A new one; gives its number. Raises NotForReport for an account that may not have it."""
    account = known(wanted.user_id)
    if not may_have(account):
        reason = "is disabled, or may not export"
        raise NotForReport(f"user_id: {account.email} {reason}.", fields={"user_id": reason})
    kept: dict[str, Any] = {name: list(getattr(wanted.filters, name)) for name in FILTERS}
    told = {name: value for name, value in (kept | {"measure": wanted.measure}).items() if value}
    params = {
        "user_id": wanted.user_id,
        **vars(wanted.schedule),
        "language": wanted.language,
        "filters": json.dumps(told),
        "by": actor.name,
        "next_at": wanted.schedule.after(now),
    }
    with engine.begin() as connection:
        report_id = int(connection.execute(text(_SAVE), params).scalar_one())
        after = _told(account.email, wanted.schedule, wanted.language, told)
        audit.note_on(connection, actor, "report", report_id, "save", after=after)
    return report_id


def set_active(
    engine: Engine, report_id: int, active: bool, *, now: datetime, actor: Actor
) -> None:
    """Stops it with what waits to be sent, or lets it go on from its next time. Raises NotFound."""
    with engine.begin() as connection:
        row = _held(connection, report_id)
        connection.execute(
            text(
                "UPDATE support.report SET active = :active, next_at = :next_at"
                " WHERE report_id = :id"
            ),
            {"active": active, "next_at": _schedule(row).after(now), "id": report_id},
        )
        if not active:
            connection.execute(text(_SKIP), {"id": report_id})
        before, after = ({"to": row.email, "active": one} for one in (row.active, active))
        action = "resume" if active else "stop"
        audit.note_on(connection, actor, "report", report_id, action, before=before, after=after)


def remove(engine: Engine, report_id: int, *, actor: Actor) -> None:
    """Drops it with what is known of its sendings. Raises NotFound."""
    with engine.begin() as connection:
        row = _held(connection, report_id)
        dropped = text("DELETE FROM support.report WHERE report_id = :id")
        connection.execute(dropped, {"id": report_id})
        before = _told(row.email, _schedule(row), row.language, row.filters)
        before |= {"active": row.active}
        audit.note_on(connection, actor, "report", report_id, "delete", before=before)


def send_now(engine: Engine, report_id: int, *, now: datetime, actor: Actor) -> None:
    """Queues one more sending, for the next time that sendings are made. Raises NotFound."""
    sql = """
        INSERT INTO support.report_delivery (report_id, due_at, next_try_at)
        VALUES (:id, :now, :now)
    """
    with engine.begin() as connection:
        row = _held(connection, report_id)
        connection.execute(text(sql), {"id": report_id, "now": now})
        audit.note_on(connection, actor, "report", report_id, "send", after={"to": row.email})


def queue_due(engine: Engine, now: datetime) -> int:
    """Queues what is due, once for each time however many ask; gives the number. Times that were
    missed while nobody asked are one sending."""
    with engine.begin() as connection:
        rows = connection.execute(text(_DUE), {"now": now}).all()
        for row in rows:
            connection.execute(text(_QUEUE), {"report_id": row.report_id, "due_at": row.next_at})
            after = _schedule(row).after(now)
            connection.execute(
                text("UPDATE support.report SET next_at = :after WHERE report_id = :id"),
                {"after": after, "id": row.report_id},
            )
    return len(rows)


@contextmanager
def taken(engine: Engine, now: datetime) -> Iterator[tuple[Taken, Outcome] | None]:
    """The next sending to be made, locked until the block ends, and where to say what came of it;
    None when there is none that nobody else is at."""
    with engine.begin() as connection:
        row = connection.execute(text(_TAKE), {"now": now}).one_or_none()
        if row is None:
            yield None
            return
        outcome = Outcome()
        yield (
            Taken(
                row.delivery_id,
                row.attempts,
                row.due_at,
                row.user_id,
                row.language,
                filters_in(row.filters),
                row.filters.get("measure", ""),
            ),
            outcome,
        )
        attempts = row.attempts + 1
        wait = wait_after(attempts) if outcome.state == "again" else None
        state = "queued" if wait else "failed" if outcome.state == "again" else outcome.state
        outcome.state = state
        params = {
            "delivery_id": row.delivery_id,
            "state": state,
            "attempts": attempts,
            "message": outcome.message,
            "next_try_at": now + wait if wait else None,
            "sent_at": now if state == "sent" else None,
            "run_id": outcome.run_id,
        }
        connection.execute(text(_DONE), params)


def _held(connection: Connection, report_id: int) -> Row[Any]:
    """It and whose it is, which nobody else changes until the transaction ends. Raises NotFound."""
    row = connection.execute(text(_HELD), {"id": report_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no report {report_id}.")
    return row


def _schedule(row: Row[Any]) -> Schedule:
    return Schedule(row.rhythm, row.day, row.hour)


def _told(email: str, schedule: Schedule, language: str, filters: Any) -> dict[str, Any]:
    """What it is, as the audit log says it."""
    return {"to": email, **vars(schedule), "language": language, "filters": filters}
