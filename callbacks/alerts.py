"""`/alerts`."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from dash import Dash, State, set_props
from dash.development.base_component import Component

from auth.session import who_decides
from callbacks.address import Address
from callbacks.deciding import register_decisions
from callbacks.filters import bar_of
from callbacks.listing import listed
from callbacks.parts import later, lazily
from callbacks.screen import screen
from domain.access import Permission
from domain.records import Page
from domain.viewer import Viewer
from layouts import inbox as layout
from layouts.components import states
from layouts.components.queue import ALL
from layouts.shell import toast
from layouts.text import ALERT_DONE, ALERT_KINDS, ALERT_STATUSES, LEVELS
from warehouse.commands import alerts as commands
from warehouse.db import get_engine
from warehouse.queries import alerts, status
from warehouse.queries.users import who_may_act

KEPT = ("kind", "level", "status", "owner", "search", "sort", "cursor", "start")
"""What of the address goes into the page's own links."""


@screen(Permission.READ, personal=True)
def page(viewer: Viewer, address: Address) -> Component:
    """The inbox, narrowed to kinds, levels, statuses, an owner, places and materials."""
    if status.current().run_id is None:
        return states.nothing_published(viewer)
    return layout.layout(_data(viewer, address), viewer, later)


def _data(viewer: Viewer, address: Address) -> layout.InboxData:
    people = cache(lambda: who_may_act(viewer.scope) if viewer.may(Permission.ACT) else [])
    chosen = address.many("status", (*ALERT_STATUSES, ALL)) or ("open",)
    wanted = () if ALL in chosen else chosen
    kinds = address.many("kind", ALERT_KINDS)
    owner = address.text("owner")
    if owner not in ("", "me"):
        owner = address.one("owner", people(), "")
    email = viewer.email if owner == "me" else owner
    sort = address.one("sort", layout.SORTS, layout.SORTS[0])
    more: dict[str, Any] = {
        "level": address.many("level", LEVELS),
        "search": address.text("search"),
    }
    bar = bar_of(viewer, address, "/alerts", status=wanted, **more)
    filters, everywhere = bar.filters, replace(bar.filters, status=())

    def rows(**asked: Any) -> Page[Any]:
        return alerts.page(
            scope=viewer.scope, filters=filters, kinds=kinds, owner=email, sort=sort, **asked
        )

    return lazily(
        layout.InboxData,
        listed=lambda: listed(address, "", rows, layout.PAGE_ROWS),
        totals=lambda: alerts.totals(
            scope=viewer.scope, filters=everywhere, kinds=kinds, owner=email
        ),
        filters=filters,
        kinds=kinds,
        owner=owner,
        sort=sort,
        bar=bar,
        people=people,
        has_stock=lambda: "stock" in status.loaded(),
        has_costs=status.has_costs,
        query=bar.kept | address.only(KEPT),
        notices=address.notices,
    )


def register(app: Dash) -> None:
    """Changing one or several, and ticking all of the page."""
    ids = layout.action_id, layout.pick_id, layout.PICK_ALL
    fields = [State(layout.GIVE_TO, "value")]
    register_decisions(app, layout.PANEL, ids, fields, _change, (_totals, _list))


def _totals(viewer: Viewer, address: Address) -> list[Component]:
    return layout.totals(_data(viewer, address), viewer)


def _list(viewer: Viewer, address: Address) -> list[Component]:
    return layout.rows(_data(viewer, address), viewer)


def _change(asked: dict[str, Any], numbers: list[int], viewer: Viewer, given_to: Any) -> None:
    change, who = str(asked["change"]), {"alert_ids": numbers, **who_decides()}
    owners = {"mine": viewer.email, "nobody": None, "given": _person(given_to)}
    if change in owners:
        commands.assign(get_engine(), owner=owners[change], **who)
    else:
        commands.set_status(get_engine(), status=change, **who)
    set_props("toasts", {"children": toast(viewer.t(ALERT_DONE[change]), viewer, "success")})


def _person(given_to: Any) -> str:
    return given_to[:200] if isinstance(given_to, str) else ""
