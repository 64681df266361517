"""Filters live in the address: the browser writes them there (assets/nova.js), pages read those
that they can apply (domain/page_filters.py)."""

from __future__ import annotations

from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State

from callbacks.address import Address
from domain.page_filters import of_page
from domain.viewer import Viewer
from layouts.components.filters import Bar, control_id
from warehouse.queries import kpis, materials

MATERIALS = 20
"""Materials offered before anything is searched."""


def bar_of(viewer: Viewer, address: Address, path: str, tab: str = "", **more: Any) -> Bar:
    """The shared filters of the page at `path` as the address sets them; `more` goes into the
    filters as it is."""
    page = of_page(path, tab)
    assert page is not None
    choices = kpis.filter_choices(scope=viewer.scope)
    if "sku" in page.shared:
        choices["sku"] = materials.item_options_with(
            *address.values("sku"), scope=viewer.scope, limit=MATERIALS
        )
    offered = {name: choices[name] for name in page.shared if name in choices}
    return Bar(offered, address.filters(offered, **more))


def register(app: Dash) -> None:
    """One rule for the controls of every page, one for the headers of sorted tables."""
    app.clientside_callback(
        ClientsideFunction("nova", "writeFilters"),
        Output("_pages_location", "search"),
        Input(control_id(ALL), "value"),
        State(control_id(ALL), "id"),
        State({"type": "filter-memory", "page": ALL}, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("nova", "writeSort"),
        Output("_pages_location", "search", allow_duplicate=True),
        Input({"type": "sorted-grid", "name": ALL}, "columnState"),
        State({"type": "sorted-grid", "name": ALL}, "columnDefs"),
        prevent_initial_call=True,
    )
