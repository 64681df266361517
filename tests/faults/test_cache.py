"""Whatever becomes of Redis, the database answers, and it is used again when it is back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.conftest import PATHS, Product
from warehouse import embedded
from warehouse.caching import BREAKER_SECONDS

SECONDS = 3.0


@contextmanager
def stopped(product: Product) -> Iterator[None]:
    os.kill(product.pid("valkey"), signal.SIGKILL)
    yield
    embedded.ensure_valkey(product.home)


@contextmanager
def frozen(product: Product) -> Iterator[None]:
    pid = product.pid("valkey")
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


@contextmanager
def full(product: Product) -> Iterator[None]:
    """It refuses every write."""
    client = product.redis()
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1)
    yield
    client.config_set("maxmemory", "64mb")
    client.config_set("maxmemory-policy", "allkeys-lru")


@contextmanager
def poisoned(product: Product) -> Iterator[None]:
    """Something else stands under every key that the product has set."""
    client = product.redis()
    for key in client.keys("nova-cache:*"):  # type: ignore[union-attr]
        client.set(key, b"\x80\x04cos\nsystem\n")
    yield


@pytest.mark.parametrize("fault", [stopped, frozen, full, poisoned])
def test_the_database_answers(product: Product, calm: float, fault) -> None:
    before = {path: product.ask(path).data for path in PATHS}
    with product.probe() as prober:
        with fault(product):
            time.sleep(SECONDS)
        time.sleep(SECONDS)
    assert {one.status for one in prober.answers} == {200}
    assert {path: product.ask(path).data for path in PATHS} == before


def test_it_is_used_again_without_a_restart(product: Product, calm: float) -> None:
    client = product.redis()
    with stopped(product):
        assert product.ask("/kpis").status == 200
    deadline = time.monotonic() + 4 * BREAKER_SECONDS
    product.new_version()
    while not client.keys("nova-cache:*headline*"):
        assert product.ask("/kpis").status == 200
        assert time.monotonic() < deadline, "the cache is not used again"
        time.sleep(0.2)
