"""Figures: rows in, `go.Figure` out. Lines carry their names at their ends instead of a legend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from math import ceil, floor, log10
from textwrap import wrap
from typing import Any

from dash import dcc
from plotly import graph_objects as go

from domain.records import (
    BacktestPoint,
    DemandPoint,
    DemandShare,
    ForecastPoint,
    ModelStep,
    ProjectedDay,
    TotalPoint,
)
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.text import MODELS, named
from layouts.theme import ACCENT, BAND, MODEL_STYLES, figure, graph_config, plain, titled
from layouts.units import PERCENT, Unit

LEVELS = (0.1, 0.5, 0.9)
HOVER_WIDTH = 600
"""Pixels: half of a wide chart, which its places share."""
UPPER, LOWER = [0.56, 1.0], [0.0, 0.44]
LABEL_GAP = 0.1
POINTS_AT_MOST, TITLE_LETTERS = 5_000, 34
LABEL_MARGIN, LETTER_WIDTH, LABEL_LETTERS = 16, 7, 10
TICKS, MOST_DECIMALS = 6, 3
QUANTITY = ",.2~f"
"""How a tooltip writes a quantity: with two decimals at most, as the table below a chart does."""


def graph(name: str, chart: go.Figure, viewer: Viewer, *, tall: bool = False) -> dcc.Graph:
    """The figure on the page, drawn to the width of its card and as high as its layout says, if it
    does; a long title breaks, for phones, dates are as the reader writes them, and no line carries
    more points than can be told apart."""
    title = chart.layout.xaxis.title.text
    if title:
        chart.update_xaxes(
            title={"text": "<br>".join(wrap(title, TITLE_LETTERS, break_long_words=False))}
        )
    for trace in chart.data:
        thin(trace)
    if any(isinstance(place, date) for trace in chart.data for place in trace.x or ()):
        _dates_of_axis(chart, viewer)
    return dcc.Graph(
        id=name,
        figure=chart,
        config=graph_config(viewer.locale),
        responsive=True,
        className="chart chart-tall" if tall else "chart",
        style={"--chart-height": f"{height}px"} if (height := chart.layout.height) else {},
    )


def narrowing(name: str, values: Sequence[str | None]) -> dict[str, Any]:
    """A trace's `meta` by which a click on one of its marks narrows the page to that mark's value
    of a filter, if it has one, and the same click again widens it (assets/charts.js)."""
    return {"filter": name, "values": list(values)}


def stacked(
    chart: go.Figure, below: go.Scatter, unit: Unit, of: str, *, from_zero: bool = True
) -> go.Figure:
    """The chart with another line below it, over the same x and with an axis of its own."""
    below.update(yaxis="y2", showlegend=False)
    chart.add_trace(below)
    chart.update_layout(
        yaxis={"domain": UPPER},
        yaxis2={"domain": LOWER, "title": titled(unit, of), "anchor": "x"},
        xaxis={"anchor": "y2"},
    )
    if not from_zero:
        chart.update_layout(yaxis2={"rangemode": "normal"})
    return chart


def thin(trace: Any) -> None:
    """Leaves a line at most POINTS_AT_MOST points: of each stretch of equal length its lowest and
    its highest, so that no peak is lost."""
    if trace.type != "scatter" or trace.x is None or len(trace.x) <= POINTS_AT_MOST:
        return
    heights = [float("-inf") if value is None else value for value in trace.y]
    width = -(-len(heights) // (POINTS_AT_MOST // 2))
    kept: set[int] = set()
    for start in range(0, len(heights), width):
        stretch = range(start, min(start + width, len(heights)))
        kept |= {min(stretch, key=heights.__getitem__), max(stretch, key=heights.__getitem__)}
    order = sorted(kept)
    for name in ("x", "y", "customdata"):
        if (values := trace[name]) is not None:
            trace[name] = [values[index] for index in order]


def totals_chart(points: Sequence[TotalPoint], viewer: Viewer, unit: Unit) -> go.Figure:
    """Actual and forecast totals over time, with the forecast's p10-p90 band."""
    t = viewer.t
    chart = figure(viewer, unit)
    ahead = [point for point in points if point.mean is not None]
    banded = [point for point in ahead if point.p10 is not None]
    known = [point for point in points if point.actual is not None]
    add_band(
        chart,
        [point.date for point in banded],
        [point.p10 for point in banded],
        [point.p90 for point in banded],
        t("p10–p90"),
    )
    add_line(chart, [p.date for p in known], [p.actual for p in known], t("Actual"))
    add_line(chart, [p.date for p in ahead], [p.mean for p in ahead], t("Forecast"), colour=ACCENT)
    return finish(chart)


