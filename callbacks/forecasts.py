"""`/forecasts`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Any

from dash import Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from auth.guards import current_viewer, requires
from callbacks import levels
from callbacks.address import Address
from callbacks.filters import series_bar
from callbacks.overrides import adjusting
from callbacks.parts import later, lazily
from callbacks.screen import screen
from domain.access import Permission
from domain.levels import DEPOTS, visible_levels
from domain.records import DataStatus, ForecastPoint
from domain.viewer import Viewer
from layouts import forecasts as layout
from layouts.components import states
from layouts.components.filters import control_id
from layouts.overrides import Adjusting
from layouts.text import MODELS
from warehouse.queries import forecasts, materials, status
from warehouse.queries import series as series_query

MAX_SEARCH = 100
Shown = Callable[[Sequence[ForecastPoint]], Sequence[str]]


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """One series; without a choice, the one with the most demand."""
    current = status.current()
    if current.run_id is None:
        return states.nothing_published(viewer)
    level = _level(viewer, address)
    if level != DEPOTS:
        return levels.page(viewer, address, current, level)
    return layout.layout(_data(viewer, address, current), viewer, later)


def _level(viewer: Viewer, address: Address) -> str:
    return address.one("level", (DEPOTS, *visible_levels(viewer.scope)), DEPOTS)


def _data(viewer: Viewer, address: Address, current: DataStatus) -> layout.ForecastData:
    bar = series_bar(viewer, address, "/forecasts", start=_start(viewer, address, current))
    sku, site = bar.one("sku"), bar.one("site")
    since = bar.filters.date_from
    series = None
    if sku and site:
        series = series_of(viewer, sku, site, since, lambda points: _shown(address, points))
    return lazily(
        layout.ForecastData,
        bar=bar,
        series=series,
        status=current,
        adjusting=lambda: _adjusting(viewer, address, sku, site),
        notices=address.notices,
    )


def _adjusting(viewer: Viewer, address: Address, sku: str, site: str) -> Adjusting | None:
    return adjusting(viewer, address, sku, site) if sku and site else None


def _start(viewer: Viewer, address: Address, current: DataStatus) -> dict[str, str]:
    """What to show where nothing is chosen: in a limited run, a series that was trained."""
    if current.series_trained == current.series_total or address.text("site"):
        return {}
    found = forecasts.most_demanded(sku=address.text("sku"), scope=viewer.scope)
    return {"sku": found[0], "site": found[1]} if found else {}


def series_of(
    viewer: Viewer, sku: str, site: str, since: date | None, shown: Shown
) -> layout.Series:
    """One series, its history `since` a day; of the models that have points those are switched on
    that `shown` names. What is asked for raises UnknownMaterial, NotFound for a depot that is not
    in view."""
    one: dict[str, Any] = {"sku": sku, "site": site, "scope": viewer.scope}
    found = cache(lambda: series_query.one(**one))
    points = cache(lambda: forecasts.series(**one))
    return lazily(
        layout.Series,
        sku=sku,
        site=site,
        unit=lambda: found().unit,
        demand_class=lambda: found().demand_class,
        champion=lambda: found().champion,
        history=lambda: forecasts.history(**one, since=since),
        points=points,
        accuracy=lambda: forecasts.accuracy(**one),
        profile=lambda: forecasts.profile(**one),
        shown=lambda: shown(points()),
    )


def _shown(address: Address, points: Sequence[ForecastPoint]) -> tuple[str, ...]:
    """The models switched on: the ensemble unless the address says otherwise."""
    present = {point.model for point in points}
    if address.text("models") == layout.NO_MODEL:
        return ()
    chosen = address.many("models", [model for model in MODELS if model in present])
    return chosen or tuple({"ensemble"} & present)


def register(app: Dash) -> None:
    """Search while typing."""

    @app.callback(
        Output(control_id("sku"), "options"),
        Input(control_id("sku"), "search_value"),
        State(control_id("sku"), "options"),
        State(control_id("sku"), "value"),
        prevent_initial_call=True,
    )
    @requires(Permission.READ)
    def search_items(search: str | None, options: Any, value: Any) -> Any:
        if not search:
            return no_update
        scope = current_viewer().scope
        found = materials.item_options(scope=scope, search=search[:MAX_SEARCH])
        kept = value if isinstance(value, list) else [value]
        offered = options if isinstance(options, list) else []
        chosen = [one for one in offered if isinstance(one, dict) and one.get("value") in kept]
        others = [option for option in found if option.value not in kept]
        return chosen + [{"value": option.value, "label": option.label} for option in others]
