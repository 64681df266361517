"""`/drivers`: what happens outside beside the demand, when it matters, and what it brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from domain.drivers import (
    EXPECTED_PARTS,
    LEAST_PERIODS,
    DriverContribution,
    DriverDetail,
    DriverScore,
    Measure,
)
from domain.records import Filters, Option
from domain.viewer import Translator, Viewer
from layouts import format as fmt
from layouts.charts import graph
from layouts.components.cards import card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, choice, page_bar
from layouts.components.grid import (
    WRAPPED,
    date_column,
    grid,
    link_column,
    number_column,
    text_column,
)
from layouts.components.parts import Part, at_once
from layouts.components.states import missing_file, no_rows, notices
from layouts.components.table import twin
from layouts.driver_charts import history_chart, lags_chart
from layouts.text import DEMAND_CLASSES, N_, UNTRIED_PARTS, driver_name, named
from layouts.units import BRL, unit

MEASURES = ("brl", "units")
PERIOD_COUNTS = {
    "week": (N_("%(count)s week before"), N_("%(count)s weeks before"), N_("the same week")),
    "month": (N_("%(count)s month before"), N_("%(count)s months before"), N_("the same month")),
}
ERRORS = {"smooth": "MASE", "erratic": "MASE", "intermittent": "RMSSE", "lumpy": "RMSSE"}


@dataclass(frozen=True)
class DriversData:
    """What the page shows: each driver, one of them closer, and the contributions of all.
    `chosen` is the same driver for the filters, which leave it to the rest to tell what the address
    cannot name; `missing`: the file without which there is nothing to show."""

    scores: Sequence[DriverScore]
    driver: str | None
    chosen: str | None
    detail: DriverDetail
    contributions: Sequence[DriverContribution]
    bar: Bar
    filters: Filters
    measure: Measure
    missing: str | None
    run_id: int | None
    notices: list[str]


def layout(data: DriversData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    t = viewer.t
    if data.missing:
        what = t(
            "It would show weather, exchange rate, interest and roll-out beside the demand, and at"
            " which lag they matter. The command %(command)s fetches them.",
            command="flask drivers fetch",
        )
        brought = part("brought", lambda: [_brought(data, viewer)] if data.contributions else [])
        return html.Div(
            [html.H1(t("Drivers")), missing_file(data.missing, what, t), *brought],
            className="page page-drivers",
        )
    head = html.Div(
        [html.H1(t("Drivers")), *part("filters", lambda: [_filters(data, viewer)], 128, 44)],
        className="page-head page-head-wrap",
    )
    return html.Div(
        [
            head,
            *notices(data.notices),
            *part("drivers", lambda: _content(data, viewer, part), 1880),
            *part("brought", lambda: [_brought(data, viewer)], 1510, 1600),
        ],
        className="page page-drivers",
    )


def _content(data: DriversData, viewer: Viewer, part: Part) -> list[Component]:
    if data.driver is None:
        return [no_rows(viewer)]
    closer = part("drivers.closer", lambda: _closer(data, viewer), 1110)
    return [*closer, _table(data, viewer)]


def _filters(data: DriversData, viewer: Viewer) -> html.Div:
    t = viewer.t
    measures = [Option("brl", "R$"), Option("units", t("Units"))]
    names = [Option(one.driver, driver_name(one.driver, t)) for one in data.scores]
    alone = {"multi": False, "clearable": False}
    return page_bar(
        data.bar,
        viewer,
        choice("driver", t("Driver"), names, data.chosen, viewer, wide=True, **alone),  # type: ignore[arg-type]
        choice("measure", t("Measure"), measures, data.measure, viewer, **alone),  # type: ignore[arg-type]
        initial={
            "driver": data.chosen,
            "measure": data.measure,
        },
        usual=t("Last %(count)s months", count=36),
    )


def _closer(data: DriversData, viewer: Viewer) -> list[Component]:
    detail, t = data.detail, viewer.t
    score = detail.score
    name = driver_name(score.driver, t)
    demand = t("Demand, R$") if data.measure == "brl" else t("Demand, units of issue")
    measured = BRL if data.measure == "brl" else unit("units_of_issue", t)
    cells: list[list[Any]] = [[one.start, one.demand, one.value] for one in detail.history]
    start = t("Week from") if score.period == "week" else t("Month from")
    title = t("%(driver)s beside the demand", driver=name)
    asked = data.bar.in_files | {"measure": [data.measure], "driver": [score.driver]}
    history = card(
        title,
        graph("driver-history", history_chart(detail, measured, viewer), viewer, tall=True),
        twin([start, demand, name], cells, viewer),
        tools=downloads("driver-periods", asked, viewer, of=title),
        note=_said(score, viewer),
    )
    if not detail.lags:
        return [history]
    rows: list[list[Any]] = [
        [when(one.lag, score.period, t), one.correlation, one.limit, one.pairs, one.effective]
        for one in detail.lags
    ]
    header = [t("The driver"), "r", t("Limit of |r|"), t("Pairs"), t("Worth independent pairs")]
    lags = card(
        t("At which lag it matters"),
        graph("driver-lags", lags_chart(detail, viewer), viewer),
        twin(header, rows, viewer),
        tools=downloads("driver-lags", asked, viewer, of=t("At which lag it matters")),
        note=t(
            "Pearson's r of the driver so many periods earlier with the demand, both without their"
            " straight trend. Bars inside the lines may be chance: the lines allow for neighbouring"
            " periods that resemble each other (Pyper & Peterman 1998) and for all lags together"
            " (Bonferroni, 5 %)."
        ),
    )
    return [history, lags]


def _said(score: DriverScore, viewer: Viewer) -> str:
    """The finding in one sentence."""
    t = viewer.t
    if score.lag is None or score.correlation is None:
        return t(
            "Not judged: %(count)s periods are known, %(least)s are needed, and both must vary.",
            count=score.periods,
            least=LEAST_PERIODS,
        )
    values = {
        "when": when(score.lag, score.period, t),
        "r": fmt.number(score.correlation, viewer.locale, 2),
    }
    if score.is_significant:
        return t("It moves with the demand: strongest %(when)s (r = %(r)s).", **values)
    return t(
        "Strongest %(when)s (r = %(r)s), which may be chance: no lag stands out.",
        **values,
    )


def when(lag: int, period: str, t: Translator) -> str:
    """A lag in words: how long before the demand the driver is looked at."""
    one, many, same = PERIOD_COUNTS[period]
    if lag == 0:
        return t(same)
    return t(one if lag == 1 else many, count=lag)


def _table(data: DriversData, viewer: Viewer) -> html.Section:
    t = viewer.t
    columns = [
        link_column("name", t("Driver"), "href", minWidth=210, flex=2, **WRAPPED),
        text_column("where", t("Of"), minWidth=90),
        date_column("last", t("Until")),
        number_column("value", t("Last value"), 2),
        number_column("periods", t("Periods"), minWidth=84),
        text_column("when", t("Strongest"), minWidth=150),
        number_column("r", "r", 2, minWidth=70),
        number_column("limit", t("Limit of |r|"), 2),
        text_column("verdict", t("Link"), minWidth=130),
        text_column("used", t("In the forecast"), minWidth=130),
    ]
    measure: dict[str, list[str]] = {"measure": [data.measure]}
    rows = [_row(one, data.bar.kept | measure, viewer) for one in data.scores]
    return card(
        t("All drivers"),
        grid("drivers", columns, rows, viewer, row_id="driver"),
        tools=downloads("drivers", data.bar.in_files | measure, viewer, of=t("All drivers")),
        note=t(
            "That two things move together does not say that one makes the other. The value is the"
            " mean of the last period; of several UFs it is the mean of those in view."
        ),
    )


def _where(areas: int, t: Translator) -> str:
    if not areas:
        return t("Brazil")
    return t("1 UF") if areas == 1 else t("%(count)s UFs", count=areas)


def _row(one: DriverScore, kept: dict[str, list[str]], viewer: Viewer) -> dict[str, Any]:
    t = viewer.t
    verdict = {None: fmt.UNKNOWN, True: t("Yes"), False: t("May be chance")}[one.is_significant]
    return {
        "driver": one.driver,
        "name": driver_name(one.driver, t),
        "href": f"/drivers?{urlencode(kept | {'driver': [one.driver]}, doseq=True)}",
        "where": _where(one.areas, t),
        "last": one.last and one.last.isoformat(),
        "value": one.value,
        "periods": one.periods,
        "when": fmt.UNKNOWN if one.lag is None else when(one.lag, one.period, t),
        "r": one.correlation,
        "limit": one.limit,
        "verdict": verdict,
        "used": _used(one, t),
    }


def _used(one: DriverScore, t: Translator) -> str:
    if one.used is None:
        return t("Not tried")
    return t("%(used)s of %(tried)s classes", used=one.used, tried=one.tried)


def _brought(data: DriversData, viewer: Viewer) -> html.Section:
    """What the backtest says that each driver brings to the forecasts."""
    t = viewer.t
    title = t("What they bring to the forecasts")
    if not data.contributions:
        text = t(
            "The published run has not tried any: drivers and holidays are tried on daily demand"
            " with two years of history or more."
        )
        return card(title, html.P(text, className="quiet"))
    columns = [
        text_column("name", t("Driver"), minWidth=230, flex=2, **WRAPPED),
        text_column("class", t("Demand class"), minWidth=120),
        number_column("series", t("Series")),
        text_column("acts", t("Acts"), minWidth=190, **WRAPPED),
        text_column("measure", t("Error measure"), minWidth=90),
        number_column("without", t("Without it"), 3),
        number_column("with", t("With it"), 3),
        number_column("known", t("If all were known"), 3),
        text_column("used", t("Used"), minWidth=80),
    ]
    rows = [_contribution(one, viewer) for one in data.contributions if one.reason is None]
    return card(
        title,
        grid("driver-contributions", columns, rows, viewer, row_id="id"),
        *[_untried(one, viewer) for one in data.contributions if one.reason is not None],
        tools=downloads("driver-contributions", {}, viewer, of=title),
        note=t(
            "Mean error over the backtest of run %(run)s. A driver is used in a class only where it"
            " lowers the error; beyond the days for which it is known, the forecast goes without.",
            run=data.run_id,
        ),
    )


def _untried(one: DriverContribution, viewer: Viewer) -> html.P:
    """Why a driver is off though nobody has measured what it brings."""
    t = viewer.t
    said = t(
        "%(driver)s: not tried, the forecast goes without. %(reason)s",
        driver=driver_name(one.driver, t),
        reason=named(UNTRIED_PARTS, one.reason, t),
    )
    return html.P(said, className="quiet")


def _contribution(one: DriverContribution, viewer: Viewer) -> dict[str, Any]:
    t = viewer.t
    return {
        "id": f"{one.driver} {one.country} {one.demand_class}",
        "name": driver_name(one.driver, t),
        "class": named(DEMAND_CLASSES, one.demand_class, t),
        "series": one.series,
        "acts": _acts(one, t),
        "measure": ERRORS.get(one.demand_class or "", "MASE"),
        "without": one.error_without,
        "with": one.error_with,
        "known": one.error_if_known,
        "used": t("yes") if one.used else t("no"),
    }


def _acts(one: DriverContribution, t: Translator) -> str:
    """Over how long a driver acts, and how much later."""
    if one.driver == EXPECTED_PARTS:
        return t("over the %(window)s days ahead", window=one.window_days)
    later = (
        t("1 day later") if one.delay_days == 1 else t("%(delay)s days later", delay=one.delay_days)
    )
    if one.window_days == 1:
        return later if one.delay_days else t("on the day")
    over = t("over %(window)s days", window=one.window_days)
    return f"{over}, {later}" if one.delay_days else over
