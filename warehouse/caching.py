"""The cache of the read models: keyed by meaning, never by minutes alone.

A key is the query's name, its plain arguments and the data version, so a new version makes new
keys and nothing stale survives; the TTL only bounds what lies about. Values are JSON bytes. A cache
that fails is left alone for a while and the database answers: nobody waits for a dead cache.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Lock
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, get_type_hints
from uuid import uuid4

from prometheus_client import Counter
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, text

from domain.errors import Unavailable
from warehouse.db import DATABASE_DOWN, get_engine, get_replica, unavailable_when_down

PREFIX = "nova"
SEAL_BYTES = 16
WRITTEN, WRITTEN_SECONDS = f"{PREFIX}:written", 60
VERSION_MEMO_SECONDS = 1.0
BREAKER_SECONDS = 10.0

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)

READS = Counter("nova_cache_reads", "Answers of read models, by where they came from.", ("result",))
HIT, MISS, OFF = (READS.labels(result) for result in ("hit", "miss", "off"))


class Backend(Protocol):
    """Where encoded values are kept. Both methods may raise: the breaker sees to it."""

    def get(self, key: str) -> bytes | None:
        """The bytes under `key`, or None."""

    def set(self, key: str, value: bytes, timeout: int) -> object:
        """Keeps `value` for `timeout` seconds."""


class Breaker:
    """A backend that is not asked again for `seconds` after it failed."""

    def __init__(self, backend: Backend, *, seconds: float = BREAKER_SECONDS) -> None:
        self._backend, self._seconds, self._closed_until = backend, seconds, float("-inf")

    @property
    def resting(self) -> bool:
        """True while the backend is left alone."""
        return time.monotonic() < self._closed_until

    def get(self, key: str) -> bytes | None:
        """The bytes under `key`; None when there are none or the backend is out of order."""
        value = self._guarded(lambda: self._backend.get(key))
        return value if isinstance(value, bytes) else None

    def set(self, key: str, value: bytes, timeout: int) -> None:
        """Keeps `value`, if the backend is in order."""
        self._guarded(lambda: self._backend.set(key, value, timeout))

    def _guarded(self, call: Callable[[], object]) -> object:
        if self.resting:
            return None
        try:
            return call()
        except Exception as error:  # whatever a client library raises, the database can answer
            self._closed_until = time.monotonic() + self._seconds
            log.warning("cache out of order, resting for %g s: %s", self._seconds, error)
            return None


class _Version:
    """The data version of an engine, read at most once a second in this process, and again as soon
    as any process that shares the cache says that it has written."""

    def __init__(self) -> None:
        self._known: dict[Engine, tuple[float, bytes | None, str]] = {}
        self._lock = Lock()

    def of(self, engine: Engine) -> str:
        now, written = time.monotonic(), _breaker.get(WRITTEN) if _breaker else None
        read_at, seen, version = self._known.get(engine, (float("-inf"), None, ""))
        if seen != written or now - read_at >= VERSION_MEMO_SECONDS:
            with engine.connect() as connection:
                version = data_version(connection)
            with self._lock:
                self._known = {engine: (now, written, version)}
        return version

    def forget(self) -> None:
        if _breaker is not None:
            _breaker.set(WRITTEN, uuid4().bytes, WRITTEN_SECONDS)
        with self._lock:
            self._known = {}


class _Flights:
    """Who asks for what is being read already in this process waits for it and reads the cache."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._under_way: dict[str, tuple[Lock, int]] = {}

    @contextmanager
    def only_one(self, key: str) -> Iterator[bool]:
        """Alone on this key; True if somebody else was there before."""
        with self._lock:
            turn, people = self._under_way.get(key, (Lock(), 0))
            self._under_way[key] = turn, people + 1
        try:
            with turn:
                yield people > 0
        finally:
            with self._lock:
                turn, people = self._under_way.pop(key)
                if people > 1:
                    self._under_way[key] = turn, people - 1


_version = _Version()
_flights = _Flights()
_breaker: Breaker | None = None

_VERSION_SQL = text(
    """
    SELECT coalesce((SELECT run_id FROM analytics.published), 0)
        || '.' || coalesce((SELECT max(id) FROM staging.load WHERE state = 'accepted'), 0)
        || '.' || coalesce((SELECT number FROM analytics.revision), 0)
    """
)


def use(backend: Backend | None) -> None:
    """Binds the cache of this process; None: every call goes to the database."""
    global _breaker
    _breaker = Breaker(backend) if backend is not None else None


def in_order() -> bool | None:
    """Whether the bound cache answers, asked now unless it is resting; None when none is bound."""
    if _breaker is None:
        return None
    _breaker.get(f"{PREFIX}:health")
    return not _breaker.resting


