"""The audit log only grows, and a change behind its back is found: by SQL and by command."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, Engine, insert, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from dashboard.cli import app
from domain.access import Role
from warehouse import unawaited
from warehouse.commands import audit, privacy, retention, subjects, users
from warehouse.db import as_application, make_engine
from warehouse.partitions import ensure_audit_months
from warehouse.queries import chain
from warehouse.queries import privacy as queries
from warehouse.tables import metadata

ROWS = 7
HASH = "$2b$12$cJiq5wnxfW5WdXZBNrUx2errLz0NTGItEElDsakQuRfsdof4GnlSO"


@pytest.fixture
def application(nova: str) -> Iterator[Engine]:
    """An engine that works as the web's role."""
    engine = as_application(make_engine(nova))
    yield engine
    engine.dispose()


@pytest.fixture
def log(application: Engine) -> Engine:
    """Seven rows, written as the application."""
    for number in range(ROWS):
        audit.record_alone(
            actor="ana@nova.test", action="page.view", object=f"/p{number}", status=200
        )
    return application


def state(engine: Engine) -> chain.Chain:
    with engine.connect() as connection:
        return chain.verify(connection)


def behind_its_back(engine: Engine, *statements: str) -> None:
    """As somebody who owns the database and switches the triggers off."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))


def test_an_untouched_log_is_whole(engine: Engine, log: Engine) -> None:
    found = state(engine)
    assert found.is_whole and (found.rows, found.last_id) == (ROWS, ROWS)
    assert state(log) == found, "the application may read and verify it too"


def test_an_empty_log_is_whole(engine: Engine) -> None:
    found = state(engine)
    assert found.is_whole and found.rows == 0 and found.first_at is None


def test_rows_written_side_by_side_make_one_chain(engine: Engine, application: Engine) -> None:
    def write() -> None:
        for _ in range(10):
            audit.record_alone(actor="bia@nova.test", action="page.view")

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = state(engine)
    assert found.is_whole and found.rows == found.last_id == 40


def test_a_row_that_was_taken_back_leaves_no_gap(engine: Engine, log: Engine) -> None:
    with log.connect() as connection:
        audit.record(connection, actor="ana@nova.test", action="page.view")
        connection.rollback()
    audit.record_alone(actor="ana@nova.test", action="page.view")
    assert state(engine).is_whole and state(engine).last_id == ROWS + 1


@pytest.mark.parametrize(
    ("statement", "row", "problem"),
    [
        ("UPDATE support.audit_log SET actor = 'eva' WHERE audit_id = 3", 3, "changed"),
        ("UPDATE support.audit_log SET at = at + interval '1 second' WHERE audit_id = 3", 3, "fol"),
        ("UPDATE support.audit_log SET after = '{}' WHERE audit_id = 3", 3, "changed"),
        ("UPDATE support.audit_log SET salt = gen_random_uuid() WHERE audit_id = 3", 3, "changed"),
        ("UPDATE support.audit_log SET digest = 'x' WHERE audit_id = 3", 3, "follow"),
        ("UPDATE support.audit_log SET hash = 'x' WHERE audit_id = 3", 3, "follow"),
        ("DELETE FROM support.audit_log WHERE audit_id = 3", 4, "missing"),
        ("DELETE FROM support.audit_log WHERE audit_id = 1", 2, "missing"),
        ("DELETE FROM support.audit_log WHERE audit_id = 7", 7, "at the end"),
        ("DELETE FROM support.audit_log", 7, "at the end"),
        (
            "UPDATE support.audit_log SET redacted = true, salt = NULL, actor = 'x'"
            " WHERE audit_id = 3",
            3,
            "without a record",
        ),
        (
            "UPDATE support.audit_log SET audit_id = 10 - audit_id WHERE audit_id IN (4, 6)",
            4,
            "follow",
        ),
    ],
)
def test_what_is_changed_is_found(
    engine: Engine, log: Engine, statement: str, row: int, problem: str
) -> None:
    behind_its_back(engine, statement)
    found = state(engine)
    assert not found.is_whole
    assert found.at_id == row and problem in str(found.problem)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE support.audit_log SET actor = 'eva'",
        "DELETE FROM support.audit_log",
        "TRUNCATE support.audit_log",
        "UPDATE support.audit_head SET audit_id = 0",
        "DELETE FROM support.audit_head",
        "DROP TABLE support.audit_log",
        "ALTER TABLE support.audit_log DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "UPDATE core.item SET name = 'x'",
        "DELETE FROM analytics.run",
        "CREATE TABLE support.mine (a int)",
    ],
)
def test_the_application_may_only_add(engine: Engine, log: Engine, statement: str) -> None:
    with log.connect() as connection, pytest.raises(ProgrammingError):
        connection.execute(text(statement))
    assert state(engine).is_whole and state(engine).rows == ROWS


def test_partitions_are_as_shut_as_the_log(engine: Engine, log: Engine) -> None:
    part = f"support.audit_log_{datetime.now(UTC):%Y_%m}"
    for statement in (f"DELETE FROM {part}", f"UPDATE {part} SET actor = ''", f"TRUNCATE {part}"):
        with log.connect() as connection, pytest.raises(ProgrammingError):
            connection.execute(text(statement))
    assert state(engine).is_whole


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE support.audit_log SET actor = 'eva'",
        "UPDATE support.audit_log SET redacted = true, salt = NULL, action = 'x'",
        "DELETE FROM support.audit_log",
        "TRUNCATE support.audit_log",
    ],
)
def test_the_owner_is_stopped_too(engine: Engine, log: Engine, statement: str) -> None:
    with engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.execute(text(statement))


def test_the_application_makes_the_months_ahead(engine: Engine, application: Engine) -> None:
    with application.begin() as connection:
        ensure_audit_months(connection, date(2031, 11, 5))
    assert {"2031_11", "2031_12", "2032_01", "2032_02"} <= months_of(engine)


def months_of(engine: Engine) -> set[str]:
    sql = "SELECT right(relid::regclass::text, 7) FROM pg_partition_tree('support.audit_log')"
    with engine.connect() as connection:
        return set(connection.execute(text(sql)).scalars())


def write_at(connection: Connection, moment: str, number: int) -> None:
    for _ in range(number):
        connection.execute(
            text("INSERT INTO support.audit_log (at, actor, action) VALUES (:at, 'x', 'y')"),
            {"at": moment},
        )


def until_waiting(engine: Engine, future: Future[Any]) -> None:
    """What was begun waits for somebody else's transaction."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE query ~ 'audit_log_' AND wait_event_type ="
    deadline = time.monotonic() + 60
    while not future.done() and time.monotonic() < deadline:
        with engine.connect() as connection:
            if connection.execute(text(f"{sql} 'Lock'")).scalar():
                return
        time.sleep(0.02)
    raise AssertionError(f"nothing waits: {future}")


