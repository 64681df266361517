"""GET /alerts, GET and PATCH /alerts/{id}."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from pydantic import Field

from api.answers import locale
from api.parameters import AlertStatus, Body, Levels, Paged, SeriesFilters, Statuses, Text
from api.routing import route
from auth.guards import current_viewer
from auth.session import request_actor, signed_in
from domain.access import Permission
from domain.receipts import Workings
from domain.records import Alert, Page
from domain.wording import alert_message
from warehouse.commands import alerts as commands
from warehouse.db import get_engine
from warehouse.queries import alerts, receipts

AN_ALERT = "/alerts/<int(max=9223372036854775807):alert_id>"


@dataclass(frozen=True)
class AlertAnswer(Alert):
    """An alert with its message in the reader's language, made from its facts."""

    message: str = ""


@dataclass(frozen=True)
class AlertWithReceipt(AlertAnswer):
    """An alert with the formulas, inputs and sources of its numbers."""

    receipt: Workings = field(default_factory=Workings)


class AlertsQuery(SeriesFilters, Paged):
    """Filters of the list; the dearest risk first unless asked otherwise."""

    level: Levels = ()
    status: Statuses = ()
    sort: Text = "-risk_brl"


class AlertChange(Body):
    """What may be changed of an alert."""

    status: AlertStatus
    reason: Text | None = Field(None)


@route("GET", "/alerts", query=AlertsQuery, data=list[AlertAnswer], paged=True)
def listed(query: AlertsQuery) -> Page[AlertAnswer]:
    """What will hurt unless somebody acts."""
    page = alerts.page(
        scope=current_viewer().scope,
        filters=query.filters(),
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )
    spoken = locale()
    return Page(rows=[worded(row, spoken) for row in page.rows], count=page.count, next=page.next)


@route("GET", AN_ALERT, data=AlertWithReceipt)
def one(alert_id: int) -> AlertWithReceipt:
    """One alert with its receipt: formulas, the numbers put in, and where they come from."""
    scope = current_viewer().scope
    told = worded(alerts.one(alert_id=alert_id, scope=scope), locale())
    values = {each.name: getattr(told, each.name) for each in fields(told)}
    return AlertWithReceipt(**values, receipt=receipts.of_alert(alert_id=alert_id, scope=scope))


@route("PATCH", AN_ALERT, permission=Permission.ACT, body=AlertChange, data=AlertAnswer)
def changed(alert_id: int, body: AlertChange) -> AlertAnswer:
    """Acknowledges, snoozes, resolves or reopens an alert."""
    viewer, row = current_viewer(), signed_in()
    commands.set_status(
        get_engine(),
        alert_id=alert_id,
        status=body.status,
        actor=request_actor(),
        user_id=row.user_id if row else None,
        scope=viewer.scope,
        reason=body.reason,
    )
    return worded(alerts.one(alert_id=alert_id, scope=viewer.scope), locale())


def worded(alert: Alert, spoken: str) -> AlertAnswer:
    """The alert with its message."""
    values = {one.name: getattr(alert, one.name) for one in fields(alert)}
    return AlertAnswer(**values, message=alert_message(alert, spoken))
