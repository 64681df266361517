"""The tab *Prescriptive* of `/features`."""

from __future__ import annotations

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.filters import bar_of
from callbacks.parts import later, lazily
from domain.viewer import Viewer
from layouts import prescriptive as layout
from warehouse.queries import recommendations, savings, status


def content(viewer: Viewer, address: Address) -> list[Component]:
    """What stands below the tabs: advice by kind, and what past advice was worth."""
    bar = bar_of(viewer, address, "/features", "prescriptive")
    filters = bar.filters
    data = lazily(
        layout.PrescriptiveData,
        kinds=lambda: recommendations.by_kind(scope=viewer.scope, filters=filters),
        savings=lambda: savings.total(scope=viewer.scope, filters=filters),
        filters=filters,
        bar=bar,
        has_stock=lambda: "stock" in status.loaded(),
        notices=address.notices,
    )
    return layout.content(data, viewer, later)
