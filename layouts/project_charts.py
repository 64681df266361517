"""Figures of projects: progress against the plan, the S-curve, demand before and after a slip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plotly import graph_objects as go

from domain.projects import (
    OPEN_STATES,
    ProjectDetail,
    ProjectMonth,
    ProjectScore,
    SCurvePoint,
    curve_days,
    expected,
    first_plan,
)
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import label_beside, label_ends, narrowing, short_ticks
from layouts.components.table import Cell, per_cent
from layouts.theme import ACCENT, OUTLIER, WEAK, figure, plain, titled
from layouts.units import BRL, PERCENT

CHARTED = 20
BELOW: dict[str, Any] = {"xanchor": "left", "yanchor": "top", "xshift": 8}
"""Where a rising line leaves room for its name: below it, to the right."""
ABOVE: dict[str, Any] = {"xanchor": "right", "yanchor": "bottom", "xshift": -4}
"""And above it, to the left."""


def progress_chart(scores: Sequence[ProjectScore], viewer: Viewer) -> go.Figure:
    """Open projects, the most urgent above: a bar of what is done, a diamond where the plan is."""
    t = viewer.t
    shown = list(reversed(charted(scores)))
    names = [plain(one.project) for one in shown]
    chart = figure(viewer)
    of_uf = narrowing("uf", [one.uf for one in shown])
    chart.add_bar(
        x=[one.progress for one in shown],
        y=names,
        orientation="h",
        width=0.5,
        marker={"color": [OUTLIER if one.state == "behind" else ACCENT for one in shown]},
        meta=of_uf,
        hovertemplate=t("done") + ": %{x:.1%}<extra></extra>",
    )
    chart.add_scatter(
        x=[one.planned_progress for one in shown],
        y=names,
        mode="markers",
        marker={"size": 9, "symbol": "diamond", "color": WEAK},
        meta=of_uf,
        hovertemplate=t("the plan") + ": %{x:.1%}<extra></extra>",
    )
    chart.update_xaxes(
        tickformat=".0%", range=[0, 1.02], showgrid=True, title=titled(PERCENT, t("Progress"))
    )
    chart.update_layout(hovermode="closest", height=110 + 26 * len(shown))
    return chart


def charted(scores: Sequence[ProjectScore]) -> list[ProjectScore]:
    """Those that have a place in the chart."""
    known = [one for one in scores if one.progress is not None and one.state in OPEN_STATES]
    return [one for one in known if one.planned_progress is not None][:CHARTED]


def curve_chart(detail: ProjectDetail, viewer: Viewer) -> go.Figure:
    """The plan as a curve, the first plan dotted where it was another, what files reported as
    points, and the end that is to be expected."""
    t, score = viewer.t, detail.score
    chart = figure(viewer, PERCENT, t("Progress"))
    first = first_plan(detail)
    if first:
        _line(chart, first, t("first plan"), WEAK, "dot")
        _name_along(chart, first, 0.5, t("first plan"), WEAK)
    _line(chart, detail.curve, t("plan"), WEAK, "solid")
    told = [(one.as_of, one.progress) for one in detail.history if one.progress is not None]
    colour = OUTLIER if score.state == "behind" else ACCENT
    chart.add_scatter(
        x=[day for day, _ in told],
        y=[share for _, share in told],
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"size": 9, "color": colour},
        name=t("done"),
        hovertemplate="%{y:.1%}<extra>" + t("done") + "</extra>",
    )
    if told:
        day, share = told[-1]
        _name(chart, day, share, t("done"), colour, **ABOVE)
    if detail.curve:
        place = ABOVE if score.state == "behind" else BELOW
        _name_along(chart, detail.curve, 0.75, t("plan"), WEAK, **place)
    ahead = expected(detail)
    if ahead:
        _line(chart, ahead, t("as expected"), colour, "dash")
        label_beside(chart, ahead[-1].planned, t("as expected"), colour)
    chart.update_yaxes(tickformat=".0%", range=[0, 1.05])
    return chart


def curve_table(detail: ProjectDetail, viewer: Viewer) -> tuple[list[str], list[list[Cell]]]:
    """Every line of the curve's chart in per cent, a row a day; empty where a line has no point."""
    t, days = viewer.t, curve_days(detail)
    lines = {
        t("done"): [one.done for one in days],
        t("plan"): [one.planned for one in days],
        t("first plan"): [one.first_planned for one in days],
        t("as expected"): [one.expected for one in days],
    }
    shown = {name: line for name, line in lines.items() if name == t("done") or _is_known(line)}
    header = [t("Day"), *(f"{name} (%)" for name in shown)]
    columns = [map(per_cent, line) for line in shown.values()]
    rows = zip((one.date for one in days), *columns, strict=True)
    return header, [list(row) for row in rows]


def _is_known(line: Sequence[float | None]) -> bool:
    return any(value is not None for value in line)


def _line(
    chart: go.Figure, points: Sequence[SCurvePoint], name: str, colour: str, dash: str
) -> None:
    chart.add_scatter(
        x=[one.date for one in points],
        y=[one.planned for one in points],
        mode="lines",
        line={"color": colour, "width": 1.5, "dash": dash},
        name=name,
        hovertemplate="%{y:.1%}<extra>" + name + "</extra>",
    )


def _name_along(
    chart: go.Figure,
    points: Sequence[SCurvePoint],
    share: float,
    text: str,
    colour: str,
    **place: Any,
) -> None:
    """The line's name at this share of its points."""
    point = points[int((len(points) - 1) * share)]
    _name(chart, point.date, point.planned, text, colour, **place)


def _name(
    chart: go.Figure, day: object, share: float, text: str, colour: str, **place: Any
) -> None:
    """A line's name at this point of it, BELOW unless `place` says otherwise."""
    chart.add_annotation(x=day, y=share, text=text, font={"color": colour}, **BELOW | place)


def months_chart(months: Sequence[ProjectMonth], viewer: Viewer) -> go.Figure:
    """Materials still to come by month: as the plan has them, and as the slip puts them."""
    t, locale = viewer.t, viewer.locale
    chart = figure(viewer, BRL)
    for name, values, colour in (
        (t("as planned"), [one.planned_brl for one in months], WEAK),
        (t("as expected"), [one.expected_brl for one in months], ACCENT),
    ):
        chart.add_bar(
            x=[one.month for one in months],
            y=values,
            name=name,
            marker={"color": colour},
            customdata=[fmt.brl(value, locale) for value in values],
            hovertemplate="%{customdata}<extra>" + name + "</extra>",
            meta={"label": True},
        )
    chart.update_layout(barmode="group")
    costs = [cost for one in months for cost in (one.planned_brl, one.expected_brl)]
    chart.update_yaxes(short_ticks(costs, viewer, from_zero=True))
    chart.update_xaxes(dtick="M1", tickformat="%b\n%Y")
    label_ends(chart)
    return chart
