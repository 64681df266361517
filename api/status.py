"""GET /status: what an open page asks to notice that there is something new."""

from __future__ import annotations

from api.routing import route
from auth.guards import current_viewer
from domain.records import DataStatus
from warehouse.queries import status


@route("GET", "/status", data=DataStatus, passive=True, personal=True)
def current() -> DataStatus:
    """What is published, how old it is, when more is expected, and what others have decided."""
    return status.seen_by(current_viewer().user_id)
