"""One series under the magnifying glass: what the errors of its model hold, what demand is made
of."""

from __future__ import annotations

from typing import Any

from dash import html

from domain.records import Decomposition, Residuals, SeriesDiagnostics
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import graph
from layouts.components.cards import card
from layouts.components.downloads import Query, downloads
from layouts.components.table import twin
from layouts.diagnostic_charts import acf_chart, decomposition_chart
from layouts.text import MODELS, named
from layouts.units import per_period

SIGNIFICANT = 0.05
STRONG, WEAK = 0.6, 0.3
"""A strength from which a trend or season is called clear, and below which there is none to see."""


def diagnostics_cards(
    found: SeriesDiagnostics | None, unit: str | None, viewer: Viewer, asked: Query
) -> html.Div:
    """Both cards, side by side where there is room; `asked` names the series for their files."""
    return html.Div(
        [_residuals(found, viewer, asked), _decomposition(found, unit, viewer, asked)],
        className="columns columns-chart",
    )


def _residuals(found: SeriesDiagnostics | None, viewer: Viewer, asked: Query) -> html.Section:
    t = viewer.t
    title = t("What the errors still hold")
    residuals = found.residuals if found else None
    if residuals is None:
        return card(title, _none(found, t("None of its models has errors to look at."), viewer))
    rows: list[list[Any]] = [[lag, value] for lag, value in enumerate(residuals.acf, 1)]
    return card(
        title,
        html.P(_verdict(residuals, viewer)),
        graph("acf", acf_chart(residuals, viewer), viewer),
        twin([t("Periods apart"), t("Autocorrelation")], rows, viewer),
        tools=downloads("series-residuals", asked, viewer, of=title),
        note=t(
            "Autocorrelation of %(model)s's errors one period ahead over %(count)s periods; bars"
            " inside the band are noise (95%%).",
            model=named(MODELS, residuals.model, t),
            count=fmt.number(residuals.count, viewer.locale),
        ),
        class_name="grow",
    )


def _verdict(found: Residuals, viewer: Viewer) -> str:
    t = viewer.t
    facts = {
        "lags": found.lags,
        "df": found.lags - found.fitted,
        "p": fmt.fixed(found.p, viewer.locale, 3),
    }
    if found.p >= SIGNIFICANT:
        return t(
            "No pattern is left: the Ljung–Box test over %(lags)s lags sees none (df = %(df)s,"
            " p = %(p)s).",
            **facts,
        )
    return t(
        "A pattern is left that this model does not use: the Ljung–Box test over %(lags)s lags"
        " sees it (df = %(df)s, p = %(p)s).",
        **facts,
    )


def _decomposition(
    found: SeriesDiagnostics | None, unit: str | None, viewer: Viewer, asked: Query
) -> html.Section:
    t = viewer.t
    title = t("Trend and season")
    parts = found.decomposition if found else None
    if parts is None:
        why = t("The history is shorter than two seasons, or does not vary.")
        return card(title, _none(found, why, viewer))
    named_parts = [
        (t("Demand"), parts.actual),
        (t("Trend"), parts.trend),
        (t("Season"), parts.season),
        (t("Rest"), parts.rest),
    ]
    dates = parts.dates
    axis = per_period(unit, parts.frequency, t)
    columns = [values for _, values in named_parts]
    rows: list[list[Any]] = [list(row) for row in zip(dates, *columns, strict=True)]
    chart = decomposition_chart(named_parts, parts, dates, viewer, axis)
    return card(
        title,
        html.P(_strengths(parts, viewer)),
        *_outliers(parts, viewer),
        graph("decomposition", chart, viewer, tall=True),
        twin([t("Date"), *(name for name, _ in named_parts)], rows, viewer),
        tools=downloads("series-parts", asked, viewer, of=title),
        note=t(
            "Demand taken apart by STL; a season has %(count)s periods.",
            count=parts.season_length,
        ),
        class_name="grow",
    )


def _strengths(parts: Decomposition, viewer: Viewer) -> str:
    t, locale = viewer.t, viewer.locale
    words = (
        t("none to see"),
        t("weak"),
        t("clear"),
    )

    def told(strength: float) -> str:
        word = words[(strength >= WEAK) + (strength >= STRONG)]
        return f"{word} ({fmt.fixed(strength, locale, 2)})"

    return t(
        "Trend: %(trend)s; season: %(season)s. Strengths go from 0 to 1.",
        trend=told(parts.trend_strength),
        season=told(parts.season_strength),
    )


def _outliers(parts: Decomposition, viewer: Viewer) -> list[html.P]:
    t = viewer.t
    if not parts.outliers:
        return []
    words = t(
        "Outliers: %(count)s, circled. Trend and season are far from explaining them. No model"
        " leaves them out: check the records.",
        count=fmt.number(len(parts.outliers), viewer.locale),
    )
    return [html.P(words)]


def _none(found: SeriesDiagnostics | None, why: str, viewer: Viewer) -> html.P:
    old = viewer.t("This run comes from a trainer that did not keep this yet: train again.")
    return html.P(why if found else old, className="quiet")
