"""Statements that go to the primary without waiting for their end: what a request leaves behind.

Each thread has a connection of its own. A statement has left this process before `send` returns, so
that the server carries it out whatever becomes of the process; its end is seen to before the next
one, or by `settle`. What a lost connection swallowed is sent again on a new one.
"""

from __future__ import annotations

import logging
import select
import threading
import time
from collections.abc import Mapping
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE

from domain.errors import Unavailable
from warehouse.db import ROLE, TAKE_ROLE, quick_options

PATIENCE_SECONDS = 10.0
"""Longer than the server waits for a lock."""

BROKEN = (psycopg2.OperationalError, psycopg2.InterfaceError)

log = logging.getLogger(__name__)


class Line(threading.local):
    """This thread's connection and the statement on it that has not ended."""

    def __init__(self) -> None:
        self.cursor: Any = None
        self.options: dict[str, Any] = {}
        self.under_way: tuple[str, Mapping[str, Any]] | None = None

    def send(self, sql: str, params: Mapping[str, Any]) -> None:
        """Raises Unavailable where no connection can be had."""
        self.settle()
        if self.options != quick_options():
            self._hang_up()
        try:
            self._put(sql, params)
        except BROKEN:
            self._put_anew(sql, params)

    def settle(self) -> None:
        """Waits for the end of what is under way. A statement that failed is logged: nobody waits
        for it any more."""
        if self.under_way is None:
            return
        sent, self.under_way = self.under_way, None
        try:
            try:
                _wait(self.cursor.connection)
            except BROKEN:
                self._put_anew(*sent)
                self.under_way = None
                _wait(self.cursor.connection)
        except (psycopg2.Error, Unavailable) as error:
            self._hang_up()
            log.error("statement lost: %s with %s", error, dict(sent[1]))

    def _put(self, sql: str, params: Mapping[str, Any]) -> None:
        if self.cursor is None:
            self.options = quick_options()
            self.cursor = _connected(self.options)
        self.cursor.execute(sql, params)
        self.under_way = sql, params

    def _put_anew(self, sql: str, params: Mapping[str, Any]) -> None:
        self._hang_up()
        try:
            self._put(sql, params)
        except BROKEN as error:
            self._hang_up()
            raise Unavailable("The database does not answer.") from error

    def _hang_up(self) -> None:
        if self.cursor is not None:
            self.cursor.connection.close()
        self.cursor = None


_line = Line()


def send(sql: str, params: Mapping[str, Any]) -> None:
    """Sends one statement, a transaction of its own. Raises Unavailable."""
    _line.send(sql, params)


def settle() -> None:
    """Waits for what this thread has sent."""
    _line.settle()


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
