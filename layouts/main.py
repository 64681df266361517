"""`/main`: headline numbers, actual against forecast, the worst alerts, what is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from domain.access import Permission
from domain.records import (
    Alert,
    DataStatus,
    DemandShare,
    FileStatus,
    Filters,
    Kpi,
    Option,
    Recommendation,
    RecommendationTotal,
    TotalPoint,
)
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.alerts import alert_grid
from layouts.charts import graph, shares_chart, totals_chart
from layouts.components.cards import card, kpi_card
from layouts.components.downloads import EXPORTS, downloads
from layouts.components.filters import Bar, address_of, choice, page_bar
from layouts.components.icons import icon
from layouts.components.parts import Part, at_once
from layouts.components.states import commands, missing_costs, missing_file, no_rows, notices
from layouts.components.table import twin
from layouts.recommendations import recommendation_lines, worth_in_all
from layouts.text import FILE_KINDS, LASTS, kpi_name, named
from layouts.units import BRL, unit

HISTORY_DAYS = 90
PERIODS_SHOWN = {"D": 90, "W": 52, "M": 36}
MEASURES = ("brl", "units")
BARS = 12


@dataclass(frozen=True)
class MainData:
    """What the page shows. `measure` is `brl` or `units`."""

    kpis: Sequence[Kpi]
    points: Sequence[TotalPoint]
    shares: Sequence[DemandShare]
    alerts: Sequence[Alert]
    alert_count: int
    recommendations: Sequence[Recommendation]
    recommended: RecommendationTotal
    has_stock: bool
    files: Sequence[FileStatus]
    bar: Bar
    filters: Filters
    measure: str
    status: DataStatus
    notices: list[str]

    @property
    def asked(self) -> dict[str, list[str]]:
        """What narrows the page's files."""
        return self.bar.in_files | {"measure": [self.measure]}


