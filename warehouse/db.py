"""Engines: the primary, and a replica for reads while one is configured and healthy."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import IO, Any

import psycopg2
import psycopg2.extensions
from psycopg2.errorcodes import LOCK_NOT_AVAILABLE
from sqlalchemy import Connection, Engine, Executable, Row, Select, create_engine, event, text
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from config import get_settings
from domain.errors import BeingUpdated, Unavailable
from warehouse import planned
from warehouse.tables import SCHEMAS

APPLICATION = "nova-corrente"
ROLE = "nova_app"
"""What requests work as: it reads everything, and may only add to the audit log."""

TAKE_ROLE = (
    "SELECT set_config('role', rolname, false) FROM pg_roles"
    " WHERE rolname = %s AND pg_has_role(rolname, 'MEMBER')"
)
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 5_000
REPLICA_REST_SECONDS = 5.0
LIVENESS = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""After how many seconds, and milliseconds, a connection ends whose host is gone without a word,
idle or asked. Sockets of this machine know none of it."""
SLOW_SQL_LETTERS = 500
COPY_BYTES = 1 << 18
CONNECTION_STATES = ("08", "57P", *planned.OUTDATED)
"""How SQLSTATEs begin that another connection mends: it was lost, the server ended it, what was
planned on it is outdated."""
DATABASE_DOWN = (OperationalError, InterfaceError, PoolTimeout)
"""What is raised where it does not answer; a connection that dies in use raises DBAPIError."""

log = logging.getLogger(__name__)


def database_url(*, owner: bool = False) -> str:
    """DATABASE_URL, else the embedded Postgres, started if it is not running. For the `owner` of
    the tables, DATABASE_OWNER_URL where it is given."""
    settings = get_settings()
    given = owner and settings.database_owner_url or settings.database_url
    if given:
        return given
    from warehouse.embedded import ensure_postgres

    return ensure_postgres(settings.home)


def make_engine(
    url: str,
    *,
    pool_size: int = 5,
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
    lock_timeout_ms: int = LOCK_TIMEOUT_MS,
    quick: bool = False,
) -> Engine:
    """An engine with time limits on statements and locks; times are UTC. A `quick` one commits each
    statement without waiting for the disk, and does not try connections before it uses them.
    Errors do not tell a statement's parameters: they may be somebody's words."""
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=not quick,
        isolation_level="AUTOCOMMIT" if quick else None,
        pool_reset_on_return=None if quick else "rollback",
        pool_timeout=10,
        hide_parameters=True,
        connect_args=connect_options(
            statement_timeout_ms=statement_timeout_ms, lock_timeout_ms=lock_timeout_ms, quick=quick
        )
        | {"connection_factory": _Streaming},
    )
    planned.bind(engine)
    return engine


def connect_options(
    *,
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
    lock_timeout_ms: int = LOCK_TIMEOUT_MS,
    quick: bool = False,
) -> dict[str, Any]:
    """How a session begins: time limits, times in UTC, and a name by which it is known."""
    options = (
        f"-c statement_timeout={statement_timeout_ms} -c lock_timeout={lock_timeout_ms}"
        f" -c timezone=UTC -c jit=off{' -c synchronous_commit=off' if quick else ''}"
    )
    return {"options": options, "application_name": APPLICATION, "connect_timeout": 5, **LIVENESS}


def let_read(connection: Connection) -> None:
    """Lets ROLE read all there is in our schemas and all that this login will make there: such a
    promise binds who gives it, and the next owner has to give it anew."""
    schemas = ", ".join(SCHEMAS)
    for grant in (
        f"GRANT USAGE ON SCHEMA {schemas} TO {ROLE}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schemas} TO {ROLE}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schemas} GRANT SELECT ON TABLES TO {ROLE}",
    ):
        connection.execute(text(grant))


def as_application(engine: Engine) -> Engine:
    """Makes new connections work as ROLE, and logs slow statements. Before the migration that makes
    the role, or for a login that is no member, connections work as the login itself."""
    event.listen(engine, "connect", _take_role)
    return _logging_slow(engine)


def _logging_slow(engine: Engine, *, batch: bool = False) -> Engine:
    """What a cursor of the server reads is told by the cursor itself, at its end."""

    def begin(_connection: Any, cursor: Any, _sql: str, _params: Any, context: Any, _: Any) -> None:
        if not cursor.name:
            context.nova_began = time.perf_counter()

    def end(_connection: Any, _cursor: Any, sql: str, _params: Any, context: Any, _: Any) -> None:
        tell(sql, context)

    def fail(context: ExceptionContext) -> None:
        if context.statement:
            tell(context.statement, context.execution_context)

    def tell(sql: str, context: Any) -> None:
        began = getattr(context, "nova_began", None)
        if began is not None:
            log_if_slow(sql, time.perf_counter() - began, batch=batch)

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "handle_error", fail)
    return engine


