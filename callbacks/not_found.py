"""Addresses that lead nowhere."""

from __future__ import annotations

from dash.development.base_component import Component

from auth.guards import current_viewer
from callbacks.address import Address
from callbacks.screen import screen
from domain.access import Permission
from domain.viewer import Viewer
from layouts.components import states


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """Says so, inside the shell."""
    return states.not_found(viewer)


def title(**variables: str) -> str:
    """The browser tab's title."""
    return f"{current_viewer().t('Page not found')} · Nova Corrente"
