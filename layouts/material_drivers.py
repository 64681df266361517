"""The tab *Drivers* of a material: what happened outside beside its demand at a depot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component
from plotly import graph_objects as go

from domain.correlation import LEAST_PAIRS
from domain.drivers import MONTHS_SHOWN, DriverSum, driver_sums
from domain.page_filters import OWN
from domain.records import NO_FILTERS, DriverMonth, Filters, Option
from domain.viewer import Viewer
from layouts.charts import graph, stacked, told
from layouts.components.cards import card
from layouts.components.downloads import downloads, query_of
from layouts.components.filters import choice
from layouts.components.grid import date_column, grid, number_column, text_column
from layouts.components.states import missing_file
from layouts.components.table import twin
from layouts.material import depot_choice
from layouts.text import driver_name
from layouts.theme import ACCENT, figure, plain
from layouts.units import of_driver, per_period


@dataclass(frozen=True)
class DriversData:
    """What the tab shows: the chosen driver beside the demand at the chosen depot."""

    sku: str
    sites: Sequence[Option]
    site: str
    drivers: Sequence[Option]
    driver: str | None
    months: Sequence[DriverMonth]
    unit: str | None
    loaded: bool
    period: str = OWN
    dates: Filters = NO_FILTERS


def content(data: DriversData, viewer: Viewer) -> list[Component]:
    """The chart of one driver, and all of them in short."""
    t = viewer.t
    if not data.loaded:
        text = t("It would show weather, exchange rate and roll-out beside the demand.")
        return [missing_file("drivers", text, t)]
    if data.driver is None:
        empty = html.P(t("No driver is known in the months of this demand."), className="quiet")
        return [card(t("Drivers"), _bar(data, viewer), empty)]
    return [_chart_card(data, viewer), _table(data, viewer)]


def _bar(data: DriversData, viewer: Viewer, *more: Component, **initial: Any) -> Component:
    period = {"period": data.period, "usual": viewer.t("Last %(count)s months", count=MONTHS_SHOWN)}
    return depot_choice(data.sites, data.site, viewer, *more, **period, **initial)


def _chart_card(data: DriversData, viewer: Viewer) -> html.Section:
    t = viewer.t
    rows = [one for one in data.months if one.driver == data.driver]
    picker = choice(
        "driver", t("Driver"), data.drivers, data.driver, viewer, multi=False, clearable=False
    )
    numbers: list[list[Any]] = [[one.month, one.quantity, one.value] for one in rows]
    title, of = t("Demand and driver by month"), [data.driver] if data.driver else []
    return card(
        title,
        _bar(data, viewer, picker, driver=data.driver),
        graph("driver-chart", _chart(rows, data, viewer), viewer, tall=True),
        twin([t("Month"), t("Demand"), driver_name(data.driver or "", t)], numbers, viewer),
        tools=downloads("driver-months", {**_asked(data), "driver": of}, viewer, of=title),
    )


def _chart(rows: Sequence[DriverMonth], data: DriversData, viewer: Viewer) -> go.Figure:
    t, driver = viewer.t, data.driver or ""
    chart = figure(viewer, per_period(data.unit, "M", t))
    months = [one.month for one in rows]
    chart.add_bar(
        x=months,
        y=[one.quantity for one in rows],
        marker={"color": ACCENT},
        showlegend=False,
        hovertemplate=told(t("Demand")),
    )
    line = go.Scatter(
        x=months,
        y=[one.value for one in rows],
        mode="lines+markers",
        hovertemplate=told(plain(driver_name(driver, t))),
    )
    return stacked(chart, line, *of_driver(driver, t))


def _table(data: DriversData, viewer: Viewer) -> html.Section:
    t = viewer.t
    columns = [
        text_column("name", t("Driver"), minWidth=150, flex=2),
        text_column("where", t("Of"), minWidth=80),
        number_column("months", t("Months")),
        date_column("last", t("Last month")),
        number_column("value", t("Its mean"), 2),
        number_column("r", t("Correlation with demand"), 2, minWidth=120),
    ]
    rows = [_row(one, viewer) for one in driver_sums(data.months)]
    note = t(
        "Correlation (Pearson's r, of %(least)s months or more) says that both moved together in"
        " the same month, not that one made the other.",
        least=LEAST_PAIRS,
    )
    return card(
        t("All drivers"),
        grid("item-drivers", columns, rows, viewer, row_id="driver"),
        tools=downloads("item-drivers", _asked(data), viewer, of=t("All drivers")),
        note=note,
    )


def _asked(data: DriversData) -> dict[str, list[str]]:
    return {"sku": [data.sku], "site": [data.site]} | query_of(data.dates)


def _row(one: DriverSum, viewer: Viewer) -> dict[str, Any]:
    return {
        "driver": one.driver,
        "name": driver_name(one.driver, viewer.t),
        "where": one.uf or viewer.t("Brazil"),
        "months": one.months,
        "last": one.last.isoformat(),
        "value": one.value,
        "r": one.correlation,
    }
