"""Whatever becomes of Postgres, the API says 200, or 503 and when to come back, and it heals."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, closing

import psycopg2
import pytest

from tests.faults.conftest import Product, recovers
from warehouse.db import LOCK_TIMEOUT_MS

STOPPED_SECONDS = 30.0 if os.environ.get("NOVA_LONG_FAULTS") else 4.0
KILLINGS = 10

OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def test_a_restart_is_over_at_once(product: Product, calm: float) -> None:
    with product.probe() as prober:
        time.sleep(0.5)
        product.stop_database()
        product.start_database()
        recovers(prober, time.monotonic(), calm)
    assert prober.worst() == []


def test_while_it_is_away_the_answer_is_503(product: Product, calm: float) -> None:
    with product.probe() as prober:
        product.stop_database()
        away = time.monotonic()
        time.sleep(STOPPED_SECONDS)
        begun = time.monotonic()
        product.start_database()
        recovers(prober, time.monotonic(), calm)
    assert prober.worst() == []
    meanwhile = [one for one in prober.since(away) if one.came < begun]
    assert meanwhile and {one.status for one in meanwhile} == {503}


def test_killed_connections_are_made_anew(product: Product, calm: float) -> None:
    with product.probe() as prober:
        for _ in range(KILLINGS):
            product.execute(OTHERS)
            time.sleep(0.2)
        recovers(prober, time.monotonic(), calm)
    assert prober.worst() == []


def test_a_locked_table_holds_up_only_who_asks_for_it(product: Product, calm: float) -> None:
    product.new_version()
    with product.probe("/alerts") as prober:
        with closing(psycopg2.connect(product.database.replace("+psycopg2", ""))) as other:
            with other.cursor() as cursor:
                cursor.execute("LOCK analytics.alert IN ACCESS EXCLUSIVE MODE")
            product.new_version()
            locked = time.monotonic()
            time.sleep(LOCK_TIMEOUT_MS / 1000 + 2)
            assert prober.wait_for(503, since=locked).retry_after
        recovers(prober, time.monotonic(), calm)
    assert prober.worst() == []


def test_without_a_free_connection_it_says_so(product: Product, calm: float) -> None:
    address = product.database.replace("+psycopg2", "")
    with product.probe() as prober:
        with ExitStack() as stack:
            product.execute("ALTER ROLE nova CONNECTION LIMIT 500")
            product.execute(OTHERS)
            try:
                while True:
                    stack.enter_context(closing(psycopg2.connect(address)))
            except psycopg2.OperationalError as error:
                assert "too many clients" in str(error) or "remaining connection" in str(error)
            taken = time.monotonic()
            time.sleep(2)
        recovers(prober, time.monotonic(), calm)
    assert prober.worst() == []
    assert prober.since(taken)


@pytest.mark.parametrize("path", ["/kpis?uf=SP", "/forecasts?limit=5"])
def test_a_query_that_is_cancelled_is_not_our_fault(
    product: Product, calm: float, path: str
) -> None:
    product.new_version()
    with product.probe(path) as prober:
        for _ in range(KILLINGS):
            product.execute(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            product.new_version()
            time.sleep(0.1)
    assert prober.worst() == []