def killed(*_args: object) -> None:
    raise OSError("killed")


def test_what_stays_after_retention_can_be_verified(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as connection:
        ensure_audit_months(connection, date(2026, 5, 1))
        write_at(connection, "2026-05-30 10:00+00", 3)
        write_at(connection, "2026-06-01 00:00+00", 1)
        write_at(connection, "2026-05-31 23:59+00", 1)
        write_at(connection, "2026-06-10 10:00+00", 4)
    asked: dict[str, Any] = {"kept": 2, "today": date(2026, 8, 3), "actor": users.Actor()}
    with monkeypatch.context() as patch, pytest.raises(OSError):
        patch.setattr(retention, "remove", killed)
        retention.drop_old_months(engine, **asked)
    assert state(engine).is_whole and "2026_05" in months_of(engine)
    with ThreadPoolExecutor(1) as pool, engine.connect() as backup:
        backup.execute(text("SELECT count(*) FROM support.audit_log"))
        gone = pool.submit(retention.drop_old_months, engine, **asked)
        until_waiting(engine, gone)
        with engine.begin() as connection:  # nobody who writes waits for it
            connection.execute(text("SET LOCAL lock_timeout = '1s'"))
            write_at(connection, "2026-06-11 10:00+00", 1)
        backup.rollback()
        assert gone.result() == [date(2026, 5, 1)] and "2026_05" not in months_of(engine)
    found = state(engine)
    assert found.is_whole and found.last_id == 12 and found.rows == 7
    behind_its_back(engine, "DELETE FROM support.audit_log WHERE audit_id = 6")
    assert not state(engine).is_whole
    assert not retention.drop_old_months(engine, **asked)


def add_user(engine: Engine, email: str, role: Role = Role.VIEWER) -> int:
    return users.create(
        engine, email=email, name="Ana Souza", role=role, password_hash=HASH, actor=users.Actor()
    )


def everything(engine: Engine) -> str:
    tables = ("user", "session", "subject", "audit_log", "decision", "job")
    with engine.connect() as connection:
        rows = [
            connection.execute(
                text(f"SELECT string_agg(t::text, ' ') FROM support.{table} AS t")
            ).scalar()
            for table in tables
        ]
    return " ".join(row or "" for row in rows)


def test_an_erased_person_leaves_a_whole_log(engine: Engine, log: Engine) -> None:
    number = add_user(engine, "Ana@nova.test")
    audit.record_alone(actor="ANA@nova.test", action="login.refused", address="203.0.113.9")
    label = privacy.anonymise(engine, "ana@nova.test", unusable_hash=HASH, actor=users.Actor())
    assert label == f"removed-user-{number}"
    left = everything(engine)
    assert "ana@nova.test" not in left.lower() and "Souza" not in left
    assert "203.0.113.9" not in left and label in left
    found = state(engine)
    assert found.is_whole and found.erased >= ROWS + 2
    behind_its_back(engine, "UPDATE support.audit_log SET action = 'x' WHERE audit_id = 2")
    assert state(engine).at_id == 2, "what stays of an erased row is sealed"


def test_an_erased_person_leaves_no_subject_and_no_mention(engine: Engine, log: Engine) -> None:
    add_user(engine, "Ana@nova.test")
    link(engine, "ana@nova.test", "Sub-77")
    for row in (
        {"actor": "sub-77", "address": "203.0.113.9"},
        {"actor": "anonymous", "after": {"reason": "no group of 'sub-77' gives a role"}},
        {"actor": "bia@nova.test", "after": {"reason": "no group of 'sub-777' gives a role"}},
        {"actor": "bia@nova.test", "object": "/materials/sub-77"},
    ):
        audit.record_alone(action="login.oidc.refused", **row)
    busy = "another load is running: d.csv, by ana@nova.test; waited 5 s"
    with engine.begin() as connection:
        add_row(connection, "support.job", "message", busy)
        told = queries.held(connection, "ana@nova.test")
    assert [one["message"] for one in told["jobs"]] == [busy]
    named = [one for one in told["audit_log"] if one["action"] == "login.oidc.refused"]
    assert [one["actor"] for one in named] == ["sub-77", "anonymous"]
    label = privacy.anonymise(engine, "ana@nova.test", unusable_hash=HASH, actor=users.Actor())
    left = everything(engine).lower().replace("sub-777", "").replace("/materials/sub-77", "")
    assert "ana@nova.test" not in left and "sub-77" not in left and "203.0.113.9" not in left
    assert f"d.csv, by {label}; waited" in left and state(engine).is_whole


def test_a_former_address_and_a_former_subject_are_found(engine: Engine, log: Engine) -> None:
    add_user(engine, "ana@nova.test")
    link(engine, "ana@nova.test", "sub-77")
    busy = "another load is running: d.csv, by ana@nova.test; waited 5 s"
    with engine.begin() as connection:
        add_row(connection, "support.job", "message", busy)
        add_row(connection, "support.decision", "actor", "Ana@nova.test")
    subjects.unlink(engine, "ana@nova.test", actor=users.Actor())
    privacy.set_email(engine, "ana@nova.test", "ana.lima@nova.test", actor=users.Actor())
    with engine.connect() as connection:
        told = queries.held(connection, "ana.lima@nova.test")
    assert [one["actor"] for one in told["decisions"]] == ["ana.lima@nova.test"]
    assert "by ana.lima@nova.test; waited" in told["jobs"][0]["message"]
    assert len(told["audit_log"]) == ROWS + 4
    privacy.anonymise(engine, "ana.lima@nova.test", unusable_hash=HASH, actor=users.Actor())
    left = everything(engine)
    assert not [one for one in ("ana@nova", "ana.lima", "sub-77") if one in left]
    assert state(engine).is_whole


def test_a_former_address_that_is_somebody_elses_by_now_stays_theirs(
    engine: Engine, log: Engine
) -> None:
    add_user(engine, "ana@nova.test")
    privacy.set_email(engine, "ana@nova.test", "ana.lima@nova.test", actor=users.Actor())
    add_user(engine, "ana@nova.test")
    privacy.anonymise(engine, "ana.lima@nova.test", unusable_hash=HASH, actor=users.Actor())
    assert "ana@nova.test" in everything(engine) and "ana.lima" not in everything(engine)


def link(engine: Engine, email: str, subject: str) -> None:
    """As the first login by the organisation's service does."""
    with engine.connect() as connection:
        account = users.find(connection, email)
    actor = users.Actor(email)
    subjects.link(engine, account, issuer="https://id.test", subject=subject, actor=actor)


def test_an_address_that_ends_alike_is_somebody_elses(engine: Engine, log: Engine) -> None:
    for email in ("ana@nova.test", "mariana@nova.test", "ana@nova.test.br"):
        add_user(engine, email)
    audit.record_alone(
        actor="bia@nova.test", action="page.view", object="/alerts?owner=ana%40nova.test"
    )
    with engine.connect() as connection:
        told = str(queries.held(connection, "ana@nova.test")["audit_log"])
    assert "ana%40nova.test" in told and "mariana" not in told and "test.br" not in told
    privacy.anonymise(engine, "ana@nova.test", unusable_hash=HASH, actor=users.Actor())
    sql = text("SELECT string_agg(t::text, ' ') FROM support.audit_log AS t WHERE NOT redacted")
    with engine.connect() as connection:
        kept = connection.execute(sql).scalar_one()
    assert "mariana@nova.test" in kept and "ana@nova.test.br" in kept
    assert "ana%40nova.test" not in everything(engine)


def test_no_table_about_people_is_forgotten(engine: Engine) -> None:
    sql = """
        SELECT conrelid::regclass::text FROM pg_constraint
        WHERE confrelid = 'support.user'::regclass AND contype = 'f'
    """
    with engine.connect() as connection:
        about_people = set(connection.execute(text(sql)).scalars())
    erased = {f"support.{table}" for table in privacy.PERSONAL}
    named = {table for table, _ in privacy.NAMED if table in about_people}
    assert about_people == erased | named | {"analytics.alert"}


BLANK: dict[type, Any] = {
    **{str: "x", int: 0, object: {}, UUID: UUID(int=0)},
    **{date: date(2026, 6, 1), datetime: datetime(2026, 6, 1, tzinfo=UTC)},
}
MORE: dict[str, dict[str, Any]] = {
    "alert": {"level": "info"},
    "decision": {"kind": "alert"},
    "job": {"kind": "load"},
    "load": {"state": "accepted"},
    "override": {"reason": "other", "ended_at": BLANK[datetime], "ended_by": "x"},
    "report": {"rhythm": "daily", "language": "en"},
}


def add_row(connection: Connection, name: str, column: str, value: object) -> None:
    """A row of the table that names nothing but this."""
    table = metadata.tables[name]
    needed = {
        one.name: BLANK[one.type.python_type]
        for one in table.c
        if not (one.nullable or one.server_default is not None)
    }
    row = needed | MORE.get(table.name, {}) | {column: value}
    connection.execute(insert(table), row)


def test_all_that_is_erased_is_exported(engine: Engine) -> None:
    number = add_user(engine, "Ana@nova.test")
    by_number = [
        *((f"support.{table}", "user_id") for table in privacy.PERSONAL),
        ("analytics.alert", "owner_id"),
    ]
    by_name = [*privacy.NAMED, ("support.job", "message")]

    def exported(connection: Connection) -> int:
        return sum(map(len, queries.held(connection, "ana@nova.test").values()))

    left_out = []
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        before = exported(connection)
        for name, column in by_number + by_name:
            with connection.begin_nested() as trial:
                value = number if (name, column) in by_number else "ANA@nova.test"
                add_row(connection, name, column, value)
                if exported(connection) != before + 1:
                    left_out.append(f"{name}.{column}")
                trial.rollback()
    assert left_out == []


def test_the_last_administrator_is_not_erased(engine: Engine) -> None:
    add_user(engine, "boss@nova.test", Role.ADMIN)
    with pytest.raises(users.LastAdministrator):
        privacy.anonymise(engine, "boss@nova.test", unusable_hash=HASH, actor=users.Actor())
    assert "boss@nova.test" in everything(engine)


TWO_LOADS = """
WITH loads AS (
    INSERT INTO staging.load (kind, file, sha256, loaded_by, state, finished_at, rows_rejected)
    SELECT 'demand', 'd.csv', age, 'tests', 'accepted', now() - age::interval, 1
    FROM unnest(ARRAY['8 months', '1 month']) AS age RETURNING id
)
INSERT INTO staging.reject (load_id, file, line, reason) SELECT id, 'd.csv', 2, 'bad' FROM loads
"""


def test_the_commands(nova: str, engine: Engine, log: Engine) -> None:
    run = CliRunner().invoke
    add_user(engine, "ana@nova.test")
    shown = run(app.cli, ["users", "export", "ana@nova.test"])
    assert shown.exit_code == 0 and '"/p6"' in shown.output
    assert "password" not in shown.output.replace("password_resets", "").replace(
        "must_change_password", ""
    )
    assert "user.export" in everything(engine)
    assert run(app.cli, ["users", "anonymise", "ana@nova.test", "--yes"]).exit_code == 0
    assert run(app.cli, ["users", "export", "ana@nova.test"]).exit_code == 1
    good = run(app.cli, ["audit", "verify"])
    assert good.exit_code == 0 and "seal" in good.output
    assert run(app.cli, ["audit", "retain"]).exit_code == 0
    with engine.begin() as connection:
        connection.execute(text(TWO_LOADS))
    assert run(app.cli, ["staging", "retain"]).output == "deleted 1 refused rows\n"
    assert run(app.cli, ["staging", "retain"]).output == "deleted 0 refused rows\n"
    behind_its_back(engine, "UPDATE support.audit_log SET action = 'x' WHERE audit_id = 9")
    bad = run(app.cli, ["audit", "verify"])
    assert bad.exit_code == 1 and "row 9" in bad.output


def test_rows_outlive_the_connections_that_carried_them(log: Engine) -> None:
    end = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    for object in ("/before", "/after"):
        audit.record_alone(actor="ana@nova.test", action="page.view", object=object)
        with make_engine(str(log.url.render_as_string(hide_password=False))).connect() as owner:
            owner.execute(end)
            owner.commit()
    audit.record_alone(actor="ana@nova.test", action="page.view", object="/last")
    log.dispose()
    with log.connect() as connection:
        seen = connection.execute(text("SELECT object FROM support.audit_log ORDER BY audit_id"))
        assert [row.object for row in seen][ROWS:] == ["/before", "/after", "/last"]
    assert state(log).rows == ROWS + 3


def test_a_row_that_waits_for_another_holds_nobody_up(log: Engine) -> None:
    with log.connect() as other:
        audit.record(other, actor="bia@nova.test", action="load")
        for _ in range(unawaited.WAITING_AT_MOST):
            audit.record_alone(actor="ana@nova.test", action="page.view", awaited=False)
        other.commit()
    unawaited.settle()
    assert state(log).rows == ROWS + 1 + unawaited.WAITING_AT_MOST
