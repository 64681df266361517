"""Board packs by e-mail, and what became of each sending: never cached, people watch them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, text

from domain.records import Filters, Page
from domain.reports import Delivery, Report, Schedule
from warehouse.db import primary
from warehouse.queries.paging import fetch_page

FILTERS = ("region", "uf", "family")

_REPORTS = """
SELECT report.*, "user".email, "user".active AS user_active
FROM support.report JOIN support.user USING (user_id)
ORDER BY lower("user".email), report_id
"""

_DELIVERIES = """
SELECT delivery.delivery_id, "user".email, delivery.due_at, delivery.state, delivery.attempts,
    delivery.next_try_at, delivery.sent_at, delivery.run_id, delivery.message
FROM support.report_delivery AS delivery
JOIN support.report USING (report_id) JOIN support.user USING (user_id)
"""


def listed() -> list[Report]:
    """All of them, by address. Raises Unavailable."""
    with primary() as connection:
        return [to_report(row) for row in connection.execute(text(_REPORTS))]


def deliveries(
    *, limit: int = 50, cursor: str | None = None, sort: str = "-delivery_id"
) -> Page[Delivery]:
    """Sendings, the newest first. Raises Unavailable, InvalidInput."""
    with primary() as connection:
        return fetch_page(
            connection,
            _DELIVERIES,
            {},
            lambda row: Delivery(**row._mapping),
            sort=sort,
            sorts={"delivery_id": "bigint"},
            tie={"delivery_id": "bigint"},
            limit=limit,
            cursor=cursor,
        )


def to_report(row: Row[Any]) -> Report:
    """The typed row."""
    return Report(
        report_id=row.report_id,
        email=row.email,
        user_active=row.user_active,
        schedule=Schedule(row.rhythm, row.day, row.hour),
        language=row.language,
        filters=filters_in(row.filters),
        measure=row.filters.get("measure", ""),
        active=row.active,
        created_by=row.created_by,
        next_at=row.next_at,
    )


def filters_in(kept: Mapping[str, Any]) -> Filters:
    """The filters as they are kept."""
    region, uf, family = (tuple(kept.get(name, ())) for name in FILTERS)
    return Filters(region=region, uf=uf, family=family)
