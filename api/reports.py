"""GET /exports/report-deliveries: board packs by e-mail, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator

from api.exporting import exported
from domain.access import Permission
from domain.reports import Delivery
from warehouse.queries import reports
from warehouse.queries.paging import walked


@exported("report-deliveries", record=Delivery, permission=Permission.MANAGE_USERS)
def deliveries_file() -> Iterator[Delivery]:
    """Every board pack that went out by e-mail, the newest first."""
    return walked(reports.deliveries)
