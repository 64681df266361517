"""The cache of the read models: keyed by meaning, never by minutes alone.

A key is the query's name, its plain arguments and the data version, so a new version makes new
keys and nothing stale survives; the TTL only bounds what lies about. Values are JSON bytes. A cache
that fails is left alone for a while and the database answers: nobody waits for a dead cache.
"""

from __future__ import annotations

import hashlib
import hmac
import inspect
import logging
import struct
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from threading import Lock
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, get_type_hints
from uuid import uuid4

from prometheus_client import Counter
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, Connection, Engine, String, literal_column, select, text
from sqlalchemy.exc import DBAPIError

from config import get_settings
from domain.errors import Unavailable
from warehouse.ages import ENCODED_SECONDS
from warehouse.db import (
    DATABASE_DOWN,
    Replica,
    get_engine,
    get_replica,
    is_down,
    unavailable_when_down,
)

PREFIX = "nova"
SEAL_BYTES = 16
SEALING = b"nova cache"
"""What sets the key of seals apart from others that are made of SECRET_KEY."""
MADE_AT = struct.Struct(">d")
MEMORY_BYTES = 16 * 1024 * 1024
"""Of encoded values that each process holds beside the shared cache."""
RENEWED_AFTER = 2 / 3
"""The share of its time after which a value is made anew before anybody has to wait for it."""
WRITTEN, WRITTEN_SECONDS = f"{PREFIX}:written", 60
VERSION_MEMO_SECONDS = 1.0
KNOWN = "nova_known"
"""The execution option of a snapshot that holds what is asked once in it."""
BREAKER_SECONDS = 10.0

P = ParamSpec("P")
R = TypeVar("R")
K = TypeVar("K")
V = TypeVar("V")

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


@dataclass
class _Flight:
    """What several wait for: `made` once the first of them is through, or how the database did not
    answer."""

    turn: Lock
    people: int = 0
    made: Kept | None = None
    failed: Unavailable | None = None


class _Flights:
    """Who asks for what is being made already in this process waits for it and is given it too."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._under_way: dict[str, _Flight] = {}
        self.ended = 0
        """How many are over: what was made in them stands in the cache."""

    @contextmanager
    def only_one(self, key: str) -> Iterator[_Flight]:
        """Alone on this key."""
        with self._lock:
            flight = self._under_way.setdefault(key, _Flight(Lock()))
            flight.people += 1
        try:
            with flight.turn:
                yield flight
        finally:
            with self._lock:
                flight.people -= 1
                if not flight.people:
                    del self._under_way[key]
                    self.ended += 1


class _Reading:
    """What one request reads: at one data version and, from the first miss on, in one snapshot.
    The version is settled before the snapshot is taken, so that nothing older than its key is kept.
    """

    def __init__(self, told: Callable[[], str | None]) -> None:
        self._told: Callable[[], str | None] | None = told
        self._version: str | None = None
        self._open = ExitStack()
        self._connection: Connection | None = None

    def version(self, engine: Engine) -> str:
        if self._version is None:
            self._version = self._told and self._told() or _version.of(engine)
        return self._version

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """The request's snapshot; it ends with whatever is raised in it."""
        if self._connection is None:
            self._connection = self._open.enter_context(_own_snapshot({}))
        try:
            yield self._connection
        except BaseException:
            self._connection = None
            self._open.__exit__(*sys.exc_info())
            raise

    def end(self) -> None:
        self._connection = None
        self._open.close()

    def begin_anew(self) -> None:
        """What the request has written itself is read by it from now on."""
        self.end()
        self._version = self._told = None


_version = _Version()
_flights = _Flights()
_breaker: Breaker | None = None
_sealing_key = b""
_reading: ContextVar[_Reading | None] = ContextVar("what the request reads", default=None)
_only_kept: ContextVar[bool] = ContextVar("whether the cache alone answers", default=False)

