"""`/forecasts` above the depots: an item or a family in a UF, a region or Brazil."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dash import html
from dash.development.base_component import Component

from domain.levels import DEPOTS, LEVELS, visible_levels
from domain.records import (
    DataStatus,
    DemandPoint,
    ForecastPoint,
    LevelAccuracy,
    LevelPoint,
    Option,
)
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import graph, series_chart
from layouts.components.cards import card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, choice, one_of, page_bar
from layouts.components.grid import grid, number_column, percent_column, text_column
from layouts.components.parts import Part, at_once
from layouts.components.states import notices, state
from layouts.components.table import twin
from layouts.text import HORIZONS, LEVEL_NAMES, REGIONS, named
from layouts.units import per_period

QUANTILES = ("mean", "p025", "p10", "p50", "p90", "p975")
ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class Sum:
    """One sum over depots as shown: what (a code or a family), where, and in which unit."""

    what: str
    area: str
    unit: str | None
    history: Sequence[DemandPoint]
    points: Sequence[LevelPoint]


@dataclass(frozen=True)
class LevelsData:
    """What the page shows at one level; `sum` is None where the run has none in view. `adjusted`:
    the overrides in force."""

    level: str
    whats: Sequence[Option]
    areas: Sequence[Option]
    what: str | None
    area: str | None
    bar: Bar
    sum: Sum | None
    accuracy: Sequence[LevelAccuracy]
    adjusted: int
    status: DataStatus
    notices: list[str]


def layout(data: LevelsData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    return html.Div(
        [
            html.Div([html.H1(viewer.t("Forecasts"))], className="page-head"),
            filters(data, viewer),
            *notices(data.notices),
            *part("adjusted", lambda: _adjusted(data, viewer), 40),
            *(content(data, viewer, part) if data.area else [no_levels(viewer)]),
        ],
        className="page page-forecasts",
    )


def level_choice(level: str, viewer: Viewer) -> html.Div:
    """At which level to look: the depots, or one above them that the reader may see."""
    names = [DEPOTS, *visible_levels(viewer.scope)]
    options = [Option(name, viewer.t(LEVEL_NAMES[name])) for name in names]
    return one_of("level", viewer.t("Level"), options, level, viewer)


def filters(data: LevelsData, viewer: Viewer) -> html.Div:
    """Level, what is summed, and where; and how much history."""
    t, level = viewer.t, LEVELS[data.level]
    controls = [level_choice(data.level, viewer)]
    one: dict[str, Any] = {"multi": False, "clearable": False}
    if level.what == "family":
        label = t("Family")
        controls.append(choice("family", label, data.whats, data.what, viewer, wide=True, **one))
    if level.area != "country":
        label = t("UF") if level.area == "uf" else t("Region")
        controls.append(
            choice("area", label, named_areas(data.areas, viewer), data.area, viewer, **one)
        )
    family = {} if level.what == "item" else {"family": data.what}
    return page_bar(
        data.bar,
        viewer,
        *controls,
        initial={"level": data.level, "area": data.area, **family},
        resets={"level": ["area", "family", "site", "models"]},
    )


def named_areas(areas: Sequence[Option], viewer: Viewer) -> list[Option]:
    """The areas in the reader's words."""
    return [Option(one.value, named(REGIONS, one.label, viewer.t)) for one in areas]


def no_levels(viewer: Viewer) -> html.Div:
    """A run from before levels were published, or a level without a sum in view."""
    t = viewer.t
    return state(
        t("The published run has no forecast at this level"),
        t(
            "States and regions need depots with a state, families need items with a family and a"
            " unit. Runs trained by an older version have depots only: train again."
        ),
    )


def _adjusted(data: LevelsData, viewer: Viewer) -> list[Component]:
    words = viewer.t(
        "These sums are the model's own: adjustments by hand (%(count)s in force) are not in them.",
        count=data.adjusted,
    )
    return [*notices([words] if data.adjusted else [])]


def content(data: LevelsData, viewer: Viewer, part: Part) -> list[Component]:
    """The chart, and how good the levels are."""
    return [
        *part("chart", lambda: _chart(data, viewer), 470, 410),
        *part("accuracy", lambda: [accuracy_card(data, viewer)], 430, 470),
    ]


