"""The tab *Prescriptive* of `/features`."""

from __future__ import annotations

from dash.development.base_component import Component

from callbacks.address import Address
from domain.viewer import Viewer
from layouts import prescriptive as layout
from warehouse.queries import kpis, recommendations, savings, status

OFFERED = ("uf", "family")


def content(viewer: Viewer, address: Address) -> list[Component]:
    """What stands below the tabs: advice by kind, and what past advice was worth."""
    choices = kpis.filter_choices(scope=viewer.scope)
    filters = address.filters({name: choices[name] for name in OFFERED})
    data = layout.PrescriptiveData(
        kinds=recommendations.by_kind(scope=viewer.scope, filters=filters),
        savings=savings.total(scope=viewer.scope, filters=filters),
        filters=filters,
        choices=choices,
        files=status.files(),
        notices=address.notices,
    )
    return layout.content(data, viewer)
