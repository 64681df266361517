"""`/recommendations`: what to do about the stock, by value; each with its reason and receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from domain.access import Permission
from domain.records import ADVICE_STEPS, Filters, Option, Recommendation, RecommendationTotal
from domain.viewer import Translator, Viewer
from layouts import format as fmt
from layouts.components.attributes import aria
from layouts.components.downloads import downloads, query_of
from layouts.components.filters import Bar, choice, one_of, page_bar, search_box
from layouts.components.pager import Listed, pager
from layouts.components.parts import Part, at_once
from layouts.components.queue import (
    ALL,
    SELECTED,
    StatusTotal,
    pick_all,
    queue_page,
    status_totals,
)
from layouts.components.states import decisions_without_costs, missing_file, no_rows
from layouts.recommendation_card import decisions, recommendation_card
from layouts.recommendation_text import KINDS, STATUSES
from layouts.text import named

PANEL = "recommendations"
PAGE_ROWS = 20
PICK_ALL = "pick-all"
BULK = ("accepted", "rejected", "snoozed", "done", "open")
SORTS = ("-value_brl", "act_by", "priority")


@dataclass(frozen=True)
class RecommendationsData:
    """What the page shows. `filters.status` empty: all of them; `to_buy`: purchases that stand
    accepted, of whatever kind and status the rows are."""

    listed: Listed
    totals: Sequence[RecommendationTotal]
    to_buy: int
    filters: Filters
    kinds: tuple[str, ...]
    sort: str
    bar: Bar
    has_stock: bool
    has_costs: bool
    query: dict[str, list[str]]
    notices: list[str]


def layout(data: RecommendationsData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    return queue_page(
        PANEL,
        viewer.t("Recommendations"),
        filters(data, viewer),
        data.notices,
        data.query,
        lambda: totals(data, viewer),
        lambda: rows(data, viewer),
        part,
    )


def filters(data: RecommendationsData, viewer: Viewer) -> html.Div:
    """Where and what; kind, status and order."""
    t, chosen = viewer.t, data.filters
    kinds = [Option(kind, t(name)) for kind, name in KINDS.items()]
    statuses = [Option(status, t(name)) for status, name in STATUSES.items()]
    sorts = [
        Option("-value_brl", t("Most valuable first")),
        Option("act_by", t("Most urgent first")),
        Option("priority", t("By priority")),
    ]
    return page_bar(
        data.bar,
        viewer,
        choice("kind", t("Kind"), kinds, list(data.kinds), viewer),
        choice("status", t("Status"), statuses, list(chosen.status), viewer),
        search_box("search", t("Search"), chosen.search, t("Code or name"), wide=False),
        one_of("sort", t("Sort by"), sorts, data.sort, viewer),
        initial={
            "kind": list(data.kinds),
            "status": list(chosen.status),
            "search": chosen.search,
            "sort": data.sort,
        },
        empty={"status": ALL},
        usual=t("Raised at any time"),
    )


def rows(data: RecommendationsData, viewer: Viewer) -> list[Component]:
    """The recommendations of this page, and what is done with those that are ticked."""
    found = data.listed.page.rows
    if not found:
        return [*_request(data, viewer), _nothing(data, viewer)]
    return [
        *([] if data.has_costs else [decisions_without_costs(viewer.t)]),
        tools(data, viewer),
        html.Div(
            [recommendation_card(row, viewer) for row in found],
            className="recommendation-list",
        ),
        pager(data.listed.page, data.listed.start, data.query, viewer),
    ]


def totals(data: RecommendationsData, viewer: Viewer) -> list[Component]:
    """Number and value of each status; each leads to its recommendations."""
    t = viewer.t
    found = [
        StatusTotal(
            one.status,
            t("1 item") if one.count == 1 else t("%(count)s items", count=one.count),
            one.value_brl,
        )
        for one in data.totals
    ]
    label = t("Value by status")
    shown = data.filters.status
    return [status_totals(found, STATUSES, shown, data.query, label, viewer)]


def tools(data: RecommendationsData, viewer: Viewer) -> html.Div:
    """What is done with those that are ticked, and the purchase request."""
    t = viewer.t
    return html.Div(
        [*_bulk(data, viewer), *_files(data, viewer), *_request(data, viewer)],
        className="recommendation-tools",
        role="group",
        **aria(label=t("With those selected")),
    )


def _bulk(data: RecommendationsData, viewer: Viewer) -> list[Component]:
    """Ticks all; the steps that some recommendation of the page allows."""
    t = viewer.t
    if not viewer.may(Permission.ACT):
        return []
    allowed = {step for row in data.listed.page.rows for step in ADVICE_STEPS[row.status]}
    steps = [status for status in BULK if status in allowed]
    reject = t("Reject those selected")
    return [pick_all(PICK_ALL, viewer), *decisions(SELECTED, steps, reject, viewer)]


def _files(data: RecommendationsData, viewer: Viewer) -> list[Component]:
    """What is in view, in its order, as files."""
    asked = data.bar.in_files | query_of(data.filters, "status", "search")
    asked |= {"kind": list(data.kinds), "sort": [data.sort]}
    links = downloads("recommendations", asked, viewer)
    return [html.Div(links, className="request-links")] if links else []


def _request(data: RecommendationsData, viewer: Viewer) -> list[Component]:
    """The accepted purchases in view as files, if there is any."""
    t = viewer.t
    if not viewer.may(Permission.EXPORT) or not data.to_buy:
        return []
    asked = data.bar.in_files | query_of(data.filters, "search")
    links = downloads("purchase-request", asked, viewer)
    label = html.Span(t("Purchase request of what is accepted:"), className="weak")
    return [html.Div([label, *links], className="request-links")]


def _nothing(data: RecommendationsData, viewer: Viewer) -> Component:
    t = viewer.t
    if not data.has_stock:
        what = t("It would show what to buy, to move and to get rid of, and what that is worth.")
        return missing_file("stock", what, t)
    if data.bar.kept or any(total.count for total in data.totals):
        return no_rows(viewer)
    return html.P(t("Nothing to recommend: no stock needs anything now."), className="quiet")


def worth_in_all(shown: int, total: RecommendationTotal, t: Translator, locale: str) -> str:
    """How many of the open ones are shown, and what all are worth, as far as it is known."""
    counts = {"shown": fmt.number(shown, locale), "count": fmt.number(total.count, locale)}
    if total.value_brl is None:
        return t("%(shown)s of %(count)s open recommendations.", **counts)
    return t(
        "%(shown)s of %(count)s open recommendations, worth %(value)s in all.",
        value=fmt.brl(total.value_brl, locale),
        **counts,
    )


def recommendation_lines(rows: Sequence[Recommendation], viewer: Viewer) -> html.Ul:
    """Recommendations in short: kind, words and value."""
    locale = viewer.locale
    return html.Ul(
        [
            html.Li(
                [
                    html.Span(named(KINDS, row.kind, viewer.t), className="kind-badge"),
                    html.Span(row.narrative.get(locale, ""), className="recommendation-line"),
                    html.Strong(fmt.brl(row.value_brl, locale), className="number"),
                ]
            )
            for row in rows
        ],
        className="recommendation-lines",
    )
