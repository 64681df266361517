"""What the log keeps of the database: statements that took long, and why it did not answer."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, column, func, literal, select, table, text

from domain.errors import BeingUpdated, Unavailable
from domain.records import Page
from tests import services
from warehouse import unawaited
from warehouse.db import LIVENESS, Prepared, _at_rest, primary
from warehouse.queries.paging import every, fetch_page

GONE_AFTER = [*LIVENESS.values()]
WORD = "somebody's word"


def test_slow_statements_are_logged_however_they_are_sent_and_end(
    nova: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOVA_SLOW_QUERY_MS", "1")
    services.forget_settings()
    with primary() as connection:
        connection.execute(text("SELECT pg_sleep(0.02), :word AS done"), {"word": WORD})
    with pytest.raises(Unavailable), primary() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 20"))
        connection.execute(text("SELECT pg_sleep(9), :word AS ended"), {"word": WORD})
    slow = func.pg_sleep(0.02)
    Prepared(select(slow.label("prepared"))).rows({})
    unawaited.send("SELECT pg_sleep(0.02), %(word)s AS sent", {"word": WORD}, awaited=True)

    assert next(every(two_rows)) == 1

    lines = [record.getMessage() for record in caplog.records]
    told = [line for line in lines if line.startswith("slow query: ")]
    assert {line.rpartition(" ")[2] for line in told} >= {"done", "ended", "prepared", "sent"}
    assert "the database does not answer: QueryCanceled: canceling statement due to" in str(lines)
    (streamed,) = (line for line in told if " ms to the first rows, " in line)
    assert " ms to all 1: SELECT * FROM (SELECT n, pg_sleep(" in streamed
    assert WORD not in caplog.text


def two_rows(connection: Connection, *, limit: int) -> Page[int]:
    """Each takes its time, and a word that nobody is to know."""
    relation = "SELECT n, pg_sleep(0.02), :word AS word FROM generate_series(1, 2) AS n"
    by: dict[str, Any] = {"sort": "n", "sorts": {"n": "bigint"}, "tie": {"n": "bigint"}}
    by |= {"make": lambda row: row.n, "limit": limit, "cursor": None}
    return fetch_page(connection, relation, {"word": WORD}, **by)


def test_a_lock_that_is_not_given_is_waited_for_once(
    nova: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOVA_SLOW_QUERY_MS", "1")
    services.forget_settings()
    patience = func.set_config("lock_timeout", "50", literal(False))
    locked = Prepared(select(patience, func.pg_advisory_lock(7).label("locked")))
    with engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(7)"))
        with pytest.raises(BeingUpdated):
            locked.rows({})
    lines = [record.getMessage() for record in caplog.records]
    assert sum(line.startswith("slow query: ") for line in lines) == 1
    assert "rows are held by others: LockNotAvailable" in str(lines)
    assert "does not answer" not in str(lines)


def test_what_a_new_connection_mends_is_asked_again(nova: str, engine: Engine) -> None:
    def change(sql: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(sql))

    change("CREATE TABLE public.told AS SELECT 1 AS said")
    change("GRANT SELECT ON public.told TO nova_app")
    told = table("told", column("said"))
    asked = Prepared(select(told).where(literal(True)))
    assert asked.rows({}) == [{"said": 1}]
    change("ALTER TABLE public.told ALTER said TYPE text")
    assert asked.rows({}) == [{"said": "1"}]
    _at_rest[-1].cursor.execute("DEALLOCATE ALL")
    assert asked.rows({}) == [{"said": "1"}]
    change(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert asked.rows({}) == [{"said": "1"}]


def test_a_connection_finds_out_that_its_host_is_gone(nova: str) -> None:
    with primary() as connection:
        number = connection.connection.driver_connection.fileno()  # type: ignore[union-attr]
        with socket.socket(fileno=os.dup(number)) as wire:
            assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
            kinds = [getattr(socket, name) for name in names]
            assert [wire.getsockopt(socket.IPPROTO_TCP, kind) for kind in kinds] == GONE_AFTER
