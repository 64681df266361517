"""`/features`: map, clusters, the models over all series or of one, what is prescribed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dash.development.base_component import Component

from callbacks import clusters, formulas, prescriptive, regions
from callbacks import forecasts as forecasts_page
from callbacks.address import Address
from callbacks.filters import series_bar
from callbacks.parts import later, lazily
from callbacks.screen import screen
from domain.access import Permission
from domain.page_filters import DEFAULT_PERIOD, within
from domain.records import (
    NO_FILTERS,
    ClassChoice,
    DataStatus,
    ForecastPoint,
    ModelPerformance,
)
from domain.viewer import Viewer
from layouts import features as layout
from layouts import series_models
from layouts.components import states
from layouts.components.filters import Bar
from layouts.forecasts import NO_MODEL, present
from layouts.text import DEMAND_CLASSES, MODELS
from warehouse.queries import forecasts, models, overrides, status

TABS: dict[str, Callable[[Viewer, Address], list[Component]]] = {
    "map": regions.content,
    "clusters": clusters.content,
    "prescriptive": prescriptive.content,
    "formulas": formulas.content,
}
"""What stands below the tabs, of all but the models'."""
ENSEMBLE, NAIVE = "ensemble", "seasonal_naive"


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """The tab that the address names: models over all series in view, or with `sku` and `site` in
    it over that one; map, clusters, what is prescribed."""
    tab = address.one("tab", layout.TABS, "models")
    if tab in TABS:
        if status.current().run_id is None:
            return states.nothing_published(viewer)
        return layout.within(tab, TABS[tab](viewer, address), viewer)
    bar = series_bar(viewer, address, "/features")
    if bar.one("sku") and bar.one("site"):
        if idle := [name for name in bar.asked if name not in bar.single]:
            address.notices.append(address.not_applied(idle))
        bar = replace(bar, choices={name: bar.choices[name] for name in bar.single})
        return _one_series(viewer, address, status.current(), bar)
    return layout.layout(_data(viewer, address, bar), viewer, later)


def _data(viewer: Viewer, address: Address, bar: Bar) -> layout.FeaturesData:
    every = models.performance(scope=viewer.scope, filters=bar.filters)
    present = {row.demand_class for row in every}
    classes = [name for name in DEMAND_CLASSES if name in present]
    demand_class = address.one("class", classes, "") or None
    rows = layout.comparable_first([row for row in every if row.demand_class == demand_class])
    filters = replace(bar.filters, demand_class=(demand_class,) if demand_class else ())
    return lazily(
        layout.FeaturesData,
        bar=bar,
        demand_class=demand_class,
        classes=classes,
        rows=rows,
        steps=lambda: models.steps(scope=viewer.scope, filters=filters),
        choices=[one for one in models.choices() if demand_class in (None, one.demand_class)],
        shown=_shown(address, [row.model for row in rows], _usual(rows)),
        value_added=lambda: overrides.value_added(scope=viewer.scope, filters=filters),
        status=status.current,
        notices=address.notices,
    )


def _usual(rows: list[ModelPerformance]) -> list[str]:
    """The ensemble, the best of the others on the same series, and what they have to beat."""
    others = [row.model for row in rows if row.model not in (ENSEMBLE, NAIVE)]
    return [ENSEMBLE, *others[:1], NAIVE]


def _shown(address: Address, present: list[str], usual: list[str]) -> tuple[str, ...]:
    """The models switched on, in their one order."""
    if address.text("models") == NO_MODEL:
        return ()
    chosen = address.many("models", present) or usual
    return tuple(model for model in MODELS if model in chosen and model in present)


def _one_series(viewer: Viewer, address: Address, current: DataStatus, bar: Bar) -> Component:
    sku, site = bar.one("sku"), bar.one("site")
    since = within(DEFAULT_PERIOD, NO_FILTERS, current.as_of).date_from

    def shown(points: Sequence[ForecastPoint]) -> tuple[str, ...]:
        usual = [ENSEMBLE, series.champion or ENSEMBLE, NAIVE]
        return _shown(address, present(points), usual)

    series = forecasts_page.series_of(viewer, sku, site, since, shown)
    one: dict[str, Any] = {"sku": sku, "site": site, "scope": viewer.scope}
    data = lazily(
        series_models.SeriesModels,
        bar=bar,
        series=series,
        backtest=lambda: forecasts.backtest(**one),
        chosen=lambda: _choice(series.demand_class),
        diagnostics=lambda: forecasts.diagnostics(**one),
        frequency=current.frequency or "D",
        since=since,
        notices=address.notices,
    )
    return series_models.layout(data, viewer, later)


def _choice(demand_class: str | None) -> ClassChoice | None:
    return next((one for one in models.choices() if one.demand_class == demand_class), None)