VERSION_SQL = """
    coalesce((SELECT run_id FROM analytics.published), 0)
        || '.' || coalesce((SELECT max(id) FROM staging.load WHERE state = 'accepted'), 0)
        || '.' || coalesce((SELECT number || '.' || xmin FROM analytics.revision), '0')
        || '.' || coalesce(
            extract(epoch FROM (SELECT max(until) FROM support.decision WHERE until <= now())), 0)
    """
VERSION: ColumnElement[str] = literal_column(VERSION_SQL, String()).label("data_version")
"""The data version as a column, for statements that are sent anyway."""

_ASK_VERSION = select(VERSION)


def use(backend: Backend | None) -> None:
    """Binds the cache of this process; None: every call goes to the database."""
    global _breaker, _sealing_key
    _memory.clear()
    if backend is not None:
        secret = get_settings().secret_key.encode()
        _sealing_key = hashlib.blake2b(secret, person=SEALING).digest()
    _breaker = Breaker(backend) if backend is not None else None


def in_order() -> bool | None:
    """Whether the bound cache answers, asked now unless it is resting; None when none is bound."""
    if _breaker is None:
        return None
    _breaker.get(f"{PREFIX}:health")
    return not _breaker.resting


def data_version(connection: Connection) -> str:
    """`published run . last accepted load . revision . its transaction . last end of a snooze`,
    where every write to what is shown counts the revision up in its own transaction: a derivation
    after a load, an acknowledged alert. What was snoozed is open when its time is over, and nobody
    writes then. A database that was restored counts on from the backup's revision, in other
    transactions: what the one before it has left in the cache is not taken for its own."""
    return str(connection.execute(_ASK_VERSION).scalar_one())


COUNT_REVISION = """
    INSERT INTO analytics.revision (number) VALUES (1)
    ON CONFLICT (singleton) DO UPDATE SET number = analytics.revision.number + 1
    """
"""To be part of every write that changes what read models show, or of its transaction."""


def count_revision(connection: Connection) -> None:
    """To be called in the transaction of every write that changes what read models show."""
    connection.execute(text(COUNT_REVISION))


def forget_version() -> None:
    """After a write of this process: the next read of every process that shares its cache asks for
    the version again."""
    _version.forget()
    if (reading := _reading.get()) is not None:
        reading.begin_anew()


def begin_reading(told: Callable[[], str | None]) -> None:
    """From here to `end_reading` this thread's read models see one version of the data, in one
    snapshot. `told` gives the data version where the request knows it already."""
    _reading.set(_Reading(told))


def end_reading(_error: BaseException | None = None) -> None:
    """Gives the snapshot back, if one was taken."""
    if (reading := _reading.get()) is not None:
        reading.end()
        _reading.set(None)


def _version_of(engine: Engine) -> str:
    reading = _reading.get()
    return _version.of(engine) if reading is None else reading.version(engine)


class Missed(Exception):
    """What was asked for is not in the cache, and nobody wants to wait for the database."""


@contextmanager
def only_kept() -> Iterator[None]:
    """Here read models answer from the cache or raise Missed; the database is not asked."""
    token = _only_kept.set(True)
    try:
        yield
    finally:
        _only_kept.reset(token)


def in_use() -> bool:
    """Whether a cache is bound that is not resting."""
    return _breaker is not None and not _breaker.resting


