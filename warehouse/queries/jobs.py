"""Work asked for on the pages: how far it is, and what came of it. Never cached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from domain.access import Permission
from domain.errors import NotFound, stopped
from domain.records import FileOutcome, Job, RejectedRow, RejectShown
from domain.viewer import Viewer
from warehouse import uploads
from warehouse.db import primary

JOB_LOCK = 0x6A6F62
START_SECONDS = 60

# a job's process holds its lock: a job without it has died, or not been started
_IS_DEAD = f"""
finished_at IS NULL AND (state = 'running' OR created_at < now() - interval '{START_SECONDS} s')
AND NOT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
        AND classid = {JOB_LOCK} AND objid = job_id AND objsubid = 2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""

_SELECT = f"""
SELECT job_id, kind, object, run_id, actor, phase, rows_read, upload, report, created_at,
    started_at, finished_at, cancelled_at, state, message, {_IS_DEAD} AS is_dead
FROM support.job
"""

SETTLE = f"""
UPDATE support.job SET state = 'failed', message = '{stopped()}', finished_at = now()
WHERE {_IS_DEAD}
"""


def one(job_id: int) -> Job:
    """Raises NotFound, Unavailable."""
    with primary() as connection:
        return read(connection, job_id)


def one_for(viewer: Viewer, job_id: int) -> Job:
    """The same as this reader finds it: their own, or anybody's for those who may check files.
    Raises NotFound, Unavailable."""
    job = one(job_id)
    if not job.is_open_to(viewer.email, viewer.role, viewer.scope, Permission.LOAD_DRY_RUN):
        raise NotFound(f"There is no job {job_id}.")
    return job


def asked_by(job_id: int) -> str | None:
    """The number of the request that asked for it, if one did. Raises Unavailable."""
    sql = text("SELECT request_id FROM support.job WHERE job_id = :job_id")
    with primary() as connection:
        return connection.execute(sql, {"job_id": job_id}).scalar()


def rejects(job_id: int) -> Iterator[RejectedRow]:
    """Every row that a dry run has refused, in the order of the files; kept for a day. Raises
    NotFound for a job without any."""
    with primary() as connection:
        sql = text("SELECT upload FROM support.job WHERE job_id = :job_id AND kind = 'dry_run'")
        upload = connection.execute(sql, {"job_id": job_id}).scalar()
    if upload is None or not uploads.has_rejects(upload):
        raise NotFound(f"There are no refused rows of a check {job_id}.")
    return (
        RejectedRow(number, file, int(line) if line else None, column or None, value or None, why)
        for number, (file, line, column, value, why) in enumerate(uploads.rejects(upload), 1)
    )


def read(connection: Connection, job_id: int, *, held: bool = False) -> Job:
    """The same on a connection that is open; `held`: nobody else changes it until the transaction
    ends. Raises NotFound.

    What seems dead is looked at twice: its process may have ended it, and let go of its lock,
    between the look at its row and that at its lock."""
    sql = text(f"{_SELECT} WHERE job_id = :job_id{' FOR UPDATE' if held else ''}")
    row = connection.execute(sql, {"job_id": job_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no job {job_id}.")
    return _job(connection.execute(sql, {"job_id": job_id}).one() if row.is_dead else row)


def active() -> list[Job]:
    """What is at work now, oldest first."""
    with primary() as connection:
        sql = text(f"SELECT * FROM ({_SELECT}) AS j WHERE finished_at IS NULL AND NOT is_dead")
        return sorted(map(_job, connection.execute(sql)), key=lambda job: job.job_id)


def _job(row: Row[Any]) -> Job:
    known = {one.name: row._mapping[one.name] for one in fields(Job) if one.name in row._mapping}
    report = row.report or {"files": []}
    is_open = row.kind == "dry_run" and row.state == "done" and uploads.is_kept(row.upload)
    refused = row.kind == "dry_run" and uploads.has_rejects(row.upload)
    is_new = any(one["state"] == "dry-run" for one in report["files"])
    outcomes = [_outcome(one) for one in report["files"]]
    if row.is_dead:
        known |= {"state": "failed", "message": stopped()}
    return Job(**known, may_follow=is_open and is_new, has_rejects=refused, files=outcomes)


def _outcome(values: dict[str, Any]) -> FileOutcome:
    known: dict[str, Any] = {one.name: values.get(one.name) for one in fields(FileOutcome)}
    return FileOutcome(
        **known
        | {"rejects": [RejectShown(**one) for one in values["rejects"]]}
        | {name: _day(values[name]) for name in ("date_from", "date_to")}
    )


def _day(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)
