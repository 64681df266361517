"""Opened pages as they were encoded before: what every reader of one role, scope, language and look
sees of one version of the data is made once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Flask, Response, g, request

from auth.guards import check, current_viewer
from auth.session import data_version
from callbacks.screen import nameless, note_view
from dashboard.doors import CALLBACKS
from dashboard.pages import PageEntry, page_at
from warehouse.ages import ENCODED_SECONDS
from warehouse.caching import kept

OUTPUT = ".._pages_content.children..._pages_store.data.."
OUTPUTS = [
    {"id": "_pages_content", "property": "children"},
    {"id": "_pages_store", "property": "data"},
]
LOCATION = "_pages_location"
PARTS = ("pathname", "search")


@dataclass
class NotKept(Exception):
    """What was made is for this one reader and moment, or not the whole page."""

    response: Response


def bind(server: Flask) -> None:
    """Bound after Dash: its door answers from the cache where it may."""
    make: Any = server.view_functions[CALLBACKS]

    def made_anew() -> Response:
        return server.make_response(make())

    @wraps(make)
    def dispatch() -> Response:
        opened = _opened(request.get_json())
        entry = page_at(opened[0]) if opened else None
        return _shared(entry, *opened) if opened and entry and entry.is_shared else made_anew()

    def _shared(entry: PageEntry, path: str, search: str) -> Response:
        check(entry.permission)
        plain = repr((path, search, nameless(current_viewer())))
        is_new = False

        def made() -> bytes:
            nonlocal is_new
            is_new = True
            response = made_anew()
            if response.status_code != 200 or "page_failed" in g or "is_in_parts" in g:
                raise NotKept(response)
            return response.get_data()

        try:
            body = kept("page", plain, ENCODED_SECONDS, made, version=data_version()).value
        except NotKept as found:
            return found.response
        if not is_new:
            note_view(path, search)
        return Response(body, content_type="application/json")

    server.view_functions[CALLBACKS] = dispatch


def _opened(body: dict[str, Any]) -> tuple[str, str] | None:
    """Path and query string of the page that the router is asked for; None for other callbacks."""
    if body["output"] != OUTPUT or body.get("outputs") != OUTPUTS:
        return None
    values = [one.get("value") for one in body["inputs"]]
    asked = [{"id": LOCATION, "property": part} for part in PARTS]
    told = [{"id": one["id"], "property": one["property"]} for one in body["inputs"]]
    if told != asked or not isinstance(values[0], str):
        return None
    search = values[1] or ""
    return (values[0], search) if isinstance(search, str) else None
