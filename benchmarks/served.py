"""The product and the floor, each served by gunicorn with two workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import jwt

from benchmarks.client import Call
from scripts.processes import wait_until_served
from warehouse.embedded import free_port

ROOT = Path(__file__).resolve().parent.parent
CALLBACKS = "/_dash-update-component"


@contextmanager
def gunicorn(target: str, log: Path, **environment: str) -> Iterator[str]:
    """The URL under which `target` is served, until the end."""
    port = free_port()
    values = os.environ | {"PORT": str(port), "HOST": "127.0.0.1"} | environment
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", target],
            cwd=ROOT,
            env=values,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_served(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


class Person:
    """Somebody signed in by both doors: headers with a token, headers with a cookie."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self._url, self._who = url, {"email": email, "password": password}
        self.token = ""
        self._renewed = float("-inf")

    def get(self, path: str) -> Call:
        """A call of the API; the token is renewed before it ends."""
        if time.monotonic() - self._renewed > 600:
            request = urllib.request.Request(
                f"{self._url}/api/v1/auth/login",
                json.dumps(self._who).encode(),
                {"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                self.token = json.load(answer)["data"]["access_token"]
            self._renewed = time.monotonic()
        return Call(f"/api/v1{path}", {"Authorization": f"Bearer {self.token}"})

    def callback(self, body: object) -> Call:
        """A Dash callback with the session of this person."""
        headers = {"Content-Type": "application/json", "Cookie": self._cookies}
        return Call(CALLBACKS, headers, "POST", json.dumps(body).encode())

    @cached_property
    def _cookies(self) -> str:
        jar = CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        page = opener.open(f"{self._url}/login", timeout=30).read().decode()
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        form = urlencode(self._who | {"csrf_token": token}).encode()
        opener.open(urllib.request.Request(f"{self._url}/login", form), timeout=30).read()
        return "; ".join(f"{one.name}={one.value}" for one in jar)


class Floor:
    """Calls of the floor's two doors."""

    def __init__(self, secret: str) -> None:
        claims = {
            "sub": "1",
            "iss": "floor",
            "exp": time.time() + 86_400,
            "jti": "1",
        }
        token = jwt.encode(claims, secret, algorithm="HS256")
        self.bare = Call("/jwt", {"Authorization": f"Bearer {token}"})

    @property
    def empty(self) -> Call:
        """The callback that does nothing."""
        from benchmarks.floor import EMPTY

        headers = {"Content-Type": "application/json"}
        return Call("/dash/_dash-update-component", headers, "POST", json.dumps(EMPTY).encode())
