"""`/projects`: every project against its plan, its budget and the stock, those behind first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any
from urllib.parse import quote

from dash import dcc, html
from dash.development.base_component import Component

from domain.kpis import ratio
from domain.projects import OPEN_STATES, STATES, ProjectFilters, ProjectScore
from domain.records import Option, Page, Receipt, ReceiptInput
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import graph
from layouts.components.cards import card, figure_card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, choice, page_bar, search_box
from layouts.components.grid import (
    WRAPPED,
    badge_column,
    date_column,
    grid,
    link_column,
    money_column,
    number_column,
    percent_column,
    text_column,
)
from layouts.components.icons import icon
from layouts.components.pager import pager
from layouts.components.parts import Part, at_once
from layouts.components.states import missing_file, no_rows, notices
from layouts.components.table import Cell, per_cent, twin
from layouts.project_charts import charted, progress_chart
from layouts.text import N_, named

SHOWN, CARDS = 500, 40
STATE_NAMES = {
    "behind": N_("Behind the plan"),
    "on_plan": N_("On plan"),
    "not_started": N_("Not started"),
    "unknown": N_("Not known"),
    "done": N_("Finished"),
    "cancelled": N_("Called off"),
}
STATE_KINDS = {
    "behind": "critical",
    "on_plan": "good",
    "not_started": "info",
    "unknown": "info",
    "done": "good",
    "cancelled": "info",
}


@dataclass(frozen=True)
class ProjectsData:
    """What the page shows: the projects that the filters let through, and of how many. Phones show
    a page of them: `start` come before it."""

    scores: Sequence[ProjectScore]
    count: int
    start: int
    bar: Bar
    filters: ProjectFilters
    is_loaded: bool
    run_id: int | None
    query: dict[str, list[str]]
    notices: list[str]


def layout(data: ProjectsData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    t = viewer.t
    if not data.is_loaded:
        what = t(
            "It would show each project's progress against its plan, its budget, and the materials"
            " that it will need and may not find."
        )
        return html.Div(
            [html.H1(t("Projects")), missing_file("projects", what, t)], className="page"
        )
    head = html.Div(
        [html.H1(t("Projects")), _filters(data, viewer)], className="page-head page-head-wrap"
    )
    content = part("scores", lambda: _content(data, viewer), 1300)
    return html.Div([head, *notices(data.notices), *content], className="page page-projects")


def _content(data: ProjectsData, viewer: Viewer) -> list[Component]:
    if not data.scores:
        return [no_rows(viewer)]
    return [
        html.Div(_figures(data, viewer), className="kpi-row"),
        *_chart(data, viewer),
        _table(data, viewer),
        how(viewer),
    ]


def _filters(data: ProjectsData, viewer: Viewer) -> html.Div:
    t, chosen = viewer.t, data.filters
    states = [Option(state, named(STATE_NAMES, state, t)) for state in STATES]
    risk = "at_risk" if chosen.at_risk else "all"
    return page_bar(
        data.bar,
        viewer,
        choice("state", t("State"), states, list(chosen.state), viewer),
        choice(
            "materials",
            t("Materials"),
            [Option("all", t("Any")), Option("at_risk", t("At risk"))],
            risk,
            viewer,
            multi=False,
            clearable=False,
        ),
        search_box("search", t("Search"), chosen.search, t("Code or name"), wide=False),
        initial={
            "state": list(chosen.state),
            "materials": risk,
            "search": chosen.search,
        },
    )


def _figures(data: ProjectsData, viewer: Viewer) -> list[html.Section]:
    t, locale = viewer.t, viewer.locale
    running = [one for one in data.scores if one.state in OPEN_STATES]
    behind = [one for one in running if one.state == "behind"]
    slips = [one.slip_days for one in behind if one.slip_days is not None]
    mean = fmt.number(fmean(slips), locale) if slips else fmt.UNKNOWN
    return [
        figure_card(
            t("Projects under way or to come"),
            fmt.number(len(running), locale),
            t("of %(count)s in view", count=fmt.number(len(data.scores), locale)),
            viewer,
        ),
        figure_card(
            t("Projects behind the plan"),
            fmt.number(len(behind), locale),
            t("by %(days)s days on average", days=mean),
            viewer,
            words=t(
                "Progress five points or more under what the plan says on the day of the file, or"
                " past the planned end."
            ),
        ),
        _progress(running, data.run_id, viewer),
        _budget([one for one in data.scores if one.state != "cancelled"], data.run_id, viewer),
        _risk(running, viewer),
    ]


def _progress(running: Sequence[ProjectScore], run_id: int | None, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    known = [
        (one.budget_brl, one.progress, one.planned_progress)
        for one in running
        if one.budget_brl and one.progress is not None and one.planned_progress is not None
    ]
    budget = sum(money for money, *_ in known)
    done = ratio(sum(money * share for money, share, _ in known), budget)
    planned = ratio(sum(money * share for money, _, share in known), budget)
    return figure_card(
        t("Progress"),
        fmt.percent(done, locale),
        t("the plan: %(share)s", share=fmt.percent(planned, locale)),
        viewer,
        words=t("Of the projects under way or to come, weighted by their budgets."),
        made=Receipt(
            r"p = \frac{\sum B_i\,p_i}{\sum B_i}",
            [
                ReceiptInput(r"\sum B_i", N_("budgets"), budget, "BRL"),
                ReceiptInput("p", N_("progress reported"), done, "fraction"),
                ReceiptInput("p_0", N_("progress of the plans, 3x² − 2x³"), planned, "fraction"),
            ],
            N_("projects file; plans as cumulative beta curves"),
            run_id,
            "",
        ),
    )


def _budget(scores: Sequence[ProjectScore], run_id: int | None, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    spent, budget = _sum(one.spent_brl for one in scores), _sum(one.budget_brl for one in scores)
    return figure_card(
        t("Spent"),
        fmt.brl_compact(spent, locale),
        t(
            "%(share)s of %(budget)s",
            share=fmt.percent(ratio(spent, budget), locale),
            budget=fmt.brl_compact(budget, locale),
        ),
        viewer,
        exact=fmt.brl(spent, locale, 2),
        words=t("Of all projects in view but those that were called off."),
        made=Receipt(
            r"\sum S_i \,/\, \sum B_i",
            [
                ReceiptInput(r"\sum S_i", N_("spent"), spent, "BRL"),
                ReceiptInput(r"\sum B_i", N_("budgets"), budget, "BRL"),
            ],
            N_("projects file"),
            run_id,
            "",
        ),
    )


def _risk(running: Sequence[ProjectScore], viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    lines = _sum(one.at_risk for one in running)
    short = [one for one in running if one.at_risk]
    missing = _sum(one.shortage_brl for one in short or running)
    return figure_card(
        t("Materials at risk"),
        fmt.number(lines, locale),
        t(
            "of %(count)s lines to come; %(money)s missing",
            count=fmt.number(sum(one.materials for one in running), locale),
            money=fmt.brl_compact(missing, locale),
        ),
        viewer,
        exact=fmt.brl(missing, locale, 2),
        words=t(
            "Lines that stock and open orders do not cover on the day on which they are to be"
            " expected; what is missing at unit cost."
        ),
    )


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _chart(data: ProjectsData, viewer: Viewer) -> list[html.Section]:
    t = viewer.t
    if not charted(data.scores):
        return []
    rows: list[list[Cell]] = [
        [one.project, per_cent(one.progress), per_cent(one.planned_progress)]
        for one in charted(data.scores)
    ]
    title = t("Progress against the plan")
    of_uf = ("uf", [one.uf for one in charted(data.scores)])
    return [
        card(
            title,
            graph("projects-progress", progress_chart(data.scores, viewer), viewer),
            twin([t("Project"), t("Done (%)"), t("Plan (%)")], rows, viewer, narrows=of_uf),
            tools=downloads("projects", _asked(data.filters), viewer, of=title),
            note=" ".join(
                [
                    t(
                        "A bar is what is done, in orange where behind; a diamond is where the plan"
                        " is. At most %(count)s, those behind first.",
                        count=len(rows),
                    ),
                    t("Click one to see those of its UF; click it again to see all."),
                ]
            ),
        )
    ]


def _table(data: ProjectsData, viewer: Viewer) -> html.Section:
    t = viewer.t
    columns = [
        link_column("project", t("Project"), "href", minWidth=104),
        text_column("name", t("Name"), minWidth=200, flex=2, **WRAPPED),
        text_column("uf", t("UF"), minWidth=60),
        badge_column("state", t("State"), minWidth=156),
        percent_column("progress", t("Done"), 0, minWidth=72),
        percent_column("planned", t("Plan"), 0, minWidth=72),
        number_column("slip", t("Slip (days)"), minWidth=76),
        date_column("expected", t("Expected end"), minWidth=116),
        number_column("at_risk", t("Lines at risk"), minWidth=80),
        money_column("missing", t("Missing"), minWidth=100),
        percent_column("spent_share", t("Of the budget"), 0, minWidth=104),
        money_column("spent", t("Spent"), minWidth=116),
        money_column("budget", t("Budget"), minWidth=116),
        number_column("materials", t("Lines to come"), minWidth=80),
        date_column("start", t("Planned start"), minWidth=116),
        date_column("end", t("Planned end"), minWidth=116),
    ]
    rows = [_row(one, viewer) for one in data.scores[:SHOWN]]
    table = grid("projects", columns, rows, viewer, row_id="project")
    return card(
        t("Projects"),
        html.Div([_how_many(len(rows), data, viewer), table], className="wide-only"),
        html.Div(_cards(data, viewer), className="narrow-only project-cards"),
        tools=downloads("projects", _asked(data.filters), viewer),
        class_name="grow",
    )


def _cards(data: ProjectsData, viewer: Viewer) -> list[Component]:
    count = len(data.scores)
    start = data.start if data.start < count else 0
    shown = data.scores[start : start + CARDS]
    end = start + len(shown)
    page = Page(list(shown), count, str(end) if end < count else None)
    cards = [project_card(one, viewer) for one in shown]
    return [_how_many(count, data, viewer), *cards, pager(page, start, data.query, viewer)]


def _how_many(shown: int, data: ProjectsData, viewer: Viewer) -> html.P:
    words = viewer.t(
        "%(shown)s of %(count)s, those behind first.",
        shown=fmt.number(shown, viewer.locale),
        count=fmt.number(data.count, viewer.locale),
    )
    return html.P(words, className="card-note")


def _row(one: ProjectScore, viewer: Viewer) -> dict[str, Any]:
    end = one.expected_end
    return {
        "project": one.project,
        "href": address(one.project),
        "name": one.name or "",
        "uf": one.uf or "",
        "state": named(STATE_NAMES, one.state, viewer.t),
        "state_kind": STATE_KINDS[one.state],
        "progress": one.progress,
        "planned": one.planned_progress,
        "slip": one.slip_days,
        "start": one.planned_start.isoformat() if one.planned_start else None,
        "end": one.planned_end.isoformat() if one.planned_end else None,
        "expected": end.isoformat() if end else None,
        "budget": one.budget_brl,
        "spent": one.spent_brl,
        "spent_share": one.spent_share,
        "materials": one.materials,
        "at_risk": one.at_risk,
        "missing": one.shortage_brl,
    }


def project_card(one: ProjectScore, viewer: Viewer) -> html.Article:
    """A project on a narrow screen."""
    t, locale = viewer.t, viewer.locale
    told = [
        t(
            "%(done)s done, the plan: %(plan)s",
            done=fmt.percent(one.progress, locale, 0),
            plan=fmt.percent(one.planned_progress, locale, 0),
        ),
        t("end %(day)s", day=fmt.day(one.expected_end or one.planned_end, locale)),
        t(
            "%(spent)s of %(budget)s spent",
            spent=fmt.brl_compact(one.spent_brl, locale),
            budget=fmt.brl_compact(one.budget_brl, locale),
        ),
    ]
    if one.at_risk:
        told.append(t("materials at risk: %(count)s", count=fmt.number(one.at_risk, locale)))
    return html.Article(
        [
            html.Div(
                [dcc.Link(one.project, href=address(one.project)), state_badge(one, viewer)],
                className="project-card-head",
            ),
            html.P(one.name or "", className="project-card-name"),
            html.P(" · ".join(told), className="weak"),
        ],
        className="project-card",
    )


def state_badge(one: ProjectScore, viewer: Viewer) -> html.Span:
    """Where it stands, as a word with an icon."""
    kind = STATE_KINDS[one.state]
    return html.Span(
        [icon(f"level-{kind}"), named(STATE_NAMES, one.state, viewer.t)],
        className=f"badge-level badge-level-{kind}",
    )


def address(project: str) -> str:
    """Where a project's page is."""
    return f"/projects/{quote(project, safe='')}"


def _asked(filters: ProjectFilters) -> dict[str, list[str]]:
    """What the API is to be asked for the same projects."""
    asked = {
        "uf": list(filters.uf),
        "region": list(filters.region),
        "state": list(filters.state),
        "at_risk": ["true"] if filters.at_risk else [],
        "search": [filters.search] if filters.search else [],
        "from": [filters.date_from.isoformat()] if filters.date_from else [],
    }
    return {name: values for name, values in asked.items() if values}


def how(viewer: Viewer) -> html.Section:
    """What is fact and what is model, in words."""
    t = viewer.t
    lines = [
        t(
            "The plan is the S-curve of the planned dates, 3x² − 2x³ of the share x of its time"
            " (cumulative beta distribution); the files say what is done, of their day."
        ),
        t(
            "The slip is the time between the day of the file and the day for which the plan has"
            " that progress (earned schedule, Lipke 2003). The expected end is the planned one"
            " moved by it."
        ),
        t(
            "Materials that the progress has not passed yet are demand to come, on their dates"
            " moved by the slip, at the depot that serves most towers of the UF: on top of the"
            " forecast, which knows maintenance alone."
        ),
    ]
    return card(
        t("How it is computed"), html.Ul([html.Li(line) for line in lines], className="plain-list")
    )
