"""Sending a file, watching what becomes of it, and showing another run: parts of `/admin/data`."""

from __future__ import annotations

import json
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from domain.access import Permission
from domain.erp import SUFFIXES, TRAINING_KINDS
from domain.records import FileOutcome, Job, RejectShown, Run
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.attributes import aria, data
from layouts.components.cards import card
from layouts.components.downloads import file_links
from layouts.components.grid import Column, grid, number_column, text_column
from layouts.components.icons import icon
from layouts.components.states import commands, notice
from layouts.reasons import reason_in
from layouts.text import FILE_KINDS, FOLLOWED, JOB_TITLES, N_, OUTCOMES, PHASES, SETTING_ROWS, named

START = PHASES["waiting"]
CANCELLING = N_("Cancelling…")
AGAIN = "derive-again"
TICK_MS = 700
BUTTON = "btn btn-sm btn-outline-secondary"
MAIN_BUTTON = "btn btn-sm btn-primary"


def facts(values: dict[str, str]) -> html.Dl:
    """Names and values side by side."""
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)]) for name, value in values.items()],
        className="facts facts-wide",
    )


# Sending a file


def upload_card(viewer: Viewer, csrf_token: str, upload_mb: int) -> html.Section:
    """The form; the browser sends it (assets/upload.js) and goes on to the job's address."""
    t = viewer.t
    kinds = [html.Option(t("By the file's name"), value="")]
    kinds += [html.Option(t(name), value=kind) for kind, name in FILE_KINDS.items()]
    form = html.Form(
        [
            _picker("file", t("ERP file"), t("Choose a file…"), ",".join(SUFFIXES)),
            _picker("mapping", t("Mapping (optional)"), "mapping.toml…", ".toml"),
            html.Label(
                [
                    html.Span(t("Kind"), className="field-label"),
                    html.Select(kinds, name="kind", className="form-select form-select-sm"),
                ],
                className="field",
            ),
            html.Button(
                [icon("upload"), t("Check the file")],
                type="submit",
                id="upload-send",
                className=MAIN_BUTTON,
            ),
            html.Progress(className="upload-progress", hidden=True, max="1"),
            html.P(className="upload-error", role="alert"),
        ],
        id="upload-form",
        action="/api/v1/loads",
        className="upload-form",
        **data(
            token=csrf_token,
            max_bytes=str(upload_mb << 20),
            messages=json.dumps(upload_messages(viewer, upload_mb)),
        ),
    )
    note = t(
        "CSV, XLSX or Parquet, up to %(limit)s MB. First it is only checked: nothing changes until"
        " you load it.",
        limit=fmt.number(upload_mb, viewer.locale),
    )
    return card(t("Load a file"), form, note=note)


def _picker(name: str, label: str, words: str, accept: str) -> html.Div:
    return html.Div(
        [
            html.Span(label, className="field-label"),
            html.Button(
                [icon("file"), html.Span(words)],
                type="button",
                className=f"{BUTTON} pick",
                **data(pick=name, accept=accept, words=words),
                **aria(label=f"{label}: {words}"),
            ),
        ],
        className="field",
    )


def upload_messages(viewer: Viewer, upload_mb: int) -> dict[str, str]:
    """What the form says by the code of a failure or the field that is wrong."""
    t = viewer.t
    limit = fmt.number(upload_mb, viewer.locale)
    return {
        "missing": t("Choose a file first."),
        "too_large": t("The file is larger than %(limit)s MB.", limit=limit),
        "file": t("The file must be one of %(suffixes)s.", suffixes=", ".join(SUFFIXES)),
        "not_allowed": t("Your role does not allow this."),
        "not_authenticated": t("You are no longer signed in: load the page again."),
        "too_many_attempts": t("Your last file is still being worked on: wait until it is done."),
        "no_room": t("There is no room for the file on the server: tell an administrator."),
        "bad_request": t("The form has expired: load the page again."),
        "broken": t("The connection broke while the file was being sent. Try again."),
        "error": t("The server could not do this. Nothing was changed; the error has been logged."),
    }


