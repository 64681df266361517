"""Whatever becomes of Redis, the database answers, and it is used again when it is back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import pytest
import requests

from tests.faults.conftest import PATHS, Product
from warehouse import embedded
from warehouse.caching import BREAKER_SECONDS

SECONDS = 3.0
ROUNDS = 20
SLOWER_AT_MOST = 2.0
GUESSES = 10
"""Wrong passwords of one account in five minutes."""


@contextmanager
def stopped(product: Product) -> Iterator[None]:
    os.kill(product.pid("valkey"), signal.SIGKILL)
    try:
        yield
    finally:
        embedded.ensure_valkey(product.home)


@contextmanager
def frozen(product: Product) -> Iterator[None]:
    pid = product.pid("valkey")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def full(product: Product) -> Iterator[None]:
    """It refuses every write."""
    client = product.redis()
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1)
    try:
        yield
    finally:
        client.config_set("maxmemory", "64mb")
        client.config_set("maxmemory-policy", "allkeys-lru")


@contextmanager
def read_only(product: Product) -> Iterator[None]:
    """It has become the replica of another, as in a failover, and answers reads alone."""
    client = product.redis()
    client.replicaof("127.0.0.1", "1")
    try:
        yield
    finally:
        client.replicaof("NO", "ONE")


@contextmanager
def poisoned(product: Product) -> Iterator[None]:
    """Something else stands under every key that the product has set, and only one worker may hold
    what was there."""
    product.new_version()
    for path in PATHS:
        product.ask(path)
    client = product.redis()
    for key in client.keys("nova-cache:*"):  # type: ignore[union-attr]
        client.set(key, b"\x80\x04cos\nsystem\n")
    yield


def seconds(product: Product, first: Callable[[], None] = lambda: None) -> float:
    """What an answer of each path takes together, the medians of many; `first` is done before each
    of them and not measured."""
    taken: dict[str, list[float]] = {path: [] for path in PATHS}
    for path in PATHS * ROUNDS:
        first()
        answer = product.ask(path)
        assert answer.status == 200
        taken[path].append(answer.came - answer.asked)
    return sum(map(median, taken.values()))


@pytest.mark.parametrize("fault", [stopped, frozen, full, poisoned])
def test_the_database_answers(product: Product, calm: float, fault) -> None:
    before, workers = {path: product.ask(path).data for path in PATHS}, product.workers()
    with product.probe() as prober:
        uncached = seconds(product, product.new_version)
        with fault(product):
            broken = seconds(product)
        time.sleep(SECONDS)
        if broken > SLOWER_AT_MOST * uncached:  # the machine may have become busier in between
            uncached = max(uncached, seconds(product, product.new_version))
    assert {one.status for one in prober.answers} == {200}
    assert {path: product.ask(path).data for path in PATHS} == before
    assert broken <= SLOWER_AT_MOST * uncached
    assert product.workers() == workers


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


@pytest.mark.parametrize("fault", [full, read_only])
@pytest.mark.usefixtures("calm")
def test_wrong_passwords_are_counted_when_it_takes_no_writes(product: Product, fault) -> None:
    """Each worker counts for itself then."""
    body = {"email": f"{fault.__name__}@nova.test", "password": "wrong-password"}
    codes: list[int] = []
    with fault(product):
        while 429 not in codes and len(codes) <= GUESSES * len(product.workers()):
            answer = requests.post(f"{product.url}/api/v1/auth/login", json=body, timeout=30)
            codes.append(answer.status_code)
    assert codes[:GUESSES] == [401] * GUESSES and set(codes) == {401, 429}
    assert 1 < int(answer.headers["Retry-After"]) <= 300
