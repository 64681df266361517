"""`/admin/audit`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.listing import listed
from callbacks.screen import screen
from domain.access import Permission
from domain.clock import BRASILIA, days_before, today
from domain.records import AuditFilters
from domain.viewer import Viewer
from layouts import admin_audit as layout
from warehouse.db import primary
from warehouse.queries import audit, chain

ROWS = 50
DAYS_SHOWN = 30


@screen(Permission.READ_AUDIT, personal=True)
def page(viewer: Viewer, address: Address) -> Component:
    """Who did what; one row of it where the address names one."""
    row_id = address.count("row")
    if row_id:
        return layout.detail(audit.one(row_id), address.notices, viewer)
    asked = filters_of(address)
    data = layout.AuditData(
        listed=listed(address, "", partial(audit.page, filters=asked), ROWS),
        filters=asked,
        chain=_verified() if address.count("verify") else None,
        query=address.query,
        notices=address.notices,
    )
    return layout.layout(data, viewer)


def filters_of(address: Address) -> AuditFilters:
    """What the address asks for; without a first day, the last 30 days."""
    since, until = address.day("from"), address.day("to")
    if since is None:
        since = days_before(until or today(), DAYS_SHOWN)
    return AuditFilters(
        actor=address.text("actor").strip(),
        action=address.text("action").strip(),
        object=address.text("object").strip(),
        since=_midnight(since),
        before=_midnight(until + timedelta(days=1)) if until and until < date.max else None,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), BRASILIA).astimezone(UTC)


def _verified() -> chain.Chain:
    with primary() as connection:
        return chain.verify(connection)