# Watching a job


def job_panel(job: Job | None, others: list[Job], viewer: Viewer) -> html.Div:
    """The job of this address; without one, a line for each that is at work."""
    if job is not None:
        return html.Div(job_card(job, others, viewer), id="job-panel")
    return html.Div([_at_work(other, viewer) for other in others], id="job-panel")


def _at_work(job: Job, viewer: Viewer) -> html.Div:
    text = viewer.t(
        "At work now: %(what)s, %(object)s, by %(who)s.",
        what=title_of(job, viewer),
        object=shown_object(job, viewer),
        who=job.actor,
    )
    return notice(text)


def title_of(job: Job, viewer: Viewer) -> str:
    """What is done."""
    if job.follows:
        return named(FOLLOWED, job.follows, viewer.t)
    return named(JOB_TITLES, job.kind, viewer.t)


def shown_object(job: Job, viewer: Viewer) -> str:
    """What the job is about: a file's name, a run, an adjustment's number or groups of settings."""
    if job.run_id:
        return viewer.t("run %(run)s", run=job.run_id)
    what = job.object.removeprefix(f"{job.follows}:")
    if job.follows != "setting":
        return what
    return ", ".join(named(SETTING_ROWS, one, viewer.t) for one in what.split(","))


def job_card(job: Job, others: list[Job], viewer: Viewer) -> html.Section:
    """How far the job is, or what came of it."""
    title = f"{title_of(job, viewer)}: {shown_object(job, viewer)}"
    if job.is_active:
        waits = any(other.job_id < job.job_id for other in others)
        return card(title, *_progress(job, waits, viewer), class_name="job")
    return card(
        title,
        *_verdict(job, viewer),
        *(part for one in job.files for part in outcome(one, viewer)),
        *_every_reject(job, viewer),
        html.Div(_next_steps(job, viewer), className="actions"),
        class_name="job",
    )


def _progress(job: Job, waits: bool, viewer: Viewer) -> list[Component]:
    t = viewer.t
    phase, _, step = (job.phase or "").partition(" ")
    at, _, steps = step.partition("/")
    if job.cancelled_at:
        text = t(CANCELLING)
    elif waits and job.phase in (None, "waiting"):
        text = t("Another load is at work: this one starts when it has ended.")
    else:
        rows = fmt.number(job.rows_read, viewer.locale)
        text = t(PHASES.get(phase, START), rows=rows)
        if steps:
            said = t("Step %(step)s of %(steps)s.", step=at, steps=steps)
            text = f"{text} {said}"
    return [
        html.P(text, className="job-phase", role="status"),
        html.Progress(className="upload-progress", **_how_far(at, steps), **aria(label=text)),
        dcc.Interval(id="job-tick", interval=TICK_MS),
        *_way_out(job, viewer),
    ]


def _how_far(at: str, steps: str) -> Any:
    return {"value": at, "max": steps} if steps else {}


def _way_out(job: Job, viewer: Viewer) -> list[Component]:
    may_steer = job.is_open_to(viewer.email, viewer.role, viewer.scope, Permission.LOAD)
    if not (job.may_be_cancelled and may_steer):
        return []
    button = html.Button(viewer.t("Cancel"), type="button", id="cancel-job", className=BUTTON)
    return [html.Div(button, className="actions", id="job-cancel")]


def _verdict(job: Job, viewer: Viewer) -> list[Component]:
    """One line: did it work, and what changed."""
    t = viewer.t
    if job.state == "failed":
        text = " ".join([t("It did not work."), _what_stays(job, viewer)])
        return [_line("alert", "bad", text), _said(job, viewer)]
    if job.state == "cancelled":
        text = " ".join([t("Cancelled."), _what_stays(job, viewer)])
        return [_line("info", "none", text)]
    if job.state == "refused":
        more = [_said(job, viewer)] if job.message else []
        part = t("Part of the file was refused. The rest is loaded; every page shows it.")
        none = t("The file was refused. Nothing was changed.")
        return [_line("alert", "bad", part if job.has_loaded else none), *more]
    texts = {
        "dry_run": t("The file is in order. Nothing has been changed yet."),
        "load": t("The file is loaded; every page shows it."),
        "publish": t("The run is published; every page shows it."),
        "override": t("Policy and alerts follow the adjusted forecast."),
        "setting": t("Policy and alerts follow the settings."),
    }
    return [_line("level-good", "good", texts[job.follows or job.kind])]


