"""GET /audit."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from api.parameters import MAX_TEXT, Between, Paged, clean
from api.routing import route
from domain.access import Permission
from domain.records import AuditFilters, AuditRow, Page
from warehouse.queries import audit

DAY = timedelta(days=1)
Part = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(clean)]


class AuditQuery(Paged, Between):
    """Parts of the actor's and the object's name, an action or its beginning, days in UTC."""

    actor: Part = ""
    action: Part = ""
    object: Part = ""


@route(
    "GET",
    "/audit",
    permission=Permission.READ_AUDIT,
    query=AuditQuery,
    data=list[AuditRow],
    paged=True,
)
def listed(query: AuditQuery) -> Page[AuditRow]:
    """Who did, tried or was refused what; newest first."""
    filters = AuditFilters(
        actor=query.actor,
        action=query.action,
        object=query.object,
        since=_midnight(query.from_) if query.from_ else None,
        before=_midnight(query.to + DAY) if query.to and query.to < date.max else None,
    )
    return audit.page(filters=filters, limit=query.limit, cursor=query.cursor)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
