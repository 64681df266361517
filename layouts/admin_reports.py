"""`/admin/reports`: board packs by e-mail, and what became of each sending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from domain.records import Filters, Option
from domain.reports import Delivery, Report, Schedule
from domain.viewer import LOCALES, Viewer
from layouts import format as fmt
from layouts.components.cards import card
from layouts.components.downloads import downloads
from layouts.components.forms import confirmed
from layouts.components.grid import (
    badge_column,
    grid,
    moment_column,
    number_column,
    text_column,
)
from layouts.components.pager import Listed, pager
from layouts.components.states import notices
from layouts.text import N_, REGIONS, named

ROWS = 50
ACTION = "/admin/reports"
SMALL, DANGER = "btn btn-sm btn-outline-secondary", "btn btn-sm btn-danger"
RHYTHMS = {
    "daily": N_("Every day"),
    "weekdays": N_("Monday to Friday"),
    "weekly": N_("Every week"),
    "monthly": N_("Every month"),
}
WEEKDAYS = (
    *(N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday")),
    *(N_("Saturday"), N_("Sunday")),
)
MEASURES = {"": N_("As on the page"), "brl": N_("R$"), "units": N_("Units")}
LANGUAGES = {"pt_BR": "Português", "en": "English"}
STATES = {
    "queued": N_("To be sent"),
    "sent": N_("Sent"),
    "refused": N_("Refused by the mail server"),
    "failed": N_("Given up"),
    "skipped": N_("Not sent"),
}
BADGES = {"sent": "good", "queued": "info", "skipped": "warning"}
USUAL_HOUR = 7


@dataclass(frozen=True)
class ReportsData:
    """What the page shows. `accounts`: those that may have one; `sender`: the address that they
    come from, None where no mail server is set."""

    reports: Sequence[Report]
    deliveries: Listed
    accounts: Sequence[Option]
    choices: dict[str, list[Option]]
    sender: str | None
    csrf_token: str
    query: dict[str, list[str]]
    notices: list[str]


def layout(data: ReportsData, viewer: Viewer) -> html.Div:
    """The whole page."""
    t = viewer.t
    told = (
        t("They come from %(address)s, each to its account's own address.", address=data.sender)
        if data.sender
        else t("No mail server is set: NOVA_SMTP_HOST and NOVA_SMTP_FROM say where it is.")
    )
    return html.Div(
        [
            html.Div(html.H1(t("Reports by e-mail")), className="page-head"),
            *notices(data.notices if data.sender else [told, *data.notices]),
            html.P(
                " ".join(
                    [
                        t("The board pack as a PDF, of what its reader may see."),
                        *([told] if data.sender else []),
                        t("What is due goes out when flask send-reports runs."),
                    ]
                ),
                className="weak",
            ),
            _form(data, viewer),
            _reports(data, viewer),
            _deliveries(data, viewer),
        ],
        className="page page-reports",
    )


def _form(data: ReportsData, viewer: Viewer) -> html.Section:
    t = viewer.t
    hours = [(USUAL_HOUR + later) % 24 for later in range(24)]
    languages = sorted(LOCALES, key=lambda one: one != viewer.locale)
    regions = [Option(one.value, named(REGIONS, one.label, t)) for one in data.choices["region"]]
    fields = [
        _select("user_id", t("Recipient"), data.accounts),
        _select("rhythm", t("How often"), [Option(k, t(name)) for k, name in RHYTHMS.items()]),
        _select(
            "weekday",
            t("Day of the week, if every week"),
            [Option(str(place), t(name)) for place, name in enumerate(WEEKDAYS)],
        ),
        _select(
            "day_of_month",
            t("Day of the month, if every month"),
            [Option(str(day), str(day)) for day in range(1, 29)],
        ),
        _select("hour", t("At (Brasília)"), [Option(str(h), f"{h:02}:00") for h in hours]),
        _select("language", t("Language"), [Option(one, LANGUAGES[one]) for one in languages]),
        _select(
            "measure",
            t("Measure"),
            [Option(one, t(name)) for one, name in MEASURES.items()],
        ),
        _select("region", t("Regions (none: all)"), regions, several=True),
        _select("uf", t("UFs (none: all)"), data.choices["uf"], several=True),
        _select("family", t("Families (none: all)"), data.choices["family"], several=True),
    ]
    save = html.Button(
        t("Set up"),
        type="submit",
        name="csrf_token",
        value=data.csrf_token,
        className="btn btn-primary",
        disabled=not data.accounts,
    )
    form = html.Form(
        [html.Div(fields, className="form-grid"), html.Div(save, className="actions")],
        method="post",
        action=ACTION,
        id="report-form",
    )
    note = t("Accounts that are active and may export can be chosen.")
    return card(t("A new one"), form, note=note)


def _select(
    name: str, label: str, options: Sequence[Option], *, several: bool = False
) -> html.Label:
    choices = [html.Option(one.label, value=one.value) for one in options]
    more: dict[str, Any] = {"multiple": True, "size": "5"} if several else {}
    return html.Label(
        [
            html.Span(label, className="field-label"),
            html.Select(choices, name=name, className="form-select", **more),
        ],
        className="field",
    )


def _reports(data: ReportsData, viewer: Viewer) -> html.Section:
    t = viewer.t
    title = t("Set up so far")
    if not data.reports:
        return card(title, html.P(t("Nobody gets a report by e-mail yet."), className="quiet"))
    names = [
        *(t("Recipient"), t("When"), t("Language"), t("Filters"), t("Measure"), t("Next")),
        *(t("Set up by"), ""),
    ]
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in names]))
    body = html.Tbody([_report(one, data.csrf_token, viewer) for one in data.reports])
    table = html.Table([head, body], className="plain-table plain-words", id="reports")
    return card(
        title,
        html.Div(table, className="table-scroll", tabIndex=0),
        tools=downloads("reports", {}, viewer),
    )


def _report(one: Report, csrf_token: str, viewer: Viewer) -> html.Tr:
    t = viewer.t
    following = fmt.moment(one.next_at, viewer.locale) if one.active else t("stopped")
    if not one.user_active:
        following = t("the account is disabled")
    change, word = ("stop", t("Stop")) if one.active else ("resume", t("Go on"))
    buttons = [
        _button(f"{ACTION}/{one.report_id}/send", t("Send once more"), csrf_token),
        _button(f"{ACTION}/{one.report_id}/{change}", word, csrf_token),
        _delete(one, csrf_token, viewer),
    ]
    cells: list[Any] = [
        one.email,
        when(one.schedule, viewer),
        LANGUAGES[one.language],
        filter_words(one.filters, viewer),
        t(MEASURES[one.measure]),
        following,
        one.created_by,
        html.Div(buttons, className="actions"),
    ]
    return html.Tr([html.Td(cell) for cell in cells])


def _delete(one: Report, csrf_token: str, viewer: Viewer) -> html.Details:
    t = viewer.t
    question = t(
        "%(email)s gets no board pack by it any more, and its sendings leave this page. The audit"
        " log stays.",
        email=one.email,
    )
    action, word = f"{ACTION}/{one.report_id}/delete", t("Delete the report")
    return confirmed(t("Delete"), question, _button(action, word, csrf_token, DANGER))


def _button(action: str, word: str, csrf_token: str, style: str = SMALL) -> html.Form:
    return html.Form(
        html.Button(word, type="submit", name="csrf_token", value=csrf_token, className=style),
        method="post",
        action=action,
    )


def when(schedule: Schedule, viewer: Viewer) -> str:
    """A schedule in words."""
    t = viewer.t
    said = [named(RHYTHMS, schedule.rhythm, t)]
    if schedule.rhythm == "weekly":
        said.append(t(WEEKDAYS[schedule.day]))
    if schedule.rhythm == "monthly":
        said.append(t("day %(day)s", day=schedule.day))
    return ", ".join([*said, f"{schedule.hour:02}:00"])


def filter_words(filters: Filters, viewer: Viewer) -> str:
    """Filters in words."""
    regions = [named(REGIONS, one, viewer.t) for one in filters.region]
    return ", ".join([*regions, *filters.uf, *filters.family]) or viewer.t("none")


def _deliveries(data: ReportsData, viewer: Viewer) -> html.Section:
    t = viewer.t
    title = t("Sendings")
    if not data.deliveries.page.rows:
        return card(title, html.P(t("Nothing has been due yet."), className="quiet"))
    columns: list[dict[str, Any]] = [
        moment_column("due_at", t("Due"), minWidth=150),
        text_column("email", t("Recipient"), minWidth=180, flex=2),
        badge_column("state", t("State"), minWidth=190, flex=2),
        number_column("attempts", t("Tries"), minWidth=76),
        moment_column("sent_at", t("Sent at"), minWidth=150),
        moment_column("next_try_at", t("Next try"), minWidth=150),
        text_column("message", t("What the mail server said"), minWidth=260, flex=4),
    ]
    unsorted = [{**column, "sortable": False} for column in columns]
    rows = [_delivery(one, viewer) for one in data.deliveries.page.rows]
    return card(
        title,
        grid("report-deliveries", unsorted, rows, viewer, row_id="id"),
        pager(data.deliveries.page, data.deliveries.start, data.query, viewer),
        tools=downloads("report-deliveries", {}, viewer),
        note=t(
            "A server that cannot be reached is tried again after 5, 15, 45 and 135 minutes; what"
            " it refuses for good is not. What bounces later comes back to the sender's mailbox."
        ),
        class_name="surface-table",
    )


def _delivery(one: Delivery, viewer: Viewer) -> dict[str, Any]:
    waits = one.state == "queued"
    return {
        "id": str(one.delivery_id),
        "due_at": one.due_at.isoformat(),
        "email": one.email,
        "state": named(STATES, one.state, viewer.t),
        "state_kind": BADGES.get(one.state, "critical"),
        "attempts": one.attempts,
        "sent_at": one.sent_at.isoformat() if one.sent_at else None,
        "next_try_at": one.next_try_at.isoformat() if waits else None,
        "message": one.message or "",
    }
