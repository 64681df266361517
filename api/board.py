"""GET /exports/board.pdf: the executive view on paper."""

from __future__ import annotations

from typing import Literal, Protocol

from flask import Response, current_app

from api.files import PDF, file_answer
from api.parameters import SpannedSeries
from api.routing import route
from auth import trail
from auth.guards import current_viewer
from domain.access import Permission
from domain.records import Filters
from domain.viewer import Viewer

EXTENSION = "nova-board-pack"


class Maker(Protocol):
    """How the pack is made; the app binds its own under `EXTENSION`."""

    def __call__(self, viewer: Viewer, filters: Filters, measure: str = "") -> bytes: ...


class BoardQuery(SpannedSeries):
    """What narrows the pack; `measure` is that of demand and forecast, the page's unless given."""

    measure: Literal["brl", "units", ""] = ""


@route("GET", "/exports/board.pdf", permission=Permission.EXPORT, query=BoardQuery, data=PDF)
def board_pack(query: BoardQuery) -> Response:
    """The executive view as a PDF: indicators, demand, what to do, alerts, contracts, regions."""
    make: Maker = current_app.extensions[EXTENSION]
    filters = query.filters()
    content = make(current_viewer(), filters, query.measure)
    chosen = {name: values for name, values in query.model_dump(mode="json").items() if values}
    trail.note("export", object="board_pack", after=chosen)
    return file_answer(content, PDF, "board-pack")
