"""The frame around every page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dash
from dash import Dash, Input, Output, ctx, no_update
from dash.development.base_component import Component
from flask_wtf.csrf import generate_csrf

from auth.guards import current_viewer, requires
from domain.access import Permission
from layouts import format as fmt
from layouts import shell as parts
from layouts.shell import NavLink, shell, toast
from warehouse.queries import status, views


def frame(links: Sequence[NavLink]) -> Callable[[], Component]:
    """The app's layout function: the shell with those links that the reader may follow."""

    @requires(Permission.READ)
    def layout() -> Component:
        viewer, content = current_viewer(), dash.page_container
        open_links = [link for link in links if viewer.may(link.permission)]
        kept = views.listed(user_id=viewer.user_id or 0, role=viewer.role, scope=viewer.scope)
        return shell(
            viewer, status.seen_by(viewer.user_id), open_links, kept, content, generate_csrf()
        )

    return layout


def register(app: Dash) -> None:
    """What the frame says of the data, once an open page has noticed a newer version, or that
    another day has begun: ages are told in days."""

    @app.callback(
        Output(parts.FRESHNESS, "children"),
        Output(parts.BANNERS, "children"),
        Output(parts.TOASTS, "children"),
        Input(parts.NOTICED, "data"),
        Input(parts.DECIDED, "data"),
        Input(parts.TURNED, "data"),
        prevent_initial_call=True,
    )
    @requires(Permission.READ)
    def noticed(version: Any, decided: Any, day: Any) -> Any:
        viewer, current = current_viewer(), status.current()
        if ctx.triggered_id == parts.DECIDED and decided:
            told = viewer.t("Somebody else has decided or adjusted something: updated.")
            return no_update, no_update, toast(told, viewer, "success")
        if not (day if ctx.triggered_id == parts.TURNED else version):
            return no_update, no_update, no_update
        freshness, banners = parts.freshness(viewer, current), parts.banners(viewer, current)
        if ctx.triggered_id == parts.TURNED:
            return freshness, banners, no_update
        until = fmt.day(current.as_of, viewer.locale)
        told = toast(viewer.t("New data from %(date)s: updated.", date=until), viewer, "success")
        return freshness, banners, told
