"""`/savings`: what the old policy cost, what ours would have, month by month and item by item."""

from __future__ import annotations

from typing import Any

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.filters import bar_of
from callbacks.screen import screen
from domain.access import Permission
from domain.viewer import Viewer
from layouts import savings as layout
from layouts.components import states
from warehouse.queries import kpis, savings, status

SHOWN = 30


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """Narrowed to places, materials and who supplies them."""
    if status.current().run_id is None:
        return states.nothing_published(viewer)
    bar = bar_of(viewer, address, "/savings")
    filters = bar.filters
    orders = [sign + name for name in savings.ITEM_SORTS for sign in ("", "-")]
    sort = address.one("sort", orders, "-identified_brl")
    asked: dict[str, Any] = {"scope": viewer.scope, "filters": filters}
    data = layout.SavingsData(
        total=savings.total(**asked),
        months=savings.months(**asked),
        items=savings.items(**asked, limit=SHOWN, sort=sort),
        sort=sort,
        bar=bar,
        filters=filters,
        has_costs=not any(kpi.missing == "items" for kpi in kpis.headline(scope=viewer.scope)),
        notices=address.notices,
    )
    return layout.layout(data, viewer)
