"""Asking for a load or a publish. The command line does it, in a process and under a database role
of its own; its progress stands in `support.job`, for every worker to show."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import IO, Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from config import get_settings
from domain.access import Permission, Scope
from domain.errors import InvalidInput, NotFound, TooManyAttempts, stopped
from domain.records import followed_by
from warehouse import uploads
from warehouse.commands import audit
from warehouse.commands.users import Actor
from warehouse.pipeline.report import FileReport
from warehouse.queries import jobs
from warehouse.queries.jobs import SETTLE

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ("-m", "flask", "--app", "dashboard.cli", "jobs", "run")
COUNTERS = "PROMETHEUS_MULTIPROC_DIR"
"""What workers share, and a job has no part in."""
AGAIN_SECONDS = 5
ACTIONS = {"dry_run": "load.dry_run", "load": "load", "publish": "publish"}
STDERR = 2

log = logging.getLogger(__name__)

_QUEUE = f"""
WITH settled AS ({SETTLE} RETURNING *), made AS (
    INSERT INTO support.job
        (kind, object, upload, file_kind, run_id, actor, role, address, request_id)
    SELECT :kind, :object, :upload, :file_kind, CAST(:run_id AS integer), :actor, :role, :address,
        :request_id
    FROM (SELECT count(*) FROM settled) AS first
    RETURNING job_id
), noted AS ({audit.tell("CROSS JOIN made", object="'job:' || made.job_id")})
SELECT job_id, (SELECT jsonb_agg(settled) FROM settled) AS settled FROM made
"""
"""A person's jobs that have died end first: they may have no two at work."""


def start_file(
    engine: Engine, *, upload: str, file_kind: str | None, dry_run: bool, actor: Actor
) -> int:
    """Checks (`dry_run`) or loads a kept upload; gives the job's number. Raises TooManyAttempts
    while another job of the same person is at work; the upload is gone then."""
    values = {
        "kind": "dry_run" if dry_run else "load",
        "object": uploads.files_of(upload)[0].name,
        "upload": upload,
        "file_kind": file_kind,
    }
    try:
        return _start(engine, values, actor)
    except TooManyAttempts:
        uploads.remove(upload)
        raise


def load_previewed(engine: Engine, *, job_id: int, actor: Actor) -> int:
    """Loads what a dry run has looked at; gives the new job's number. Raises NotFound for a job
    that is no such dry run of the same person, InvalidInput when its file is no longer kept."""
    sql = """
        SELECT upload, file_kind, object FROM support.job
        WHERE job_id = :job_id AND kind = 'dry_run' AND state = 'done' AND actor = :actor
    """
    with engine.connect() as connection:
        seen = connection.execute(text(sql), {"job_id": job_id, "actor": actor.name}).one_or_none()
    if seen is None:
        raise NotFound(f"There is no dry run {job_id} of yours that can be loaded.")
    if not uploads.is_kept(seen.upload):
        raise InvalidInput("The file is no longer kept; send it again.", fields={"file": "is gone"})
    return _start(engine, {"kind": "load", **seen._mapping}, actor)


def cancel(engine: Engine, *, job_id: int, actor: Actor, scope: Scope) -> None:
    """Asks a job that is under way to leave off; a check or load does within a second, unless its
    file is loaded by then, what derives the pages' figures before its next step. One's own, or
    anybody's for those who may load (`scope`: the actor's). Raises NotFound, and InvalidInput for
    one that has ended or cannot be cancelled any more."""
    with engine.begin() as connection:
        job = jobs.read(connection, job_id, held=True)
        if not job.is_open_to(actor.name, actor.role, scope, Permission.LOAD):
            raise NotFound(f"There is no job {job_id} of yours.")
        if not job.may_be_cancelled:
            raise InvalidInput("The job has ended or cannot be cancelled any more.")
        asked = "UPDATE support.job SET cancelled_at = now() WHERE job_id = :job_id"
        connection.execute(text(asked), {"job_id": job_id})
        audit.note(
            connection,
            actor,
            action="job.cancel",
            object=f"job:{job_id}",
            after={"kind": job.kind, "object": job.object},
        )


def start_publish(engine: Engine, *, run_id: int, actor: Actor) -> int:
    """Shows a run that is still loaded; gives the job's number. Raises NotFound for another."""
    sql = text("SELECT state FROM analytics.run WHERE run_id = :run_id")
    with engine.connect() as connection:
        state = connection.execute(sql, {"run_id": run_id}).scalar()
    if state != "ready":
        reason = "there is no such run" if state is None else f"it is {state}"
        raise NotFound(f"Run {run_id} cannot be published: {reason}.")
    return _start(engine, {"kind": "publish", "object": f"run:{run_id}", "run_id": run_id}, actor)


