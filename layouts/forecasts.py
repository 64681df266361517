"""`/forecasts`: one item at one depot: history, each model's forecast, and how good each was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from domain.levels import DEPOTS
from domain.records import (
    Accuracy,
    DataStatus,
    DemandPoint,
    ForecastPoint,
    SeriesProfile,
)
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import graph, series_chart
from layouts.components.attributes import SHOWS_DECISIONS
from layouts.components.cards import card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, memory, page_bar, toggles
from layouts.components.grid import WRAPPED, badge_column, grid, number_column, percent_column
from layouts.components.icons import icon
from layouts.components.parts import Make, Part, at_once
from layouts.components.states import notices, state
from layouts.components.table import twin
from layouts.fallbacks import fallback_lines
from layouts.levels import horizon_words, level_choice
from layouts.overrides import Adjusting, adjust_card
from layouts.text import (
    DEMAND_CLASS_MEANING,
    DEMAND_CLASSES,
    MODELS,
    named,
)
from layouts.theme import MODEL_COLOURS, MODEL_STYLES
from layouts.units import per_period

NO_MODEL = "none"
ADJUST = ("adjust", "from", "to", "job")
QUANTILES = ("mean", "p10", "p50", "p90")


@dataclass(frozen=True)
class Series:
    """One item at one depot as shown: the period's history, every model's points. Without a demand
    class the run does not know it, and there is no profile."""

    sku: str
    site: str
    unit: str | None
    demand_class: str | None
    champion: str | None
    history: Sequence[DemandPoint]
    points: Sequence[ForecastPoint]
    accuracy: Sequence[Accuracy]
    profile: SeriesProfile
    shown: Sequence[str]

    @property
    def is_known(self) -> bool:
        """Whether the published run knows it."""
        return self.demand_class is not None

    @property
    def models(self) -> list[str]:
        """The models that have a forecast here, the ensemble first."""
        return present(self.points)


def present(points: Sequence[ForecastPoint]) -> list[str]:
    """The models that have a point, in their one order."""
    known = {point.model for point in points}
    return [model for model in MODELS if model in known]


@dataclass(frozen=True)
class ForecastData:
    """What the page shows; `series` is None until an item and a depot are chosen."""

    bar: Bar
    series: Series | None
    status: DataStatus
    notices: list[str]
    adjusting: Adjusting | None = None


def layout(data: ForecastData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    t = viewer.t
    return html.Div(
        [
            html.Div([html.H1(t("Forecasts"))], className="page-head"),
            filters(data, viewer),
            *notices(data.notices),
            *(
                content(data, data.series, viewer, part)
                if data.series
                else [nothing_to_show(data, viewer)]
            ),
        ],
        className="page page-forecasts",
        **SHOWS_DECISIONS,
    )


def filters(data: ForecastData, viewer: Viewer) -> html.Div:
    """Level, item and depot, found by typing; and how much history."""
    return page_bar(
        data.bar,
        viewer,
        level_choice(DEPOTS, viewer),
        initial={"level": DEPOTS},
        resets={
            "level": ["site", "models", *ADJUST],
            "sku": ["site", "models"],
            "site": ["models"],
        },
    )


def nothing_to_show(data: ForecastData, viewer: Viewer) -> html.Div:
    """No item or depot yet, or one that the run does not know."""
    t, locale, status = viewer.t, viewer.locale, data.status
    if data.bar.one("sku") and data.bar.one("site"):
        return state(
            t("No forecast for this material at this depot"),
            t(
                "The published run was trained on %(trained)s of %(total)s series.",
                trained=fmt.number(status.series_trained, locale),
                total=fmt.number(status.series_total, locale),
            ),
        )
    return state(
        t("Choose a material and a depot"),
        t("Type a part of the code or of the name to find a material."),
    )


def content(
    data: ForecastData, series: Series, viewer: Viewer, part: Part = at_once
) -> list[Component]:
    """Profile, chart with its switches, the accuracy table, and what people put in its place."""
    links: list[Component] = [_to_models(series, viewer)]

    def profile() -> list[Component]:
        if series.is_known:
            return [profile_strip(series.profile, viewer)]
        return [nothing_to_show(data, viewer)]

    def chart() -> list[Component]:
        return [chart_card(data, series, viewer)]

    def accuracy() -> list[Component]:
        return [accuracy_card(series, viewer, links)]

    cards = [
        *part("chart", if_known(series, chart), 640, 770),
        *part("accuracy", if_known(series, accuracy), 590, 660),
    ]
    return [
        *part("profile", profile, 120, 244),
        html.Div(cards, className="columns columns-chart"),
        *part("adjust", if_known(series, lambda: _adjust(data, viewer)), 370, 760),
    ]


def if_known(series: Series, make: Make) -> Make:
    """What `make` gives, of a series that the run knows; else nothing."""
    return lambda: make() if series.is_known else []


def _adjust(data: ForecastData, viewer: Viewer) -> list[Component]:
    if data.adjusting is None:
        return []
    return [adjust_card(data.adjusting, viewer), memory("adjust", data.adjusting.initial)]


def profile_strip(profile: SeriesProfile, viewer: Viewer) -> html.Section:
    """The kind of demand in words, with the numbers that decide it."""
    t, locale = viewer.t, viewer.locale
    facts = [
        (t("ADI (periods between demands)"), fmt.number(profile.adi, locale, 2)),
        (t("CV² (variation of quantities)"), fmt.number(profile.cv2, locale, 2)),
        (t("ABC / XYZ"), f"{profile.abc or '—'} / {profile.xyz or '—'}"),
        (t("Best model of the class"), named(MODELS, profile.champion, t)),
    ]
    reasons = fallback_lines(profile.fallback_reason or "", viewer)
    fallback = [html.P([icon("alert"), one], className="warn-line") for one in reasons if one]
    words = html.Div(
        [
            html.P(t("Demand class"), className="weak"),
            html.P(named(DEMAND_CLASSES, profile.demand_class, t), className="class-name"),
            html.P(t(DEMAND_CLASS_MEANING.get(profile.demand_class, "—")), className="weak"),
            *fallback,
        ],
        className="class-words",
    )
    return html.Section([words, fact_list(facts)], className="surface strip", id="profile")


def fact_list(facts: Sequence[tuple[str, str]]) -> html.Dl:
    """Names and values in two tones."""
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts], className="facts"
    )


def chart_card(data: ForecastData, series: Series, viewer: Viewer) -> html.Section:
    """History, forecasts and band; each model switchable; the same numbers as table and files."""
    t = viewer.t
    frequency = data.status.frequency or "D"
    unit = per_period(series.unit, frequency, t)
    header, rows = table_of(series, viewer)
    return card(
        t("History and forecast"),
        model_toggles(series.models, series.shown, viewer),
        memory("models", {"models": list(series.shown)}, empty={"models": NO_MODEL}),
        graph(
            "series",
            series_chart(series.history, series.points, series.shown, viewer, unit),
            viewer,
        ),
        twin(header, rows, viewer),
        tools=downloads("series", series_query(series, data.bar.filters.date_from), viewer),
        note=horizon_words(data.status, viewer),
        class_name="grow",
    )


def model_toggles(models: Sequence[str], shown: Sequence[str], viewer: Viewer) -> html.Fieldset:
    """A switch for each model, in the colour and the dashes of its line."""
    options = [{"value": model, "label": _toggle(model, viewer)} for model in models]
    return toggles("models", viewer.t("Models"), options, [*shown])


def _toggle(model: str, viewer: Viewer) -> html.Span:
    colour, dash = MODEL_STYLES[model]
    swatch = html.Span(className=f"swatch swatch-{dash}", style={"background": colour})
    return html.Span([swatch, named(MODELS, model, viewer.t)])


def series_query(series: Series, since: date | None) -> dict[str, list[str]]:
    """What the file of a series' chart asks for: its history since a day, the models shown."""
    asked = {"sku": [series.sku], "site": [series.site], "model": list(series.shown)}
    if not series.shown:
        asked["ahead"] = ["false"]
    return asked if since is None else asked | {"from": [since.isoformat()]}


