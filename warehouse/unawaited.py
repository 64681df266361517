"""Statements that go to the primary without waiting for their end: what a request leaves behind.

A statement has left this process before `send` returns, so that the server carries it out whatever
becomes of the process; its end is seen to before the next one on the same connection, or by
`settle`. What a lost connection swallowed is sent again on a new one. A connection is opened where
every other one is in use or waits for a lock.
"""

from __future__ import annotations

import logging
import select
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE

from domain.errors import Unavailable
from warehouse.db import ROLE, TAKE_ROLE, log_if_slow, quick_options, unanswered

PATIENCE_SECONDS = 10.0
"""Longer than the server waits for a lock."""

WAITING_AT_MOST = 4
"""Connections of this process whose statements wait; who comes then waits for the first of them."""

BROKEN = (psycopg2.OperationalError, psycopg2.InterfaceError)

log = logging.getLogger(__name__)


class Line:
    """A connection and the statement on it that has not ended."""

    def __init__(self) -> None:
        self.cursor: Any = None
        self.options: dict[str, Any] = {}
        self.under_way: tuple[str, Mapping[str, Any]] | None = None
        self.began = self.at_work_until = 0.0

    def send(self, sql: str, params: Mapping[str, Any]) -> None:
        """Raises Unavailable where no connection can be had."""
        self.settle()
        if self.options != quick_options():
            self._hang_up()
        try:
            self._put(sql, params)
        except BROKEN:
            self._put_anew(sql, params)

    def has_ended(self) -> bool:
        """Whether nothing is under way, or its end has come in."""
        return self.under_way is None or self._is_answered()

    def settle(self) -> None:
        """Waits for the end of what is under way. A statement that failed is logged: nobody waits
        for it any more."""
        if self.under_way is None:
            return
        sent, self.under_way = self.under_way, None
        try:
            try:
                self._end(sent[0])
            except BROKEN:
                self._put_anew(*sent)
                self.under_way = None
                self._end(sent[0])
        except (psycopg2.Error, Unavailable) as error:
            self._hang_up()
            log.error("statement lost: %s with %s", error, dict(sent[1]))

    def _is_answered(self) -> bool:
        connection = self.cursor.connection
        if connection.closed or select.select([connection], [], [], 0)[0]:
            return True
        self.at_work_until = time.perf_counter()
        return False

    def _end(self, sql: str) -> None:
        """Waits for it. One that ended unseen has taken as long as it was seen at work."""
        was_answered = self._is_answered()
        try:
            _wait(self.cursor.connection)
        finally:
            until = self.at_work_until if was_answered else time.perf_counter()
            log_if_slow(sql, until - self.began)

    def _put(self, sql: str, params: Mapping[str, Any]) -> None:
        if self.cursor is None:
            self.options = quick_options()
            self.cursor = _connected(self.options)
        self.began = self.at_work_until = time.perf_counter()
        self.cursor.execute(sql, params)
        self.under_way = sql, params

    def _put_anew(self, sql: str, params: Mapping[str, Any]) -> None:
        self._hang_up()
        try:
            self._put(sql, params)
        except BROKEN as error:
            self._hang_up()
            raise unanswered(error) from error

    def _hang_up(self) -> None:
        if self.cursor is not None:
            self.cursor.connection.close()
        self.cursor = None


class _Lines:
    """Those that no thread is sending on."""

    def __init__(self) -> None:
        self._free: list[Line] = []
        self._lock = Lock()

    @contextmanager
    def one(self) -> Iterator[Line]:
        line = self._taken()
        try:
            yield line
        finally:
            with self._lock:
                self._free.append(line)

    def _taken(self) -> Line:
        with self._lock:
            ended = next((line for line in reversed(self._free) if line.has_ended()), None)
            if ended is None and len(self._free) < WAITING_AT_MOST:
                return Line()
            line = ended or self._free[0]
            self._free.remove(line)
            return line

    def settle(self) -> None:
        with self._lock:
            for line in self._free:
                line.settle()


_lines = _Lines()


def send(sql: str, params: Mapping[str, Any], *, awaited: bool = False) -> None:
    """Sends one statement, a transaction of its own, and waits for its end if it is `awaited`.
    Raises Unavailable."""
    with _lines.one() as line:
        line.send(sql, params)
        if awaited:
            line.settle()


def settle() -> None:
    """Waits for what this process has sent."""
    _lines.settle()


def _connected(options: Mapping[str, Any]) -> Any:
    connection = psycopg2.connect(**options, async_=1)
    _wait(connection)
    cursor = connection.cursor()
    cursor.execute(TAKE_ROLE, (ROLE,))
    _wait(connection)
    return cursor


def _wait(connection: Any) -> None:
    """Until nothing is under way there. Raises psycopg2.Error."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (state := connection.poll()) != POLL_OK:
        left = deadline - time.monotonic()
        reading, writing = [connection] * (state == POLL_READ), [connection] * (state == POLL_WRITE)
        if left <= 0 or not any(select.select(reading, writing, [], left)):
            raise psycopg2.OperationalError("no answer in time")