def data_version(connection: Connection) -> str:
    """`published run . last accepted load . revision`, where every write to what is shown counts
    the revision up in its own transaction: a derivation after a load, an acknowledged alert."""
    return str(connection.execute(_VERSION_SQL).scalar_one())


def count_revision(connection: Connection) -> None:
    """To be called in the transaction of every write that changes what read models show."""
    connection.execute(
        text(
            "INSERT INTO analytics.revision (number) VALUES (1)"
            " ON CONFLICT (singleton) DO UPDATE SET number = analytics.revision.number + 1"
        )
    )


def forget_version() -> None:
    """After a write of this process: the next read of every process that shares its cache asks for
    the version again."""
    _version.forget()


def in_use() -> bool:
    """Whether a cache is bound that is not resting."""
    return _breaker is not None and not _breaker.resting


def kept(name: str, plain: str, ttl: int, make: Callable[[], bytes]) -> bytes:
    """What `make()` gives, from the cache for `ttl` seconds at most: `name` and `plain` arguments
    say what it is, the data version how new. What many ask for at once is made once."""
    if _breaker is None:
        OFF.inc()
        return make()
    engine = get_engine()
    digest = hashlib.sha256(plain.encode()).hexdigest()[:32]
    key = f"{PREFIX}:{engine.url.database}:{name}:{_version.of(engine)}:{digest}"
    found = _unsealed(key, _breaker.get(key))
    if found is None:
        with _flights.only_one(key) as waited:
            found = _unsealed(key, _breaker.get(key)) if waited else None
            if found is None:
                (OFF if _breaker.resting else MISS).inc()
                made = make()
                _breaker.set(key, _seal(made) + made, ttl)
                return made
    HIT.inc()
    return found


def _seal(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=SEAL_BYTES).digest()


def _unsealed(key: str, stored: bytes | None) -> bytes | None:
    """The value of sealed bytes; None for what somebody else has written there."""
    if stored is None:
        return None
    value = stored[SEAL_BYTES:]
    if stored[:SEAL_BYTES] == _seal(value):
        return value
    log.warning("cache holds something else under %s", key)
    return None


class ReplicaFailed(Unavailable):
    """Asked again, the primary answers."""


@contextmanager
def snapshot(**options: Any) -> Iterator[Connection]:
    """A read-only connection in one snapshot: on the replica if that has all that the primary had
    when it was last asked, else on the primary. `options` are execution options. Raises
    ReplicaFailed, once: the replica is left alone for a while then."""
    replica = get_replica()
    if replica is None or replica.resting:
        with _snapshot_of(get_engine(), options) as connection:
            yield connection
        return
    try:
        with _snapshot_of(replica.engine, options) as connection:
            if data_version(connection) == _version.of(get_engine()):
                yield connection
                return
    except DATABASE_DOWN as error:
        replica.rest(error)
        raise ReplicaFailed("The read replica does not answer.") from error
    with _snapshot_of(get_engine(), options) as connection:
        yield connection


def _snapshot_of(engine: Engine, options: dict[str, Any]) -> Connection:
    return engine.connect().execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True, **options
    )


def read_model(*, ttl: int) -> Callable[[Callable[Concatenate[Connection, P], R]], Callable[P, R]]:
    """Turns `f(connection, *, …)` into `f(…)`, answered from the cache for `ttl` seconds.

    The connection is opened on a miss only, read-only and in one snapshot: several statements of
    one call never see two runs. Raises Unavailable when the database does not answer.
    """

    def decorate(query: Callable[Concatenate[Connection, P], R]) -> Callable[P, R]:
        signature = inspect.signature(query)
        name = f"{query.__module__}.{query.__qualname__}"
        codec: list[TypeAdapter[R]] = []

        def adapter() -> TypeAdapter[R]:
            if not codec:
                codec.append(TypeAdapter(get_type_hints(query)["return"]))
            return codec[0]

        def read(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                with snapshot() as connection:
                    return query(connection, *args, **kwargs)
            except ReplicaFailed:
                with snapshot() as connection:
                    return query(connection, *args, **kwargs)

        def plain(kwargs: dict[str, Any]) -> str:
            bound = signature.bind(None, **kwargs)
            bound.apply_defaults()
            return repr(list(bound.arguments.items())[1:])

        @wraps(query)
        def cached(*args: P.args, **kwargs: P.kwargs) -> R:
            value: R | None = None

            def make() -> bytes:
                nonlocal value
                value = read(*args, **kwargs)
                return adapter().dump_json(value)

            with unavailable_when_down():
                if not in_use():
                    OFF.inc()
                    return read(*args, **kwargs)
                encoded = kept(name, plain(kwargs), ttl, make)
                return adapter().validate_json(encoded) if value is None else value

        return cached

    return decorate
