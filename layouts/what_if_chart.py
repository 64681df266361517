"""Stock value against service: the line of service levels, and the points that stand out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plotly import graph_objects as go

from domain.viewer import Viewer
from domain.what_if import CurvePoint
from layouts import format as fmt
from layouts.charts import LABEL_GAP, short_ticks, spread
from layouts.theme import ACCENT, MODEL_COLOURS, OUTLIER, figure, titled
from layouts.units import BRL, PERCENT

MARKERS = (
    ("circle", ACCENT),
    ("diamond", OUTLIER),
    ("square", MODEL_COLOURS["arima"]),
)
BESIDE = {"xanchor": "left", "xshift": 12, "yshift": -10}
"""Below the line, which rises to the right."""


@dataclass(frozen=True)
class Mark:
    """One point: stock value in BRL, fill rates as fractions, None where not known."""

    name: str
    value: float
    lines: float | None
    units: float | None


def curve_chart(
    levels: Sequence[CurvePoint], marks: Sequence[Mark], measure: str, viewer: Viewer
) -> go.Figure:
    """Fill rate over stock value; `measure` is `lines` or `units`."""
    t = viewer.t
    chart = figure(
        viewer,
        PERCENT,
        t("Requests served in full") if measure == "lines" else t("Units served"),
    )
    known = [point for point in levels if getattr(point, f"fill_{measure}") is not None]
    chart.add_scatter(
        x=[point.stock_value_brl for point in known],
        y=[getattr(point, f"fill_{measure}") for point in known],
        mode="lines+markers",
        line={"width": 1.5},
        marker={"size": 5},
        name=t("Service levels"),
        customdata=[fmt.percent(point.service_level, viewer.locale) for point in known],
        hovertemplate="%{customdata}: R$ %{x:,.0f}, %{y:.2%}<extra></extra>",
    )
    _add_marks(chart, marks, measure)
    values = [point.stock_value_brl for point in known] + [mark.value for mark in marks]
    title = titled(BRL, t("Mean stock value"))
    chart.update_xaxes(short_ticks(values, viewer), title=title, automargin="height")
    chart.update_yaxes(tickformat=".0%", rangemode="normal")
    chart.update_layout(hovermode="closest")
    return chart


def _add_marks(chart: go.Figure, marks: Sequence[Mark], measure: str) -> None:
    """Each with its name beside it, or as far below as the name of a higher one leaves it."""
    known = [
        (mark, getattr(mark, measure), *look)
        for mark, look in zip(marks, MARKERS, strict=False)
        if getattr(mark, measure) is not None
    ]
    shares = [share for _, share, *_ in known]
    drawn = [*chart.data[0].y, *shares]
    gap = LABEL_GAP * (max(drawn, default=0.0) - min(drawn, default=0.0) or 1.0)
    below = spread([-share for share in shares], gap)
    for (mark, share, symbol, colour), depth in zip(known, below, strict=True):
        chart.add_scatter(
            x=[mark.value],
            y=[share],
            mode="markers",
            marker={"size": 13, "symbol": symbol, "color": colour, "line": {"width": 1}},
            name=mark.name,
            hovertemplate=f"{mark.name}: R$ %{{x:,.0f}}, %{{y:.2%}}<extra></extra>",
        )
        chart.add_annotation(
            x=mark.value, y=-depth, text=mark.name, **BESIDE, font={"color": colour}
        )
