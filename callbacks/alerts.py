"""`/alerts`."""

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
from layouts import inbox as layout
from layouts.components import states
from layouts.shell import toast
from layouts.text import ALERT_DONE, ALERT_KINDS, ALERT_STATUSES, LEVELS
from warehouse.commands import alerts as commands
from warehouse.db import get_engine
from warehouse.queries import alerts, kpis, status
from warehouse.queries.users import who_may_act

KEPT = ("kind", "level", "status", "uf", "owner", "search", "sort", "cursor", "start")
"""What of the address goes into the page's own links."""


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """The inbox, narrowed to kinds, levels, statuses, UFs and an owner."""
    if status.current().run_id is None:
        return states.nothing_published(viewer)
    return layout.layout(_data(viewer, address), viewer)


def _data(viewer: Viewer, address: Address) -> layout.InboxData:
    choices = kpis.filter_choices(scope=viewer.scope)
    people = who_may_act() if viewer.may(Permission.ACT) else []
    chosen = address.many("status", (*ALERT_STATUSES, layout.ALL)) or ("open",)
    wanted = () if layout.ALL in chosen else chosen
    kinds = address.many("kind", ALERT_KINDS)
    owner = address.one("owner", ("", "me", *people), "")
    email = viewer.email if owner == "me" else owner
    sort = address.one("sort", layout.SORTS, layout.SORTS[0])
    more = {"level": address.many("level", LEVELS), "search": address.text("search")}
    filters = address.filters({"uf": choices["uf"]}, status=wanted, **more)
    everywhere = address.filters({"uf": choices["uf"]}, **more)

    def rows(**asked: Any) -> Page[Any]:
        return alerts.page(
            scope=viewer.scope, filters=filters, kinds=kinds, owner=email, sort=sort, **asked
        )

    return layout.InboxData(
        listed=listed(address, "", rows, layout.PAGE_ROWS),
        totals=alerts.totals(scope=viewer.scope, filters=everywhere, kinds=kinds, owner=email),
        filters=filters,
        kinds=kinds,
        owner=owner,
        sort=sort,
        choices=choices,
        people=people,
        files=status.files(),
        query={name: values for name, values in address.query.items() if name in KEPT},
        notices=list(dict.fromkeys(address.notices)),
    )


def register(app: Dash) -> None:
    """Deciding about one or several, and ticking all of the page."""

    @app.callback(
        Output(layout.PANEL, "children"),
        Input(layout.action_id(ALL, ALL), "n_clicks"),
        State(layout.pick_id(ALL), "value"),
        State(layout.GIVE_TO, "value"),
        State("_pages_location", "search"),
        prevent_initial_call=True,
    )
    @requires(Permission.ACT)
    def decide(_clicks: Any, ticked: Any, given_to: Any, search: Any) -> Any:
        if not ctx.triggered or not ctx.triggered[0]["value"] or not ctx.triggered_id:
            return no_update
        asked, viewer = ctx.triggered_id, current_viewer()
        number = number_of(asked["number"])
        numbers = picked(ticked) if number == layout.SELECTED else [number]
        if not numbers:
            raise NothingSelected("Nothing is selected.")
        _change(str(asked["change"]), numbers, given_to, viewer)
        return layout.panel(_data(viewer, Address.parse(search, viewer.t)), viewer)

    app.clientside_callback(
        ClientsideFunction("nova", "tickAll"),
        Output(layout.pick_id(ALL), "value"),
        Input("pick-all-alerts", "value"),
        State(layout.pick_id(ALL), "options"),
        prevent_initial_call=True,
    )


def _change(change: str, numbers: list[int], given_to: Any, viewer: Viewer) -> None:
    row = signed_in()
    who: dict[str, Any] = {
        "alert_ids": numbers,
        "actor": request_actor(),
        "user_id": row.user_id if row else None,
        "scope": viewer.scope,
    }
    owners = {"mine": viewer.email, "nobody": None, "given": _person(given_to)}
    if change in owners:
        commands.assign(get_engine(), owner=owners[change], **who)
    else:
        commands.set_status(get_engine(), status=change, **who)
    set_props("toasts", {"children": toast(viewer.t(ALERT_DONE[change]), viewer, "success")})


def _person(given_to: Any) -> str:
    return given_to[:200] if isinstance(given_to, str) else ""