def layout(data: MainData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page: the headline first, where not everything is there at once."""
    t, bar = viewer.t, data.bar
    cards = [kpi_card(kpi, viewer, bar) for kpi in data.kpis]
    return html.Div(
        [
            html.Div(
                [html.H1(t("Overview")), *_pack(data, viewer), filters(data, viewer)],
                className="page-head page-head-wrap",
            ),
            *notices(data.notices),
            html.Div(cards, className="kpi-row"),
            *part(
                "demand", lambda: [totals(data, viewer), *where_demanded(data, viewer)], 1000, 1320
            ),
            *part("advice", lambda: [recommendations(data, viewer)], 270, 580),
            *part(
                "alerts",
                lambda: [alerts(data, viewer), loaded_files(data.files, viewer)],
                1000,
                1150,
            ),
        ],
        className="page page-main",
    )


def _pack(data: MainData, viewer: Viewer) -> list[Component]:
    """The link to the whole view on paper, for whom it is not forbidden."""
    if not viewer.may(Permission.EXPORT):
        return []
    link = html.A(
        [icon("download"), viewer.t("Board pack (PDF)")],
        href=f"{EXPORTS}/board.pdf?{urlencode(data.asked, doseq=True)}",
        className="btn btn-sm btn-outline-secondary",
        download="",
    )
    return [link]


def filters(data: MainData, viewer: Viewer) -> html.Div:
    """Where and what; and in which measure."""
    t = viewer.t
    measures = [Option("brl", t("R$")), Option("units", t("Units"))]
    return page_bar(
        data.bar,
        viewer,
        choice(
            "measure", t("Measure"), measures, data.measure, viewer, multi=False, clearable=False
        ),
        initial={"measure": data.measure},
        usual=t("Usual"),
    )


def totals(data: MainData, viewer: Viewer) -> html.Section:
    """Ninety days of consumption and the forecast that follows, with its band."""
    t = viewer.t
    title = t("Actual against forecast")
    if not data.points:
        return card(title, no_rows(viewer))
    if all(point.actual is None and point.mean is None for point in data.points):
        what = t("This area then shows demand and forecast in R$.")
        return card(title, missing_costs(what, t))
    per = "brl_per_period" if data.measure == "brl" else "units_per_period"
    return card(
        title,
        graph("totals", totals_chart(data.points, viewer, unit(per, t)), viewer),
        twin(
            [t("Date"), t("Actual"), t("Forecast"), "p10", "p90"],
            [[p.date, p.actual, p.mean, p.p10, p.p90] for p in data.points],
            viewer,
        ),
        tools=downloads("demand-totals", data.asked, viewer, of=title),
        note=totals_note(data.status, viewer, data.filters),
    )


def totals_note(status: DataStatus, viewer: Viewer, filters: Filters) -> str:
    """What the chart sums up; a limited run's forecast does not cover all that was consumed."""
    t, frequency = viewer.t, status.frequency or "D"
    window = t(LASTS[frequency], count=PERIODS_SHOWN[frequency])
    if filters.has_dates:
        window = fmt.span(filters.date_from, filters.date_to, viewer.locale)
    text = t(
        "%(window)s: consumption, then the forecast, summed over the series in view.", window=window
    )
    if status.series_trained == status.series_total:
        return text
    trained = fmt.number(status.series_trained, viewer.locale)
    return " ".join(
        [text, t("The forecast adds up the %(count)s trained series only.", count=trained)]
    )


def where_demanded(data: MainData, viewer: Viewer) -> list[html.Div]:
    """Demand by family and by UF: each bar narrows the page."""
    t = viewer.t
    parts = [
        _shares(kind, title, label, data, viewer)
        for kind, title, label in (
            ("family", t("Demand by family"), t("Family")),
            ("uf", t("Demand by UF"), t("UF")),
        )
    ]
    shown = [part for part in parts if part is not None]
    return [html.Div(shown, className="columns columns-even")] if shown else []


def _shares(
    kind: str, title: str, label: str, data: MainData, viewer: Viewer
) -> html.Section | None:
    t = viewer.t
    rows = [one for one in data.shares if one.kind == kind]
    if not rows:
        return None
    values = [one.value for one in rows]
    measured = BRL if data.measure == "brl" else unit("units", t)
    what = next((kpi for kpi in data.kpis if kpi.key == "demand_value"), None)
    return card(
        title,
        graph(f"demand-by-{kind}", shares_chart(rows[:BARS], viewer, measured), viewer),
        twin(
            [label, measured],
            [[one.value, one.demand] for one in rows],
            viewer,
            narrows=(kind, values),
        ),
        tools=downloads("demand-shares", data.asked | {"kind": [kind]}, viewer, of=title),
        note=" ".join(
            [
                *([f"{kpi_name(what, t)}."] if what else []),
                t("Click one to see it alone; click it again to see all."),
            ]
        ),
    )


def recommendations(data: MainData, viewer: Viewer) -> html.Section:
    """The most valuable things to do, and what all that are open are worth."""
    t = viewer.t
    title = t("What to do")
    if not data.recommendations:
        return card(title, _no_recommendations(data.has_stock, viewer))
    note = worth_in_all(len(data.recommendations), data.recommended, t, viewer.locale)
    every = dcc.Link(
        t("All recommendations"),
        href=address_of("/recommendations", data.bar, {}, whenever=True),
        className="card-link",
    )
    lines = recommendation_lines(data.recommendations, viewer)
    return card(title, lines, tools=[every], note=note)


def _no_recommendations(has_stock: bool, viewer: Viewer) -> Component:
    t = viewer.t
    if not has_stock:
        what = t("It would show what to buy, to move and to get rid of, and what that is worth.")
        return missing_file("stock", what, t)
    return html.P(t("Nothing to recommend: no stock needs anything now."), className="quiet")


def alerts(data: MainData, viewer: Viewer) -> html.Section:
    """The alerts with the most money at risk; each leads to its material."""
    t = viewer.t
    title = t("Top alerts")
    if not data.alerts:
        return card(title, _no_alerts(data.has_stock, viewer))
    shown = fmt.number(len(data.alerts), viewer.locale)
    note = t(
        "%(shown)s of %(count)s open alerts, by net value at risk.",
        shown=shown,
        count=fmt.number(data.alert_count, viewer.locale),
    )
    every = dcc.Link(
        t("All alerts"),
        href=address_of("/alerts", data.bar, {}, whenever=True),
        className="card-link",
    )
    files = downloads("alerts", data.bar.asked | {"status": ["open"]}, viewer, of=title)
    return card(
        title,
        alert_grid("top-alerts", data.alerts, viewer),
        tools=[every, *files],
        note=note,
    )


def _no_alerts(has_stock: bool, viewer: Viewer) -> Component:
    t = viewer.t
    if not has_stock:
        return missing_file("stock", t("It would show which stocks will run out, and when."), t)
    return html.P(t("No open alert for these filters."), className="quiet")


def loaded_files(files: Sequence[FileStatus], viewer: Viewer) -> html.Section:
    """Each kind of ERP file: how many rows, until when; or that it is missing. Sums are the whole
    company's: whoever sees a part of it finds none."""
    t = viewer.t
    missing = [file.kind for file in files if not file.rows]
    hint = [html.P(t("To load a file:")), commands("flask ingest FOLDER")] if missing else []
    return card(
        t("Data loaded"),
        html.Ul([_file_line(file, viewer) for file in files], className="file-list"),
        *hint,
    )


def _file_line(file: FileStatus, viewer: Viewer) -> html.Li:
    t, locale = viewer.t, viewer.locale
    name = html.Span(named(FILE_KINDS, file.kind, t), className="file-name")
    if not file.rows:
        return html.Li([name, html.Span(t("not loaded"), className="badge-quiet")])
    facts = [t("until %(date)s", date=fmt.day(file.date_to, locale))] if file.date_to else []
    if not viewer.scope.everything:
        return html.Li([name, html.Span(facts, className="weak number")])
    count = fmt.number(file.rows, locale)
    rows = t("1 row") if file.rows == 1 else t("%(count)s rows", count=count)
    if file.quantity is not None:
        facts.append(t("quantity %(sum)s", sum=fmt.number(file.quantity, locale)))
    return html.Li(
        [
            name,
            html.Span(rows, className="number"),
            html.Span(" · ".join(facts), className="weak number"),
        ],
    )
