"""Figures that question a model: what its errors still hold, and what demand is made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from textwrap import wrap

from plotly import graph_objects as go

from domain.records import Decomposition, Residuals
from domain.viewer import Viewer
from layouts.charts import told, whole_ticks
from layouts.theme import ACCENT, BAND, OUTLIER, figure, titled
from layouts.units import CORRELATION, Unit, unit

PANELS = ((0.79, 1.0), (0.53, 0.74), (0.27, 0.48), (0.0, 0.22))
"""The heights of the four panels, as shares of the whole."""
PANEL_LETTERS = 14
"""Of a line of the unit beside a panel."""


def acf_chart(found: Residuals, viewer: Viewer) -> go.Figure:
    """A bar for each lag's autocorrelation, and the band within which it is noise."""
    t = viewer.t
    chart = figure(viewer, CORRELATION, t("Autocorrelation"))
    chart.add_hrect(y0=-found.bound, y1=found.bound, fillcolor=BAND, line={"width": 0})
    chart.add_bar(
        x=list(range(1, len(found.acf) + 1)),
        y=found.acf,
        marker={"color": ACCENT},
        width=0.4,
        name=t("Autocorrelation"),
        hovertemplate="%{y:.2f}<extra></extra>",
    )
    farthest = max(found.bound, *(abs(value) for value in found.acf))
    edge = min(1.0, 1.2 * farthest)
    distance = titled(unit("periods", t), t("Distance"))
    chart.update_xaxes(title=distance, **whole_ticks(len(found.acf), 10))
    chart.update_yaxes(range=[-edge, edge], tickformat=".2f", nticks=5)
    return chart


def decomposition_chart(
    parts: Sequence[tuple[str, Sequence[float]]],
    found: Decomposition,
    dates: Sequence[date],
    viewer: Viewer,
    per_period: Unit,
) -> go.Figure:
    """Demand, trend, season and rest below each other, over the same dates."""
    chart = figure(viewer)
    title = "<br>".join(wrap(titled(per_period)["text"], PANEL_LETTERS))
    for number, ((name, values), panel) in enumerate(zip(parts, PANELS, strict=True), 1):
        axis = "" if number == 1 else str(number)
        is_rest = number == len(parts)
        mode = {"mode": "markers", "marker": {"size": 3}} if is_rest else {"mode": "lines"}
        chart.add_scatter(
            x=list(dates),
            y=list(values),
            name=name,
            yaxis=f"y{axis}",
            line={"width": 1.5} | ({} if number == 1 else {"color": ACCENT}),
            hovertemplate=told(name),
            **mode,
        )
        chart.update_layout(
            {
                f"yaxis{axis}": {
                    "domain": panel,
                    "title": {"text": title},
                    "nticks": 4,
                    "tickformat": ",~f",
                    "rangemode": "tozero" if number == 1 else "normal",
                }
            }
        )
        chart.add_annotation(
            text=name, x=0, y=panel[1], xref="paper", yref="paper", xanchor="left", yanchor="bottom"
        )
    chart.add_scatter(
        x=[dates[place] for place in found.outliers],
        y=[found.actual[place] for place in found.outliers],
        mode="markers",
        marker={"size": 9, "symbol": "circle-open", "color": OUTLIER, "line": {"width": 2}},
        name=viewer.t("Outlier"),
        hovertemplate=f"<extra>{viewer.t('Outlier')}</extra>",
    )
    chart.update_xaxes(anchor=f"y{len(parts)}")
    return chart