def _what_stays(job: Job, viewer: Viewer) -> str:
    """What counts though it is not derived."""
    t = viewer.t
    if not job.is_due:
        return t("Nothing was changed.")
    if job.has_loaded or job.follows == "load":
        return t("What was loaded stays; the pages' figures are as before.")
    return t("What was saved stays; policy and alerts are as before.")


def _line(drawing: str, kind: str, text: str) -> html.P:
    return html.P([icon(drawing), text], className=f"verdict verdict-{kind}", role="status")


def _said(job: Job, viewer: Viewer) -> html.P:
    return html.P(reason_in(job.message or "", viewer.t, viewer.locale), className="job-message")


def outcome(one: FileOutcome, viewer: Viewer) -> list[Component]:
    """One file or sheet: its numbers, why it was refused, its first rejects."""
    name = f"{one.file} [{one.part}]" if one.part else one.file
    parts: list[Component] = [html.H3(name, className="outcome-name"), _numbers(one, viewer)]
    if one.message:
        message = reason_in(one.message, viewer.t, viewer.locale)
        parts.append(html.P(message, className="job-message"))
    for words, count in [*one.dropped.items(), *one.notes.items()]:
        said = f"{_rows(count, viewer)}: {reason_in(words, viewer.t, viewer.locale)}"
        parts.append(html.P(said, className="weak"))
    return [*parts, *_first_rejects(one, viewer)]


def _rows(count: int, viewer: Viewer) -> str:
    t = viewer.t
    shown = fmt.number(count, viewer.locale)
    return t("1 row") if count == 1 else t("%(count)s rows", count=shown)


def _every_reject(job: Job, viewer: Viewer) -> list[Component]:
    """What a check refused, as files."""
    links = file_links(f"/admin/data/jobs/{job.job_id}/rejects", {}, viewer)
    if not job.has_rejects or not links:
        return []
    label = html.Span(viewer.t("Every rejected row, for a day:"), className="weak")
    return [html.Div([label, *links], className="request-links")]


def _numbers(one: FileOutcome, viewer: Viewer) -> html.Dl:
    t, locale = viewer.t, viewer.locale
    span = f"{fmt.day(one.date_from, locale)} – {fmt.day(one.date_to, locale)}"
    known = {
        t("Kind"): named(FILE_KINDS, one.kind or None, t),
        t("State"): named(OUTCOMES, one.state, t),
        t("Rows read"): fmt.number(one.read, locale),
        t("Accepted"): fmt.number(one.accepted, locale),
        t("Rejected"): fmt.number(one.rejected, locale),
        t("Filtered"): fmt.number(one.filtered, locale),
        t("Merged"): fmt.number(one.merged, locale),
    }
    if one.superseded is not None and one.repeated is not None:
        known[t("New")] = fmt.number(one.accepted - one.superseded - one.repeated, locale)
        known[t("Replaced")] = fmt.number(one.superseded, locale)
        known[t("Already there")] = fmt.number(one.repeated, locale)
    if one.date_from:
        known[t("Dates")] = span
    if one.quantity is not None:
        known[t("Total quantity")] = fmt.number(one.quantity, locale, 2)
    return facts(known)


def _first_rejects(one: FileOutcome, viewer: Viewer) -> list[Component]:
    if not one.rejects:
        return []
    t = viewer.t
    text = t(
        "Rejected rows: %(count)s. First problems shown: %(shown)s.",
        shown=fmt.number(len(one.rejects), viewer.locale),
        count=fmt.number(one.rejected, viewer.locale),
    )
    return [html.P(text, className="field-label"), reject_grid("first-rejects", one, viewer)]


