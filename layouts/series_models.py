"""`/features` of one item at one depot: every member's forecast, the backtest, and the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from domain.records import BacktestPoint, ClassChoice, SeriesDiagnostics
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import backtest_chart, graph, series_chart
from layouts.components.cards import card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, memory, page_bar
from layouts.components.parts import Part, at_once
from layouts.components.states import not_found, notices
from layouts.components.table import twin
from layouts.diagnostics import diagnostics_cards
from layouts.features import best_error, choices_card, head, naive_notice
from layouts.forecasts import (
    NO_MODEL,
    Series,
    accuracy_card,
    if_known,
    model_toggles,
    profile_strip,
    series_query,
    table_of,
)
from layouts.text import DEMAND_CLASSES, MODELS, named
from layouts.units import Unit, per_period


@dataclass(frozen=True)
class SeriesModels:
    """What the page shows of one series; `chosen` and `diagnostics` are None where the run does not
    say."""

    bar: Bar
    series: Series
    backtest: Sequence[BacktestPoint]
    chosen: ClassChoice | None
    diagnostics: SeriesDiagnostics | None
    frequency: str
    since: date | None
    notices: list[str]


def layout(data: SeriesModels, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    t, series = viewer.t, data.series
    links = html.P(
        [
            dcc.Link(t("Model performance"), href="/features"),
            " / ",
            dcc.Link(
                f"{series.sku} · {series.site}",
                href=f"/forecasts?{urlencode({'sku': series.sku, 'site': series.site})}",
            ),
        ],
        className="crumbs",
    )
    return html.Div(
        [
            *head("models", viewer, html.Div([links, html.H1(t("Models of one series"))])),
            page_bar(
                data.bar,
                viewer,
                initial={},
                resets={"sku": ["site", "models"], "site": ["models"]},
            ),
            *notices(data.notices),
            *_content(data, viewer, part),
        ],
        className="page page-features",
    )


def _content(data: SeriesModels, viewer: Viewer, part: Part) -> list[Component]:
    series = data.series

    def profile() -> list[Component]:
        if not series.is_known:
            return [not_found(viewer, alone=False)]
        naive = [one for one in _chosen(data) if one.published_as_naive]
        return [
            profile_strip(series.profile, viewer),
            *[naive_notice(one, viewer) for one in naive],
            _why(data, viewer),
        ]

    def diagnostics() -> list[Component]:
        return [
            diagnostics_cards(data.diagnostics, series.unit, viewer, _place(series)),
            choices_card(_chosen(data), viewer),
        ]

    cards = [
        *part("ahead", if_known(series, lambda: [_ahead(data, viewer)]), 620, 750),
        *part("accuracy", if_known(series, lambda: [accuracy_card(series, viewer)]), 590, 670),
    ]
    return [
        *part("profile", profile, 244, 430),
        html.Div(cards, className="columns columns-chart"),
        *part("backtest", if_known(series, lambda: [_backtest(data, viewer)]), 470, 430),
        *part("diagnostics", if_known(series, diagnostics), 1230, 1800),
    ]


def _place(series: Series) -> dict[str, list[str]]:
    return {"sku": [series.sku], "site": [series.site]}


def _chosen(data: SeriesModels) -> list[ClassChoice]:
    return [data.chosen] if data.chosen else []


def _why(data: SeriesModels, viewer: Viewer) -> html.Section:
    """Why this champion, in a sentence with its figures."""
    t, locale = viewer.t, viewer.locale
    champion = named(MODELS, data.series.champion, t)
    title = t("Why %(model)s", model=champion)
    errors = data.chosen.errors if data.chosen else {}
    own = errors.get(data.series.champion or "")
    if data.chosen is None or own is None:
        text = t(
            "The backtest has too few points to judge its class: the shares are those of all"
            " series."
        )
        return card(title, html.P(text))
    text = t(
        "Over all series of the class “%(class)s”, %(model)s has the lowest backtest error,"
        " %(error)s; the best single model has %(single)s, seasonal naive %(naive)s. One series"
        " alone is too few points to choose by.",
        **{"class": named(DEMAND_CLASSES, data.chosen.demand_class, t)},
        model=champion,
        error=fmt.fixed(own, locale, 3),
        single=fmt.fixed(best_error(data.chosen, sampled=False), locale, 3),
        naive=fmt.fixed(errors.get("seasonal_naive"), locale, 3),
    )
    return card(title, html.P(text))


def _unit(data: SeriesModels, viewer: Viewer) -> Unit:
    return per_period(data.series.unit, data.frequency, viewer.t)


def _ahead(data: SeriesModels, viewer: Viewer) -> html.Section:
    t, series = viewer.t, data.series
    chart = series_chart(series.history, series.points, series.shown, viewer, _unit(data, viewer))
    header, rows = table_of(series, viewer)
    return card(
        t("Each member's forecast"),
        model_toggles(series.models, series.shown, viewer),
        memory("models", {"models": list(series.shown)}, empty={"models": NO_MODEL}),
        graph("series", chart, viewer),
        twin(header, rows, viewer),
        tools=downloads("series", series_query(series, data.since), viewer),
        class_name="grow",
    )


def _backtest(data: SeriesModels, viewer: Viewer) -> html.Section:
    t = viewer.t
    title = t("Backtest")
    if not data.backtest:
        text = t("The history is too short for a backtest.")
        return card(title, html.P(text, className="quiet"))
    chart = backtest_chart(data.backtest, data.series.shown, viewer, _unit(data, viewer))
    shown = [point for point in data.backtest if point.model in data.series.shown]
    rows: list[list[Any]] = [
        [p.origin, p.date, named(MODELS, p.model, t), p.actual, p.mean, p.p10, p.p90] for p in shown
    ]
    header = [t("Origin"), t("Date"), t("Model"), t("Actual"), t("Mean"), "p10", "p90"]
    asked = {**_place(data.series), "model": list(data.series.shown)}
    return card(
        title,
        graph("backtest", chart, viewer),
        twin(header, rows, viewer),
        tools=downloads("series-backtest", asked, viewer, of=title) if shown else [],
        note=t(
            "What each model said at its origin, knowing nothing later, and what was then demanded."
        ),
    )
