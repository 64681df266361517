"""`/admin/data`: what was loaded and refused, and which run is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from domain.access import Permission
from domain.records import Job, Load, RejectedRow, Run
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.cards import card
from layouts.components.downloads import downloads, file_links
from layouts.components.grid import (
    WRAPPED,
    Column,
    badge_column,
    grid,
    link_column,
    number_column,
    percent_column,
    text_column,
)
from layouts.components.pager import Listed, pager
from layouts.components.states import commands, notice, notices, state
from layouts.jobs import confirm_card, facts, job_panel, reject_columns, upload_card
from layouts.reasons import reason_in
from layouts.text import FILE_KINDS, FREQUENCIES, LOAD_STATES, RUN_STATES, named

PAGE_ROWS = 20
REJECT_ROWS = 50
LOADS, RUNS = "loads_", "runs_"
STATE_KINDS = {
    "accepted": "good",
    "loading": "info",
    "rejected": "critical",
    "failed": "critical",
    "stopped": "warning",
}


ENDED = "job-ended"
"""The store of the job whose end the tables have to show."""


@dataclass(frozen=True)
class AdminData:
    """Everything that the page shows."""

    loads: Listed
    runs: Listed
    query: dict[str, list[str]]
    notices: list[str]
    job: Job | None
    at_work: list[Job]
    to_publish: Run | None
    csrf_token: str
    upload_mb: int


def layout(data: AdminData, viewer: Viewer) -> html.Div:
    """The whole page."""
    return html.Div(
        [
            html.Div([html.H1(viewer.t("Data and runs"))], className="page-head"),
            *notices(data.notices),
            *([confirm_card(data.to_publish, viewer)] if data.to_publish else []),
            job_panel(data.job, data.at_work, viewer),
            upload_card(viewer, data.csrf_token, data.upload_mb),
            dcc.Store(id=ENDED),
            html.Div(tables(data.loads, data.runs, data.query, viewer), id="data-tables"),
        ],
        className="page page-admin-data",
    )


def tables(
    loads: Listed, runs: Listed, query: dict[str, list[str]], viewer: Viewer
) -> list[Component]:
    """Loads and runs: what a job that has ended may have changed."""
    return [loads_card(loads, query, viewer), runs_card(runs, query, viewer)]


# Loads


def loads_card(listed: Listed, query: dict[str, list[str]], viewer: Viewer) -> html.Section:
    """What was loaded or refused, newest first; a name leads to its rejects."""
    t = viewer.t
    if not listed.page.rows:
        empty = state(
            t("Nothing has been loaded yet"),
            t("Upload an ERP file here, or load a folder from the command line:"),
            commands("flask ingest FOLDER"),
        )
        return card(t("Loads"), empty)
    return card(
        t("Loads"),
        loads_table(listed.page.rows, viewer),
        pager(listed.page, listed.start, query, viewer, LOADS),
        tools=downloads("loads", {}, viewer, of=t("Loads")),
        class_name="surface-table",
    )


def loads_table(loads: list[Load], viewer: Viewer) -> Component:
    """One line for each file or sheet."""
    t = viewer.t
    columns = [
        link_column("file", t("File"), "href", minWidth=166, flex=3),
        text_column("kind", t("Kind"), minWidth=124, **WRAPPED),
        badge_column("state", t("State"), minWidth=118),
        number_column("read", t("Rows read"), minWidth=76),
        number_column("accepted", t("Accepted"), minWidth=80),
        number_column("rejected", t("Rejected"), minWidth=86),
        number_column("filtered", t("Filtered"), minWidth=82),
        text_column("by", t("Who"), flex=2, minWidth=96, **WRAPPED),
        text_column("at", t("When"), minWidth=140, cellClass="tabular"),
        number_column("seconds", t("Seconds"), 1, minWidth=84),
        text_column("origin", t("Origin"), minWidth=126),
    ]
    rows = [_load_row(load, viewer) for load in loads]
    return grid("loads", _in_order(columns), rows, viewer, row_id="id")


def _load_row(load: Load, viewer: Viewer) -> dict[str, Any]:
    t = viewer.t
    return {
        "id": str(load.load_id),
        "file": _source(load),
        "href": f"/admin/data?load={load.load_id}",
        "kind": named(FILE_KINDS, load.kind, t),
        "state": named(LOAD_STATES, load.state, t),
        "state_kind": STATE_KINDS.get(load.state, ""),
        "read": load.rows_read,
        "accepted": load.rows_accepted,
        "rejected": load.rows_rejected,
        "filtered": load.rows_filtered,
        "by": load.loaded_by,
        "at": fmt.moment(load.started_at, viewer.locale),
        "seconds": load.seconds,
        "origin": t("Demonstration") if load.is_demo else t("Company"),
    }


def _source(load: Load) -> str:
    return f"{load.file} [{load.part}]" if load.part else load.file


def _in_order(columns: list[Column]) -> list[Column]:
    """The order is the server's: newest first."""
    return [{**column, "sortable": False} for column in columns]


# One load


@dataclass(frozen=True)
class LoadDetail:
    """One load with a page of its refused rows."""

    load: Load
    rejects: Listed
    query: dict[str, list[str]]
    notices: list[str]


def detail(data: LoadDetail, viewer: Viewer) -> html.Div:
    """What became of one file."""
    t, load = viewer.t, data.load
    trail = html.P(dcc.Link(t("Data and runs"), href="/admin/data"), className="trail")
    message = [notice(reason_in(load.message, t, viewer.locale), "warning")] if load.message else []
    return html.Div(
        [
            html.Div([trail, html.H1(_source(load))], className="page-head"),
            *notices(data.notices),
            *message,
            html.Section(load_facts(load, viewer), className="surface"),
            rejects_card(data, viewer),
        ],
        className="page page-admin-data",
    )


