"""Does what was asked for on the pages, in the name of who asked; run by `flask jobs run`.

A process is started for each job, and most are checks of files: what derives, and pandas with it,
is imported where it is needed.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Row, text
from sqlalchemy.exc import DBAPIError

from domain.access import Permission, may
from domain.errors import NotFound, NovaError
from domain.records import followed_by
from warehouse import uploads
from warehouse.commands.jobs import note_end
from warehouse.pipeline.ingest import ingest
from warehouse.pipeline.report import FileReport, IngestReport, Reject
from warehouse.pipeline.views import refresh_needed
from warehouse.queries.jobs import JOB_LOCK

if TYPE_CHECKING:
    from warehouse.pipeline.derive import OnStep

SHOW_SECONDS = 0.5
FAILURES = (NovaError, DBAPIError, OSError)

log = logging.getLogger(__name__)

Say = Callable[..., None]


class Cancelled(Exception):
    """Somebody asked to leave off."""


@dataclass(frozen=True)
class Outcome:
    """How a job has ended; `facts` go into its audit row."""

    state: str
    message: str | None = None
    report: IngestReport | None = None
    facts: dict[str, Any] | None = None


def run_job(job_id: int, *, engine: Engine) -> bool:
    """Does one job that is queued; True if it was done. Its end is in its row and in the audit log.
    Raises NotFound for a job that is not there or has been taken."""
    with _alive(engine, job_id) as connection:
        job = _claimed(connection, job_id)
        try:
            outcome = _WORK[job.kind](job, engine, _speaker(connection, job_id))
        except Cancelled:
            outcome = Outcome("cancelled")
        except FAILURES as error:
            outcome = _failed(job, error)
        except BaseException as error:
            _finish(engine, job, Outcome("failed", f"stopped by {type(error).__name__}"))
            raise
        _finish(engine, job, outcome)
    return outcome.state == "done"


@contextmanager
def _alive(engine: Engine, job_id: int) -> Iterator[Connection]:
    """Holds the lock that says that this job has a process."""
    key = {"kind": JOB_LOCK, "job_id": job_id}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT pg_advisory_lock(:kind, :job_id)"), key)
        try:
            yield connection
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:kind, :job_id)"), key)


def _claimed(connection: Connection, job_id: int) -> Row[Any]:
    sql = """
        UPDATE support.job SET state = 'running', started_at = now()
        WHERE job_id = :job_id AND state = 'queued' RETURNING *
    """
    job = connection.execute(text(sql), {"job_id": job_id}).one_or_none()
    if job is None:
        raise NotFound(f"There is no job {job_id} to be done.")
    return job


def _speaker(connection: Connection, job_id: int) -> Say:
    """Writes how far the job is, at most twice a second."""
    sql = text("UPDATE support.job SET phase = :phase, rows_read = :rows WHERE job_id = :job_id")
    said, said_at = "", 0.0

    def say(phase: str, rows: int = 0) -> None:
        nonlocal said, said_at
        now = time.monotonic()
        if phase != said or now - said_at > SHOW_SECONDS:
            said, said_at = phase, now
            connection.execute(sql, {"phase": phase, "rows": rows, "job_id": job_id})

    return say


def _ingest(job: Row[Any], engine: Engine, say: Say) -> Outcome:
    path, mapping = uploads.files_of(job.upload)
    seen: dict[int, FileReport] = {}

    def on_progress(report: FileReport) -> None:
        seen[id(report)] = report
        say("reading", report.read)

    def check() -> None:
        if all(one.state != "accepted" for one in seen.values()):
            _leave_off_if_asked(engine, job.job_id)

    def on_file(report: IngestReport) -> None:
        if report.changed:
            _keep(engine, job.job_id, report)

    def on_rejects(file: str, rejects: list[Reject]) -> None:
        rows = ((file, each.line, each.column, each.value, each.reason) for each in rejects)
        uploads.add_rejects(job.upload, rows)

    is_dry_run = job.kind == "dry_run"
    say("waiting")
    report = ingest(
        path,
        engine=engine,
        loaded_by=job.actor,
        mapping=mapping,
        kind=job.file_kind,
        dry_run=is_dry_run,
        on_progress=on_progress,
        check=check,
        on_rejects=on_rejects,
        on_file=on_file,
    )
    facts = {"files": {one.source: one.state for one in report.files}}
    if report.changed or (not is_dry_run and refresh_needed(engine)):
        from warehouse.pipeline.derive import refresh_after_load

        say("deriving")
        try:
            refresh_after_load(engine, _steps(say, "deriving"))
        except FAILURES as error:
            return _failed(job, error, report, facts)
    message = None if report.files else f"ignored: {', '.join(report.ignored)}"
    return Outcome("done" if report.ok else "refused", message, report, facts)


def _keep(engine: Engine, job_id: int, report: IngestReport) -> None:
    """What is loaded by now: it stays, whatever becomes of the job."""
    sql = text("UPDATE support.job SET report = CAST(:report AS jsonb) WHERE job_id = :job_id")
    with engine.begin() as connection:
        connection.execute(sql, {"report": _json(report), "job_id": job_id})


def _leave_off_if_asked(engine: Engine, job_id: int) -> None:
    sql = text("SELECT cancelled_at IS NOT NULL FROM support.job WHERE job_id = :job_id")
    with engine.connect() as connection:
        if connection.execute(sql, {"job_id": job_id}).scalar():
            raise Cancelled


def _publish(job: Row[Any], engine: Engine, say: Say) -> Outcome:
    from warehouse.pipeline.publish import point_at

    say("publishing")
    on_step = _steps(say, "publishing", partial(_leave_off_if_asked, engine, job.job_id))
    point_at(job.run_id, engine=engine, published_by=job.actor, on_step=on_step)
    return Outcome("done", facts={"run_id": job.run_id})


def _derive(job: Row[Any], engine: Engine, say: Say) -> Outcome:
    from warehouse.pipeline.derive import derive_load, derive_overrides, derive_settings

    say("deriving")
    followed = {"override": derive_overrides, "setting": derive_settings, "load": derive_load}
    derive = followed[followed_by(job.object)]
    on_step = _steps(say, "deriving", partial(_leave_off_if_asked, engine, job.job_id))
    return Outcome("done", facts={"derived": derive(engine, on_step)})


def _steps(say: Say, phase: str, check: Callable[[], None] | None = None) -> OnStep:
    """Tells the steps of a derivation with its phase: `deriving 2/6`. `check` is called in each,
    after the phase is written: who asks to leave off holds the job's row."""
    from warehouse.pipeline.derive import SHOWING, STEPS, WAITING

    others = {WAITING: "waiting", SHOWING: "showing"}

    def on_step(step: int) -> None:
        say(others.get(step, f"{phase} {step}/{STEPS}"))
        if check:
            check()

    return on_step