def _chart(data: LevelsData, viewer: Viewer) -> list[Component]:
    return [chart_card(data, data.sum, viewer) if data.sum else no_levels(viewer)]


def chart_card(data: LevelsData, total: Sum, viewer: Viewer) -> html.Section:
    """History, forecast and band; the same numbers as table."""
    t, frequency = viewer.t, data.status.frequency or "D"
    unit = per_period(total.unit, frequency, t)
    points = [
        ForecastPoint(
            total.what, total.area, one.date, ENSEMBLE, one.mean, one.p10, one.p50, one.p90
        )
        for one in total.points
    ]
    chart = series_chart(total.history, points, [ENSEMBLE], viewer, unit)
    header, rows = table_of(total, viewer)
    return card(
        t("History and forecast"),
        graph("series", chart, viewer),
        twin(header, rows, viewer),
        tools=downloads("level-series", _query(data, total), viewer),
        note=horizon_words(data.status, viewer),
        class_name="grow",
    )


def horizon_words(status: DataStatus, viewer: Viewer) -> str:
    """Of how many periods the run's forecast is, from which day to which; part of them may be over
    by now."""
    first = status.data_to + timedelta(days=1) if status.data_to else None
    span = fmt.span(first, status.forecast_to, viewer.locale)
    told = named(HORIZONS, status.frequency, viewer.t)
    return told % {"count": status.horizon, "span": span}


def _query(data: LevelsData, total: Sum) -> dict[str, list[str]]:
    """What the file of the chart asks for."""
    asked = {"level": [data.level], "area": [total.area]}
    if LEVELS[data.level].what == "item":
        asked["sku"] = [total.what]
    if LEVELS[data.level].what == "family":
        asked |= {"family": [total.what], "unit": [total.unit or ""]}
    since = data.bar.filters.date_from
    return asked if since is None else asked | {"from": [since.isoformat()]}


def table_of(total: Sum, viewer: Viewer) -> tuple[list[str], list[list[Any]]]:
    """The chart's numbers, one row a date."""
    t = viewer.t
    header = [t("Date"), t("Actual"), *(f"{t('Ensemble')} {name}" for name in QUANTILES)]
    known = [[one.date, one.quantity, *[None] * len(QUANTILES)] for one in total.history]
    ahead = [[one.date, None, *(getattr(one, name) for name in QUANTILES)] for one in total.points]
    return header, known + ahead


def accuracy_card(data: LevelsData, viewer: Viewer) -> html.Section:
    """The backtest of the ensemble at each level, against seasonal naive."""
    t = viewer.t
    columns = [
        text_column("level", t("Level"), minWidth=150, flex=2),
        number_column("nodes", t("Sums"), 0, minWidth=64),
        percent_column("wape", t("WAPE"), 1, minWidth=76),
        percent_column("naive", t("WAPE naive"), 1, minWidth=92),
        number_column("mase", t("MASE"), 2, minWidth=70),
        percent_column("bias", t("Bias"), 1, minWidth=80),
        percent_column("coverage80", t("In 80 %"), 0, minWidth=76),
        percent_column("coverage95", t("In 95 %"), 0, minWidth=76),
    ]
    rows = [_accuracy_row(line, viewer) for line in data.accuracy]
    points = max((line.points for line in data.accuracy), default=0)
    note = t(
        "Backtest of the sums of the depots, up to %(points)s points. The wider the area, the more"
        " errors cancel out. 80 and 95 %% of actuals should fall into their intervals.",
        points=fmt.number(points, viewer.locale),
    )
    return card(
        t("Accuracy by level"),
        grid("level-accuracy", columns, rows, viewer, row_id="code"),
        tools=downloads("level-accuracy", {}, viewer),
        note=note,
        class_name="grow",
    )


def _accuracy_row(line: LevelAccuracy, viewer: Viewer) -> dict[str, Any]:
    return {
        "code": line.level,
        "level": named(LEVEL_NAMES, line.level, viewer.t),
        "nodes": line.nodes,
        "wape": line.wape,
        "naive": line.naive_wape,
        "mase": line.mase,
        "bias": line.bias,
        "coverage80": line.coverage80,
        "coverage95": line.coverage95,
    }
