"""Figures of suppliers: rates with their intervals, lead times, prices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from plotly import graph_objects as go

from domain.suppliers import LeadTimeCount, SupplierMonth, SupplierScore
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import add_line, finish, narrowing
from layouts.theme import ACCENT, BAND, OUTLIER, figure, plain, titled
from layouts.units import PERCENT, unit

BINS = 30


def otif_chart(scores: Sequence[SupplierScore], overall: float | None, viewer: Viewer) -> go.Figure:
    """A dot with its interval for each supplier, the best on top; the line is all together."""
    t = viewer.t
    chart = figure(viewer)
    shown = [
        (one, one.otif, one.otif_low, one.otif_high)
        for one in reversed(scores)
        if one.otif is not None and one.otif_low is not None and one.otif_high is not None
    ]
    chart.add_scatter(
        x=[otif for _, otif, _, _ in shown],
        y=[plain(label(one)) for one, *_ in shown],
        mode="markers",
        meta=narrowing("supplier", [one.supplier for one, *_ in shown]),
        marker={"color": ACCENT, "size": 9},
        error_x={
            "type": "data",
            "array": [high - otif for _, otif, _, high in shown],
            "arrayminus": [otif - low for _, otif, low, _ in shown],
            "color": ACCENT,
            "thickness": 1.5,
        },
        customdata=[
            [
                fmt.percent(otif, viewer.locale),
                fmt.percent(low, viewer.locale),
                fmt.percent(high, viewer.locale),
                fmt.number(one.lines, viewer.locale),
            ]
            for one, otif, low, high in shown
        ],
        hovertemplate="%{customdata[0]} (%{customdata[1]}–%{customdata[2]}), n = %{customdata[3]}"
        "<extra></extra>",
    )
    if overall is not None:
        chart.add_vline(x=overall, line={"dash": "dot", "width": 1.5, "color": OUTLIER})
        chart.add_annotation(
            x=overall,
            y=1,
            yref="paper",
            yanchor="bottom",
            text=t("all: %(value)s", value=fmt.percent(overall, viewer.locale)),
            font={"color": OUTLIER},
        )
    chart.update_xaxes(tickformat=".0%", title=titled(PERCENT, t("OTIF")), showgrid=True)
    chart.update_layout(hovermode="closest", height=90 + 30 * len(shown))
    return chart


def label(score: SupplierScore) -> str:
    """A supplier's name, short enough for an axis."""
    name = score.name or score.supplier
    return name if len(name) <= 24 else name[:23] + "…"


def months_chart(months: Sequence[SupplierMonth], viewer: Viewer) -> go.Figure:
    """OTIF by the month of the first promise, with its interval."""
    t = viewer.t
    chart = figure(viewer, PERCENT, t("OTIF"))
    known = [
        (one.month, one.otif, one.otif_low, one.otif_high, one.lines)
        for one in months
        if one.otif is not None and one.otif_low is not None and one.otif_high is not None
    ]
    chart.add_scatter(
        x=[month for month, *_ in known],
        y=[otif for _, otif, *_ in known],
        mode="lines+markers",
        line={"color": ACCENT, "width": 1.5},
        marker={"size": 7, "color": ACCENT},
        error_y={
            "type": "data",
            "array": [high - otif for _, otif, _, high, _ in known],
            "arrayminus": [otif - low for _, otif, low, _, _ in known],
            "color": ACCENT,
            "thickness": 1,
        },
        customdata=[[lines] for *_, lines in known],
        hovertemplate="%{y:.1%}, n = %{customdata[0]}<extra></extra>",
    )
    chart.update_yaxes(tickformat=".0%", range=[0, 1.04])
    chart.update_xaxes(title={"text": t("Month of the first promise")})
    return chart


def lead_times_chart(
    counts: Sequence[LeadTimeCount], score: SupplierScore, viewer: Viewer
) -> go.Figure:
    """How many lines took how long; lines where the contract, the mean and the p90 are."""
    t, locale = viewer.t, viewer.locale
    chart = figure(viewer, unit("count", t), t("Order lines"))
    width, bins = lead_time_bins(counts)
    chart.add_bar(
        x=[(first + last) / 2 for first, last, _ in bins],
        y=[lines for *_, lines in bins],
        width=width,
        customdata=[f"{first}–{last}" if last > first else f"{first}" for first, last, _ in bins],
        marker={"color": BAND, "line": {"color": ACCENT, "width": 1}},
        hovertemplate="%{customdata} " + t("days") + ": %{y}<extra></extra>",
    )
    marks = (
        (score.contract_lead_time_days, t("contract"), OUTLIER, 0),
        (score.lead_time_mean, t("mean"), ACCENT, 16),
        (score.lead_time_p90, "p90", ACCENT, 32),
    )
    for days, name, colour, lift in marks:
        if days is None:
            continue
        chart.add_vline(x=days, line={"dash": "dot", "width": 1.5, "color": colour})
        chart.add_annotation(
            x=days,
            y=1,
            yref="paper",
            yanchor="bottom",
            yshift=lift,
            text=f"{name} {fmt.number(days, locale, 1)}",
            font={"color": colour},
        )
    chart.update_xaxes(title=titled(unit("days", t), t("From order to receipt")))
    chart.update_layout(hovermode="closest", margin={"t": 64})
    return chart


def lead_time_bins(counts: Sequence[LeadTimeCount]) -> tuple[int, list[tuple[int, int, int]]]:
    """Width in days, and for each of at most BINS bins its first and last day and its lines."""
    if not counts:
        return 1, []
    start = min(one.days for one in counts)
    width = -(-(max(one.days for one in counts) - start + 1) // BINS)
    lines: Counter[int] = Counter()
    for one in counts:
        lines[(one.days - start) // width] += one.lines
    return width, [
        (start + place * width, start + (place + 1) * width - 1, lines[place])
        for place in sorted(lines)
    ]


def prices_chart(months: Sequence[SupplierMonth], viewer: Viewer) -> go.Figure:
    """The price level of each month's orders against the items' own means."""
    t = viewer.t
    chart = figure(viewer, unit("of_mean", t), t("Price level"))
    known = [one for one in months if one.price_index is not None]
    add_line(
        chart,
        [one.month for one in known],
        [100 * (one.price_index or 0) for one in known],
        t("Prices"),
        colour=ACCENT,
    )
    finish(chart)
    chart.update_yaxes(rangemode="normal")
    return chart


def lead_months_chart(months: Sequence[SupplierMonth], viewer: Viewer) -> go.Figure:
    """Mean and p90 of the lead times by month of receipt."""
    t = viewer.t
    chart = figure(viewer, unit("days", t), t("Lead time"))
    known = [one for one in months if one.lead_time_mean is not None]
    dates = [one.month for one in known]
    add_line(chart, dates, [one.lead_time_mean for one in known], t("mean"), colour=ACCENT)
    add_line(chart, dates, [one.lead_time_p90 for one in known], "p90", colour=OUTLIER, dash="dash")
    return finish(chart)
