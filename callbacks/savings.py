"""`/savings`: what the old policy cost, what ours would have, month by month and item by item."""

from __future__ import annotations

from typing import Any

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.filters import bar_of
from callbacks.listing import listed
from callbacks.parts import later, lazily
from callbacks.screen import screen
from domain.access import Permission
from domain.records import Page
from domain.savings import SavingsItem
from domain.viewer import Viewer
from layouts import savings as layout
from layouts.components import states
from warehouse.queries import kpis, savings, status

SHOWN = 30
KEPT = ("month", "sort", "cursor", "start")


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """Narrowed to places, materials and who supplies them; the items to one of the months."""
    if status.current().run_id is None:
        return states.nothing_published(viewer)
    bar = bar_of(viewer, address, "/savings")
    filters = bar.filters
    sort = address.order(savings.ITEM_SORTS, "-identified_brl")
    asked: dict[str, Any] = {"scope": viewer.scope, "filters": filters}
    months = savings.months(**asked)
    by_value = {layout.month_value(one.month): one.month for one in months}
    month = by_value.get(address.one("month", by_value, ""))

    def items(**more: Any) -> Page[SavingsItem]:
        return savings.items(**asked, month=month, sort=sort, **more)

    data = lazily(
        layout.SavingsData,
        total=lambda: savings.total(**asked),
        months=months,
        month=month,
        items=lambda: listed(address, "", items, SHOWN),
        sort=sort,
        query=bar.kept | address.only(KEPT),
        bar=bar,
        filters=filters,
        missing=lambda: next(
            kpi.missing for kpi in kpis.headline(**asked) if kpi.key == "annual_savings"
        ),
        notices=address.notices,
    )
    return layout.layout(data, viewer, later)
