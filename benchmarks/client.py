"""Requests on connections that stay open, and how long their answers took."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Call:
    """One request: method, path and query, headers, body."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes | None = None


class Caller:
    """One open connection."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._connection: HTTPConnection | None = None

    def time(self, call: Call) -> float:
        """Seconds that it took. Raises RuntimeError for any status but 200."""
        began = time.perf_counter()
        status, data = self.send(call)
        seconds = time.perf_counter() - began
        _must_be_good(call, status, data)
        return seconds

    def body(self, call: Call) -> bytes:
        """The body of the answer. Raises RuntimeError for any status but 200."""
        status, data = self.send(call)
        _must_be_good(call, status, data)
        return data

    def send(self, call: Call) -> tuple[int, bytes]:
        """Status and body of the answer, whatever it is."""
        for last in (False, True):  # the server may have closed a connection that rested
            fresh = self._connection is None
            connection = self._connection or HTTPConnection(
                self._address.hostname or "", self._address.port, timeout=60
            )
            self._connection = connection
            try:
                connection.request(call.method, call.path, call.body, call.headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (HTTPException, ConnectionError):
                connection.close()
                self._connection = None
                if last or fresh:
                    raise
        raise AssertionError


def _must_be_good(call: Call, status: int, data: bytes) -> None:
    if status != 200:
        raise RuntimeError(f"{call.method} {call.path}: {status} {data[:300]!r}")


def side_by_side(calls: Sequence[tuple[Caller, Callable[[], Call]]], rounds: int) -> list[float]:
    """The median seconds of each, asked in turns so that what slows the machine slows all."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for place, (caller, make) in enumerate(calls):
            taken[place].append(caller.time(make()))
    return [statistics.median(one) for one in taken]


def quantile(values: Sequence[float], level: float) -> float:
    """The empirical quantile."""
    ordered = sorted(values)
    return ordered[min(int(level * len(ordered)), len(ordered) - 1)]


def crowd(url: str, make: Callable[[], Call], *, people: int, pause: float, seconds: float) -> Any:
    """`people` connections, each asking, then resting `pause` seconds; all their times."""
    taken: list[float] = []
    failed: list[Exception] = []
    until = time.monotonic() + seconds

    def one(number: int) -> None:
        caller = Caller(url)
        time.sleep(pause * number / people)
        while time.monotonic() < until and not failed:
            try:
                taken.append(caller.time(make()))
            except Exception as error:  # told to the caller below
                failed.append(error)
            time.sleep(pause)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return taken