def table_of(series: Series, viewer: Viewer) -> tuple[list[str], list[list[Any]]]:
    """The chart's numbers, one row a date: the actual, then each shown model's quantities."""
    t = viewer.t
    columns = _columns_of(series)
    header = [t("Date"), t("Actual"), *(_heading(model, name, viewer) for model, name in columns)]
    actual = {point.date: point.quantity for point in series.history}
    ahead = {(point.date, point.model): point for point in series.points}
    dates = sorted({*actual, *(point.date for point in series.points if series.shown)})
    return header, [_row(day, actual.get(day), ahead, columns) for day in dates]


def _columns_of(series: Series) -> list[tuple[str, str]]:
    """Model and field of each column; what people put in the ensemble's place beside it."""
    adjusted = any(point.override_id is not None for point in series.points)
    instead = [f"override_{name}" for name in QUANTILES] if adjusted else []
    quantities = {"ensemble": [*QUANTILES, *instead]}
    return [(model, name) for model in series.shown for name in quantities.get(model, ["mean"])]


def _heading(model: str, name: str, viewer: Viewer) -> str:
    quantity = name.removeprefix("override_")
    if quantity != name:
        return f"{viewer.t('Adjusted by hand')} {quantity}"
    return f"{named(MODELS, model, viewer.t)} {quantity}"


