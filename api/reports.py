"""GET /exports/reports and /report-deliveries: board packs by e-mail, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator

from api.exporting import exported, plain
from api.files import Table
from domain.access import Permission
from domain.reports import Delivery, Report
from domain.sheets import Cell
from warehouse.queries import reports
from warehouse.queries.paging import walked


@exported("report-deliveries", record=Delivery, permission=Permission.MANAGE_USERS)
def deliveries_file() -> Iterator[Delivery]:
    """Every board pack that went out by e-mail, the newest first."""
    return walked(reports.deliveries)


COLUMNS = (
    *("report_id", "email", "user_active", "rhythm", "day", "hour", "language", "region", "uf"),
    *("family", "measure", "active", "created_by", "next_at"),
)


@exported("reports", permission=Permission.MANAGE_USERS)
def reports_file() -> Table:
    """Who gets the board pack by e-mail, when, and of which part."""
    return Table(COLUMNS, [_cells(one) for one in reports.listed()])


def _cells(one: Report) -> list[Cell]:
    known = {**vars(one), **vars(one.schedule), **vars(one.filters)}
    return [plain(known[name]) for name in COLUMNS]
