"""The embedded services while `make run` is up. Runs in the web environment.

`keep` starts what has no URL, says so in one JSON line, heals it while it is watched, and stops it
at the end: on SIGTERM, or when whoever started it is gone. `borrow` and `release` serve a command
that may run beside it; `stop` and `status` do as they say.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TextIO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from config import Settings, SettingsError, get_settings
from domain.errors import Unavailable
from scripts.processes import end_listed
from warehouse import embedded

WATCH_SECONDS = 1.0
HANDOVER_SECONDS = 60.0
LISTING = "run.json"


class Ended(Exception):
    """SIGTERM came."""


def keep() -> None:
    """Raises Unavailable if a service cannot be started or another `make run` holds the home."""
    settings = get_settings()
    parent = os.getppid()
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o711)
    with (settings.home / "run.lock").open("a+") as lock:
        _take(lock, settings.home)
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            _stop_leftovers(settings.home)
            _start(settings)
            _announce(settings)
            _watch(settings, parent)
            end_listed(settings.home / LISTING)
        except Ended:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        finally:
            embedded.stop(settings.home)


def borrow() -> None:
    """Starts what does not run and says so, without watching it."""
    settings = get_settings()
    _start(settings)
    _announce(settings)


def release() -> None:
    """The end of `borrow`: stops the services unless a `make run` uses them."""
    home = get_settings().home
    with (home / "run.lock").open("a+") as lock:
        if _is_free(lock):
            embedded.stop(home)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise Ended


def _take(lock: TextIO, home: Path) -> None:
    """The lock, with our parent's number in it; a dying `make run` is given time to let go."""
    deadline = time.monotonic() + HANDOVER_SECONDS
    while not _is_free(lock):
        owner = _owner(lock)
        if time.monotonic() > deadline or (owner is not None and _lives(owner)):
            raise Unavailable(
                f"`make run` (process {owner}) is at work on {home}: end it with `make stop`."
            )
        time.sleep(0.2)
    lock.truncate(0)
    lock.write(str(os.getppid()))
    lock.flush()


def _is_free(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner(lock: TextIO) -> int | None:
    lock.seek(0)
    written = lock.read()
    return int(written) if written.isdigit() else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's: it is there
    return True


def _stop_leftovers(home: Path) -> None:
    """What a killed `make run` left; the listing of a living one names us too."""
    listing = home / LISTING
    if listing.exists() and json.loads(listing.read_text())["owner"] != os.getppid():
        end_listed(listing)


def _start(settings: Settings) -> None:
    if not settings.database_url:
        embedded.ensure_postgres(settings.home)
    if not settings.redis_url:
        embedded.ensure_valkey(settings.home)


def _announce(settings: Settings) -> None:
    facts = {
        "home": str(settings.home),
        "host": settings.host,
        "port": settings.port,
        "data": str(settings.data) if settings.data else None,
        "limit": settings.limit,
        "postgres": "DATABASE_URL" if settings.database_url else "embedded",
        "cache": _cache(settings),
    }
    print(json.dumps(facts), flush=True)


def _cache(settings: Settings) -> str:
    if settings.redis_url:
        return "REDIS_URL"
    valkey = any(row.name == "valkey" for row in embedded.status(settings.home))
    return "embedded Valkey" if valkey else "files"


def _watch(settings: Settings, parent: int) -> None:
    """Returns when the parent is gone."""
    while os.getppid() == parent:
        try:
            _start(settings)
        except Unavailable as error:
            logging.error("a service cannot be healed: %s", error)
        time.sleep(WATCH_SECONDS)


def stop() -> None:
    """Ends a running `make run` of this home, or what a killed one left, and the services."""
    home = get_settings().home
    if not home.exists():
        return
    with (home / "run.lock").open("a+") as lock:
        owner = _owner(lock)
        if not _is_free(lock) and owner is not None and _lives(owner):
            os.kill(owner, signal.SIGTERM)
        deadline = time.monotonic() + HANDOVER_SECONDS
        while not _is_free(lock) and time.monotonic() < deadline:
            time.sleep(0.1)
        for listing in (LISTING, "train.json"):
            end_listed(home / listing)
        embedded.stop(home)


def status() -> None:
    """One line for each service."""
    for row in embedded.status(get_settings().home):
        print(f"{row.name}: {'answers' if row.running else 'stopped'} on {row.where}")


COMMANDS = {"keep": keep, "borrow": borrow, "release": release, "stop": stop, "status": status}


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        COMMANDS[sys.argv[1]]()
    except (Unavailable, SettingsError) as error:
        sys.exit(f"{error}")
