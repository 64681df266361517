"""`/main`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.filters import bar_of
from callbacks.parts import later, lazily
from callbacks.screen import screen
from domain.access import Permission
from domain.kpis import COSTS
from domain.records import DataStatus, Filters, Kpi
from domain.viewer import Viewer
from layouts import main as layout
from layouts.components import states
from warehouse.queries import alerts, kpis, recommendations, status

TOP_ALERTS = 10
TOP_ACTIONS = 3


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """The overview, narrowed to places, materials and who supplies them."""
    current = status.current()
    if current.run_id is None:
        return states.nothing_published(viewer)
    return layout.layout(data(viewer, address, current), viewer, later)


def data(
    viewer: Viewer, address: Address, current: DataStatus, filters: Filters | None = None
) -> layout.MainData:
    """What the page shows of this address, or of these filters as they are."""
    bar = bar_of(viewer, address, "/main")
    filters = filters or bar.filters
    headline = kpis.headline(scope=viewer.scope, filters=filters)
    measure = address.one("measure", layout.MEASURES, _usual_measure(headline))
    today = filters.at_any_time()
    opened = replace(today, status=("open",))
    asked: dict[str, Any] = {"scope": viewer.scope, "filters": filters, "measure": measure}
    now: dict[str, Any] = {"scope": viewer.scope, "filters": opened}
    top = cache(lambda: alerts.page(**now, limit=TOP_ALERTS))
    return lazily(
        layout.MainData,
        kpis=headline,
        points=lambda: kpis.demand_and_forecast(**asked, days=layout.HISTORY_DAYS),
        shares=lambda: kpis.demand_shares(**asked),
        alerts=lambda: top().rows,
        alert_count=lambda: top().count,
        recommendations=lambda: recommendations.page(**now, limit=TOP_ACTIONS).rows,
        recommended=lambda: recommendations.totals(scope=viewer.scope, filters=today)[0],
        has_stock=lambda: "stock" in status.loaded(),
        files=status.files,
        bar=bar,
        filters=filters,
        measure=measure,
        status=current,
        notices=address.notices,
    )


def _usual_measure(headline: Sequence[Kpi]) -> str:
    """Money, unless no item has a unit cost."""
    costless = any(kpi.key == "demand_value" and kpi.missing == COSTS for kpi in headline)
    return "units" if costless else "brl"
