"""GET /status: what an open page asks to notice that there is something new."""

from __future__ import annotations

from api.routing import route
from domain.records import DataStatus
from warehouse.queries import status


@route("GET", "/status", data=DataStatus, passive=True)
def current() -> DataStatus:
    """What is published, how old it is, and when more is expected."""
    return status.current()
