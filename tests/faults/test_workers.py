"""Workers may die, be replaced or be told to stop: what they had begun is all that can be lost."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import requests

from tests.faults.conftest import PATIENCE_SECONDS, THREADS, Product, serving

KILLS = 3
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
    with serving(ground) as product:
        product.new_version()
        with product.probe() as prober:
            time.sleep(1)
            told = time.monotonic()
            os.kill(product.master, signal.SIGTERM)
            time.sleep(2)
    begun = [one for one in prober.answers if one.asked < told - 0.05]
    assert begun and {one.status for one in begun} == {200}
