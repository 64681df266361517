"""The product under a steady load for a long time: errors, memory, connections.

`python -m benchmarks.soak --minutes 30 --rate 50` serves a home (the scale database unless `--home`
names another), asks for pages and API answers, and writes `$NOVA_HOME/soak.json`. Exit code 1
where a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2

from benchmarks.__main__ import build, machine, point_at, run, table
from benchmarks.bar import Bar
from benchmarks.client import Call, Caller, quantile
from benchmarks.pages import opening, parts_after
from benchmarks.served import CALLBACKS, Person, gunicorn
from config import get_settings
from domain.access import Role
from warehouse import embedded
from warehouse.db import APPLICATION, get_engine
from warehouse.queries.users import by_email

EMAIL = "soak@localhost"
PATHS = (
    "/kpis",
    "/alerts?limit=50",
    "/forecasts?sku={sku}&limit=90",
    "/materials/{sku}",
    "/inventory?limit=50",
    "/recommendations?limit=50",
    "/materials?limit=50",
    "/suppliers",
    "/geographic/data",
    "/models/performance",
)
PAGES = ("/main", "/materials", "/inventory", "/alerts")
PEOPLE = 25
LOOK_SECONDS = 2.0
WARM_SECONDS = 20.0
REST_SECONDS = 3.0


@dataclass
class Seen:
    """What was answered, and how the server stood while it answered."""

    elapsed: float = 0.0
    turns: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)
    connections: list[tuple[float, int]] = field(default_factory=list)

    def third(self, name: str, number: int) -> float:
        """The mean of `memory` or `connections` over a third, 0 to 2, of the time."""
        rows = getattr(self, name)
        first, last = rows[0][0], rows[-1][0]
        low, high = (first + (last - first) * part / 3 for part in (number, number + 1))
        return statistics.fmean(value for at, value in rows if low <= at <= high)


def main(argv: Sequence[str] | None = None) -> int:
    """Soaks, prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second")
    parser.add_argument("--home", type=Path, help="a NOVA_HOME with a published run")
    asked = parser.parse_args(argv)
    kept = get_settings().home
    if asked.home is None:
        home = build(kept / "bench")
    else:
        home = asked.home.resolve()
        point_at(home)
    database, cache = embedded.ensure_postgres(home), embedded.ensure_valkey(home)
    run("alembic", "upgrade", "head")
    before = connections(database)
    with account() as password:
        log = home / "soak.log"
        own = {"NOVA_HOME": str(home), "DATABASE_URL": database, "REDIS_URL": cache or ""}
        with gunicorn("wsgi:server", log, **own) as url:
            calls = calls_of(url, Person(url, EMAIL, password))
            load(url, calls, Seen(), rate=asked.rate, seconds=WARM_SECONDS)
            seen = Seen()
            with watched(seen, database):
                load(url, calls, seen, rate=asked.rate, seconds=asked.minutes * 60)
            time.sleep(REST_SECONDS)
            open_work = connections(database, "idle in transaction%")
    left = connections(database) - before
    embedded.stop(home)
    bars = judged(seen, open_work, left, asked)
    report = {
        "machine": machine(),
        "minutes": asked.minutes,
        "rate": asked.rate,
        "bars": [bar.as_json() for bar in bars],
        "statuses": dict(sorted(seen.statuses.items())),
        "milliseconds": {
            name: round(quantile(seen.seconds, level) * 1000, 1)
            for name, level in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
        },
    }
    kept.mkdir(parents=True, exist_ok=True, mode=0o711)
    (kept / "soak.json").write_text(json.dumps(report, indent=1) + "\n")
    print(table(bars))
    print(f"answers: {report['statuses']}, ms: {report['milliseconds']}")
    return 0 if all(bar.ok for bar in bars) else 1


@contextmanager
def account() -> Any:
    """The password of a reader who may sign in until the end."""
    password = secrets.token_urlsafe(18)
    flask = ("flask", "--app", "dashboard.cli", "users")
    os.environ["NOVA_USER_PASSWORD"] = password
    is_known = by_email(EMAIL) is not None
    get_engine().dispose()
    if not is_known:
        run(*flask, "create", EMAIL, "--role", str(Role.VIEWER))
    else:
        run(*flask, "set-password", EMAIL)
        run(*flask, "enable", EMAIL)
    try:
        yield password
    finally:
        run(*flask, "disable", EMAIL)


