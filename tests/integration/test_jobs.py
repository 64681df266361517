"""Whether a job or a load is at work, has ended or has died is told by its row and by its process's
lock; what its process does not tell is told for it."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from domain.errors import stopped
from domain.records import Job, Load
from tests import factories, services
from warehouse import uploads
from warehouse.commands import jobs as commands
from warehouse.commands.users import Actor
from warehouse.pipeline.jobs import _alive
from warehouse.pipeline.views import WRITE_LOCK
from warehouse.queries import jobs, loads

LATE_LOCKS = """
    CREATE FUNCTION public.late_locks() RETURNS SETOF pg_catalog.pg_locks LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_sleep(0.5); RETURN QUERY SELECT * FROM pg_catalog.pg_locks; END $$;
    CREATE VIEW public.pg_locks AS SELECT * FROM public.late_locks();
    GRANT SELECT ON public.pg_locks TO PUBLIC;
"""
"""Seen instead of PostgreSQL's own where `public` is searched first."""
BEGUN = "UPDATE support.job SET state = 'running', started_at = now() WHERE job_id = :job_id"
DONE = "UPDATE support.job SET state = 'done', finished_at = now() WHERE job_id = :job_id"
TOLD = "SELECT action, object, actor, after FROM support.audit_log ORDER BY audit_id DESC LIMIT 1"
UNSTARTED = f"its process could not be started: {os.strerror(errno.ENOMEM)}"


@pytest.fixture
def job_id(engine: Engine) -> int:
    made = """
        INSERT INTO support.job (kind, object, actor, role)
        VALUES ('derive', 'override:7', 'ana', 'ADMIN')
        RETURNING job_id
    """
    with engine.begin() as connection:
        return int(connection.execute(text(made)).scalar_one())


@pytest.fixture
def late_locks(nova: str, engine: Engine) -> None:
    """Who looks at the locks sees them half a second after the row."""
    with engine.begin() as connection:
        connection.execute(text(LATE_LOCKS))
    database = nova.rpartition("/")[2]
    services.execute(nova, f'ALTER DATABASE "{database}" SET search_path = public, pg_catalog')


@pytest.mark.usefixtures("late_locks")
def test_a_job_that_ends_while_it_is_looked_at_has_not_died(engine: Engine, job_id: int) -> None:
    seen: list[Job] = []
    with _alive(engine, job_id) as connection:
        _say(connection, BEGUN, job_id)
        looking = Thread(target=lambda: seen.append(jobs.one(job_id)))
        looking.start()
        _wait_for_a_sleeper(connection)
        _say(connection, DONE, job_id)
    looking.join()
    assert [(job.state, job.message) for job in seen] == [("done", None)]


def test_a_job_whose_process_is_gone_has_failed(nova: str, engine: Engine, job_id: int) -> None:
    with _alive(engine, job_id) as connection:
        _say(connection, BEGUN, job_id)
        assert jobs.one(job_id).state == "running"
        assert [job.job_id for job in jobs.active()] == [job_id]
    job = jobs.one(job_id)
    assert (job.state, job.message, job.finished_at) == ("failed", stopped(), None)
    assert jobs.active() == []


@pytest.mark.parametrize("look", [lambda _: loads.page().rows, lambda one: [loads.one(one)]])
@pytest.mark.usefixtures("late_locks")
def test_a_load_that_ends_while_it_is_looked_at_has_not_stopped(
    engine: Engine, look: Callable[[int], list[Load]]
) -> None:
    held, at_once = {"key": WRITE_LOCK}, engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.begin() as connection:
        load_id = factories.add_load(connection, "demand")
        connection.execute(text("UPDATE staging.load SET state = 'loading'"))
    seen: list[Load] = []
    with at_once.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), held)
        looking = Thread(target=lambda: seen.extend(look(load_id)))
        looking.start()
        _wait_for_a_sleeper(connection)
        connection.execute(text("UPDATE staging.load SET state = 'accepted'"))
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), held)
    looking.join()
    assert [one.state for one in seen] == ["accepted"]
    with engine.begin() as connection:
        connection.execute(text("UPDATE staging.load SET state = 'loading'"))
    assert [one.state for one in look(load_id)] == ["stopped"]