_WORK = {"dry_run": _ingest, "load": _ingest, "publish": _publish, "derive": _derive}


def _failed(
    job: Row[Any],
    error: Exception,
    report: IngestReport | None = None,
    facts: dict[str, Any] | None = None,
) -> Outcome:
    message = _words(error)
    log.warning("job %s failed: %s", job.job_id, message)
    return Outcome("failed", message, report, {**(facts or {}), "reason": message})


def _words(error: Exception) -> str:
    return f"the database refused: {error.orig}" if isinstance(error, DBAPIError) else str(error)


def _finish(engine: Engine, job: Row[Any], outcome: Outcome) -> None:
    sql = """
        UPDATE support.job SET state = :state, message = :message, finished_at = clock_timestamp(),
            report = coalesce(CAST(:report AS jsonb), report)
        WHERE job_id = :job_id
    """
    report = outcome.report and _json(outcome.report)
    values = {"state": outcome.state, "message": outcome.message, "report": report}
    if job.upload and not _is_kept(job, outcome):
        was_checked = job.kind == "dry_run" and outcome.report is not None
        (uploads.remove_sent if was_checked else uploads.remove)(job.upload)
    with engine.begin() as connection:
        connection.execute(text(sql), {**values, "job_id": job.job_id})
        ended = {**job._mapping, "state": outcome.state}
        note_end(connection, ended, outcome.facts or {"reason": outcome.message})


def _json(report: IngestReport) -> str:
    return json.dumps(report.as_dict(), default=str)


def _is_kept(job: Row[Any], outcome: Outcome) -> bool:
    """A file that was looked at waits for its load, if whoever sent it may load."""
    files = outcome.report.files if outcome.report else []
    is_new = outcome.state == "done" and any(one.state == "dry-run" for one in files)
    return is_new and may(job.role, Permission.LOAD)