def calls_of(url: str, person: Person) -> list[Callable[[], Call]]:
    """What is asked in turns: API answers, pages through Dash, health."""
    _, body = Caller(url).send(person.get("/materials?limit=1"))
    sku = quote(json.loads(body)["data"][0]["sku"])

    def api(path: str) -> Callable[[], Call]:
        return lambda: person.get(path.format(sku=sku))

    def fixed(call: Call) -> Callable[[], Call]:
        return lambda: call

    pages = [person.callback(opening(page)) for page in PAGES]
    return [*map(api, PATHS), *map(fixed, pages), fixed(Call("/health"))]


def load(
    url: str, calls: Sequence[Callable[[], Call]], seen: Seen, *, rate: float, seconds: float
) -> None:
    """Asks `rate` times a second over PEOPLE connections, each at its own moments whatever the
    answers take, and for the parts that a page has left for later; notes every answer."""
    began = time.monotonic()
    lock = threading.Lock()

    def one(number: int) -> None:
        caller = Caller(url)
        for turn in range(number, int(rate * seconds), PEOPLE):
            time.sleep(max(0.0, began + turn / rate - time.monotonic()))
            waiting = [calls[turn % len(calls)]()]
            while waiting:
                asked, at = waiting.pop(), time.perf_counter()
                try:
                    code, answer = caller.send(asked)
                    status = str(code)
                except (OSError, HTTPException) as error:
                    status = type(error).__name__
                taken = time.perf_counter() - at
                if status == "200" and asked.path == CALLBACKS:
                    waiting += parts_after(asked, answer)
                with lock:
                    seen.statuses[status] += 1
                    seen.seconds.append(taken)
            with lock:
                seen.turns += 1

    threads = [
        threading.Thread(target=one, args=(number,), daemon=True) for number in range(PEOPLE)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen.elapsed = time.monotonic() - began


@contextmanager
def watched(seen: Seen, database: str) -> Any:
    """Looks at memory and connections now and then, until the end."""
    over = threading.Event()
    group = next(pid for pid in children() if group_of(pid) == pid)

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            now = time.monotonic()
            seen.memory.append((now, memory(group)))
            seen.connections.append((now, connections(database)))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def children() -> list[int]:
    """Numbers of this process's children."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return [int(pid) for pid in listed.split()]


def group_of(pid: int) -> int:
    """The process group, -1 for one that has ended."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return -1


def memory(group: int) -> int:
    """Bytes of a group of processes; what they share counts once."""
    total = 0
    for entry in Path("/proc").glob("[0-9]*"):
        if group_of(int(entry.name)) != group:
            continue
        try:
            lines = (entry / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def connections(database: str, state: str = "%") -> int:
    """Those of the product to its database, in a state like `state`."""
    connection = psycopg2.connect(database.replace("+psycopg2", ""), application_name="soak")
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
                " AND datname = current_database() AND coalesce(state, '') LIKE %s",
                (APPLICATION, state),
            )
            return int(cursor.fetchone()[0])  # type: ignore[index]
    finally:
        connection.close()


def judged(seen: Seen, open_work: int, left: int, asked: argparse.Namespace) -> list[Bar]:
    """The bars."""
    total = seen.statuses.total()
    failed = sum(n for status, n in seen.statuses.items() if not status.startswith(("2", "3")))
    mb = [seen.third("memory", number) / 1e6 for number in range(3)]
    linked = [seen.third("connections", number) for number in range(3)]
    rate = seen.turns / seen.elapsed
    return [
        Bar("answers that failed", failed, 0, seen=f"of {total}"),
        Bar("requests a second, of those asked for", rate / asked.rate, 0.98, at_least=True,
            seen=f"{rate:.1f}"),
        Bar("memory, last third against second", mb[2] / mb[1], 1.05, seen=_three(mb, "MB")),
        Bar("connections, last third against second", linked[2] / linked[1], 1.05,
            seen=_three(linked, "")),
        Bar("connections at rest in a transaction", open_work, 0),
        Bar("connections left when the server ended", left, 0),
    ]  # fmt: skip


def _three(values: Sequence[float], unit: str) -> str:
    return f"{', '.join(f'{value:.0f}' for value in values)} {unit} by thirds".replace("  ", " ")


if __name__ == "__main__":
    sys.exit(main())