def load_facts(load: Load, viewer: Viewer) -> html.Dl:
    """The numbers of one load."""
    t, locale = viewer.t, viewer.locale
    span = f"{fmt.day(load.date_from, locale)} – {fmt.day(load.date_to, locale)}"
    return facts(
        {
            t("Kind"): named(FILE_KINDS, load.kind, t),
            t("State"): named(LOAD_STATES, load.state, t),
            t("Rows read"): fmt.number(load.rows_read, locale),
            t("Accepted"): fmt.number(load.rows_accepted, locale),
            t("Rejected"): fmt.number(load.rows_rejected, locale),
            t("Filtered"): fmt.number(load.rows_filtered, locale),
            t("Merged"): fmt.number(load.rows_merged, locale),
            t("Dates"): span if load.date_from else fmt.UNKNOWN,
            t("Who"): load.loaded_by,
            t("When"): fmt.moment(load.started_at, locale),
            t("Seconds"): fmt.number(load.seconds, locale, 1),
            t("Origin"): t("Demonstration") if load.is_demo else t("Company"),
        }
    )


def rejects_card(data: LoadDetail, viewer: Viewer) -> html.Section:
    """The refused rows with their place, and all of them as CSV."""
    t = viewer.t
    if not data.rejects.page.count:
        return card(t("Rejected rows"), html.P(t("No row was rejected."), className="quiet"))
    return card(
        t("Rejected rows"),
        rejects_table(data.rejects.page.rows, viewer),
        pager(data.rejects.page, data.rejects.start, data.query, viewer),
        tools=file_links(f"/admin/data/loads/{data.load.load_id}/rejects", {}, viewer),
        class_name="surface-table",
    )


REJECT_HEADER = ("file", "line", "column", "value", "reason")


def rejects_table(rejects: list[RejectedRow], viewer: Viewer) -> Component:
    """File, line, column, value and reason."""
    columns = [text_column("file", viewer.t("File"), minWidth=150), *reject_columns(viewer)]
    rows = [
        {
            "id": str(row.reject_id),
            **{name: getattr(row, name) for name in REJECT_HEADER},
            "reason": reason_in(row.reason, viewer.t, viewer.locale),
        }
        for row in rejects
    ]
    return grid("rejects", _in_order(columns), rows, viewer, row_id="id")


def reject_cells(row: RejectedRow) -> list[str | float | None]:
    """One refused row of the CSV file."""
    return [row.file, row.line, row.column, row.value, row.reason]


# Runs


def runs_card(listed: Listed, query: dict[str, list[str]], viewer: Viewer) -> html.Section:
    """The trainer's runs, newest first, the published one marked."""
    t = viewer.t
    if not listed.page.rows:
        empty = state(
            t("No forecasts have been published yet"),
            t("Train the models and publish the results:"),
            commands("python -m models_offline train", "flask publish BUNDLE"),
        )
        return card(t("Runs"), empty)
    return card(
        t("Runs"),
        runs_table(listed.page.rows, viewer),
        pager(listed.page, listed.start, query, viewer, RUNS),
        tools=downloads("runs", {}, viewer, of=t("Runs")),
        class_name="surface-table",
    )


def runs_table(runs: list[Run], viewer: Viewer) -> Component:
    """One line for each run."""
    t = viewer.t
    columns = [
        number_column("run", t("Run"), minWidth=72, flex=0, width=84),
        badge_column("state", t("State"), minWidth=132),
        text_column("computed", t("Computed"), minWidth=140, cellClass="tabular"),
        text_column("window", t("Data"), flex=2, minWidth=190, cellClass="tabular"),
        text_column("frequency", t("Frequency"), minWidth=104),
        text_column("series", t("Series trained"), minWidth=124, cellClass="tabular"),
        number_column("fallback", t("Fallback"), minWidth=92),
        percent_column("wape", t("WAPE"), minWidth=88),
    ]
    if viewer.may(Permission.MANAGE_RUNS):
        columns.append(link_column("action", t("Action"), "href", minWidth=110))
    shown = next((run.run_id for run in runs if run.is_published), 0)
    rows = [_run_row(run, viewer) | _action(run, shown, viewer) for run in runs]
    return grid("runs", _in_order(columns), rows, viewer, row_id="id")


def _run_row(run: Run, viewer: Viewer) -> dict[str, Any]:
    t, locale = viewer.t, viewer.locale
    shown = "published" if run.is_published else run.state
    return {
        "id": str(run.run_id),
        "run": run.run_id,
        "state": named(RUN_STATES, shown, t),
        "state_kind": "good" if run.is_published else "",
        "computed": fmt.moment(run.computed_at, locale),
        "window": f"{fmt.day(run.data_from, locale)} – {fmt.day(run.data_to, locale)}",
        "frequency": named(FREQUENCIES, run.frequency, t),
        "series": t(
            "%(trained)s of %(total)s",
            trained=fmt.number(run.series_trained, locale),
            total=fmt.number(run.series_total, locale),
        ),
        "fallback": run.series_fallback,
        "wape": run.wape,
    }


def _action(run: Run, shown: int, viewer: Viewer) -> dict[str, str]:
    """Another run than the published one can be shown while its rows are there."""
    if run.is_published or run.state != "ready":
        return {}
    words = viewer.t("Publish") if run.run_id > shown else viewer.t("Roll back")
    return {"action": words, "href": f"/admin/data?publish={run.run_id}"}
