"""GET /loads, GET /loads/{id}/rejects."""

from __future__ import annotations

from api.parameters import Paged
from api.routing import route
from domain.access import Permission
from domain.records import Load, Page, RejectedRow
from warehouse.queries import loads

LOADS = "/loads"
ITS_REJECTS = "/loads/<int(max=2147483647):load_id>/rejects"


@route("GET", LOADS, permission=Permission.LOAD_DRY_RUN, query=Paged, data=list[Load], paged=True)
def listed(query: Paged) -> Page[Load]:
    """Files that were loaded or refused, newest first."""
    return loads.page(limit=query.limit, cursor=query.cursor)


@route(
    "GET",
    ITS_REJECTS,
    permission=Permission.LOAD_DRY_RUN,
    query=Paged,
    data=list[RejectedRow],
    paged=True,
)
def rejected(load_id: int, query: Paged) -> Page[RejectedRow]:
    """Rows of one file that were refused: line, column, value and reason."""
    return loads.rejects(load_id=load_id, limit=query.limit, cursor=query.cursor)
