"""`/admin/audit`: who did what, when and from where, and whether the log is whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from domain.clock import day_of
from domain.records import AuditFilters, AuditRow, Option
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.cards import card
from layouts.components.downloads import file_links
from layouts.components.filters import choice, filter_bar, search_box
from layouts.components.grid import Column, grid, link_column, number_column, text_column
from layouts.components.icons import icon
from layouts.components.pager import Listed, pager
from layouts.components.states import notice, notices
from layouts.jobs import facts
from layouts.text import AUDIT_ACTIONS, ROLES, named

CSV_HEADER = (
    "number", "at_utc", "actor", "role", "address", "request_id", "action", "object", "status",
    "before", "after",
)  # fmt: skip
FILTERS = ("actor", "action", "object", "from", "to")


@dataclass(frozen=True)
class AuditData:
    """Everything that the page shows; `chain` where it was asked to verify the log."""

    listed: Listed
    filters: AuditFilters
    chain: Any | None
    query: dict[str, list[str]]
    notices: list[str]


def layout(data: AuditData, viewer: Viewer) -> html.Div:
    """The whole page."""
    return html.Div(
        [
            html.Div([html.H1(viewer.t("Audit log"))], className="page-head"),
            *notices(data.notices),
            _filters(data, viewer),
            _rows(data, viewer),
            _chain_card(data, viewer),
        ],
        className="page page-admin-audit",
    )


def _filters(data: AuditData, viewer: Viewer) -> html.Div:
    t, asked = viewer.t, data.filters
    since, until = _day(asked.since, viewer), _day(asked.before, viewer, -1)
    options = [Option(code, t(name)) for code, name in AUDIT_ACTIONS.items()]
    if asked.action and asked.action not in AUDIT_ACTIONS:
        options.append(Option(asked.action, asked.action))
    return filter_bar(
        search_box("actor", t("Who"), asked.actor, t("Part of an e-mail"), wide=False),
        choice("action", t("Action"), options, asked.action or None, viewer, multi=False),
        search_box("object", t("Object"), asked.object, t("Part of a name"), wide=False),
        search_box("from", t("From"), since, t("2026-12-31"), wide=False),
        search_box("to", t("To"), until, t("2026-12-31"), wide=False),
        initial={
            "actor": asked.actor,
            "action": asked.action or None,
            "object": asked.object,
            "from": since,
            "to": until,
        },
        resets={name: ("cursor", "start", "verify") for name in FILTERS},
    )


def _day(moment: datetime | None, viewer: Viewer, later: int = 0) -> str:
    """A day as it is typed."""
    if moment is None:
        return ""
    day = day_of(moment) + timedelta(days=later)
    return f"{day:%d/%m/%Y}" if viewer.locale == "pt_BR" else day.isoformat()


def _rows(data: AuditData, viewer: Viewer) -> html.Section:
    t = viewer.t
    title = t("What was done")
    note = t("Times are Brasília's.")
    if not data.listed.page.rows:
        return card(title, html.P(t("Nothing matches these filters."), className="quiet"))
    return card(
        title,
        audit_table(data.listed.page.rows, data.query, viewer),
        pager(data.listed.page, data.listed.start, data.query, viewer),
        tools=file_links("/admin/audit", _asked(data), viewer),
        note=note,
        class_name="surface-table",
    )


def _asked(data: AuditData) -> dict[str, list[str]]:
    return {name: data.query[name] for name in FILTERS if name in data.query}


def audit_table(rows: list[AuditRow], query: dict[str, list[str]], viewer: Viewer) -> Component:
    """One line for each row; the time leads to all of it."""
    t = viewer.t
    columns: list[Column] = [
        link_column("at", t("When"), "href", minWidth=150, cellClass="tabular"),
        text_column("actor", t("Who"), minWidth=170, flex=2),
        text_column("action", t("Action"), minWidth=190, flex=2),
        text_column("object", t("Object"), minWidth=190, flex=3),
        number_column("status", t("Status"), minWidth=84),
        text_column("address", t("Address"), minWidth=120),
    ]
    unsorted = [{**column, "sortable": False} for column in columns]
    lines = [_line(row, query, viewer) for row in rows]
    return grid("audit", unsorted, lines, viewer, row_id="id")


def _line(row: AuditRow, query: dict[str, list[str]], viewer: Viewer) -> dict[str, Any]:
    there = urlencode({**query, "row": str(row.audit_id)}, doseq=True)
    return {
        "id": str(row.audit_id),
        "at": fmt.moment(row.at, viewer.locale),
        "href": f"/admin/audit?{there}",
        "actor": row.actor,
        "action": action_name(row.action, viewer),
        "object": row.object or fmt.UNKNOWN,
        "status": row.status,
        "address": row.address or fmt.UNKNOWN,
    }


def action_name(action: str, viewer: Viewer) -> str:
    """An action in words; a call of the API by its own name."""
    if action in AUDIT_ACTIONS:
        return viewer.t(AUDIT_ACTIONS[action])
    if action.startswith("api."):
        return viewer.t("API: %(name)s", name=action.removeprefix("api."))
    return action


def _chain_card(data: AuditData, viewer: Viewer) -> html.Section:
    t = viewer.t
    check = dcc.Link(
        [icon("shield"), t("Verify now")],
        href=f"?{urlencode({**data.query, 'verify': '1'}, doseq=True)}",
        id="verify-chain",
        className="btn btn-sm btn-outline-secondary",
    )
    explained = t("Every row seals the one before it: a change behind the log's back is found.")
    state = [] if data.chain is None else [_chain_state(data.chain, viewer)]
    return card(t("Integrity"), *state, tools=[check], note=explained)


def _chain_state(chain: Any, viewer: Viewer) -> Component:
    t, locale = viewer.t, viewer.locale
    if not chain.is_whole:
        text = t("The log is not whole: row %(row)s.", row=fmt.number(chain.at_id, locale))
        return notice(f"{text} {t(chain.problem)}", "warning")
    return facts(
        {
            t("State"): t("Whole"),
            t("Rows"): fmt.number(chain.rows, locale),
            t("First"): fmt.moment(chain.first_at, locale),
            t("Last"): fmt.moment(chain.last_at, locale),
            t("Erased"): fmt.number(chain.erased, locale),
            t("Seal"): f"{chain.last_id}:{chain.seal[:16]}…",
        }
    )


# One row


def detail(row: AuditRow, told: list[str], viewer: Viewer) -> html.Div:
    """All of one row, with what changed."""
    t = viewer.t
    trail = html.P(dcc.Link(t("Audit log"), href="/admin/audit"), className="trail")
    erased = [notice(t("This row named somebody whose data were erased."))] if row.redacted else []
    return html.Div(
        [
            html.Div([trail, html.H1(action_name(row.action, viewer))], className="page-head"),
            *notices(told),
            *erased,
            html.Section(_facts(row, viewer), className="surface"),
            card(t("What changed"), _changes(row, viewer)),
        ],
        className="page page-admin-audit",
    )


def _facts(row: AuditRow, viewer: Viewer) -> html.Dl:
    t, locale = viewer.t, viewer.locale
    return facts(
        {
            t("Number"): fmt.number(row.audit_id, locale),
            t("When"): fmt.moment(row.at, locale),
            t("When (UTC)"): row.at.isoformat(timespec="milliseconds"),
            t("Who"): row.actor,
            t("Role"): named(ROLES, row.role, t) if row.role else fmt.UNKNOWN,
            t("Address"): row.address or fmt.UNKNOWN,
            t("Action"): row.action,
            t("Object"): row.object or fmt.UNKNOWN,
            t("Status"): fmt.UNKNOWN if row.status is None else str(row.status),
            t("Request"): row.request_id or fmt.UNKNOWN,
        }
    )


def _changes(row: AuditRow, viewer: Viewer) -> Component:
    t = viewer.t
    before, after = row.before or {}, row.after or {}
    names = [*before, *(name for name in after if name not in before)]
    if not names:
        return html.P(t("This action changed no value."), className="quiet")
    head = html.Tr([html.Th(text, scope="col") for text in (t("Field"), t("Before"), t("After"))])
    body = [
        html.Tr(
            [html.Th(name, scope="row"), html.Td(_said(before, name)), html.Td(_said(after, name))]
        )
        for name in names
    ]
    table = html.Table([html.Thead(head), html.Tbody(body)], className="plain-table")
    return html.Div(table, className="table-scroll", tabIndex=0)


def _said(values: dict[str, Any], name: str) -> str:
    if name not in values:
        return fmt.UNKNOWN
    value = values[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def csv_cells(row: AuditRow) -> list[str | float | None]:
    """One row of the CSV file; times in UTC."""
    return [
        row.audit_id,
        row.at.isoformat(timespec="milliseconds"),
        row.actor,
        row.role,
        row.address,
        row.request_id,
        row.action,
        row.object,
        row.status,
        *(
            None if value is None else json.dumps(value, ensure_ascii=False)
            for value in (row.before, row.after)
        ),
    ]