def shares_chart(shares: Sequence[DemandShare], viewer: Viewer, unit: Unit) -> go.Figure:
    """A bar for each family or UF, the largest above; a click narrows the page to it."""
    chart = figure(viewer)
    rows = list(reversed(shares))
    chart.add_bar(
        x=[one.demand for one in rows],
        y=[plain(one.value) for one in rows],
        orientation="h",
        width=0.6,
        marker={"color": ACCENT},
        meta=narrowing(rows[0].kind, [one.value for one in rows]) if rows else None,
        hovertemplate="%{x:,.0f}<extra>%{y}</extra>",
    )
    chart.update_xaxes(short_ticks([one.demand for one in rows], viewer, from_zero=True))
    chart.update_xaxes(showgrid=True, title=titled(unit), rangemode="tozero")
    chart.update_yaxes(type="category")
    chart.update_layout(hovermode="closest", height=90 + 24 * len(rows))
    return chart


def series_chart(
    history: Sequence[DemandPoint],
    forecasts: Sequence[ForecastPoint],
    models: Sequence[str],
    viewer: Viewer,
    unit: Unit,
) -> go.Figure:
    """One item at one site: its demand, the ensemble's band, and a line for each chosen model."""
    t = viewer.t
    chart = figure(viewer, unit)
    by_model = {model: [p for p in forecasts if p.model == model] for model in models}
    ensemble = by_model.pop("ensemble", [])
    add_band(
        chart,
        [point.date for point in ensemble],
        [effective(point, "p10") for point in ensemble],
        [effective(point, "p90") for point in ensemble],
        t("p10–p90"),
    )
    add_line(chart, [p.date for p in history], [p.quantity for p in history], t("Actual"))
    _add_ensemble(chart, ensemble, viewer)
    for model, points in by_model.items():
        add_line(
            chart,
            [point.date for point in points],
            [point.mean for point in points],
            named(MODELS, model, t),
            **model_style(model),
        )
    return finish(chart)


def projection_chart(
    days: Sequence[ProjectedDay], reorder_point: float | None, viewer: Viewer, unit: Unit
) -> go.Figure:
    """Projected stock with likely and with high demand, over the reorder point."""
    t = viewer.t
    chart = figure(viewer, unit)
    dates = [day.date for day in days]
    add_line(chart, dates, [day.likely for day in days], t("Likely"), colour=ACCENT)
    cautious = [day.cautious for day in days]
    add_line(chart, dates, cautious, t("With high demand"), dash="dot")
    if reorder_point is not None:
        level = [reorder_point, reorder_point]
        add_line(chart, [dates[0], dates[-1]], level, t("Reorder point"), dash="dash", width=1)
    return finish(chart)


def effective(point: ForecastPoint, name: str) -> float:
    """The quantity (`mean`, `p10`, …) that counts: the override's where one is in force, else the
    model's."""
    instead: float | None = getattr(point, f"override_{name}")
    found: float = getattr(point, name) if instead is None else instead
    return found


def _add_ensemble(chart: go.Figure, points: Sequence[ForecastPoint], viewer: Viewer) -> None:
    """The ensemble's line; with an override in force anywhere what counts, and the model's whole
    line dashed beside it."""
    dates, name = [point.date for point in points], named(MODELS, "ensemble", viewer.t)
    if not any(point.override_id is not None for point in points):
        add_line(chart, dates, [p.mean for p in points], name, **model_style("ensemble"))
        return
    adjusted = [effective(point, "mean") for point in points]
    add_line(chart, dates, adjusted, viewer.t("Adjusted by hand"), **model_style("ensemble"))
    style = model_style("ensemble") | {"dash": "dash", "width": 1.5}
    add_line(chart, dates, [point.mean for point in points], name, **style)


def steps_chart(
    steps: Sequence[ModelStep], models: Sequence[str], viewer: Viewer, ahead: Unit
) -> go.Figure:
    """WAPE by periods ahead, a line for each chosen model; `ahead` names the axis."""
    chart = figure(viewer, PERCENT, viewer.t("WAPE"))
    for model in models:
        rows = [row for row in steps if row.model == model and row.step and row.wape is not None]
        add_line(
            chart,
            [row.step for row in rows],
            [row.wape for row in rows],
            named(MODELS, model, viewer.t),
            **model_style(model),
            number=".1%",
        )
    chart.update_yaxes(tickformat=".0%")
    last = max(one.step or 0 for one in steps)
    chart.update_xaxes(title=titled(ahead), range=[0.5, max(last, 1.5)], **whole_ticks(last, 8))
    label_ends(chart)
    return chart


def whole_ticks(count: int, most: int) -> dict[str, Any]:
    """Ticks of an axis of so many steps: some `most` of them, and none between two steps."""
    return {"dtick": 1} if count <= most else {"nticks": most}