def derive_again(engine: Engine, *, job_id: int, actor: Actor, scope: Scope) -> int:
    """Derives what a job has not, which failed or was cancelled: one's own, or anybody's for those
    who may check files (`scope`: the actor's). Gives the new job's number. Raises NotFound for any
    other job."""
    with engine.begin() as connection:
        job = jobs.read(connection, job_id)
        open_to = job.is_open_to(actor.name, actor.role, scope, Permission.LOAD_DRY_RUN)
        if not (open_to and job.is_due):
            raise NotFound(f"Job {job_id} has left nothing to be derived.")
        what = job.object if job.kind == "derive" else f"load:{job.object}"
        again = queue_derive(connection, object=what, actor=actor)
    spawn(engine, again)
    return again


def queue_derive(connection: Connection, *, object: str, actor: Actor) -> int:
    """A job that derives the published run again, in the caller's transaction; to be followed by
    `spawn` when that is committed. Any number of these may wait: each does nothing if the one
    before it has seen everything."""
    return _queued(connection, {"kind": "derive", "object": object}, actor)


def _start(engine: Engine, values: dict[str, Any], actor: Actor) -> int:
    """The job's row with its audit row, then its process."""
    try:
        with engine.begin() as connection:
            job_id = _queued(connection, values, actor)
    except IntegrityError:
        message = "Another job of yours is at work; wait until it has ended."
        raise TooManyAttempts(message, retry_after=AGAIN_SECONDS) from None
    spawn(engine, job_id)
    return job_id


def _queued(connection: Connection, values: dict[str, Any], actor: Actor) -> int:
    after = {"kind": values["kind"], "object": values["object"]}
    told = {"action": "job.start", "after": after}
    params = {
        **dict.fromkeys(("upload", "file_kind", "run_id")),
        **values,
        **audit.who(actor),
        "audit": audit.told(connection, actor, [told]),
    }
    made = connection.execute(text(_QUEUE), params).one()
    for died in made.settled or ():
        _tell_failed(connection, died)
    return int(made.job_id)


def spawn(engine: Engine, job_id: int) -> None:
    """A process of its own: a worker that ends does not take the load with it. Where it cannot be
    started the job has failed; what was saved with it stays."""
    try:
        with _output() as output:
            process = subprocess.Popen(
                [sys.executable, *COMMAND, str(job_id)],
                cwd=ROOT,
                env={name: value for name, value in os.environ.items() if name != COUNTERS},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
    except OSError as error:
        _fail(engine, job_id, f"its process could not be started: {error.strerror}")
        return
    Thread(target=_wait, args=(engine, process, job_id), daemon=True).start()


@contextmanager
def _output() -> Iterator[IO[bytes] | int]:
    """What jobs write to: their own log, or ours where it cannot be opened."""
    path = get_settings().home / "logs" / "jobs.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.open("ab")
    except OSError as error:
        log.warning("jobs cannot write to their log: %s", error)
        yield STDERR
        return
    with opened:
        yield opened


def _wait(engine: Engine, process: subprocess.Popen[bytes], job_id: int) -> None:
    """Whatever ended the process, the job has ended too."""
    _fail(engine, job_id, stopped(process.wait()))


def _fail(engine: Engine, job_id: int, message: str) -> None:
    """Ends a job that its process has not ended."""
    sql = """
        UPDATE support.job SET state = 'failed', message = :message, finished_at = now()
        WHERE job_id = :job_id AND finished_at IS NULL RETURNING *
    """
    with engine.begin() as connection:
        job = connection.execute(text(sql), {"job_id": job_id, "message": message}).one_or_none()
        if job is not None:
            _tell_failed(connection, dict(job._mapping))


def _tell_failed(connection: Connection, job: Mapping[str, Any]) -> None:
    """Of a job that its process has not ended: the audit row with what is loaded all the same, a
    line in the log; its upload goes."""
    files = [FileReport(**one) for one in (job["report"] or {"files": ()})["files"]]
    loaded = {"files": {one.source: one.state for one in files}} if files else {}
    note_end(connection, job, {**loaded, "reason": job["message"]})
    log.error("job %d failed: %s", job["job_id"], job["message"])
    if job["upload"]:
        uploads.remove(job["upload"])


def note_end(connection: Connection, job: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """The audit row of how a job (its columns by name) has ended, in the name of who asked."""
    derives = job["kind"] == "derive"
    action = f"{followed_by(job['object'])}.derive" if derives else ACTIONS[job["kind"]]
    audit.record(
        connection,
        actor=job["actor"],
        role=job["role"],
        address=job["address"],
        request_id=job["request_id"],
        action=action if job["state"] == "done" else f"{action}.refused",
        object=job["object"],
        after=facts,
    )