def log_if_slow(sql: str, seconds: float, *, batch: bool = False) -> None:
    """A line for a statement that has taken so long, whether it failed or not; without its
    parameters."""
    settings = get_settings()
    if seconds * 1000 >= (settings.slow_batch_ms if batch else settings.slow_query_ms):
        log.warning("slow query: %.0f ms: %s", seconds * 1000, _in_short(sql))


def _in_short(sql: str) -> str:
    return " ".join(sql.split())[:SLOW_SQL_LETTERS]


class _Streamed(psycopg2.extensions.cursor):
    """A cursor of the server. At its end it logs how long the database took to the first rows and
    to all that were taken, if the first were as slow as a statement, or all as slow as a batch's:
    who takes them may take their time, which does not count."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._sql, self._rows, self._seconds = "", 0, 0.0
        self._first: float | None = None

    def execute(self, sql: Any, params: Any = None) -> None:
        self._sql = str(sql)
        with self._timed():
            super().execute(sql, params)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        return self._counted(lambda: super(_Streamed, self).fetchmany(size or self.arraysize))

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._counted(super().fetchall)

    def close(self) -> None:
        if not self.closed:
            self._tell()
        super().close()

    def _counted(self, fetch: Callable[[], list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
        with self._timed():
            rows = fetch()
        self._rows += len(rows)
        if self._first is None:
            self._first = self._seconds
        return rows

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self._seconds += time.perf_counter() - began

    def _tell(self) -> None:
        settings, every = get_settings(), self._seconds * 1000
        first = every if self._first is None else self._first * 1000
        if first >= settings.slow_query_ms or every >= settings.slow_batch_ms:
            told = "slow query: %.0f ms to the first rows, %.0f ms to all %d: %s"
            log.warning(told, first, every, self._rows, _in_short(self._sql))


class _Streaming(planned.Planning):
    """One whose cursors of the server are timed."""

    def cursor(self, *args: Any, **options: Any) -> Any:
        return super().cursor(*args, **({"cursor_factory": _Streamed} if args else {}) | options)


def _take_role(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(TAKE_ROLE, (ROLE,))
    connection.commit()


@lru_cache
def get_engine() -> Engine:
    """The process's engine on the primary, for requests: short statements only, as ROLE."""
    return as_application(make_engine(database_url()))


@lru_cache
def get_batch_engine() -> Engine:
    """The process's engine for loading, training and publishing, as the owner of the tables: no
    statement time limit, and only what is slow for a batch is logged."""
    url = database_url(owner=True)
    engine = make_engine(url, pool_size=2, statement_timeout_ms=0, lock_timeout_ms=30_000)
    return _logging_slow(engine, batch=True)


@lru_cache
def _quick_engine() -> Engine:
    """For single statements of every request: each is a transaction, none waits for the disk."""
    return as_application(make_engine(database_url(), quick=True))


def is_down(error: BaseException) -> bool:
    """Whether it says that the database does not answer, that a lock is not given, or that a
    connection died."""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, DATABASE_DOWN)


def said_by(error: BaseException) -> str:
    """What the driver says in one line: neither statement nor parameters."""
    told = _told_by(error)
    return f"{type(told).__name__}: {str(told).strip().partition(chr(10))[0]}"


def _told_by(error: BaseException) -> BaseException:
    """The driver's own exception."""
    return error.orig if isinstance(error, DBAPIError) and error.orig else error


def unanswered(error: BaseException) -> Unavailable:
    """To be raised from `error`; the reason is in the log."""
    if getattr(_told_by(error), "pgcode", None) == LOCK_NOT_AVAILABLE:
        log.warning("rows are held by others: %s", said_by(error))
        return BeingUpdated("The figures are being brought up to date; try again in a moment.")
    log.warning("the database does not answer: %s", said_by(error))
    return Unavailable("The database does not answer.")


@contextmanager
def unavailable_when_down() -> Iterator[None]:
    """Translates what says that the database is down, or that a connection died, into Unavailable;
    anything else passes as it is."""
    try:
        yield
    except (DBAPIError, *DATABASE_DOWN) as error:
        if not is_down(error):
            raise
        raise unanswered(error) from error