def kept(
    name: str,
    plain: str,
    ttl: int,
    make: Callable[[], bytes],
    *,
    version: str | None = None,
    renew: Callable[[], Callable[[], bytes]] | None = None,
    anew: bool = False,
) -> Kept:
    """What `make()` gives, from the cache for `ttl` seconds at most: `name` and `plain` arguments
    say what it is, the data version how new. What many ask for at once is made once. Raises Missed
    within `only_kept`.

    `version`: the data version, where this request knows it already; the value is held in this
    process too then. `renew` gives a `make` that
    works without this request: what has lain for most of its time is given once more and made
    anew behind it, so that nobody waits. `anew`: what is kept already does not count.
    """
    if _breaker is None:
        OFF.inc()
        return Kept(make(), time.time(), ttl)
    engine = get_engine()
    digest = hashlib.sha256(plain.encode()).hexdigest()[:32]
    key = f"{PREFIX}:{engine.url.database}:{name}:{version or _version_of(engine)}:{digest}"
    ended = _flights.ended
    found = None if anew else version and _held(key) or _fetched(key, ttl)
    if found is None:
        if _only_kept.get():
            raise Missed(name)
        with _flights.only_one(key) as flight:
            if flight.failed:  # the others need not wait as long, one after another
                raise type(flight.failed)(str(flight.failed))
            found = flight.made
            if found is None and not anew and _flights.ended != ended:
                found = _fetched(key, ttl)  # others may have made it since this request looked
            if found is None or not found.is_fresh():
                (OFF if _breaker.resting else MISS).inc()
                try:
                    with unavailable_when_down():
                        flight.made = _store(key, make(), ttl)
                except Unavailable as error:
                    flight.failed = error
                    raise
                return flight.made
    HIT.inc()
    if version:
        _memory.put(key, found, len(found.value))
    if renew is not None and not found.is_fresh(RENEWED_AFTER):
        _renewals.submit(key, ttl, renew)
    return found


def again(found: Kept) -> bool:
    """Whether what `kept` has given may be given once more at the same data version, neither the
    cache nor the database asked: not when it is about to be renewed. Counted as a hit."""
    if not in_use() or not found.is_fresh(RENEWED_AFTER):
        return False
    HIT.inc()
    return True


@dataclass(frozen=True)
class Kept:
    """An encoded value, when it was made, in seconds since 1970, and for how many it is kept."""

    value: bytes
    made_at: float
    ttl: int

    def is_fresh(self, share: float = 1.0) -> bool:
        """Whether less than this share of its time has passed."""
        return abs(time.time() - self.made_at) < share * self.ttl


