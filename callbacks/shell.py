"""The frame around every page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dash
from dash.development.base_component import Component
from flask_wtf.csrf import generate_csrf

from auth.guards import current_viewer, requires
from domain.access import Permission
from layouts.shell import NavLink, shell
from warehouse.queries import status


def frame(links: Sequence[NavLink]) -> Callable[[], Component]:
    """The app's layout function: the shell with those links that the reader may follow."""

    @requires(Permission.READ)
    def layout() -> Component:
        viewer, content = current_viewer(), dash.page_container
        open_links = [link for link in links if viewer.may(link.permission)]
        return shell(viewer, status.current(), open_links, content, generate_csrf())

    return layout