def quick(statement: Executable, params: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
    """The rows of one statement on the primary, a transaction of its own that does not wait for the
    disk. On a connection that has died it is sent again. Raises Unavailable."""
    with unavailable_when_down():
        try:
            return _sent(statement, params)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return _sent(statement, params)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A statement of every request, on connections that nothing else uses; see `planned`."""

    statement: Select[Any]

    @cached_property
    def _compiled(self) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        compiled = self.statement.compile(dialect=asyncpg.dialect())  # numbers and casts parameters
        return str(compiled), tuple(compiled.positiontup or ()), dict(compiled.params)

    def rows(self, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows by column names, on the primary as `quick` asks it, once more on a connection
        of its own where the one at rest could not serve. Raises Unavailable."""
        try:
            try:
                return self._asked(params)
            except psycopg2.Error as error:
                if not _is_of_the_connection(error):
                    raise
                _hang_up()
                return self._asked(params)
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            raise unanswered(error) from error

    def _asked(self, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        sql, order, told = self._compiled
        values = {**told, **params}
        bare, began = _taken(), time.perf_counter()
        try:
            planned.run(bare.cursor, sql, [values[name] for name in order])
            names = [column[0] for column in bare.cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in bare.cursor.fetchall()]
        except BaseException:
            bare.cursor.connection.close()
            raise
        finally:
            log_if_slow(sql, time.perf_counter() - began)
        _at_rest.append(bare)
        return rows


@dataclass(frozen=True)
class _Bare:
    """A connection as `quick` uses them, without a pool's bookkeeping. One thread at a time has
    it."""

    options: Mapping[str, Any]
    cursor: Any


_at_rest: list[_Bare] = []
"""At most as many as threads have asked at once."""


def _taken() -> _Bare:
    """One at rest, else a new one. Raises psycopg2.Error."""
    options = quick_options()
    with suppress(IndexError):
        while (bare := _at_rest.pop()).options != options:
            bare.cursor.connection.close()
        return bare
    connection = psycopg2.connect(**options, connection_factory=planned.Planning)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(TAKE_ROLE, (ROLE,))
    return _Bare(options, cursor)


def _is_of_the_connection(error: psycopg2.Error) -> bool:
    """Whether a new connection may do better: one that died says no SQLSTATE."""
    return error.pgcode is None or error.pgcode.startswith(CONNECTION_STATES)


def _hang_up() -> None:
    """Closes what is at rest: where one connection has died, the others may have."""
    with suppress(IndexError):
        while True:
            _at_rest.pop().cursor.connection.close()


def _sent(statement: Executable, params: Mapping[str, Any] | None) -> Sequence[Row[Any]]:
    with _quick_engine().connect() as connection:
        result = connection.execute(statement, dict(params or {}))
        return result.all() if result.returns_rows else ()


@lru_cache
def _bare_options(engine: Engine) -> dict[str, Any]:
    return {**engine.dialect.create_connect_args(engine.url)[1], **connect_options(quick=True)}


def quick_options() -> dict[str, Any]:
    """What psycopg2 needs for a connection as `quick` uses them."""
    return _bare_options(_quick_engine())


@contextmanager
def primary() -> Iterator[Connection]:
    """A connection to the primary, for what must not be old. Raises Unavailable."""
    with unavailable_when_down(), get_engine().connect() as connection:
        yield connection


def copy(connection: Connection, statement: str, buffer: IO[Any]) -> None:
    """COPY … FROM STDIN out of the buffer, or … TO STDOUT into it; raises as statements do, and is
    logged as a batch's are."""
    began = time.perf_counter()
    try:
        with connection.connection.driver_connection.cursor() as cursor:  # type: ignore[union-attr]
            cursor.copy_expert(statement, buffer, COPY_BYTES)
    except psycopg2.Error as error:
        raise DBAPIError.instance(
            statement, None, error, psycopg2.Error, dialect=connection.dialect
        ) from error
    finally:
        log_if_slow(statement, time.perf_counter() - began, batch=True)


class Replica:
    """The read replica and what was last known of its health."""

    def __init__(self, url: str) -> None:
        self.engine = as_application(make_engine(url))
        self._rests_until = float("-inf")
        self._failed = False

    def rest(self, error: Exception) -> None:
        """It failed: the primary answers for a while."""
        self._rests_until, self._failed = time.monotonic() + REPLICA_REST_SECONDS, True
        told = said_by(error)
        log.warning("read replica does not answer, reading from the primary: %s", told)

    def is_to_be_asked(self) -> bool:
        """Whether it is not left alone. Who comes first after that finds out for all the others,
        to whom the primary answers meanwhile."""
        now = time.monotonic()
        if now < self._rests_until:
            return False
        if self._failed:
            self._rests_until = now + REPLICA_REST_SECONDS
        return True

    def has_answered(self) -> None:
        """It is asked by everybody again."""
        self._rests_until, self._failed = float("-inf"), False


@lru_cache
def get_replica() -> Replica | None:
    """The read replica of the settings, if they name one."""
    url = get_settings().database_replica_url
    return Replica(url) if url else None
