"""GET /runs."""

from __future__ import annotations

from api.parameters import Paged
from api.routing import route
from domain.access import Permission
from domain.records import Page, Run
from warehouse.queries import runs


@route("GET", "/runs", permission=Permission.LOAD_DRY_RUN, query=Paged, data=list[Run], paged=True)
def listed(query: Paged) -> Page[Run]:
    """Runs of the trainer, newest first, dropped ones included."""
    return runs.page(limit=query.limit, cursor=query.cursor)