def reject_grid(name: str, one: FileOutcome, viewer: Viewer) -> Component:
    """The first refused rows: line, column, value and reason."""
    rows = [_reject_row(number, reject, viewer) for number, reject in enumerate(one.rejects)]
    identity = f"{name}-{one.kind}-{one.part}".replace(".", "-")
    return grid(identity, reject_columns(viewer), rows, viewer, row_id="id")


def _reject_row(number: int, reject: RejectShown, viewer: Viewer) -> dict[str, Any]:
    return {
        "id": str(number),
        "line": reject.line,
        "column": reject.column,
        "value": reject.value,
        "reason": reason_in(reject.reason, viewer.t, viewer.locale),
    }


def reject_columns(viewer: Viewer) -> list[Column]:
    """Where a row was refused and why; the order is that of the file."""
    t = viewer.t
    columns = [
        number_column("line", t("Line"), minWidth=84, flex=0, width=100),
        text_column("column", t("Column"), minWidth=110),
        text_column("value", t("Value"), minWidth=130),
        text_column("reason", t("Reason"), flex=3, minWidth=260),
    ]
    return [{**column, "sortable": False} for column in columns]


def _next_steps(job: Job, viewer: Viewer) -> list[Component]:
    t = viewer.t
    back = dcc.Link(t("Close"), href="/admin/data", className=BUTTON)
    if job.may_follow and viewer.may(Permission.LOAD) and job.actor == viewer.email:
        load = html.Button(
            [icon("upload"), t("Load this file")],
            type="button",
            id="load-previewed",
            className=MAIN_BUTTON,
        )
        return [load, back, _way_on("load-address")]
    if job.is_due and viewer.may(Permission.LOAD):
        again = html.Button(derive_words(viewer), type="button", id=AGAIN, className=MAIN_BUTTON)
        return [again, back, _way_on("again-address")]
    if job.kind == "dry_run" and job.state == "done" and not viewer.may(Permission.LOAD):
        return [html.P(t("An administrator can load it."), className="weak"), back]
    return [*_hint(job, viewer), back]


def derive_words(viewer: Viewer) -> str:
    """What the button says that begins a derivation which failed or was cancelled."""
    return viewer.t("Derive now")


def _way_on(name: str) -> dcc.Location:
    """Where a callback writes the address of the job that it has started."""
    return dcc.Location(id=name, refresh="callback-nav")


def _hint(job: Job, viewer: Viewer) -> list[Component]:
    """The forecasts do not know the new data yet."""
    changed = {one.kind for one in job.files if one.state == "accepted"}
    if job.kind != "load" or not changed & set(TRAINING_KINDS):
        return []
    text = viewer.t("The forecasts do not know it yet: train and publish again.")
    lines = ("python -m models_offline train", "flask publish BUNDLE")
    return [html.Div([html.P(text), commands(*lines)], className="hint")]


# Showing another run


def confirm_card(run: Run, viewer: Viewer) -> html.Section:
    """What publishing this run means, and the button that does it."""
    t, locale = viewer.t, viewer.locale
    text = t(
        "Everybody sees run %(run)s at once, with data until %(date)s, computed %(moment)s, instead"
        " of the run published now. Nothing is deleted: the other run can be published again.",
        run=run.run_id,
        date=fmt.day(run.data_to, locale),
        moment=fmt.moment(run.computed_at, locale),
    )
    buttons = html.Div(
        [
            html.Button(
                t("Publish run %(run)s", run=run.run_id),
                type="button",
                id="publish-run",
                className=MAIN_BUTTON,
            ),
            dcc.Link(t("Cancel"), href="/admin/data", className=BUTTON),
            _way_on("publish-address"),
        ],
        className="actions",
    )
    title = t("Publish run %(run)s?", run=run.run_id)
    return card(title, html.P(text), buttons, class_name="job")
