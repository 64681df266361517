"""`/admin/settings`."""

from __future__ import annotations

from math import isfinite
from typing import Any

from dash import ALL, Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from auth.guards import current_viewer, requires
from auth.session import request_actor
from callbacks.address import Address
from callbacks.screen import screen
from domain.access import Permission
from domain.errors import InvalidInput
from domain.thresholds import BY_NAME, METHOD
from domain.viewer import Viewer
from layouts import admin_settings as layout
from layouts.reasons import reason_in
from warehouse.commands import settings as commands
from warehouse.db import get_engine
from warehouse.queries import settings


@screen(Permission.MANAGE_SETTINGS, personal=True)
def page(viewer: Viewer, _address: Address) -> Component:
    """The thresholds and the method in force."""
    return layout.layout(settings.in_force(), viewer)


def register(app: Dash) -> None:
    """Saving what was changed."""

    @app.callback(
        Output(layout.PANEL, "children"),
        Input(layout.SAVE, "n_clicks"),
        State(layout.field_id(ALL), "value"),
        State(layout.field_id(ALL), "id"),
        State(layout.SHOWN, "data"),
        prevent_initial_call=True,
    )
    @requires(Permission.MANAGE_SETTINGS)
    def save(clicks: int | None, values: Any, fields: Any, shown: Any) -> Any:
        if not clicks:
            return no_update
        viewer, wanted = current_viewer(), _changed(_wanted(values, fields), shown)
        try:
            job_id = commands.change(get_engine(), _checked(wanted), actor=request_actor())
        except InvalidInput as error:
            told = {
                name: reason_in(why, viewer.t, viewer.locale) for name, why in error.fields.items()
            }
            return layout.panel(settings.in_force(), viewer, problems=told, wanted=wanted)
        return layout.panel(settings.in_force(), viewer, said=layout.saved(job_id, viewer))


def _wanted(values: Any, fields: Any) -> dict[str, Any]:
    """What stands in each known field: a form can be forged."""
    pairs = zip(values or [], fields or [], strict=False)
    named = ((one.get("name"), value) for value, one in pairs if isinstance(one, dict))
    return {name: value for name, value in named if name in BY_NAME or name == METHOD}


def _changed(wanted: dict[str, Any], shown: Any) -> dict[str, Any]:
    """What differs from what was shown: the rest may have been changed by others meanwhile."""
    told = shown if isinstance(shown, dict) else {}
    return {name: value for name, value in wanted.items() if value != told.get(name)}


def _checked(wanted: dict[str, Any]) -> dict[str, float | str]:
    numbers = {name: value for name, value in wanted.items() if name != METHOD}
    wrong = {name: "must be a number" for name, value in numbers.items() if not _is_number(value)}
    if wrong:
        raise InvalidInput("Not every threshold is a number.", fields=wrong)
    chosen = {METHOD: str(wanted[METHOD])} if METHOD in wanted else {}
    return chosen | {name: float(value) for name, value in numbers.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
