"""`/alerts`: what will hurt unless somebody acts, by the money at risk; who looks after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from dash import dcc, html
from dash.development.base_component import Component

from domain.access import Permission
from domain.page_filters import EVERYTHING
from domain.records import ALERT_STEPS, Alert, AlertTotal, Filters, Option
from domain.viewer import Viewer
from domain.wording import alert_reason
from layouts import format as fmt
from layouts.alerts import place
from layouts.components.attributes import aria
from layouts.components.downloads import downloads, query_of
from layouts.components.filters import Bar, choice, dropdown, one_of, page_bar, search_box
from layouts.components.icons import icon
from layouts.components.pager import Listed, pager
from layouts.components.parts import Part, at_once
from layouts.components.queue import (
    ALL,
    SELECTED,
    Head,
    StatusTotal,
    action,
    card_head,
    pick,
    pick_all,
    queue_page,
    status_totals,
)
from layouts.components.states import decisions_without_costs, missing_file, no_rows
from layouts.text import ALERT_KINDS, ALERT_STATUS, ALERT_STATUSES, LEVELS, named

PANEL = "alerts"
PAGE_ROWS = 20
GIVE_TO = "alert-give-to"
PICK_ALL = "pick-all-alerts"
SORTS = ("-net_brl", "days_to_stockout", "-severity")
BULK = ("acknowledged", "snoozed", "resolved", "open")


@dataclass(frozen=True)
class InboxData:
    """What the page shows. `filters.status` empty: all of them. `people`: e-mails of those who may
    look after an alert."""

    listed: Listed
    totals: Sequence[AlertTotal]
    filters: Filters
    kinds: tuple[str, ...]
    owner: str
    sort: str
    bar: Bar
    people: Sequence[str]
    has_stock: bool
    has_costs: bool
    query: dict[str, list[str]]
    notices: list[str]


def action_id(change: Any, number: Any) -> dict[str, Any]:
    """The id of the button that changes an alert: a status, `mine`, `nobody` or `given`."""
    return {"type": "alert-action", "change": change, "number": number}


def pick_id(number: Any) -> dict[str, Any]:
    """The id of the tick that selects an alert."""
    return {"type": "alert-pick", "number": number}


def layout(data: InboxData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    return queue_page(
        PANEL,
        viewer.t("Alerts"),
        filters(data, viewer),
        data.notices,
        data.query,
        lambda: totals(data, viewer),
        lambda: rows(data, viewer),
        part,
    )


def filters(data: InboxData, viewer: Viewer) -> html.Div:
    """Where and what; kind, level, status, owner and order."""
    t, chosen = viewer.t, data.filters
    sorts = [
        Option("-net_brl", t("Most at risk first")),
        Option("days_to_stockout", t("Most urgent first")),
        Option("-severity", t("By level")),
    ]
    owners = [Option("me", t("Mine")), *(Option(one, one) for one in data.people)]
    return page_bar(
        data.bar,
        viewer,
        choice("kind", t("Kind"), _options(ALERT_KINDS, viewer), list(data.kinds), viewer),
        choice("level", t("Level"), _options(LEVELS, viewer), list(chosen.level), viewer),
        choice("status", t("Status"), _options(ALERT_STATUSES, viewer), [*chosen.status], viewer),
        choice("owner", t("Owner"), owners, data.owner or None, viewer, multi=False),
        search_box("search", t("Search"), chosen.search, t("Code or name"), wide=False),
        one_of("sort", t("Sort by"), sorts, data.sort, viewer),
        initial={
            "kind": list(data.kinds),
            "level": list(chosen.level),
            "status": list(chosen.status),
            "owner": data.owner or None,
            "search": chosen.search,
            "sort": data.sort,
        },
        empty={"status": ALL},
        usual=t("Raised at any time"),
    )


def asked(data: InboxData, viewer: Viewer) -> dict[str, list[str]]:
    """What narrows the list, and its order, as the API takes them."""
    found = data.bar.in_files | query_of(data.filters, "level", "status", "search")
    owner = viewer.email if data.owner == "me" else data.owner
    found |= {"kind": list(data.kinds), "owner": [owner] if owner else []}
    return found | {"sort": [data.sort]}


def _options(names: dict[str, str], viewer: Viewer) -> list[Option]:
    return [Option(code, viewer.t(name)) for code, name in names.items()]


def rows(data: InboxData, viewer: Viewer) -> list[Component]:
    """The alerts of this page, and what is done with those that are ticked."""
    found = data.listed.page.rows
    if not found:
        return [_nothing(data, viewer)]
    return [
        *([] if data.has_costs else [decisions_without_costs(viewer.t)]),
        *_bulk(data, viewer),
        html.Div(downloads("alerts", asked(data, viewer), viewer), className="request-links"),
        html.Div([alert_card(row, viewer) for row in found], className="recommendation-list"),
        pager(data.listed.page, data.listed.start, data.query, viewer),
    ]


def totals(data: InboxData, viewer: Viewer) -> list[Component]:
    """Number and net risk of each status; each leads to its alerts."""
    t = viewer.t
    found = [
        StatusTotal(
            one.status,
            t("1 alert") if one.count == 1 else t("%(count)s alerts", count=one.count),
            one.net_brl,
        )
        for one in data.totals
    ]
    label = t("Value at risk by status")
    shown = data.filters.status
    return [status_totals(found, ALERT_STATUSES, shown, data.query, label, viewer)]


def _bulk(data: InboxData, viewer: Viewer) -> list[Component]:
    """What is done with those that are ticked: the steps that some alert of the page allows."""
    t = viewer.t
    if not viewer.may(Permission.ACT):
        return []
    allowed = {step for row in data.listed.page.rows for step in ALERT_STEPS[row.status]}
    steps = [status for status in BULK if status in allowed]
    people = html.Label(
        [
            html.Span(t("Who should look after them"), className="visually-hidden"),
            dropdown(
                GIVE_TO,
                [Option(email, email) for email in data.people],
                viewer.email if viewer.email in data.people else None,
                viewer,
                multi=False,
                clearable=False,
                placeholder=t("Somebody"),
            ),
        ],
        className="give-to",
    )
    return [
        html.Div(
            [
                pick_all(PICK_ALL, viewer),
                *_buttons(SELECTED, steps, viewer),
                html.Div(
                    [people, _button("given", SELECTED, "outline-secondary", viewer)],
                    className="give",
                ),
            ],
            className="recommendation-tools",
            role="group",
            **aria(label=t("With those selected")),
        )
    ]


def _buttons(number: int, statuses: Sequence[str], viewer: Viewer) -> list[html.Button]:
    """Those that give one of these statuses."""
    return [
        _button(status, number, "outline-secondary" if rank else "primary", viewer)
        for rank, status in enumerate(statuses)
    ]


def _button(change: str, number: int, kind: str, viewer: Viewer) -> html.Button:
    t = viewer.t
    labels = {
        "acknowledged": t("Acknowledge"),
        "snoozed": t("Snooze a week"),
        "resolved": t("Resolve"),
        "open": t("Reopen"),
        "mine": t("Take it"),
        "nobody": t("Let go"),
        "given": t("Give"),
    }
    return action(action_id(change, number), labels[change], kind)


def alert_card(row: Alert, viewer: Viewer) -> html.Article:
    """One alert: what, where, why, what is at risk, whose it is, and what can be done."""
    may_act = viewer.may(Permission.ACT)
    return html.Article(
        [
            _head(row, viewer, may_act),
            html.P(alert_reason(row, viewer.locale), className="recommendation-why"),
            _facts(row, viewer),
            html.Div(
                [*(_decisions(row, viewer) if may_act else []), *_links(row, viewer)],
                className="actions",
            ),
        ],
        className="surface recommendation",
        id=f"alert-{row.id}",
    )


def _head(row: Alert, viewer: Viewer, may_act: bool) -> html.Header:
    t = viewer.t
    name, where = row.item_name or row.sku, place(row.site_name or row.site, row.uf)
    beneath = t("all its items") if row.kind == "data_gap" else f"{row.sku} · {where}"
    level = html.Span(
        [icon(f"level-{row.level}"), named(LEVELS, row.level, t)],
        className=f"badge-level badge-level-{row.level}",
    )
    head = Head(
        badges=[html.Span(named(ALERT_KINDS, row.kind, t), className="kind-badge"), level],
        title=where if row.kind == "data_gap" else name,
        sku=row.sku,
        beneath=beneath.removesuffix(" · —"),
        brl=row.net_brl,
        what=t("at risk, net of acting"),
    )
    tick = [pick(pick_id(row.id), row.id, name, viewer)] if may_act else []
    return card_head(head, tick, viewer)


def _facts(row: Alert, viewer: Viewer) -> html.P:
    """Risk and cost of acting apart, since when, until when, whose."""
    t, locale = viewer.t, viewer.locale
    said = [
        t("%(money)s at risk", money=fmt.brl(row.risk_brl, locale)),
        t("acting costs %(money)s", money=fmt.brl(row.acting_brl, locale)),
        t("since %(date)s", date=fmt.moment(row.raised_at, locale)),
    ]
    if row.status != "open":
        said.append(named(ALERT_STATUS, row.status, t).lower())
    if row.snoozed_until:
        said.append(t("until %(date)s", date=fmt.moment(row.snoozed_until, locale)))
    said.append(row.owner or t("nobody looks after it"))
    return html.P(" · ".join(said), className="weak recommendation-decided")


def _decisions(row: Alert, viewer: Viewer) -> list[html.Button]:
    made = _buttons(row.id, ALERT_STEPS[row.status], viewer)
    change = "nobody" if row.owner == viewer.email else "mine"
    return [*made, _button(change, row.id, "outline-secondary", viewer)]


def _links(row: Alert, viewer: Viewer) -> list[Component]:
    t, sku = viewer.t, quote(row.sku, safe="")
    advice = urlencode({"search": row.sku, "status": ALL, "period": EVERYTHING})
    return [
        dcc.Link(t("What to do"), href=f"/recommendations?{advice}", className="btn btn-sm"),
        dcc.Link(t("Receipt"), href=f"/materials/{sku}?alert={row.id}", className="btn btn-sm"),
    ]


def _nothing(data: InboxData, viewer: Viewer) -> Component:
    t = viewer.t
    if not data.has_stock:
        what = t("It would show what runs out when, and what that puts at risk.")
        return missing_file("stock", what, t)
    if data.bar.kept or any(total.count for total in data.totals):
        return no_rows(viewer)
    return html.P(
        t("No alert: nothing runs out, nothing is late, nothing drifts."), className="quiet"
    )
