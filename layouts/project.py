"""`/projects/<project>`: one project against its plan, its bill of materials, its stock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Any
from urllib.parse import quote, urlencode

from dash import dcc, html
from dash.development.base_component import Component

from domain.projects import ProjectDetail, ProjectMaterial, ProjectScore, ProjectStatus
from domain.records import Receipt, ReceiptInput
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import graph
from layouts.components.cards import card, figure_card
from layouts.components.downloads import downloads
from layouts.components.grid import (
    WRAPPED,
    date_column,
    grid,
    link_column,
    money_column,
    quantity_column,
    text_column,
)
from layouts.components.parts import Part, at_once
from layouts.components.states import notice, notices
from layouts.components.table import Cell, twin
from layouts.project_charts import curve_chart, curve_table, months_chart
from layouts.projects import how, state_badge
from layouts.text import N_


@dataclass(frozen=True)
class ProjectData:
    """What the page shows."""

    detail: ProjectDetail
    run_id: int | None
    notices: list[str]


def layout(data: ProjectData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    return html.Div(
        [
            _head(data.detail.score, viewer),
            *notices(data.notices),
            *part("figures", lambda: _with_figures(data, viewer), 124),
            html.Div(_charts(data.detail, viewer), className="card-grid"),
            _bill(data, viewer),
            *_stock(data.detail, viewer),
            _history(data.detail, viewer),
            how(viewer),
        ],
        className="page page-project",
    )


def _with_figures(data: ProjectData, viewer: Viewer) -> list[Component]:
    text = viewer.t("No run is published: what the stock will be is not known yet.")
    unpublished = [notice(text)] if data.run_id is None else []
    return [*unpublished, html.Div(_figures(data, viewer), className="kpi-row")]


def _head(score: ProjectScore, viewer: Viewer) -> html.Div:
    t = viewer.t
    known = " · ".join(word for word in (score.name, score.uf, score.status) if word)
    title = html.Div(
        [
            dcc.Link(t("Projects"), href="/projects", className="weak"),
            html.H1(score.project),
            html.P([known, " ", state_badge(score, viewer)], className="weak"),
        ]
    )
    return html.Div([title], className="page-head page-head-wrap")


def _figures(data: ProjectData, viewer: Viewer) -> list[html.Section]:
    score = data.detail.score
    return [
        _progress(score, data.run_id, viewer),
        _slip(score, data.run_id, viewer),
        _spent(score, viewer),
        _risk(score, viewer),
    ]


def _progress(score: ProjectScore, run_id: int | None, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    start, end = score.planned_start, score.planned_end
    days = float((end - start).days) if start and end else None
    passed = float((score.as_of - start).days) if start else None
    return figure_card(
        t("Progress"),
        fmt.percent(score.progress, locale),
        t(
            "the plan on %(day)s: %(share)s",
            day=fmt.day(score.as_of, locale),
            share=fmt.percent(score.planned_progress, locale),
        ),
        viewer,
        words=t("What the file reports, and what the plan's S-curve has on the day of the file."),
        made=Receipt(
            r"p_0 = 3x^2 - 2x^3,\quad x = t / T",
            [
                ReceiptInput("t", N_("days since the planned start"), passed, "days"),
                ReceiptInput("T", N_("days of the plan"), days, "days"),
                ReceiptInput("p_0", N_("progress of the plan"), score.planned_progress, "fraction"),
                ReceiptInput("p", N_("progress reported"), score.progress, "fraction"),
            ],
            N_("projects file; plans as cumulative beta curves"),
            run_id,
            score.project,
        ),
    )


def _slip(score: ProjectScore, run_id: int | None, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    ended = score.actual_end is not None
    context = (
        t("ended on %(day)s", day=fmt.day(score.actual_end, locale))
        if ended
        else t("expected end %(day)s", day=fmt.day(score.expected_end, locale))
    )
    if score.first_planned_end and score.first_planned_end != score.planned_end:
        context += "; " + t(
            "first planned for %(day)s", day=fmt.day(score.first_planned_end, locale)
        )
    return figure_card(
        t("Slip"),
        slip_words(score.slip_days, viewer),
        context,
        viewer,
        words=t(
            "The day of the file less the day for which the plan has this progress; of a project"
            " that has ended, the actual end less the planned one."
        ),
        made=Receipt(
            r"\Delta = t - T\,x(p),\quad x(p) = \tfrac{1}{2} - \sin\tfrac{\arcsin(1 - 2p)}{3}",
            [
                ReceiptInput("p", N_("progress reported"), score.progress, "fraction"),
                ReceiptInput(
                    r"\Delta",
                    N_("slip"),
                    None if score.slip_days is None else float(score.slip_days),
                    "days",
                ),
            ],
            N_("earned schedule (Lipke 2003)"),
            run_id,
            score.project,
        ),
    )


def slip_words(days: int | None, viewer: Viewer) -> str:
    """A slip in words: late, early, none."""
    t, locale = viewer.t, viewer.locale
    if days is None:
        return fmt.UNKNOWN
    if days == 0:
        return t("none")
    if abs(days) == 1:
        return t("1 day late") if days > 0 else t("1 day early")
    count = fmt.number(abs(days), locale)
    return t("%(days)s days late", days=count) if days > 0 else t("%(days)s days early", days=count)


def _spent(score: ProjectScore, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    return figure_card(
        t("Spent"),
        fmt.brl_compact(score.spent_brl, locale),
        t(
            "%(share)s of %(budget)s; progress %(progress)s",
            share=fmt.percent(score.spent_share, locale),
            budget=fmt.brl_compact(score.budget_brl, locale),
            progress=fmt.percent(score.progress, locale),
        ),
        viewer,
        exact=fmt.brl(score.spent_brl, locale, 2),
    )


def _risk(score: ProjectScore, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    return figure_card(
        t("Materials at risk"),
        fmt.number(score.at_risk, locale),
        t(
            "of %(count)s lines to come; %(money)s missing",
            count=fmt.number(score.materials, locale),
            money=fmt.brl_compact(score.shortage_brl, locale),
        ),
        viewer,
        exact=fmt.brl(score.shortage_brl, locale, 2),
        words=t(
            "Lines that stock and open orders do not cover on the day on which they are to be"
            " expected; what is missing at unit cost."
        ),
    )


def _charts(detail: ProjectDetail, viewer: Viewer) -> list[Component]:
    t = viewer.t
    note = (
        t("History begins with the second file: until then there is the plan and one point.")
        if len(detail.history) < 2
        else t(
            "A point is what a file reported. Dashed: what is left of the plan, moved by the slip."
        )
    )
    months: list[list[Cell]] = [
        [one.month, one.planned_brl, one.expected_brl] for one in detail.months
    ]
    charts: list[Component] = [
        card(
            t("Plan and progress"),
            graph("project-curve", curve_chart(detail, viewer), viewer),
            twin(*curve_table(detail, viewer), viewer),
            tools=downloads(
                "project-curve",
                {"project": [detail.score.project]},
                viewer,
                of=t("Plan and progress"),
            ),
            note=note,
        )
    ]
    if months:
        charts.append(
            card(
                t("Materials before and after the slip"),
                graph("project-months", months_chart(detail.months, viewer), viewer),
                twin(
                    [t("Month"), t("as planned") + " (R$)", t("as expected") + " (R$)"],
                    months,
                    viewer,
                ),
                tools=downloads(
                    "project-months",
                    {"project": [detail.score.project]},
                    viewer,
                    of=t("Materials before and after the slip"),
                ),
                note=t("Lines still to come, at unit cost, by the month in which they are needed."),
            )
        )
    return charts


def _bill(data: ProjectData, viewer: Viewer) -> html.Section:
    t = viewer.t
    if not data.detail.materials:
        return card(
            t("Bill of materials"),
            html.P(
                t("The projects file lists no materials for it (column “materials”)."),
                className="quiet",
            ),
        )
    columns = [
        link_column("sku", t("Material"), "href", minWidth=110),
        text_column("name", t("Name"), minWidth=200, flex=2, **WRAPPED),
        quantity_column("quantity", t("Quantity"), minWidth=100),
        text_column("unit", t("Unit"), minWidth=84),
        date_column("needed", t("Planned for"), minWidth=118),
        date_column("expected", t("Expected on"), minWidth=118),
        quantity_column("shortage", t("Missing"), minWidth=88),
        money_column("missing", t("Missing (R$)"), minWidth=104),
        text_column("todo", t("What to do"), minWidth=240, flex=3, **WRAPPED),
    ]
    rows = [_line(one, data.detail.today, viewer) for one in data.detail.materials]
    return card(
        t("Bill of materials"),
        grid("project-materials", columns, rows, viewer, row_id="key"),
        tools=downloads("project-materials", {"project": [data.detail.score.project]}, viewer),
        note=t("Dates as planned, and moved by the slip; what stock and open orders do not cover."),
        class_name="grow",
    )


def _stock(detail: ProjectDetail, viewer: Viewer) -> list[Component]:
    """What the lines to come find at the depot, and what they do to it."""
    t = viewer.t
    known = [one for one in detail.materials if one.expected_on and one.on_hand is not None]
    if not known:
        return []
    columns = [
        link_column("sku", t("Material"), "href", minWidth=110),
        text_column("depot", t("Depot"), minWidth=104),
        date_column("expected", t("Expected on"), minWidth=118),
        quantity_column("on_hand", t("Available"), minWidth=96),
        quantity_column("arriving", t("Orders until then"), minWidth=96),
        quantity_column("projected", t("Stock on that day"), minWidth=96),
        quantity_column("quantity", t("Quantity"), minWidth=100),
        date_column("stockout", t("Runs out"), minWidth=118),
        date_column("planned_stockout", t("Without the slip"), minWidth=118),
        date_column("without", t("Without the project"), minWidth=118),
    ]
    rows = [_line(one, detail.today, viewer) for one in known]
    title, asked = t("What it does to the stock"), {"project": [detail.score.project]}
    return [
        card(
            title,
            grid("project-stock", columns, rows, viewer, row_id="key"),
            tools=downloads("project-materials", asked, viewer, of=title),
            note=t(
                "Stock of the depot that serves most towers of the UF, on the expected day, before"
                " the line: free stock + open orders − forecast − lines of projects that are due"
                " before. “Runs out” is the depot's stockout with everything as expected, beside"
                " what it would be with this project on its planned dates, and without it."
            ),
        )
    ]


def _line(one: ProjectMaterial, today: date, viewer: Viewer) -> dict[str, Any]:
    site = urlencode({"tab": "stock", "site": one.depot}) if one.depot else ""
    return {
        "key": f"{one.sku} {one.needed_on}",
        "sku": one.sku,
        "href": f"/materials/{quote(one.sku, safe='')}" + (f"?{site}" if site else ""),
        "name": one.item_name or "",
        "quantity": one.quantity,
        "unit": one.unit or "",
        "needed": _iso(one.needed_on),
        "expected": _iso(one.expected_on),
        "todo": todo(one, today, viewer),
        "depot": one.depot or "",
        "on_hand": one.on_hand,
        "arriving": one.arriving,
        "projected": one.projected,
        "shortage": one.shortage,
        "missing": one.shortage_brl,
        "stockout": _iso(one.stockout_on),
        "planned_stockout": _iso(one.stockout_as_planned_on),
        "without": _iso(one.stockout_without_on),
    }


def todo(one: ProjectMaterial, today: date, viewer: Viewer) -> str:
    """What the line asks to be done, if anything."""
    t, locale = viewer.t, viewer.locale
    if one.expected_on is None:
        return t("drawn, or not needed any more")
    if one.on_hand is None:
        return t("the stock is not known there: buy it for the project")
    if one.shortage is None:
        return t("too far ahead to say: the stock is projected for a year")
    if one.shortage <= 0:
        return t("covered")
    missing = fmt.number(ceil(round(one.shortage, 1)), locale)
    if one.order_by is None:
        return t("order %(quantity)s", quantity=missing)
    if one.order_by >= today:
        return t(
            "order %(quantity)s by %(day)s",
            quantity=missing,
            day=fmt.day(one.order_by, locale),
        )
    return t("too late for an order: hurry or transfer %(quantity)s", quantity=missing)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _history(detail: ProjectDetail, viewer: Viewer) -> html.Section:
    t = viewer.t
    names = (
        t("File of"),
        t("Status"),
        t("Done"),
        t("Plan"),
        t("Slip (days)"),
        t("Planned start"),
        t("Planned end"),
        t("Spent"),
        t("Budget"),
    )
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in names]))
    body = html.Tbody([_status(one, viewer) for one in reversed(detail.history)])
    title, asked = t("What each file said"), {"project": [detail.score.project]}
    return card(
        title,
        html.Div(
            html.Table([head, body], className="plain-table"), className="table-scroll", tabIndex=0
        ),
        tools=downloads("project-statuses", asked, viewer, of=title),
    )


def _status(one: ProjectStatus, viewer: Viewer) -> html.Tr:
    locale = viewer.locale
    slip = None if one.slip_days is None else float(one.slip_days)
    numbers = (
        fmt.percent(one.progress, locale),
        fmt.percent(one.planned_progress, locale),
        fmt.number(slip, locale),
    )
    dates = (fmt.day(one.planned_start, locale), fmt.day(one.planned_end, locale))
    money = (fmt.brl(one.spent_brl, locale), fmt.brl(one.budget_brl, locale))
    return html.Tr(
        [
            html.Td(fmt.day(one.as_of, locale)),
            html.Td(one.status or fmt.UNKNOWN),
            *(html.Td(text, className="number") for text in numbers),
            *(html.Td(text) for text in dates),
            *(html.Td(text, className="number") for text in money),
        ]
    )
