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
    """The app's layout function: the shell with these links, for whoever asks."""

    @requires(Permission.READ)
    def layout() -> Component:
        content = dash.page_container
        return shell(current_viewer(), status.current(), links, content, generate_csrf())

    return layout
