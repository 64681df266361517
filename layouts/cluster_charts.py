"""Figures of clusters and of failure risk."""

from __future__ import annotations

from collections.abc import Sequence

from plotly import graph_objects as go

from domain.clusters import Cluster, feature_words
from domain.failure_risk import CalibrationBin
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import narrowing
from layouts.theme import ACCENT, CLUSTER_COLOURS, OUTLIER, figure, plain, titled
from layouts.units import PERCENT, unit

ROW_HEIGHT, LEAST_HEIGHT, LANE = 50, 120, 0.11
BESIDE_AXIS = 1 / 8
"""Share of the axis up to which a count stands right of its dot: left of it there is no room."""


def profile_chart(clusters: Sequence[Cluster], viewer: Viewer) -> go.Figure:
    """A line for each feature, on it each cluster's number where its centre lies; the middle of all
    members is 0."""
    t, locale = viewer.t, viewer.locale
    chart = figure(viewer)
    features = [one.feature for one in clusters[0].profile][::-1] if clusters else []
    chart.add_vline(x=0, line={"dash": "dot", "width": 1.5, "color": OUTLIER})
    middle = (len(clusters) - 1) / 2
    for lane, cluster in enumerate(clusters):
        values = {one.feature: one for one in cluster.profile}
        rows = [values[feature] for feature in features]
        chart.add_scatter(
            x=[row.spreads for row in rows],
            y=[place + LANE * (middle - lane) for place in range(len(rows))],
            mode="markers+text",
            text=str(cluster.number),
            textfont={"color": "#ffffff", "size": 12},
            marker={"size": 20, "color": CLUSTER_COLOURS[cluster.number - 1], "opacity": 0.92},
            name=plain(f"{cluster.number} {cluster.name}"),
            meta=narrowing("cluster", [str(cluster.number)] * len(rows)),
            customdata=[
                [
                    plain(feature_words(row.feature, locale)),
                    fmt.number(row.value, locale, 2),
                    fmt.number(row.overall, locale, 2),
                ]
                for row in rows
            ],
            hovertemplate="%{customdata[0]}: %{customdata[1]} ("
            + t("all: %(value)s", value="%{customdata[2]}")
            + f")<extra>{cluster.number}</extra>",
        )
    chart.update_xaxes(
        title=titled(unit("spreads", t), t("← below normal · above normal →")),
        showgrid=True,
        zeroline=False,
    )
    chart.update_yaxes(
        tickvals=list(range(len(features))),
        ticktext=[plain(feature_words(one, locale)) for one in features],
        rangemode="normal",
        zeroline=False,
    )
    chart.update_layout(
        hovermode="closest", height=LEAST_HEIGHT + ROW_HEIGHT * len(features), autosize=True
    )
    return chart


def risk_calibration_chart(bins: Sequence[CalibrationBin], viewer: Viewer) -> go.Figure:
    """Share of rows that failed against the risk that was told, a dot for each bin."""
    t, locale = viewer.t, viewer.locale
    chart = figure(viewer, PERCENT, t("Share that failed"))
    top = min(1.0, 1.15 * max([0.1, *(max(one.predicted, one.observed) for one in bins)]))
    chart.add_scatter(
        x=[0, top],
        y=[0, top],
        mode="lines",
        line={"dash": "dot", "width": 1.5},
        name=t("Ideal"),
        hoverinfo="skip",
    )
    chart.add_annotation(
        x=0.75 * top, y=0.75 * top, text=t("Ideal"), xanchor="left", yanchor="top", xshift=6
    )
    chart.add_scatter(
        x=[one.predicted for one in bins],
        y=[one.observed for one in bins],
        mode="lines+markers+text",
        line={"color": ACCENT, "width": 1.5},
        marker={"size": 9, "color": ACCENT},
        text=[f"n = {fmt.number(one.count, locale)}" for one in bins],
        textposition=[
            "middle right" if one.predicted < BESIDE_AXIS * top else "top left" for one in bins
        ],
        textfont={"size": 11},
        cliponaxis=False,
        hovertemplate="%{x:.1%} → %{y:.1%}<extra></extra>",
    )
    chart.update_xaxes(
        title=titled(PERCENT, t("Risk that was told")), tickformat=".0%", range=[0, top]
    )
    chart.update_yaxes(tickformat=".0%", range=[0, top * 1.08])
    chart.update_layout(hovermode="closest")
    return chart
