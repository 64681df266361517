"""A planted slowdown makes `make bench` miss its bars: a sleep, and a statement a row."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine
from werkzeug.serving import make_server

from benchmarks import requests_bars
from benchmarks.client import Call, Caller
from benchmarks.requests_bars import Stage
from dashboard.app import create_app
from domain.access import Role
from tests import factories
from warehouse import caching
from warehouse.commands import users
from warehouse.db import get_engine
from warehouse.pipeline import derive
from warehouse.queries import items

EMAIL, PASSWORD = "bench@nova.test", "correct-horse-9"
SECRET = "5f1c0d9be2a74836a1b07c9d4e3f2a68"
NAP_SECONDS = 0.3


@pytest.fixture
def stage(
    nova: str, engine: Engine, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[float], Any]]:
    """The bench's stage, small; the product sleeps before each answer as long as is said."""
    monkeypatch.setenv("FLOOR_SECRET", SECRET)
    for name, fewer in {"ROUNDS": 6, "WARM": 1, "TURNS": 3}.items():
        monkeypatch.setattr(requests_bars, name, fewer)
    factories.add_demand(engine, factories.make_network(engine), days=30)
    derive.refresh_after_load(engine)
    users.create(
        engine,
        email=EMAIL,
        name="Bench",
        role=Role.ADMIN,
        password_hash=factories.hash_of(PASSWORD),
        actor=users.Actor(),
    )
    from benchmarks import floor

    monkeypatch.setattr(floor, "SECRET", SECRET)
    product = create_app()

    @contextmanager
    def staged(nap: float) -> Iterator[Stage]:
        def slowed(environ: Any, start: Any) -> Any:
            time.sleep(nap if environ["PATH_INFO"] == "/api/v1/kpis" else 0)
            return product(environ, start)

        with serving(slowed) as url, serving(floor.server) as floor_url:
            yield Stage(url, url, url, floor_url, SECRET, nova, (EMAIL, PASSWORD))

    yield staged
    caching.use(None)


@contextmanager
def serving(application: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_sleep_makes_it_miss(stage: Callable[[float], Any]) -> None:
    with stage(0.0) as calm, stage(NAP_SECONDS) as slow:
        Caller(calm.floor).time(Call("/health"))  # what the bench waits for
        (usual, _), (planted, _) = requests_bars.cached(calm), requests_bars.cached(slow)
    assert not planted.ok and planted.ratio > 2 * usual.ratio


def test_a_statement_a_row_makes_it_miss(
    stage: Callable[[float], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests_bars, "ROUTES", {"items": "/items?limit=50"})
    with stage(0.0) as calm:
        *_, usual = requests_bars.uncached(calm, get_engine())
        real = items.page

        def one_by_one(**asked: Any) -> Any:
            found = real(**asked)
            for _row in found.rows * 3:
                real(**asked | {"limit": 1, "cursor": None, "sort": "sku"})
            return found

        monkeypatch.setattr(items, "page", one_by_one)
        *_, planted = requests_bars.uncached(calm, get_engine())
    assert usual.ok and not planted.ok
