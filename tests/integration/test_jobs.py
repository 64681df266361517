"""Whether a job or a load is at work, has ended or has died is told by its row and by its process's
lock."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread

import pytest
from sqlalchemy import Connection, Engine, text

from domain.errors import stopped
from domain.records import Job, Load
from tests import factories, services
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


@pytest.fixture
def job_id(engine: Engine) -> int:
    made = """
        INSERT INTO support.job (kind, object, actor, role) VALUES ('derive', 'x', 'ana', 'ADMIN')
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


def _say(connection: Connection, statement: str, job_id: int) -> None:
    connection.execute(text(statement), {"job_id": job_id})


def _wait_for_a_sleeper(connection: Connection) -> None:
    asleep = text("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep')")
    for _ in range(200):
        if connection.execute(asleep).scalar():
            return
        time.sleep(0.02)
    raise AssertionError("nobody looks at the locks")
