"""Figures of availability contracts: hours used against the schedule, by day, by month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from plotly import graph_objects as go

from domain.sla import (
    Band,
    ContractDetail,
    ContractMonth,
    ContractScore,
    Terms,
    exceeds,
    month_after,
    steps,
)
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import label_beside, narrowing
from layouts.theme import ACCENT, BAND, OUTLIER, WEAK, figure, plain, titled
from layouts.units import PERCENT, unit

LEAST_DAYS = 7


def used_chart(scores: Sequence[ContractScore], viewer: Viewer) -> go.Figure:
    """For each contract the downtime a site as a share of what the first penalty begins at: a bar
    so far, a dot with p10 to p90 for the month's end."""
    t, locale = viewer.t, viewer.locale
    chart = figure(viewer)
    shown = [
        (one, one.now.hours_per_site, one.bands[0].hours)
        for one in reversed(scores)
        if one.bands and one.bands[0].hours > 0 and one.now.hours_per_site is not None
    ]
    names = [plain(one.contract) for one, *_ in shown]
    chart.add_bar(
        x=[hours / first for _, hours, first in shown],
        y=names,
        orientation="h",
        meta=narrowing("contract", [one.contract for one, *_ in shown]),
        marker={
            "color": [
                OUTLIER if exceeds(hours, one.bands[0]) else ACCENT for one, hours, _ in shown
            ]
        },
        width=0.5,
        customdata=[
            [fmt.number(hours, locale, 2), fmt.number(first, locale, 2)]
            for _, hours, first in shown
        ],
        hovertemplate="%{customdata[0]} h ÷ %{customdata[1]} h = %{x:.0%}<extra></extra>",
    )
    ahead = [
        (one.contract, one.hours_projected, one.hours_p10, one.hours_p90, first)
        for one, _, first in shown
        if one.now.days_left
        and one.hours_projected is not None
        and one.hours_p10 is not None
        and one.hours_p90 is not None
    ]
    chart.add_scatter(
        x=[mean / first for _, mean, _, _, first in ahead],
        y=[plain(name) for name, *_ in ahead],
        mode="markers",
        meta=narrowing("contract", [name for name, *_ in ahead]),
        marker={"size": 9, "symbol": "diamond", "color": WEAK},
        error_x={
            "type": "data",
            "array": [max(0.0, high - mean) / first for _, mean, _, high, first in ahead],
            "arrayminus": [max(0.0, mean - low) / first for _, mean, low, _, first in ahead],
            "color": WEAK,
            "thickness": 1.5,
        },
        hovertemplate=t("month's end, as a model") + ": %{x:.0%}<extra></extra>",
    )
    chart.add_vline(x=1, line={"dash": "dot", "width": 1.5, "color": OUTLIER})
    chart.add_annotation(
        x=1,
        y=1,
        yref="paper",
        yanchor="bottom",
        text=t("first penalty"),
        font={"color": OUTLIER},
    )
    chart.update_xaxes(
        tickformat=".0%",
        rangemode="tozero",
        showgrid=True,
        title=titled(PERCENT, t("Downtime a site ÷ the first band's")),
    )
    chart.update_layout(hovermode="closest", height=110 + 34 * len(shown))
    return chart


def days_chart(detail: ContractDetail, viewer: Viewer) -> go.Figure:
    """Downtime a site added up through the month, the bands ahead, and what the end may be."""
    t, score = viewer.t, detail.score
    chart = figure(viewer, unit("hours", t), t("Downtime a site, added up"))
    days = [one.date for one in detail.days]
    chart.add_scatter(
        x=days,
        y=[one.so_far for one in detail.days],
        mode="lines",
        line={"color": ACCENT, "width": 2, "shape": "hv"},
        fill="tozeroy",
        fillcolor=BAND,
        name=t("so far"),
        hovertemplate="%{y:.2f} h<extra></extra>",
    )
    end = month_after(score.now.month) - timedelta(days=1)
    _add_outlook(chart, detail, viewer)
    for band in _shown_bands(score):
        chart.add_hline(y=band.hours, line={"dash": "dot", "width": 1.5, "color": OUTLIER})
        chart.add_annotation(
            x=0,
            xref="paper",
            xanchor="left",
            y=band.hours,
            yanchor="bottom",
            text=_band_words(band, score, viewer),
            font={"color": OUTLIER},
        )
    chart.update_xaxes(range=[score.now.month.isoformat(), end.isoformat()])
    return chart


def _add_outlook(chart: go.Figure, detail: ContractDetail, viewer: Viewer) -> None:
    score = detail.score
    low, mean, high = score.hours_p10, score.hours_projected, score.hours_p90
    if not detail.days or not score.now.days_left or low is None or mean is None or high is None:
        return
    end, name = month_after(score.now.month) - timedelta(days=1), viewer.t("month's end")
    last = detail.days[-1]
    chart.add_scatter(
        x=[last.date, end],
        y=[last.so_far, mean],
        mode="lines+markers",
        name=name,
        line={"color": WEAK, "width": 1.5, "dash": "dash"},
        error_y={
            "type": "data",
            "array": [0, max(0.0, high - mean)],
            "arrayminus": [0, max(0.0, mean - low)],
            "color": WEAK,
        },
        hovertemplate="%{y:.2f} h<extra>" + viewer.t("month's end, as a model") + "</extra>",
    )
    chart.add_annotation(
        x=last.date,
        y=last.so_far,
        xanchor="right",
        yanchor="bottom",
        text=viewer.t("so far"),
        font={"color": ACCENT},
    )
    label_beside(chart, mean, name, WEAK)


def _shown_bands(score: ContractScore) -> list[Band]:
    """The steps of the schedule that have begun, and the next one."""
    most = max(score.now.hours_per_site or 0.0, score.hours_p90 or 0.0)
    bands = steps(Terms(bands=tuple(score.bands), cap_pct=score.cap_pct))
    reached = [band for band in bands if exceeds(most, band)]
    ahead = [band for band in bands if not exceeds(most, band)]
    return [*reached, *ahead[:1]]


def _band_words(band: Band, score: ContractScore, viewer: Viewer) -> str:
    t, locale = viewer.t, viewer.locale
    return t(
        "%(hours)s h: %(percent)s of the fee",
        hours=fmt.number(band.hours, locale, 2),
        percent=fmt.percent(band.percent / 100, locale),
    ) + (t(", the cap") if band.percent == score.cap_pct else "")


def months_chart(
    months: Sequence[ContractMonth], target: float | None, viewer: Viewer
) -> go.Figure:
    """Availability by month, in orange where a penalty was due, and the target; a month of which
    less than a week is known is left out."""
    t = viewer.t
    chart = figure(viewer, PERCENT, t("Availability"))
    known = [
        (one.month, one.availability, bool(one.percent))
        for one in reversed(months)
        if one.availability is not None and one.days >= LEAST_DAYS
    ]
    chart.add_scatter(
        x=[month for month, *_ in known],
        y=[share for _, share, _ in known],
        mode="lines+markers",
        line={"color": ACCENT, "width": 1.5},
        marker={
            "size": 8,
            "color": [OUTLIER if is_due else ACCENT for *_, is_due in known],
        },
        hovertemplate="%{y:.3%}<extra></extra>",
    )
    if target is not None:
        chart.add_hline(y=target, line={"dash": "dot", "width": 1.5, "color": OUTLIER})
        words = t("target %(value)s", value=fmt.percent(target, viewer.locale, 2))
        label_beside(chart, target, words, OUTLIER)
    chart.update_yaxes(tickformat=".2%", rangemode="normal")
    return chart