@pytest.fixture
def without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process can be started."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(subprocess, "Popen", refuse)


@pytest.mark.usefixtures("nova", "without_memory")
def test_a_job_whose_process_cannot_be_started_has_failed(
    engine: Engine, job_id: int, caplog: pytest.LogCaptureFixture
) -> None:
    commands.spawn(engine, job_id)
    job = jobs.one(job_id)
    assert (job.state, job.message, job.is_due) == ("failed", UNSTARTED, True)
    assert _told(engine) == ("override.derive.refused", "override:7", "ana", {"reason": UNSTARTED})
    assert caplog.messages == [f"job {job_id} failed: {UNSTARTED}"]


@pytest.mark.usefixtures("nova", "without_memory")
def test_a_file_whose_job_cannot_be_started_is_sent_again_at_once(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "sent").write_bytes(b"sku\n")
    for _ in range(2):
        with (tmp_path / "sent").open("rb") as file:
            upload = uploads.keep(file, "stock.csv")
        number = commands.start_file(
            engine, upload=upload, file_kind=None, dry_run=False, actor=Actor("ana")
        )
        assert jobs.one(number).state == "failed"
        assert not uploads.is_kept(upload)


@pytest.mark.usefixtures("nova")
def test_a_job_whose_log_cannot_be_opened_is_done(
    engine: Engine,
    job_id: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("NOVA_HOME", str(tmp_path))
    services.forget_settings()
    (tmp_path / "logs").touch()
    monkeypatch.setattr(commands, "COMMAND", ("-c", "raise SystemExit(7)"))
    commands.spawn(engine, job_id)
    assert "jobs cannot write to their log" in caplog.text
    assert _ended(job_id).message == stopped(7)


@pytest.mark.usefixtures("nova")
def test_a_job_that_is_killed_is_told_in_both_logs(
    engine: Engine,
    job_id: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    killed = stopped(-9)
    monkeypatch.setattr(commands, "COMMAND", ("-c", "import os; os.kill(os.getpid(), 9)"))
    commands.spawn(engine, job_id)
    assert _ended(job_id).message == killed
    assert _told(engine) == ("override.derive.refused", "override:7", "ana", {"reason": killed})
    assert caplog.record_tuples == [
        (commands.__name__, logging.ERROR, f"job {job_id} failed: {killed}")
    ]


@pytest.mark.usefixtures("nova")
def test_a_job_that_died_with_its_server_is_told_by_the_next_one(
    engine: Engine, job_id: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(commands, "spawn", lambda *_: None)
    with engine.begin() as connection:
        _say(connection, BEGUN, job_id)
    with engine.begin() as connection:
        commands.queue_derive(connection, object="override:8", actor=Actor("bia"))
    told = ("override.derive.refused", "override:7", "ana", {"reason": stopped()})
    assert _told(engine) == told
    assert caplog.messages == [f"job {job_id} failed: {stopped()}"]


def _told(engine: Engine) -> tuple[Any, ...]:
    """The newest row of the audit log."""
    with engine.connect() as connection:
        return tuple(connection.execute(text(TOLD)).one())


def _ended(job_id: int) -> Job:
    for _ in range(200):
        if (job := jobs.one(job_id)).finished_at:
            return job
        time.sleep(0.02)
    raise AssertionError(f"{job} does not end")


def _say(connection: Connection, statement: str, job_id: int) -> None:
    connection.execute(text(statement), {"job_id": job_id})


def _wait_for_a_sleeper(connection: Connection) -> None:
    asleep = text("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep')")
    for _ in range(200):
        if connection.execute(asleep).scalar():
            return
        time.sleep(0.02)
    raise AssertionError("nobody looks at the locks")
