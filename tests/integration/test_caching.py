"""The cache: keyed by meaning, new with the data, and never in the way."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from domain.access import Scope
from domain.errors import NotFound, Unavailable
from domain.records import Filters
from tests import factories, services
from warehouse import ages, caching
from warehouse.commands import alerts as commands
from warehouse.commands import jobs, settings
from warehouse.commands.users import Actor
from warehouse.db import get_engine
from warehouse.pipeline import derive, publish
from warehouse.queries import alerts, forecasts, kpis, materials, status


class Client:
    """A Redis client as the product binds one: short timeouts, no retries."""

    def __init__(self, **place: object) -> None:
        self.redis = redis.Redis(
            **place,  # type: ignore[arg-type]
            retry=Retry(NoBackoff(), 0),
            socket_timeout=0.1,
            socket_connect_timeout=0.1,
        )
        self.gets = 0

    def get(self, key: str) -> bytes | None:
        self.gets += 1
        return self.redis.get(key)  # type: ignore[return-value]

    def set(self, key: str, value: bytes, timeout: int) -> object:
        return self.redis.set(key, value, ex=timeout)


@pytest.fixture
def backend(valkey_url: str) -> Iterator[Client]:
    pool = redis.ConnectionPool.from_url(valkey_url)
    client = Client(connection_pool=pool)
    caching.use(client)
    caching.forget_version()
    yield client
    caching.use(None)
    client.redis.close()


@pytest.fixture
def network(nova: str, engine: Engine, tmp_path: Path) -> factories.Network:
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    factories.add_stock(engine, network, {("CABO-01", "DEP-SP"): 200.0})
    factories.refresh_views(engine)
    bundle = factories.make_bundle(tmp_path, engine)
    publish.publish_bundle(bundle, engine=engine, published_by="tests")
    return network


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of the database meanwhile, the version's own question left out."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        if "analytics.revision" not in statement:
            sent.append(statement)

    engine = get_engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


CALLS = {
    "headline": lambda: kpis.headline(filters=Filters(uf=("SP",))),
    "totals": lambda: kpis.demand_and_forecast(),
    "choices": lambda: kpis.filter_choices(),
    "alerts": lambda: alerts.page(),
    "forecasts": lambda: forecasts.page(limit=2),
    "series": lambda: forecasts.series(sku="CABO-01", site="DEP-SP", models=["naive"]),
    "profile": lambda: forecasts.profile(sku="CABO-01", site="DEP-SP"),
    "materials": lambda: materials.page(),
    "detail": lambda: materials.detail(sku="CABO-01"),
    "status": lambda: status.current(),
    "files": lambda: status.files(),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_second_read_is_the_same_and_asks_the_database_nothing(
    backend: Client, network: factories.Network, name: str
):
    first = CALLS[name]()
    with statements() as sent:
        second = CALLS[name]()
    assert second == first and type(second) is type(first)
    assert sent == []


def test_values_are_sealed_json_and_keys_carry_the_version(
    backend: Client, network: factories.Network
):
    kpis.headline()
    (key,) = backend.redis.keys("*headline*")  # type: ignore[misc]
    assert b":1." in key
    assert json.loads(backend.redis.get(key)[caching.SEAL_BYTES + caching.MADE_AT.size :])[0]["key"]  # type: ignore[index]
    assert 0 < backend.redis.ttl(key) <= ages.KPIS - ages.ENCODED_SECONDS  # type: ignore[operator]


def test_other_arguments_and_scopes_have_other_keys(backend: Client, network: factories.Network):
    everything = kpis.demand_and_forecast()
    assert kpis.demand_and_forecast(scope=Scope(ufs=("SP",))) != everything
    assert kpis.demand_and_forecast(measure="units") != everything
    with statements() as sent:
        assert kpis.demand_and_forecast(days=90, scope=Scope()) == everything
    assert sent == []


def test_a_new_run_is_seen_at_once(
    backend: Client, network: factories.Network, engine: Engine, tmp_path: Path
):
    before = kpis.demand_and_forecast()
    bundle = factories.make_bundle(tmp_path, engine, name="other", scale=2.0)
    publish.publish_bundle(bundle, engine=engine, published_by="tests")
    assert kpis.demand_and_forecast() != before


def acknowledge_the_alert(engine: Engine) -> None:
    """The only one, read first."""
    (one,) = alerts.page().rows
    commands.set_status(
        engine,
        alert_ids=[one.id],
        status="acknowledged",
        actor=Actor("ana"),
        user_id=None,
        scope=Scope(),
    )


def test_a_load_and_an_acknowledged_alert_are_seen_at_once(
    backend: Client, network: factories.Network, engine: Engine
):
    acknowledge_the_alert(engine)
    assert [row.status for row in alerts.page().rows] == ["acknowledged"]
    before = status.current()
    with engine.begin() as connection:
        factories.add_load(connection, "demand")
    derive.refresh_after_load(engine)
    after = status.current()
    assert after.training_needed and after.data_version != before.data_version


def test_what_another_process_changes_is_seen_within_the_memo(
    backend: Client, network: factories.Network, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    before = status.current().data_version
    with engine.begin() as connection:
        caching.count_revision(connection)
    monkeypatch.setattr(caching, "VERSION_MEMO_SECONDS", 0.0)
    assert status.current().data_version != before


def test_what_another_worker_writes_is_seen_at_once(
    backend: Client, network: factories.Network, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(caching, "VERSION_MEMO_SECONDS", 60.0)
    caching.forget_version()
    before = status.current().data_version
    with engine.begin() as connection:
        caching.count_revision(connection)
    assert status.current().data_version == before
    other = caching._Version()
    other.forget()
    assert status.current().data_version != before


def test_what_a_job_derives_is_told_to_the_workers_and_what_is_slow_of_it_logged(
    valkey_url: str,
    network: factories.Network,
    engine: Engine,
    nova: str,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(jobs, "spawn", lambda *_: None)
    who = Actor("ana", role="ADMIN", request_id="asked-0123456789")
    job_id = settings.change(engine, {"drift_days": 11.0}, actor=who)
    given = os.environ | {"DATABASE_URL": nova, "REDIS_URL": valkey_url, "NOVA_SLOW_BATCH_MS": "1"}
    command = [sys.executable, *jobs.COMMAND, str(job_id)]
    ran = subprocess.run(command, cwd=services.ROOT, env=given, capture_output=True, text=True)
    assert ran.stdout == f"job {job_id}: done\n", ran.stderr
    assert [*redis.Redis.from_url(valkey_url).scan_iter(f"*{caching.WRITTEN}")]
    logged = [json.loads(line) for line in ran.stderr.splitlines()]
    assert {line["request_id"] for line in logged} == {"asked-0123456789"}
    slow = [line["message"] for line in logged if line["message"].startswith("slow query: ")]
    assert any(": COPY " in one for one in slow) and any(": INSERT " in one for one in slow)


def test_a_poisoned_value_is_read_anew(backend: Client, network: factories.Network):
    narrow = kpis.headline(scope=Scope(ufs=("SP",)))
    (other,) = backend.redis.keys("*headline*")  # type: ignore[misc]
    first = kpis.headline()
    (key,) = {*backend.redis.keys("*headline*")} - {other}  # type: ignore[misc]
    forged = caching.MADE_AT.pack(time.time()) + b"[]"
    forged = hashlib.blake2b(forged, digest_size=caching.SEAL_BYTES).digest() + forged
    moved = backend.redis.get(other)
    caching._store(str(key, "ascii"), b'{"not": "a list"}', 9)  # type: ignore[arg-type]
    outdated = backend.redis.get(key)
    for poison in (b'{"not": "a list"}', forged, moved, outdated):
        backend.redis.set(key, poison)  # type: ignore[arg-type]
        assert kpis.headline() == first != narrow
        with statements() as sent:
            assert kpis.headline() == first
        assert sent == []


def test_errors_are_not_cached(backend: Client, network: factories.Network):
    for _ in range(2):
        with pytest.raises(Exception, match="no material"):
            materials.detail(sku="NONE")
    assert backend.redis.keys("*detail*") == []


def test_a_dead_cache_is_asked_once_and_the_database_answers(network: factories.Network):
    expected = kpis.headline()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        client = Client(host="127.0.0.1", port=probe.getsockname()[1])
    caching.use(client)
    try:
        assert caching.in_order() is False
        for _ in range(5):
            assert kpis.headline() == expected
        assert client.gets == 1
    finally:
        caching.use(None)
    assert caching.in_order() is None


def test_a_frozen_cache_does_not_hold_anybody_up(network: factories.Network):
    expected = kpis.headline()
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # it accepts and never answers
        client = Client(host="127.0.0.1", port=frozen.getsockname()[1])
        caching.use(client)
        try:
            for _ in range(5):
                assert kpis.headline() == expected
            assert client.gets == 1
        finally:
            caching.use(None)


def test_a_cache_that_is_back_is_used_again():
    class Flaky:
        broken = True
        kept: dict[str, bytes] = {}

        def get(self, key: str) -> bytes | None:
            if self.broken:
                raise ConnectionError("gone")
            return self.kept.get(key)

        def set(self, key: str, value: bytes, timeout: int) -> None:
            self.kept[key] = value

    flaky = Flaky()
    breaker = caching.Breaker(flaky, seconds=0.05)
    assert breaker.get("a") is None and breaker.resting
    flaky.broken = False
    breaker.set("a", b"lost", 9)
    assert flaky.kept == {}
    while breaker.resting:
        time.sleep(0.01)
    breaker.set("a", b"1", 9)
    assert breaker.get("a") == b"1"


def test_a_database_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch, nova: str):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nova:x@127.0.0.1:{port}/nova")
    services.forget_settings()
    with pytest.raises(Unavailable):
        kpis.headline()


def test_many_threads_read_alike(backend: Client, network: factories.Network):
    expected = kpis.headline()
    caching.forget_version()
    wrong: list[object] = []

    def read() -> None:
        for _ in range(20):
            found = kpis.headline()
            if found != expected:
                wrong.append(found)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_many_ask_for_at_once_is_read_once(backend: Client, network: factories.Network):
    kpis.headline()
    for key in backend.redis.keys("*headline*"):  # type: ignore[union-attr]
        backend.redis.delete(key)
    with statements() as alone:
        kpis.headline()
    for key in backend.redis.keys("*headline*"):  # type: ignore[union-attr]
        backend.redis.delete(key)
    gate = threading.Barrier(8)

    def read() -> None:
        gate.wait()
        kpis.headline()

    threads = [threading.Thread(target=read) for _ in range(8)]
    with statements() as together:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert alone and len(together) == len(alone)


class Slow(Client):
    """What this thread has found is told late: not before `through` is set."""

    def __init__(self, late: str, **place: object) -> None:
        super().__init__(**place)
        self.late, self.looked, self.through = late, threading.Event(), threading.Event()

    def get(self, key: str) -> bytes | None:
        found = super().get(key)
        if threading.current_thread().name == self.late and "headline" in key:
            self.looked.set()
            assert self.through.wait(30)
        return found


def test_what_others_made_after_one_looked_is_not_made_again(
    valkey_url: str, network: factories.Network
):
    client = Slow("late", connection_pool=redis.ConnectionPool.from_url(valkey_url))
    caching.use(client)
    try:
        found: list[object] = []
        late = threading.Thread(target=lambda: found.append(kpis.headline()), name="late")
        late.start()
        assert client.looked.wait(30)
        expected = kpis.headline()
        with statements() as sent:
            client.through.set()
            late.join()
        assert sent == [] and found == [expected]
    finally:
        caching.use(None)
        client.redis.close()


def test_what_is_larger_than_all_the_room_drives_nothing_out() -> None:
    latest = caching.Latest[str, str](10)
    latest.put("small", "kept", 4)
    latest.put("large", "not held", 11)
    assert (latest.get("small"), latest.get("large")) == ("kept", None)


class Gone:
    """A cache that is not there."""

    def get(self, key: str) -> bytes | None:
        raise ConnectionError(key)

    def set(self, key: str, value: bytes, timeout: int) -> None:
        raise ConnectionError(key)


@pytest.mark.parametrize("answers", [True, False])
def test_without_the_cache_too_it_is_made_once(nova: str, answers: bool):
    caching.use(Gone())
    made: list[int] = []
    entered, may_end = threading.Event(), threading.Event()

    def make() -> bytes:
        made.append(1)
        entered.set()
        assert may_end.wait(10)
        if not answers:
            raise OperationalError("SELECT 1", {}, Exception("timeout"))
        return b"made"

    def ask() -> bytes:
        try:
            return caching.kept("c", "plain", 15, make, version="1").value
        except Unavailable:
            return b"unavailable"

    try:
        with ThreadPoolExecutor(2) as threads:
            first = threads.submit(ask)
            assert entered.wait(10)
            second = threads.submit(ask)
            while [one.people for one in caching._flights._under_way.values()] != [2]:
                time.sleep(0.01)
            may_end.set()
            both = b"made" if answers else b"unavailable"
            assert (first.result(), second.result(), made) == (both, both, [1])
    finally:
        may_end.set()
        caching.use(None)


def test_a_known_version_answers_from_this_process_until_it_changes(
    backend: Client, network: factories.Network
):
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return b"%d" % len(made)

    first, again, new = (
        caching.kept("answer", "plain", 15, make, version=version).value for version in "112"
    )
    backend.gets = 0
    assert (first, again, new) == (b"1", b"1", b"2")
    assert caching.kept("answer", "plain", 15, make, version="1").value == b"1"
    assert backend.gets == 0


def test_an_old_answer_is_given_once_more_while_a_new_one_is_made(
    backend: Client, network: factories.Network, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(caching, "RENEWED_AFTER", 0.0)
    renewed = threading.Event()

    def new() -> bytes:
        renewed.set()
        return b"new"

    def ask() -> bytes:
        return caching.kept("a", "plain", 15, lambda: b"old", version="1", renew=lambda: new).value

    assert ask() == b"old" and not renewed.is_set()
    assert ask() == b"old" and renewed.wait(10)
    deadline = time.monotonic() + 10
    while ask() != b"new":
        assert time.monotonic() < deadline


def test_what_has_lain_too_long_is_not_given(
    backend: Client, network: factories.Network, monkeypatch: pytest.MonkeyPatch
):
    assert caching.kept("b", "plain", 15, lambda: b"old", version="1").value == b"old"
    caching.kept("b", "plain", 15, lambda: b"unused", version="1")
    later = time.time() + 16
    monkeypatch.setattr(caching.time, "time", lambda: later)
    assert caching.kept("b", "plain", 15, lambda: b"new", version="1").value == b"new"


@contextmanager
def reading() -> Iterator[None]:
    """As a request is that does not know the data version yet."""
    caching.begin_reading(lambda: None)
    try:
        yield
    finally:
        caching.end_reading()


def test_one_request_reads_one_version_and_asks_for_the_run_once(
    network: factories.Network, backend: Client, engine: Engine, tmp_path: Path
):
    bundle = factories.make_bundle(tmp_path, engine, name="other", scale=2.0)
    with reading(), statements() as sent:
        before = forecasts.page(limit=2)
        by_somebody_else = threading.Thread(
            target=publish.publish_bundle,
            args=(bundle,),
            kwargs={"engine": engine, "published_by": "tests"},
        )
        by_somebody_else.start()
        by_somebody_else.join()
        more = forecasts.page(limit=3)
    assert sum("JOIN analytics.run USING" in one for one in sent) == 1
    assert more.rows[:2] == before.rows
    with reading():
        assert forecasts.page(limit=3).rows != more.rows


def test_a_request_sees_what_it_has_written_itself(
    backend: Client, network: factories.Network, engine: Engine
):
    with reading():
        acknowledge_the_alert(engine)
        assert [row.status for row in alerts.page().rows] == ["acknowledged"]


def test_a_snapshot_ends_with_what_fails_in_it(network: factories.Network):
    with reading():
        with pytest.raises(NotFound):
            materials.detail(sku="NOWHERE")
        assert materials.detail(sku="CABO-01")
    assert get_engine().pool.checkedout() == 0  # type: ignore[attr-defined]
