"""Workers may die, be replaced or be told to stop: what they had begun is all that can be lost."""

from __future__ import annotations

import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2
import requests

from tests.faults.conftest import PATIENCE_SECONDS, THREADS, WAIT_SECONDS, Product, serving

KILLS = 3
HELD_UP = ("/alerts?limit=1", "/alerts?limit=2")
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND query LIKE '%analytics.alert%' AND datname = current_database()
"""
FILES_AT_MOST = 6
"""Of counters and of histograms, each one of gunicorn's own process and of two workers."""
REQUESTS = re.compile(r"^nova_requests_total{.*} (\S+)$", re.MULTILINE)
COUNTERS = re.compile(r" (/\S+/nova-metrics-[^/\s]+)/")


def counted(product: Product) -> float:
    """Requests that the workers have counted, those that are gone among them."""
    told = requests.get(f"{product.url}/metrics", timeout=PATIENCE_SECONDS).text
    return sum(map(float, REQUESTS.findall(told)))


def files_of_counters(product: Product) -> list[str]:
    """What the workers share."""
    maps = Path(f"/proc/{product.workers()[0]}/maps").read_text()
    return sorted(file.name for file in Path(COUNTERS.findall(maps)[0]).iterdir())


def test_a_killed_worker_takes_only_its_requests(product: Product, calm: float) -> None:
    counts = [counted(product)]
    with product.probe() as prober:
        for _ in range(KILLS):
            killed = product.workers()
            os.kill(killed[0], signal.SIGKILL)
            deadline = time.monotonic() + 30
            while len(product.workers()) < 2 or killed[0] in product.workers():
                assert time.monotonic() < deadline, "the worker is not replaced"
                time.sleep(0.05)
            time.sleep(1)
            counts.append(counted(product))
    assert counts == sorted(counts) and len(files_of_counters(product)) <= FILES_AT_MOST
    lost = [one for one in prober.answers if not one.proper]
    assert {one.status for one in lost} <= {0}
    assert len(lost) <= KILLS * THREADS


def test_a_reload_loses_nothing(product: Product, calm: float) -> None:
    before = product.workers()
    with product.probe() as prober:
        time.sleep(0.5)
        os.kill(product.master, signal.SIGHUP)
        deadline = time.monotonic() + 60
        while len(product.workers()) != 2 or set(product.workers()) & set(before):
            assert time.monotonic() < deadline, "the workers are not replaced"
            time.sleep(0.1)
        time.sleep(1)
    assert prober.answers and prober.other_than(200) == []


def test_what_was_begun_before_the_end_is_answered(ground: Product) -> None:
    with serving(ground) as product, ThreadPoolExecutor(len(HELD_UP)) as threads:
        product.new_version()
        with closing(psycopg2.connect(product.database.replace("+psycopg2", ""))) as other:
            other.cursor().execute("LOCK analytics.alert IN ACCESS EXCLUSIVE MODE")
            begun = [threads.submit(product.ask, path) for path in HELD_UP]
            deadline = time.monotonic() + WAIT_SECONDS
            while product.execute(WAITING)[0][0] < len(HELD_UP):
                assert time.monotonic() < deadline, "they are not held up"
                time.sleep(0.02)
            os.kill(product.master, signal.SIGTERM)
            time.sleep(1)
        assert [one.result().status for one in begun] == [200] * len(HELD_UP)