def _row(
    day: date,
    actual: float | None,
    ahead: dict[tuple[date, str], ForecastPoint],
    columns: Sequence[tuple[str, str]],
) -> list[Any]:
    found = [(ahead.get((day, model)), name) for model, name in columns]
    if actual is None:
        actual = next((point.actual for point, _ in found if point), None)
    return [day, actual, *(getattr(point, name) if point else None for point, name in found)]


def _to_models(series: Series, viewer: Viewer) -> dcc.Link:
    address = urlencode({"sku": series.sku, "site": series.site})
    words = viewer.t("Why these weights")
    return dcc.Link(words, href=f"/features?{address}", className="card-link")


def accuracy_card(
    series: Series, viewer: Viewer, tools: list[Component] | None = None
) -> html.Section:
    """Each model on the backtest: the ensemble first, then by weight."""
    t = viewer.t
    columns = [
        badge_column("model", t("Model"), minWidth=142, flex=2, **WRAPPED),
        percent_column("weight", t("Weight"), 0, minWidth=64),
        percent_column("wape", t("WAPE"), 1, minWidth=72),
        number_column("mase", t("MASE"), 2, minWidth=64),
        percent_column("bias", t("Bias"), 1, minWidth=84),
        percent_column("coverage80", t("In p10–p90"), 0, minWidth=76),
    ]
    rows = [_accuracy_row(line, viewer) for line in by_weight(series.accuracy)]
    place = {"sku": [series.sku], "site": [series.site]}
    points = max((line.points for line in series.accuracy), default=0)
    note = t(
        "Rolling-origin backtest, %(points)s points. WAPE: share of demand missed. MASE: error ÷"
        " that of seasonal naive in the history. 80%% of actuals should fall in p10–p90.",
        points=fmt.number(points, viewer.locale),
    )
    return card(
        t("Accuracy of each model"),
        grid("accuracy", columns, rows, viewer, row_id="code"),
        note=note,
        tools=[*(tools or []), *downloads("series-accuracy", place, viewer)],
        class_name="grow",
    )


def by_weight(lines: Sequence[Accuracy]) -> list[Accuracy]:
    """The ensemble first, then the models that weigh most in it, then the baselines."""
    return sorted(lines, key=lambda line: (line.model != "ensemble", -(line.weight or 0)))


def _accuracy_row(line: Accuracy, viewer: Viewer) -> dict[str, Any]:
    return {
        "code": line.model,
        "model": named(MODELS, line.model, viewer.t),
        "model_colour": MODEL_COLOURS.get(line.model),
        "weight": line.weight,
        "wape": line.wape,
        "mase": line.mase,
        "bias": line.bias,
        "coverage80": line.coverage80,
    }
