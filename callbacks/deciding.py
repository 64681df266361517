"""Deciding about one row of a page or about those that are ticked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from dash import ALL, MATCH, ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from dash.development.base_component import Component

from auth.guards import current_viewer, requires
from callbacks.address import Address
from callbacks.picks import number_of, picked
from domain.access import Permission
from domain.errors import NotFound, NothingSelected
from domain.viewer import Viewer
from layouts.components.queue import COUNTED, DECIDED, LIST, SELECTED, TOTALS, part_of

Ids = Callable[..., dict[str, Any]]
Decide = Callable[..., None]
Redraw = Callable[[Viewer, Address], list[Component]]


def register_decisions(
    app: Dash,
    panel: str,
    ids: tuple[Ids, Ids, str],
    fields: Sequence[State],
    decide: Decide,
    redraws: tuple[Redraw, Redraw],
) -> None:
    """Deciding about one or several, ticking all of the page, and showing anew what was decided.

    ids: those of buttons and ticks, and that of the tick for all. decide(asked, numbers, viewer,
    *fields): `asked` is the id of the button that was pressed. redraws: the totals and the list of
    the panel after it, which are made one after the other, in requests of their own.
    """
    action_id, pick_id, pick_all = ids

    @app.callback(
        Output(f"{panel}-{DECIDED}", "data"),
        Input(action_id(ALL, ALL), "n_clicks"),
        State(pick_id(ALL), "value"),
        *fields,
        prevent_initial_call=True,
    )
    @requires(Permission.ACT)
    def decided(_clicks: Any, ticked: Any, *values: Any) -> Any:
        if not ctx.triggered or not ctx.triggered[0]["value"] or not ctx.triggered_id:
            return no_update
        asked, viewer = ctx.triggered_id, current_viewer()
        number = number_of(asked["number"])
        numbers = picked(ticked) if number == SELECTED else [number]
        if not numbers:
            raise NothingSelected("Nothing is selected.")
        decide(asked, numbers, viewer, *values)
        return uuid4().hex

    redraw_totals, redraw_list = redraws

    @app.callback(
        Output(part_of(panel, TOTALS, ALL), "children"),
        Output(part_of(panel, COUNTED, ALL), "data"),
        Input(f"{panel}-{DECIDED}", "data"),
        State(part_of(panel, TOTALS, ALL), "id"),
        prevent_initial_call=True,
    )
    @requires(Permission.ACT)
    def counted(decided: Any, shown: Any) -> Any:
        if not decided:
            return no_update, no_update
        part = shown[0] if isinstance(shown, list) and shown else None
        viewer = current_viewer()
        return [redraw_totals(viewer, _address_of(part, viewer))], [uuid4().hex]

    @app.callback(
        Output(part_of(panel, LIST, MATCH), "children"),
        Input(part_of(panel, COUNTED, MATCH), "data"),
        State(part_of(panel, LIST, MATCH), "id"),
        prevent_initial_call=True,
    )
    @requires(Permission.ACT)
    def listed(counted: Any, shown: Any) -> Any:
        if not counted:
            return no_update
        viewer = current_viewer()
        return redraw_list(viewer, _address_of(shown, viewer))

    app.clientside_callback(
        ClientsideFunction("nova", "tickAll"),
        Output(pick_id(ALL), "value"),
        Input(pick_all, "value"),
        State(pick_id(ALL), "options"),
        prevent_initial_call=True,
    )


def _address_of(part: Any, viewer: Viewer) -> Address:
    """The address of the page that has the part with this id. Raises NotFound if it is no id."""
    at = part.get("at") if isinstance(part, dict) else None
    if not isinstance(at, str):
        raise NotFound("There is no such part.")
    return Address.parse(at, viewer.t)