class Latest(Generic[K, V]):
    """What this process used last, up to a sum of sizes in bytes."""

    def __init__(self, limit: int) -> None:
        self._limit, self._sum = limit, 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        """What was put there, unless others have taken its room."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: K, value: V, size: int) -> None:
        """In place of what was there; what is larger than all the room is not held."""
        with self._lock:
            self._sum -= self._values.pop(key, (None, 0))[1]
            if size > self._limit:
                return
            self._values[key] = value, size
            self._sum += size
            while self._sum > self._limit:
                self._sum -= self._values.popitem(last=False)[1][1]

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._values.clear()
            self._sum = 0


class _Renewals:
    """Makes values anew behind the requests that were given the former ones, one at a time."""

    def __init__(self) -> None:
        self._lock, self._under_way = Lock(), set[str]()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="renewal")

    def submit(self, key: str, ttl: int, renew: Callable[[], Callable[[], bytes]]) -> None:
        with self._lock:
            if key in self._under_way:
                return
            self._under_way.add(key)
        self._worker.submit(self._made, key, ttl, renew())

    def _made(self, key: str, ttl: int, make: Callable[[], bytes]) -> None:
        try:
            found = _fetched(key, ttl)  # another process may have been there first
            if found is None or not found.is_fresh(RENEWED_AFTER):
                found = _store(key, make(), ttl)
            _memory.put(key, found, len(found.value))
        except Exception:  # the value ends in its time, and who asks then is told
            log.warning("%s could not be renewed", key, exc_info=True)
        finally:
            with self._lock:
                self._under_way.discard(key)


_memory: Latest[str, Kept] = Latest(MEMORY_BYTES)
_renewals = _Renewals()


def _held(key: str) -> Kept | None:
    """What this process holds of what the shared cache has given before."""
    found = _memory.get(key) if in_use() else None
    return found if found is not None and found.is_fresh() else None


def _fetched(key: str, ttl: int) -> Kept | None:
    """What the shared cache holds; None for what has lain too long, or was put there by others."""
    stored = _breaker.get(key) if _breaker is not None else None
    if stored is None:
        return None
    sealed = stored[SEAL_BYTES:]
    if (
        not hmac.compare_digest(stored[:SEAL_BYTES], _seal(key, sealed))
        or len(sealed) < MADE_AT.size
    ):
        log.warning("cache holds something else under %s", key)
        return None
    found = Kept(sealed[MADE_AT.size :], MADE_AT.unpack_from(sealed)[0], ttl)
    return found if found.is_fresh() else None


def _store(key: str, value: bytes, ttl: int) -> Kept:
    """Keeps what was made for all processes."""
    made = Kept(value, time.time(), ttl)
    if _breaker is not None:
        sealed = MADE_AT.pack(made.made_at) + value
        _breaker.set(key, _seal(key, sealed) + sealed, ttl)
    return made


def _seal(key: str, value: bytes) -> bytes:
    """What only those can make who know SECRET_KEY; a value under another key has another one."""
    told = key.encode() + b"\0" + value
    return hashlib.blake2b(told, key=_sealing_key, digest_size=SEAL_BYTES).digest()


class ReplicaFailed(Unavailable):
    """Asked again, the primary answers."""


@contextmanager
def snapshot(**options: Any) -> Iterator[Connection]:
    """A read-only connection in one snapshot: on the replica if that has all that the primary had
    when it was last asked, else on the primary. `options` are execution options, and ask for a
    snapshot of one's own: without them it is the request's. Raises ReplicaFailed where the replica
    fails in it, once: it is left alone for a while then."""
    reading = _reading.get()
    if reading is None or options:
        if reading is not None:
            reading.end()
        with _own_snapshot(options) as connection:
            yield connection
    else:
        with reading.connection() as connection:
            yield connection


def once(connection: Connection, key: Hashable, ask: Callable[[], R]) -> R:
    """What `ask()` gives, asked once in a snapshot of `snapshot`."""
    known: dict[Hashable, R] = connection.get_execution_options().get(KNOWN, {})
    if key not in known:
        known[key] = ask()
    return known[key]


@contextmanager
def _own_snapshot(options: dict[str, Any]) -> Iterator[Connection]:
    with ExitStack() as opened:
        replica = get_replica()
        there = None if replica is None else _snapshot_there(replica, options, opened)
        if replica is None or there is None:
            yield opened.enter_context(_snapshot_of(get_engine(), options))
            return
        try:
            yield there
        except (DBAPIError, *DATABASE_DOWN) as error:
            if not is_down(error):
                raise
            replica.rest(error)
            raise ReplicaFailed("The read replica does not answer.") from error


def _snapshot_there(
    replica: Replica, options: dict[str, Any], opened: ExitStack
) -> Connection | None:
    """A snapshot on the replica that is closed with `opened`; None where it does not answer, or
    lacks what the primary had when it was last asked."""
    if not replica.is_to_be_asked():
        return None
    version = _version_of(get_engine())
    with ExitStack() as tried:
        try:
            connection = tried.enter_context(_snapshot_of(replica.engine, options))
            found = data_version(connection)
            replica.has_answered()
            if found != version:
                return None
        except (DBAPIError, *DATABASE_DOWN) as error:
            if not is_down(error):
                raise
            replica.rest(error)
            return None
        opened.enter_context(tried.pop_all())
    return connection


def _snapshot_of(engine: Engine, options: dict[str, Any]) -> Connection:
    return engine.connect().execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True, **{KNOWN: {}}, **options
    )


def read_model(
    *, at_most: int
) -> Callable[[Callable[Concatenate[Connection, P], R]], Callable[P, R]]:
    """Turns `f(connection, *, …)` into `f(…)`, answered from the cache for so long that what is
    encoded of it is `at_most` seconds old in the end; one of `warehouse.ages`.

    The connection is opened on a miss only, read-only and in one snapshot: several statements of
    one call never see two runs. Raises Unavailable when the database does not answer.
    """

    ttl = at_most - ENCODED_SECONDS

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
                    if _only_kept.get():
                        raise Missed(name)
                    OFF.inc()
                    return read(*args, **kwargs)
                encoded = kept(name, plain(kwargs), ttl, make).value
                try:
                    return adapter().validate_json(encoded) if value is None else value
                except ValidationError:  # of a version of the product that knew it otherwise
                    encoded = kept(name, plain(kwargs), ttl, make, anew=True).value
                    return adapter().validate_json(encoded) if value is None else value

        return cached

    return decorate