def model_style(model: str) -> dict[str, Any]:
    """Colour, dashes and width of a model's line."""
    colour, dash = MODEL_STYLES.get(model, (None, "solid"))
    return {
        "colour": colour,
        "dash": dash,
        "width": 2.5 if model == "ensemble" else 1.5,
    }


def calibration_chart(whole: ModelStep, viewer: Viewer) -> go.Figure:
    """For each quantile the share of actuals under it: a bar from those below to those not above,
    which should meet the diagonal."""
    t = viewer.t
    chart = figure(viewer, PERCENT, t("Actuals under it"))
    chart.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"dash": "dot", "width": 1.5},
        name=t("Ideal"),
        hoverinfo="skip",
    )
    chart.add_annotation(x=0.3, y=0.3, text=t("Ideal"), xanchor="left", yanchor="top", xshift=6)
    for name, level, low, high in zip(
        ("p10", "p50", "p90"), LEVELS, whole.below, whole.at_most, strict=True
    ):
        chart.add_scatter(
            x=[level, level],
            y=[low, high],
            mode="lines+markers",
            line={"color": ACCENT, "width": 6},
            marker={"size": 9, "color": ACCENT},
            name=name,
            hovertemplate=f"%{{y:.1%}}<extra>{name}</extra>",
        )
        chart.add_annotation(x=level, y=high, text=name, yshift=16, xanchor="center")
    chart.update_xaxes(
        title=titled(PERCENT, t("Quantile")), tickvals=list(LEVELS), tickformat=".0%", range=[0, 1]
    )
    chart.update_yaxes(tickformat=".0%", range=[0, 1.08])
    chart.update_layout(hovermode="closest")
    return chart


def backtest_chart(
    points: Sequence[BacktestPoint], models: Sequence[str], viewer: Viewer, unit: Unit
) -> go.Figure:
    """What was demanded in the backtest's periods and what each chosen model had said of them,
    one stretch of line for each origin; the ensemble's with its band."""
    chart = figure(viewer, unit)
    actual = {point.date: point.actual for point in points}
    banded = [point for point in points if point.model == "ensemble" and "ensemble" in models]
    for origin in sorted({point.origin for point in banded}):
        mine = [point for point in banded if point.origin == origin]
        dates = [point.date for point in mine]
        add_band(chart, dates, [p.p10 for p in mine], [p.p90 for p in mine], viewer.t("p10–p90"))
    days = sorted(actual)
    add_line(chart, days, [actual[day] for day in days], viewer.t("Actual"))
    for model in models:
        dates, values = _stretches([point for point in points if point.model == model])
        add_line(chart, dates, values, named(MODELS, model, viewer.t), **model_style(model))
    return finish(chart)


def _stretches(points: Sequence[BacktestPoint]) -> tuple[list[Any], list[float | None]]:
    """Dates and means by origin, with a gap between one origin's and the next one's."""
    dates: list[Any] = []
    values: list[float | None] = []
    for before, point in zip([None, *points], points, strict=False):
        if before and before.origin != point.origin:
            dates.append(point.date)
            values.append(None)
        dates.append(point.date)
        values.append(point.mean)
    return dates, values


def add_band(
    chart: go.Figure,
    dates: Sequence[date],
    low: Sequence[float | None],
    high: Sequence[float | None],
    name: str,
) -> None:
    """The area between two quantiles."""
    if not dates:
        return
    edge: dict[str, Any] = {"mode": "lines", "line": {"width": 0, "color": ACCENT}}
    chart.add_scatter(x=list(dates), y=list(low), name="p10", hovertemplate=told("p10"), **edge)
    chart.add_scatter(
        x=list(dates),
        y=list(high),
        name=name,
        fill="tonexty",
        fillcolor=BAND,
        hovertemplate=told("p90"),
        **edge,
    )


def add_line(
    chart: go.Figure,
    dates: Sequence[date | int | None],
    values: Sequence[float | None],
    name: str,
    *,
    colour: str | None = None,
    dash: str = "solid",
    width: float = 1.5,
    number: str = QUANTITY,
) -> None:
    """One line over dates or steps; a None breaks it. Without a colour it is drawn in the
    template's ink. `number` is how its values are written."""
    if not dates:
        return
    line: dict[str, Any] = {"width": width, "dash": dash}
    if colour:
        line["color"] = colour
    chart.add_scatter(
        x=list(dates),
        y=list(values),
        name=name,
        mode="lines" if len(dates) > 1 else "markers",
        line=line,
        hovertemplate=told(name, number),
        meta={"label": True},
    )


def told(name: str, number: str = QUANTITY) -> str:
    """What a line's tooltip says: the height of the point, and of which line it is."""
    return f"%{{y:{number}}}<extra>{name}</extra>"


