"""Filters live in the address: the browser writes them there (assets/nova.js)."""

from __future__ import annotations

from dash import ALL, ClientsideFunction, Dash, Input, Output, State

from layouts.components.filters import control_id


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
