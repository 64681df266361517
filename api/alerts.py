"""GET /alerts, GET /alerts/totals, GET and PATCH /alerts/{id}."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from api.answers import locale
from api.exporting import exported
from api.parameters import (
    Body,
    Levels,
    Paged,
    SpannedSeries,
    Statuses,
    Text,
    one_of,
    split,
)
from api.routing import route
from auth.guards import current_viewer
from auth.session import who_decides
from domain.access import Permission
from domain.receipts import Workings
from domain.records import Alert, AlertKind, AlertStatus, AlertTotal, Page
from domain.wording import alert_message
from warehouse.commands import alerts as commands
from warehouse.db import get_engine
from warehouse.queries import alerts, receipts
from warehouse.queries.paging import every

AN_ALERT = "/alerts/<int(max=9223372036854775807):alert_id>"


@dataclass(frozen=True)
class AlertAnswer(Alert):
    """An alert with its message in the reader's language, made from its facts."""

    message: str = ""


@dataclass(frozen=True)
class AlertWithReceipt(AlertAnswer):
    """An alert with the formulas, inputs and sources of its numbers."""

    receipt: Workings = field(default_factory=Workings)


class AlertFilters(SpannedSeries):
    """What narrows the list: dates are of the day on which one was first raised, `owner` is an
    e-mail."""

    kind: Annotated[tuple[AlertKind, ...], BeforeValidator(split)] = ()
    level: Levels = ()
    status: Statuses = ()
    owner: Text = ""


class AlertsInOrder(AlertFilters):
    """The same; the dearest net risk first unless asked otherwise. Those alike: the worst level
    first, then what runs out first."""

    sort: Annotated[Text, one_of(alerts.SORTS)] = "-net_brl"


class AlertsQuery(AlertsInOrder, Paged):
    """The same, by pages."""


class AlertChange(Body):
    """What may be changed of an alert: its status (snoozed for `days`), its owner (an e-mail; null:
    nobody), or both."""

    status: AlertStatus | None = None
    reason: Text | None = Field(None)
    days: int = Field(commands.SNOOZE_DAYS, ge=1, le=commands.MOST_SNOOZE_DAYS)
    owner: Text | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> AlertChange:
        if self.status is None and "owner" not in self.model_fields_set:
            raise ValueError("give a status, an owner or both")
        return self


@route("GET", "/alerts", query=AlertsQuery, data=list[AlertAnswer], paged=True)
def listed(query: AlertsQuery) -> Page[AlertAnswer]:
    """What will hurt unless somebody acts."""
    page = alerts.page(
        scope=current_viewer().scope,
        filters=query.filters(),
        kinds=query.kind,
        owner=query.owner,
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )
    spoken = locale()
    return Page(rows=[worded(row, spoken) for row in page.rows], count=page.count, next=page.next)


@route("GET", "/alerts/totals", query=AlertFilters, data=list[AlertTotal])
def totals(query: AlertFilters) -> list[AlertTotal]:
    """Number and net risk of the alerts of each status."""
    return alerts.totals(
        scope=current_viewer().scope,
        filters=query.filters(),
        kinds=query.kind,
        owner=query.owner,
    )


@exported("alerts", query=AlertsInOrder, record=AlertAnswer, leave=("facts",))
def alerts_file(query: AlertsInOrder) -> Iterator[AlertAnswer]:
    """Every alert that the filters let through, the dearest first unless asked otherwise."""
    viewer = current_viewer()
    asked = {"filters": query.filters(), "kinds": query.kind, "owner": query.owner}
    found = every(alerts.page, scope=viewer.scope, sort=query.sort, **asked)
    return (worded(row, viewer.locale) for row in found)


@route("GET", AN_ALERT, data=AlertWithReceipt)
def one(alert_id: int) -> AlertWithReceipt:
    """One alert with its receipt: formulas, the numbers put in, and where they come from."""
    scope = current_viewer().scope
    told = worded(alerts.one(alert_id=alert_id, scope=scope), locale())
    receipt = receipts.of_alert(alert_id=alert_id, scope=scope)
    return AlertWithReceipt(**vars(told), receipt=receipt)


@route("PATCH", AN_ALERT, permission=Permission.ACT, body=AlertChange, data=AlertAnswer)
def changed(alert_id: int, body: AlertChange) -> AlertAnswer:
    """Acknowledges, snoozes, resolves, reopens or assigns an alert; one that is resolved can be
    reopened and nothing else."""
    who = who_decides()
    with commands.together(get_engine()) as connection:
        if "owner" in body.model_fields_set:
            commands.assign(connection, alert_ids=[alert_id], owner=body.owner or None, **who)
        if body.status is not None:
            commands.set_status(
                connection,
                alert_ids=[alert_id],
                status=body.status,
                reason=body.reason,
                days=body.days,
                **who,
            )
    return worded(alerts.one(alert_id=alert_id, scope=who["scope"]), locale())


def worded(alert: Alert, spoken: str) -> AlertAnswer:
    """The alert with its message."""
    return AlertAnswer(**vars(alert), message=alert_message(alert, spoken))
