"""`/recommendations`."""

from __future__ import annotations

from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update, set_props
from dash.development.base_component import Component

from auth.guards import current_viewer, requires
from auth.session import request_actor, signed_in
from callbacks.address import Address
from callbacks.listing import listed
from callbacks.picks import number_of, picked
from callbacks.screen import screen
from domain.access import Permission
from domain.errors import NothingSelected
from domain.records import Page
from domain.viewer import Viewer
from layouts import recommendations as layout
from layouts.components import states
from layouts.recommendation_card import action_id, pick_id, reason_id
from layouts.recommendation_text import DONE, KINDS, STATUSES
from layouts.shell import toast
from warehouse.commands import recommendations as commands
from warehouse.db import get_engine
from warehouse.queries import kpis, recommendations, status

KEPT = ("kind", "status", "uf", "search", "sort", "cursor", "start")
"""What of the address goes into the page's own links."""


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """The queue, narrowed to kinds, statuses and UFs."""
    if status.current().run_id is None:
        return states.nothing_published(viewer)
    return layout.layout(_data(viewer, address), viewer)


def _data(viewer: Viewer, address: Address) -> layout.RecommendationsData:
    choices = kpis.filter_choices(scope=viewer.scope)
    chosen = address.many("status", (*STATUSES, layout.ALL)) or ("open",)
    wanted = () if layout.ALL in chosen else chosen
    kinds = address.many("kind", KINDS)
    sort = address.one("sort", layout.SORTS, layout.SORTS[0])
    search = address.text("search")
    filters = address.filters({"uf": choices["uf"]}, status=wanted, search=search)
    everywhere = address.filters({"uf": choices["uf"]}, search=search)

    def rows(**asked: Any) -> Page[Any]:
        return recommendations.page(
            scope=viewer.scope, filters=filters, kinds=kinds, sort=sort, **asked
        )

    return layout.RecommendationsData(
        listed=listed(address, "", rows, layout.PAGE_ROWS),
        totals=recommendations.totals(scope=viewer.scope, filters=everywhere, kinds=kinds),
        filters=filters,
        kinds=kinds,
        sort=sort,
        choices=choices,
        files=status.files(),
        query={name: values for name, values in address.query.items() if name in KEPT},
        notices=list(dict.fromkeys(address.notices)),
    )


def register(app: Dash) -> None:
    """Deciding about one or several, and ticking all of the page."""

    @app.callback(
        Output(layout.PANEL, "children"),
        Input(action_id(ALL, ALL), "n_clicks"),
        State(pick_id(ALL), "value"),
        State(reason_id(ALL), "value"),
        State(reason_id(ALL), "id"),
        State("_pages_location", "search"),
        prevent_initial_call=True,
    )
    @requires(Permission.ACT)
    def decide(_clicks: Any, ticked: Any, reasons: Any, fields: Any, search: Any) -> Any:
        if not ctx.triggered or not ctx.triggered[0]["value"] or not ctx.triggered_id:
            return no_update
        asked, viewer = ctx.triggered_id, current_viewer()
        number = number_of(asked["number"])
        numbers = picked(ticked) if number == layout.SELECTED else [number]
        if not numbers:
            raise NothingSelected("Nothing is selected.")
        _decide(numbers, str(asked["status"]), _reason(number, reasons, fields), viewer)
        return layout.panel(_data(viewer, Address.parse(search, viewer.t)), viewer)

    app.clientside_callback(
        ClientsideFunction("nova", "tickAll"),
        Output(pick_id(ALL), "value"),
        Input("pick-all", "value"),
        State(pick_id(ALL), "options"),
        prevent_initial_call=True,
    )


def _decide(numbers: list[int], status: str, reason: str, viewer: Viewer) -> None:
    row = signed_in()
    commands.set_status(
        get_engine(),
        recommendation_ids=numbers,
        status=status,
        actor=request_actor(),
        user_id=row.user_id if row else None,
        scope=viewer.scope,
        reason=reason,
    )
    set_props("toasts", {"children": toast(viewer.t(DONE[status]), viewer, "success")})


def _reason(number: int, reasons: Any, fields: Any) -> str:
    """What stands in the field that belongs to the button."""
    for text, identity in zip(reasons or [], fields or [], strict=False):
        if isinstance(identity, dict) and identity.get("number") == number:
            return text[:200] if isinstance(text, str) else ""
    return ""
