"""Asking a public API: time limits, another try where that may help, answers kept for a while."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar
from urllib.parse import urlencode

import requests

from domain.errors import NovaError

T = TypeVar("T")

ANSWER_BYTES = 30_000_000
AS_THEY_ARE = "@$',/"
"""Signs of a query that OData wants unencoded."""
AGAIN = (408, 425, 429, 500, 502, 503, 504)
"""Statuses after which the same may be asked again."""
LONGEST_WAIT = 60.0
"""Seconds waited at most, and where a source only says that it is asked too often."""
HOUR = 3600.0
FRESH, SETTLED = 6 * HOUR, 180 * 24 * HOUR
"""Seconds that an answer is kept: of days that may still change, and of days long gone."""


class SourceError(NovaError):
    """A source gave nothing that can be used; says which, why and what to do."""

    code = "source_failed"


@dataclass(frozen=True)
class Web:
    """One source's API at `base_url`, called `name`; `setting` is the variable that moves it.

    `timeout` seconds for an answer, `attempts` of them, `backoff` seconds before the second one and
    twice as long before each that follows. Answers are kept in `kept`; `is_fresh`: ask anyway."""

    name: str
    base_url: str
    setting: str
    kept: Path
    timeout: float = 30.0
    attempts: int = 4
    backoff: float = 1.0
    is_fresh: bool = False

    def get(
        self,
        path: str,
        query: Mapping[str, Any],
        parse: Callable[[Any], T],
        *,
        is_settled: bool = False,
        empty: tuple[int, ...] = (),
    ) -> T | None:
        """What `parse` makes of the JSON there; None where the status is one of `empty`. What
        `parse` cannot read is not kept. Raises SourceError."""
        url = f"{self.base_url.rstrip('/')}{path}?{urlencode(query, safe=AS_THEY_ARE)}"
        file = self.kept / f"{hashlib.sha256(url.encode()).hexdigest()}.json"
        known = None if self.is_fresh else _kept(file, SETTLED if is_settled else FRESH)
        if known is not None:
            return self._parsed(known, parse)
        body = self._asked(url, empty)
        if body is None:
            return None
        found = self._parsed(body, parse)
        write_whole(file, body)
        return found

    def _parsed(self, body: bytes, parse: Callable[[Any], T]) -> T:
        try:
            return parse(json.loads(body))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise self.failed("its answer is not what its documentation says") from None

    def failed(self, why: str) -> SourceError:
        """The error that says which source failed and what to do."""
        return SourceError(
            f"{self.name} ({self.base_url}): {why}. Try again later, or set {self.setting} to"
            " where it can be reached."
        )

    def _asked(self, url: str, empty: tuple[int, ...]) -> bytes | None:
        said, wait = "", 0.0
        for attempt in range(self.attempts):
            if attempt:
                time.sleep(max(wait, self.backoff * 2 ** (attempt - 1)))
            try:
                return self._answer(url, empty)
            except _Again as problem:
                said, wait = str(problem), problem.wait
        raise self.failed(f"{said} (asked {self.attempts} times)")

    def _answer(self, url: str, empty: tuple[int, ...]) -> bytes | None:
        deadline = time.monotonic() + self.timeout
        headers = {"Accept": "application/json"}
        try:
            with requests.get(url, headers=headers, timeout=self.timeout, stream=True) as response:
                if response.status_code in AGAIN:
                    raise _Again(f"it answers {response.status_code}", _wait(response))
                if response.status_code in empty:
                    return None
                if response.status_code != 200:
                    raise self.failed(f"it answers {response.status_code}")
                return self._read(response, deadline)
        except requests.RequestException as error:
            raise _Again(_words(error)) from None

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        """The body, if it is not too long and comes in time; a server may drip for ever."""
        parts, size = [], 0
        for part in response.iter_content(1 << 16):
            parts.append(part)
            size += len(part)
            if size > ANSWER_BYTES:
                raise self.failed("its answer is too long")
            if time.monotonic() > deadline:
                raise _Again(f"its answer takes more than {self.timeout:g} s")
        return b"".join(parts)


class _Again(Exception):
    """Failed in a way that may pass, after `wait` seconds."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


def forget_old(kept: Path) -> None:
    """Remove the answers that are too old to be used again."""
    for file in kept.glob("*.json"):
        if time.time() - file.stat().st_mtime > SETTLED:
            file.unlink(missing_ok=True)


def write_whole(file: Path, body: bytes) -> None:
    """Put `body` in the place of the file in one step: a reader sees the old one or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=file.parent, prefix=".", delete=False) as stream:
        place = Path(stream.name)
        try:
            stream.write(body)
            stream.close()
            os.chmod(place, 0o644)
            place.replace(file)
        except BaseException:
            place.unlink(missing_ok=True)
            raise


def _kept(file: Path, seconds: float) -> bytes | None:
    try:
        age = time.time() - file.stat().st_mtime
        return file.read_bytes() if 0 <= age <= seconds else None
    except OSError:
        return None


def _wait(response: requests.Response) -> float:
    asked = response.headers.get("Retry-After", "")
    if asked.isdigit():
        return min(float(asked), LONGEST_WAIT)
    return LONGEST_WAIT if response.status_code == 429 else 0.0


def _words(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "it does not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate or encryption is refused"
    if isinstance(error, requests.ConnectionError):
        return "it cannot be reached, or breaks off"
    return f"it cannot be asked ({type(error).__name__})"
