"""`/sla/<contract>`: one availability contract, its month, its months, its outages, its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from dash import dcc, html
from dash.development.base_component import Component

from domain.records import Option, Receipt, ReceiptInput
from domain.sla import ContractDetail, ContractMonth, ContractScore, Outage
from domain.viewer import Viewer
from domain.wording import month_name
from layouts import format as fmt
from layouts.charts import graph
from layouts.components.cards import card, figure_card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, choice, page_bar
from layouts.components.grid import (
    grid,
    link_column,
    money_column,
    number_column,
    percent_column,
    text_column,
)
from layouts.components.icons import icon
from layouts.components.pager import Listed, pager
from layouts.components.parts import Part, at_once
from layouts.components.states import notice, notices
from layouts.components.table import Cell, per_cent, twin
from layouts.sla import (
    STATE_KINDS,
    STATE_NAMES,
    month_choice,
    month_value,
    receipt_filter,
)
from layouts.sla_charts import days_chart, months_chart
from layouts.text import N_, named

OUTAGE_ROWS = 25


@dataclass(frozen=True)
class ContractData:
    """What the page shows."""

    detail: ContractDetail
    outages: Listed
    sort: str
    waited: bool
    bar: Bar
    months: Sequence[date]
    query: Mapping[str, list[str]]
    run_id: int | None
    may_export: bool
    notices: list[str]


def layout(data: ContractData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    t, score = viewer.t, data.detail.score
    told = []
    if score.partial:
        told.append(
            t(
                "You see a part of this contract's sites: availability so far and outages are"
                " theirs, state, downtime a site, days and months the whole contract's, whose"
                " penalties are not shown."
            )
        )
    if data.bar.asked:
        told.append(
            t(
                "Availability so far and outages are of the sites in the chosen places, exposure"
                " and parts of the depots there; downtime a site, penalties, days and months are"
                " the whole contract's."
            )
        )
    return html.Div(
        [
            _head(data, viewer),
            *notices(data.notices),
            *map(notice, told),
            *part("figures", lambda: [html.Div(_figures(data, viewer), className="kpi-row")], 124),
            _charts(data.detail, viewer),
            _months(data, viewer),
            *_parts(data, viewer),
            *part("outages", lambda: [_outages(data, viewer)], 880),
        ],
        className="page page-contract",
    )


def _head(data: ContractData, viewer: Viewer) -> html.Div:
    t, score = viewer.t, data.detail.score
    kind = STATE_KINDS[score.state]
    state = html.Span(
        [icon(f"level-{kind}"), named(STATE_NAMES, score.state, t)],
        className=f"badge-level badge-level-{kind}",
    )
    title = html.Div(
        [
            dcc.Link(t("SLA"), href="/sla", className="weak"),
            html.H1(score.contract),
            html.P([score.customer or "", " ", state], className="weak"),
        ]
    )
    month = score.now.month
    bar = page_bar(
        data.bar,
        viewer,
        month_choice(data.months, month, viewer),
        choice(
            "outages",
            t("Outages"),
            [Option("all", t("All")), Option("waited", t("Waiting for a part"))],
            "waited" if data.waited else "all",
            viewer,
            multi=False,
            clearable=False,
        ),
        initial={
            "month": month_value(month),
            "outages": "waited" if data.waited else "all",
        },
        resets={name: ("cursor", "start") for name in ("month", "outages", "region", "uf")},
    )
    return html.Div([title, bar], className="page-head page-head-wrap")


def evidence_link(score: ContractScore, month: date, viewer: Viewer, text: str) -> html.A:
    """The way to the evidence sheet of a month."""
    code = quote(score.contract, safe="")
    return html.A(
        [icon("download"), text],
        href=f"/api/v1/sla/{code}/evidence.pdf?{urlencode({'month': month_value(month)})}",
        className="btn btn-sm btn-outline-secondary",
        download="",
        title=viewer.t("Evidence sheet of %(month)s", month=month_name(month, viewer.locale)),
    )


def _figures(data: ContractData, viewer: Viewer) -> list[html.Section]:
    t, locale, score = viewer.t, viewer.locale, data.detail.score
    now, here = score.now, score.here
    return [
        figure_card(
            t("Availability"),
            fmt.percent(here.availability, locale, 3),
            t(
                "target %(target)s; month's end %(end)s, a model",
                target=fmt.percent(score.target, locale, 2),
                end=fmt.percent(score.availability_projected, locale, 3),
            ),
            viewer,
            words=t("Overlapping outages of a site count once. All sites weigh alike."),
            made=Receipt(
                r"A = 1 - \frac{H_d}{S \cdot T}",
                [
                    ReceiptInput("H_d", N_("downtime (hours)"), here.downtime_hours, "units"),
                    ReceiptInput("S", N_("sites under contract"), float(here.sites), "count"),
                    ReceiptInput("T", N_("period (hours)"), 24.0 * now.days, "units"),
                ],
                N_("outages of the sites under contract (ITU-T E.800)"),
                data.run_id,
                "; ".join([score.contract, receipt_filter(now.month, data.bar)]),
            ),
        ),
        figure_card(
            t("Downtime a site"),
            t("%(hours)s h", hours=fmt.number(now.hours_per_site, locale, 2)),
            _next_words(score, viewer),
            viewer,
        ),
        _penalty(score, data.run_id, viewer),
        figure_card(
            t("Expected at the month's end"),
            fmt.brl_compact(score.penalty_projected_brl, locale),
            t(
                "a model; chance of a higher penalty %(chance)s",
                chance=fmt.percent(score.chance_of_more, locale, 0),
            ),
            viewer,
            exact=fmt.brl(score.penalty_projected_brl, locale, 2),
        ),
        figure_card(
            t("Exposure through parts"),
            fmt.brl_compact(here.exposure_brl, locale),
            t("a model: parts that may be missing × what that costs"),
            viewer,
            exact=fmt.brl(here.exposure_brl, locale, 2),
        ),
    ]


def _next_words(score: ContractScore, viewer: Viewer) -> str:
    t, locale, band = viewer.t, viewer.locale, score.next_band
    if band is None and score.now.percent == score.cap_pct:
        return t("at the cap")
    if band is None:
        return t("in the last band") if score.bands else t("the contract has no schedule")
    left = max(0.0, band.hours - (score.now.hours_per_site or 0.0))
    return t(
        "%(left)s h to the next band, %(percent)s of the fee",
        left=fmt.number(left, locale, 2),
        percent=fmt.percent(band.percent / 100, locale),
    ) + (t(", the cap") if band.percent == score.cap_pct else "")


def _penalty(score: ContractScore, run_id: int | None, viewer: Viewer) -> html.Section:
    t, locale, now = viewer.t, viewer.locale, score.now
    share = fmt.percent(now.percent / 100, locale)
    context = t("%(percent)s of the fee", percent=share)
    if now.capped:
        context += t(", held by the cap")
    return figure_card(
        t("Penalty so far"),
        fmt.brl_compact(now.penalty_brl, locale),
        context,
        viewer,
        exact=fmt.brl(now.penalty_brl, locale, 2),
        words=t(
            "The percent of the last band that the downtime a site exceeds, not above the cap, of"
            " the monthly fee. At a band's edge the band has not begun."
        ),
        made=Receipt(
            r"P = \min(p(H), p_{max}) \cdot F",
            [
                ReceiptInput("H", N_("downtime a site (hours)"), now.hours_per_site, "units"),
                ReceiptInput(
                    r"\min(p(H), p_{max})", N_("percent of the fee"), now.percent / 100, "fraction"
                ),
                ReceiptInput(
                    "p_{max}",
                    N_("cap"),
                    None if score.cap_pct is None else score.cap_pct / 100,
                    "fraction",
                ),
                ReceiptInput("F", N_("monthly fee"), score.fee_brl, "BRL"),
            ],
            N_("contracts and outages"),
            run_id,
            f"{score.contract}; {month_value(now.month)}",
        ),
    )


def _charts(detail: ContractDetail, viewer: Viewer) -> html.Div:
    t, score = viewer.t, detail.score
    days: list[list[Cell]] = [[one.date, one.hours_per_site, one.so_far] for one in detail.days]
    months: list[list[Cell]] = [
        [one.month, per_cent(one.availability), one.percent] for one in detail.months
    ]
    one = {"contract": [score.contract]}
    asked = one | {"month": [month_value(score.now.month)]}
    return html.Div(
        [
            card(
                t("The month, day by day"),
                graph("contract-days", days_chart(detail, viewer), viewer),
                twin([t("Day"), t("Hours a site"), t("So far")], days, viewer),
                tools=downloads("contract-days", asked, viewer, of=t("The month, day by day")),
                note=t("Dashed: what the month's end may be, p10 to p90, as a model."),
            ),
            card(
                t("Month by month"),
                graph("contract-months", months_chart(detail.months, score.target, viewer), viewer),
                twin([t("Month"), t("Availability (%)"), t("Of the fee (%)")], months, viewer),
                tools=downloads("contract-months", one, viewer, of=t("Month by month")),
                note=t("In orange the months with a penalty."),
            ),
        ],
        className="card-grid",
    )


def _months(data: ContractData, viewer: Viewer) -> html.Section:
    t, score = viewer.t, data.detail.score
    names = (
        t("Month"),
        t("Availability"),
        t("Hours a site"),
        t("Of the fee"),
        t("Penalty"),
        t("Evidence"),
    )
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in names]))
    body = html.Tbody([_month_row(one, score, data, viewer) for one in data.detail.months])
    return card(
        t("Months"),
        html.Div(
            html.Table([head, body], className="plain-table"), className="table-scroll", tabIndex=0
        ),
        note=t(
            "The evidence sheet has the timeline, and stock and orders on the day of each outage."
        ),
        tools=[
            *(
                [evidence_link(score, score.now.month, viewer, t("Evidence (PDF)"))]
                if data.may_export
                else []
            ),
            *downloads("contract-months", {"contract": [score.contract]}, viewer, of=t("Months")),
        ],
    )


def _month_row(
    one: ContractMonth, score: ContractScore, data: ContractData, viewer: Viewer
) -> html.Tr:
    t, locale = viewer.t, viewer.locale
    is_breach = one.percent > 0 or one.target_lost
    sheet: Any = fmt.UNKNOWN
    if is_breach and data.may_export:
        sheet = evidence_link(score, one.month, viewer, "PDF")
    asked = urlencode({**data.bar.asked, "month": month_value(one.month)}, doseq=True)
    link = dcc.Link(month_name(one.month, viewer.locale), href=f"?{asked}")
    penalty = fmt.brl(one.penalty_brl, locale) + (" " + t("(cap)") if one.capped else "")
    return html.Tr(
        [
            html.Td(link),
            html.Td(fmt.percent(one.availability, locale, 3), className="number"),
            html.Td(fmt.fixed(one.hours_per_site, locale, 2), className="number"),
            html.Td(fmt.percent(one.percent / 100, locale), className="number"),
            html.Td(penalty, className="number"),
            html.Td(sheet),
        ]
    )


def _parts(data: ContractData, viewer: Viewer) -> list[Component]:
    t, detail = viewer.t, data.detail
    asked = {"contract": [detail.score.contract], **data.bar.in_files}
    if not detail.parts:
        return []
    columns = [
        link_column("sku", t("Material"), "href", minWidth=110),
        text_column("name", t("Name"), minWidth=170, flex=2),
        text_column("site", t("Depot"), minWidth=100),
        percent_column("chance", t("Chance of a stockout"), 0, minWidth=110),
        money_column("penalty", t("A request not served"), minWidth=120),
        money_column("exposure", t("Exposure"), minWidth=110),
    ]
    rows = [
        {
            "key": f"{part.sku} {part.site}",
            "sku": part.sku,
            "href": f"/materials/{quote(part.sku, safe='')}",
            "name": part.item_name or "",
            "site": part.site,
            "chance": part.stockout_probability,
            "penalty": part.penalty_brl,
            "exposure": part.exposure_brl,
        }
        for part in detail.parts
    ]
    return [
        card(
            t("Parts that put it at risk"),
            grid("contract-parts", columns, rows, viewer, row_id="key"),
            tools=downloads("contract-parts", asked, viewer),
            note=t(
                "As a model: the chance of a stockout within the lead time × the penalty under"
                " this contract to be expected of one request not served. The highest %(count)s.",
                count=len(rows),
            ),
        )
    ]


def _outages(data: ContractData, viewer: Viewer) -> html.Section:
    t = viewer.t
    columns = [
        text_column("outage", t("Outage"), minWidth=100),
        text_column("site", t("Site"), minWidth=110),
        text_column("uf", t("UF"), minWidth=60),
        text_column("started_at", t("Started"), minWidth=152),
        text_column("ended_at", t("Ended"), minWidth=152),
        number_column("hours", t("Hours"), 2, minWidth=80),
        text_column("cause", t("Cause"), minWidth=150, flex=2),
        link_column("sku", t("Part waited for"), "href", minWidth=150, flex=2),
    ]
    rows = [_outage_row(one, viewer) for one in data.outages.page.rows]
    return card(
        t("Outages of the month"),
        grid("contract-outages", columns, rows, viewer, row_id="outage", server_sort=data.sort),
        pager(data.outages.page, data.outages.start, dict(data.query), viewer),
        tools=downloads("outages", _outages_query(data), viewer),
        class_name="grow",
    )


def _outage_row(one: Outage, viewer: Viewer) -> dict[str, Any]:
    locale = viewer.locale
    part = f"{one.sku} {one.item_name}" if one.item_name else (one.sku or "")
    return {
        "outage": one.outage,
        "site": one.site,
        "uf": one.uf or "",
        "started_at": fmt.moment(one.started_at, locale),
        "ended_at": fmt.moment(one.ended_at, locale) if one.ended_at else viewer.t("goes on"),
        "hours": one.hours,
        "cause": one.cause or "",
        "sku": part,
        "href": f"/materials/{quote(one.sku, safe='')}" if one.sku else None,
    }


def _outages_query(data: ContractData) -> dict[str, list[str]]:
    score = data.detail.score
    return {
        "contract": [score.contract],
        **data.bar.in_files,
        "from": [score.now.month.isoformat()],
        "to": [score.as_of.isoformat()],
        "waited": ["true"] if data.waited else [],
        "sort": [data.sort],
    }