def finish(chart: go.Figure) -> go.Figure:
    """Names the lines at their ends, and has the tooltip tell what stands at its date alone, not
    what a line has nearest to it."""
    order_ink_first(chart)
    places = {place for trace in chart.data for place in trace.x or ()}
    chart.update_layout(hoverdistance=max(1, ceil(HOVER_WIDTH / max(1, len(places)))))
    chart.update_yaxes(tickformat=",~f")
    label_ends(chart)
    return chart


def _dates_of_axis(chart: go.Figure, viewer: Viewer) -> None:
    """Dates on the x axis as the reader writes them."""
    days = "%d %b" if viewer.locale == "pt_BR" else "%b %-d"
    chart.update_xaxes(
        hoverformat="%d/%m/%Y" if viewer.locale == "pt_BR" else "%b %-d, %Y",
        tickformatstops=[
            {"dtickrange": [None, 86_400_000 * 27], "value": days},
            {"dtickrange": [86_400_000 * 27, None], "value": "%b\n%Y"},
        ],
        nticks=6,
    )


def order_ink_first(chart: go.Figure) -> None:
    """The line without a colour takes the template's first one only if it is the first trace."""
    chart.data = sorted(chart.data, key=lambda trace: trace.line.color is not None)


def short_ticks(
    values: Sequence[float | None], viewer: Viewer, *, from_zero: bool = False
) -> dict[str, Any]:
    """The ticks of an axis over these numbers, written as cards write large ones: `1,2 mi`, where
    the browser knows `1.2M` alone. Empty without a number."""
    known = [value for value in values if value is not None] + [0.0] * from_zero
    if not known:
        return {}
    rough = ((max(known) - min(known)) or abs(known[0]) or 1) / TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(count * power for count in (1, 2, 5, 10) if count * power >= rough)
    places = [step * n for n in range(floor(min(known) / step), floor(max(known) / step) + 1)]
    for digits in range(1, MOST_DECIMALS + 1):
        texts = [fmt.compact(place, viewer.locale, digits) for place in places]
        if all(one != other for one, other in pairwise(texts)):
            break
    return {"tickvals": places, "ticktext": texts}


def label_ends(chart: go.Figure) -> None:
    """Puts each line's name, and each row of bars', beside the last value that it has, far enough
    from the other names; none beside one without values."""
    lines = [trace for trace in chart.data if trace.meta and _known(trace)]
    if not lines:
        return
    tops = [value for trace in chart.data for value in _known(trace)]
    end = max(trace.x[-1] for trace in lines)
    finals = [trace for trace in lines if trace.x[-1] == end]
    names = [_in_lines(trace.name) for trace in finals]
    gap = LABEL_GAP * max(map(len, names)) * ((max(tops) - min(0, *tops)) or 1)
    heights = spread([_known(trace)[-1] for trace in finals], gap)
    for trace, name, height in zip(finals, names, heights, strict=True):
        _label(chart, "<br>".join(name), _colour_of(trace), x=1, y=height)
    for trace in lines:
        if trace.x[-1] != end:
            place = {"x": 0, "y": 1, "yref": "paper", "yanchor": "bottom"}
            _label(chart, trace.name, _colour_of(trace), **place)
    _leave_room(chart, [line for name in names for line in name])


def _known(trace: Any) -> list[float]:
    return [value for value in trace.y or () if value is not None]


def label_beside(chart: go.Figure, y: float, text: str, colour: str) -> None:
    """A name on the right of the chart at this height, with room for it; in two lines if it is
    long."""
    lines = _in_lines(text)
    _label(chart, "<br>".join(lines), colour, x=1, y=y)
    _leave_room(chart, lines)


def _in_lines(name: str) -> list[str]:
    """A name that stands beside a chart, in two lines if it is long: phones have little room."""
    letters = max(LABEL_LETTERS, ceil(len(name) / 2) + 1)
    return wrap(name, letters, break_long_words=False) or [name]


def _leave_room(chart: go.Figure, lines: Sequence[str]) -> None:
    chart.update_layout(margin={"r": LABEL_MARGIN + LETTER_WIDTH * max(map(len, lines))})


def _label(chart: go.Figure, text: str, colour: str | None, **place: Any) -> None:
    chart.add_annotation(
        text=text,
        xref="paper",
        xanchor="left",
        xshift=6,
        align="left",
        font={"color": colour} if colour else {},
        **place,
    )


def _colour_of(trace: Any) -> str | None:
    return trace.marker.color if trace.type == "bar" else trace.line.color  # type: ignore[no-any-return]


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """The same heights moved up where needed, so that neighbours are at least `gap` apart."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    moved = list(heights)
    for before, index in zip(order, order[1:], strict=False):
        moved[index] = max(moved[index], moved[before] + gap)
    return moved
