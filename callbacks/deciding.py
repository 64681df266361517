"""Deciding about one row of a page or about those that are ticked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from dash.development.base_component import Component

from auth.guards import current_viewer, requires
from callbacks.address import Address
from callbacks.picks import number_of, picked
from domain.access import Permission
from domain.errors import NothingSelected
from domain.viewer import Viewer
from layouts.components.queue import SELECTED

Ids = Callable[..., dict[str, Any]]
Decide = Callable[..., None]
Redraw = Callable[[Viewer, Address], list[Component]]


def register_decisions(
    app: Dash,
    panel: str,
    ids: tuple[Ids, Ids, str],
    fields: Sequence[State],
    decide: Decide,
    redraw: Redraw,
) -> None:
    """Deciding about one or several, and ticking all of the page.

    ids: those of buttons and ticks, and that of the tick for all. decide(asked, numbers, viewer,
    *fields): `asked` is the id of the button that was pressed; redraw: the panel after it.
    """
    action_id, pick_id, pick_all = ids

    @app.callback(
        Output(panel, "children"),
        Input(action_id(ALL, ALL), "n_clicks"),
        State(pick_id(ALL), "value"),
        State("_pages_location", "search"),
        *fields,
        prevent_initial_call=True,
    )
    @requires(Permission.ACT)
    def decided(_clicks: Any, ticked: Any, search: Any, *values: Any) -> Any:
        if not ctx.triggered or not ctx.triggered[0]["value"] or not ctx.triggered_id:
            return no_update
        asked, viewer = ctx.triggered_id, current_viewer()
        number = number_of(asked["number"])
        numbers = picked(ticked) if number == SELECTED else [number]
        if not numbers:
            raise NothingSelected("Nothing is selected.")
        decide(asked, numbers, viewer, *values)
        return redraw(viewer, Address.parse(search, viewer.t))

    app.clientside_callback(
        ClientsideFunction("nova", "tickAll"),
        Output(pick_id(ALL), "value"),
        Input(pick_all, "value"),
        State(pick_id(ALL), "options"),
        prevent_initial_call=True,
    )
