"""`/sla`: every availability contract in a month, those in breach first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from dash import html
from dash.development.base_component import Component

from domain.kpis import ratio
from domain.records import Option, Receipt, ReceiptInput
from domain.sla import STATES, ContractScore
from domain.viewer import Viewer
from domain.wording import month_name
from layouts import format as fmt
from layouts.charts import graph
from layouts.components.cards import card, figure_card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, choice, one_of, page_bar, search_box
from layouts.components.grid import (
    WRAPPED,
    badge_column,
    grid,
    link_column,
    money_column,
    number_column,
    percent_column,
    text_column,
)
from layouts.components.parts import Part, at_once
from layouts.components.states import missing_file, no_rows, notices
from layouts.components.table import Cell, twin
from layouts.sla_charts import used_chart
from layouts.text import N_, named

STATE_NAMES = {
    "breached": N_("Breached"),
    "at_risk": N_("At risk"),
    "kept": N_("Kept"),
    "unknown": N_("No sites"),
}
STATE_KINDS = {"breached": "critical", "at_risk": "warning", "kept": "good", "unknown": "info"}


@dataclass(frozen=True)
class SlaData:
    """What the page shows: the contracts that the filters let through, and of how many."""

    scores: Sequence[ContractScore]
    count: int
    bar: Bar
    months: Sequence[date]
    month: date | None
    states: tuple[str, ...]
    search: str
    missing: str | None
    run_id: int | None
    notices: list[str]

    @property
    def narrowed(self) -> bool:
        """True if only sites of some places are looked at."""
        return bool(self.bar.filters.region or self.bar.filters.uf)

    @property
    def of_a_part(self) -> bool:
        """True if some sites only are looked at, or seen, of a contract."""
        return self.narrowed or self.partial

    @property
    def partial(self) -> bool:
        """True if the reader sees some sites only of a contract."""
        return any(one.partial for one in self.scores)


def layout(data: SlaData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    t = viewer.t
    if data.missing is not None:
        what = t(
            "It would show each contract's availability, its penalties so far and what the month"
            " may still bring."
        )
        return html.Div([html.H1(t("SLA")), missing_file(data.missing, what, t)], className="page")
    head = html.Div(
        [html.H1(t("SLA")), _filters(data, viewer)], className="page-head page-head-wrap"
    )
    content = part("contracts", lambda: _content(data, viewer), 1210, 1730)
    return html.Div([head, *notices(data.notices), *content], className="page page-sla")


def _content(data: SlaData, viewer: Viewer) -> list[Component]:
    if not data.scores:
        return [no_rows(viewer)]
    return [
        html.Div(_figures(data, viewer), className="kpi-row"),
        _chart(data, viewer),
        _table(data, viewer),
        how(viewer),
    ]


def _filters(data: SlaData, viewer: Viewer) -> html.Div:
    t = viewer.t
    states = [Option(state, named(STATE_NAMES, state, t)) for state in STATES]
    return page_bar(
        data.bar,
        viewer,
        month_choice(data.months, data.month, viewer),
        choice("state", t("State"), states, list(data.states), viewer),
        search_box("search", t("Search"), data.search, t("Contract or customer"), wide=False),
        initial={
            "month": month_value(data.month),
            "state": list(data.states),
            "search": data.search,
        },
    )


def month_choice(months: Iterable[date], month: date | None, viewer: Viewer) -> html.Div:
    """Which month."""
    options = [Option(month_value(one), month_name(one, viewer.locale)) for one in months]
    return one_of("month", viewer.t("Month"), options, month_value(month), viewer)


def month_value(month: date | None) -> str:
    """A month as the address has it: `2026-11`."""
    return "" if month is None else f"{month:%Y-%m}"


def _figures(data: SlaData, viewer: Viewer) -> list[html.Section]:
    t, locale, scores = viewer.t, viewer.locale, data.scores
    down = sum(one.here.downtime_hours for one in scores)
    hours = sum(one.here.site_hours for one in scores)
    share, up_to = ratio(down, hours), fmt.day(scores[0].as_of, locale)
    breached = sum(one.state == "breached" for one in scores)
    risky = sum(one.state == "at_risk" for one in scores)
    accrued = _sum(one.now.penalty_brl for one in scores)
    ahead = _sum(one.penalty_projected_brl for one in scores)
    exposure = _sum(one.here.exposure_brl for one in scores)
    whole = t("; of the whole contracts") if data.of_a_part else ""
    return [
        figure_card(
            t("Availability"),
            fmt.percent(None if share is None else 1 - share, locale, 3),
            t("up to %(day)s, over the sites in view", day=up_to)
            if data.of_a_part
            else t("up to %(day)s, over all sites", day=up_to),
            viewer,
            words=t("Overlapping outages of a site count once. All sites weigh alike."),
            made=Receipt(
                r"A = 1 - \frac{H_d}{\sum S \cdot T}",
                [
                    ReceiptInput("H_d", N_("downtime (hours)"), down, "units"),
                    ReceiptInput(r"\sum S \cdot T", N_("sites × period (hours)"), hours, "units"),
                ],
                N_("outages of the sites under contract (ITU-T E.800)"),
                data.run_id,
                receipt_filter(data.month, data.bar),
            ),
        ),
        figure_card(
            t("Contracts in breach"),
            fmt.number(breached, locale),
            t("and %(count)s at risk, of %(all)s", count=risky, all=len(scores)) + whole,
            viewer,
        ),
        figure_card(
            t("Penalties so far"),
            fmt.brl_compact(accrued, locale),
            t("under the schedules, with their caps") + whole,
            viewer,
            exact=fmt.brl(accrued, locale, 2),
            words=t(
                "Of each contract the percent of the last band that its downtime a site exceeds,"
                " not above the cap, of the monthly fee."
            ),
            made=Receipt(
                r"P = \sum \min(p(H), p_{max}) \cdot F",
                [ReceiptInput("P", N_("penalties so far"), accrued, "BRL")],
                N_("contracts and outages"),
                data.run_id,
                receipt_filter(data.month, data.bar),
            ),
        ),
        figure_card(
            t("Expected at the month's end"),
            fmt.brl_compact(ahead, locale),
            t("a model: the last days as any days of the last year") + whole,
            viewer,
            exact=fmt.brl(ahead, locale, 2),
        ),
        figure_card(
            t("Exposure through parts"),
            fmt.brl_compact(exposure, locale),
            t("a model: parts that may be missing × what that costs")
            + (t("; of the depots there") if data.narrowed else ""),
            viewer,
            exact=fmt.brl(exposure, locale, 2),
            words=t(
                "Over items and depots: the chance of a stockout within the lead time, times the"
                " penalty to be expected of one request that is not served."
            ),
            made=Receipt(
                r"E = \sum p \cdot m",
                [ReceiptInput("E", N_("exposure through parts"), exposure, "BRL")],
                N_("policy of the published run; hours that outages waited for parts"),
                data.run_id,
                receipt_filter(data.month, data.bar),
            ),
        ),
    ]


def receipt_filter(month: date | None, bar: Bar) -> str:
    """What sums are of, as receipts write it: `2026-11; uf=SP,RJ`."""
    asked = [f"{name}={','.join(values)}" for name, values in bar.asked.items()]
    return "; ".join([month_value(month), *asked])


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _chart(data: SlaData, viewer: Viewer) -> html.Section:
    t = viewer.t
    header = [t("Contract"), t("So far (h)"), t("First penalty from (h)"), t("Month's end (h)")]
    header += ["p10 (h)", "p90 (h)"]
    rows: list[list[Cell]] = [
        [
            one.contract,
            one.now.hours_per_site,
            one.bands[0].hours if one.bands else None,
            one.hours_projected,
            one.hours_p10,
            one.hours_p90,
        ]
        for one in data.scores
    ]
    return card(
        t("Downtime against the schedules"),
        graph("sla-used", used_chart(data.scores, viewer), viewer),
        twin(header, rows, viewer, narrows=("contract", [one.contract for one in data.scores])),
        tools=downloads("sla", _asked(data), viewer, of=t("Downtime against the schedules")),
        note=" ".join(
            [
                t(
                    "A bar is the month so far; a diamond what its end may be, from p10 to p90, as"
                    " a model."
                ),
                t("Click one to see it alone; click it again to see all."),
                *(
                    [t("Of all sites of each contract, wherever they are.")]
                    if data.of_a_part
                    else []
                ),
            ]
        ),
    )


def _table(data: SlaData, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    columns = [
        link_column("contract", t("Contract"), "href", minWidth=116),
        text_column("customer", t("Customer"), minWidth=160, flex=2, **WRAPPED),
        badge_column("state", t("State"), minWidth=136),
        number_column("sites", t("Sites"), minWidth=72),
        percent_column("target", t("Target"), 2, minWidth=88),
        percent_column("availability", t("So far"), 3, minWidth=92),
        percent_column("projected", t("Month's end"), 3, minWidth=92),
        number_column("hours", t("Hours a site"), 2, minWidth=84),
        number_column("next", t("Next band (h)"), 2, minWidth=84),
        percent_column("percent", t("Of the fee"), 1, minWidth=112),
        money_column("penalty", t("Penalty so far"), minWidth=112),
        money_column("penalty_ahead", t("Expected at the end"), minWidth=112),
        percent_column("chance", t("Chance of more"), 0, minWidth=84),
        money_column("exposure", t("Exposure through parts"), minWidth=112),
    ]
    rows = [_row(one, data, viewer) for one in data.scores]
    told = [
        t(
            "%(shown)s of %(count)s, those in breach first.",
            shown=fmt.number(len(rows), locale),
            count=fmt.number(data.count, locale),
        )
    ]
    if data.narrowed:
        told.append(
            t(
                "Sites and availability so far are of the chosen places, exposure of the depots"
                " there; state, hours a site, month's end and penalties are the whole contract's,"
                " whose schedule is read with all its sites."
            )
        )
    if data.partial:
        told.append(
            t(
                "Of contracts of which you see a part, sites and availability so far are of the"
                " sites that you see, the rest is the whole contract's; money is not shown."
            )
        )
    return card(
        t("Contracts"),
        grid("sla-contracts", columns, rows, viewer, row_id="contract"),
        tools=downloads("sla", _asked(data), viewer),
        note=" ".join(told),
        class_name="grow",
    )


def _asked(data: SlaData) -> dict[str, Sequence[str]]:
    """What narrows the file to the same contracts."""
    return {
        **data.bar.in_files,
        "month": [month_value(data.month)] if data.month else [],
        "state": data.states,
        "search": [data.search] if data.search else [],
    }


def _row(one: ContractScore, data: SlaData, viewer: Viewer) -> dict[str, Any]:
    month = urlencode({"month": month_value(data.month)}) if data.month else ""
    return {
        "contract": one.contract,
        "href": f"/sla/{quote(one.contract, safe='')}" + (f"?{month}" if month else ""),
        "customer": one.customer or "",
        "state": named(STATE_NAMES, one.state, viewer.t),
        "state_kind": STATE_KINDS[one.state],
        "sites": one.here.sites,
        "target": one.target,
        "availability": one.here.availability,
        "projected": one.availability_projected,
        "hours": one.now.hours_per_site,
        "next": one.next_band.hours if one.next_band else None,
        "percent": one.now.percent / 100,
        "penalty": one.now.penalty_brl,
        "penalty_ahead": one.penalty_projected_brl,
        "chance": one.chance_of_more,
        "exposure": one.here.exposure_brl,
    }


def how(viewer: Viewer) -> html.Section:
    """What is fact and what is model, in words."""
    t = viewer.t
    lines = [
        t(
            "Facts: downtime is the hours without service of a contract's sites, overlapping"
            " outages of a site once, ÷ sites. The penalty is the schedule's percent of the last"
            " band that it exceeds, not above the cap, of the month's fee."
        ),
        t(
            "Model of the month's end: the days left may be like any run of as many days of the"
            " last year; each run is one possible end, and the mean of their penalties is what is"
            " expected."
        ),
        t(
            "Model of the exposure: the chance that a part is missing within its lead time × the"
            " penalty of one request not served, measured from the outages that waited for parts."
        ),
    ]
    return card(
        t("How it is computed"), html.Ul([html.Li(line) for line in lines], className="plain-list")
    )
