"""Figures of drivers: history beside the demand, and the correlation at each lag."""

from __future__ import annotations

from plotly import graph_objects as go

from domain.drivers import DriverDetail
from domain.viewer import Viewer
from layouts.charts import stacked
from layouts.theme import ACCENT, OUTLIER, WEAK, figure, titled
from layouts.units import CORRELATION, Unit, of_driver, unit


def history_chart(detail: DriverDetail, demand: Unit, viewer: Viewer) -> go.Figure:
    """Demand above, the driver below, over the same periods."""
    chart = figure(viewer, demand, viewer.t("Demand"))
    starts = [one.start for one in detail.history]
    chart.add_scatter(
        x=starts,
        y=[one.demand for one in detail.history],
        mode="lines",
        line={"color": ACCENT},
        showlegend=False,
        hovertemplate="%{y:,.0f}<extra></extra>",
    )
    below = go.Scatter(
        x=starts,
        y=[one.value for one in detail.history],
        mode="lines",
        line={"color": OUTLIER},
        hovertemplate="%{y:,.2f}<extra></extra>",
    )
    stacked(chart, below, *of_driver(detail.score.driver, viewer.t), from_zero=False)
    return chart


def lags_chart(detail: DriverDetail, viewer: Viewer) -> go.Figure:
    """A bar a lag, and the lines that chance stays within."""
    t = viewer.t
    chart = figure(viewer, CORRELATION, t("Correlation"))
    lags = [one.lag for one in detail.lags]
    chart.add_bar(
        x=lags,
        y=[one.correlation for one in detail.lags],
        width=0.6,
        marker={"color": [ACCENT if one.is_significant else WEAK for one in detail.lags]},
        showlegend=False,
        hovertemplate="r = %{y:.2f}<extra></extra>",
    )
    for sign in (1, -1):
        chart.add_scatter(
            x=lags,
            y=[sign * one.limit for one in detail.lags],
            mode="lines",
            line={"color": OUTLIER, "width": 1, "dash": "dot"},
            showlegend=False,
            hoverinfo="skip",
        )
    period = unit("weeks" if detail.score.period == "week" else "months", t)
    chart.update_xaxes(
        title=titled(period, t("How far the driver is ahead of the demand")), dtick=1
    )
    chart.update_yaxes(range=[-1, 1], tickformat=".1f", zeroline=True)
    return chart
