"""Loading and publishing: rows a second, memory, and whether readers wait meanwhile."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import cycle, pairwise
from pathlib import Path
from statistics import median

import psycopg2
from sqlalchemy import Engine, Row, text

from benchmarks import scale
from benchmarks.bar import Bar, ms
from benchmarks.client import Caller, quantile
from benchmarks.requests_bars import ROUTES, Stage
from benchmarks.served import ROOT
from warehouse.db import make_engine

DAYS, FEW_DAYS = 240, 30
TURNS = 3
NEW_DAYS = 12
GOAL_ROWS, GOAL_BYTES = 250_000, 500e6
READER_SECONDS, PAUSE_SECONDS, CALM_SECONDS = 0.1, 0.02, 10
READ = ("forecasts", "clusters", "a material")
"""Routes that take a few milliseconds without a cache: what they take longer is waiting."""
FLOOR = "CREATE TABLE demand (LIKE core.demand INCLUDING ALL) PARTITION BY RANGE (date)"
PART = """
CREATE TABLE "demand_{first}" PARTITION OF demand FOR VALUES FROM ('{first}') TO ('{following}')
"""
COPY = "COPY demand (date, item_id, site_id, quantity, load_id) FROM STDIN (FORMAT csv)"
MEASURED = """
import json, resource, sys, time
from pathlib import Path
from warehouse.db import make_engine
from warehouse.pipeline.ingest import ingest

began = time.perf_counter()
report = ingest(Path(sys.argv[1]), engine=make_engine(sys.argv[2]), loaded_by="bench")
assert report.ok, report
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([seconds, peak]))
"""


@contextmanager
def scratch(server: str) -> Iterator[str]:
    """An empty, migrated database, dropped at the end."""
    name = f"bench_{secrets.token_hex(4)}"
    url = f"{server.rpartition('/')[0]}/{name}"
    _execute(server, f"CREATE DATABASE {name}")
    try:
        command(url, "alembic", "upgrade", "head")
        yield url
    finally:
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


def command(url: str, *module: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "DATABASE_OWNER_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(module)}: {done.stderr[-2000:]}")
    return done.stdout


def ingest(server: str) -> list[Bar]:
    """Demand loaded by the product against COPY of the same rows into the same partitions."""
    with tempfile.TemporaryDirectory() as folder:
        many, few = scale.Size(days=DAYS), scale.Size(days=FEW_DAYS)
        file, small_file = Path(folder) / "many" / "demand.csv", Path(folder) / "few" / "demand.csv"
        for path, size in ((file, many), (small_file, few)):
            path.parent.mkdir()
            scale.write_demand(path, size)
        turns = [(_loaded(file, server), _copied(server, many)) for _ in range(TURNS)]
        _, small = _loaded(small_file, server)
    seconds = median(loaded for (loaded, _), _ in turns)
    peak = median(bytes_ for (_, bytes_), _ in turns)
    floor = median(copied for _, copied in turns)
    rate, raw = many.demand_rows / seconds, many.demand_rows / floor
    told = f"{rate:,.0f} and {raw:,.0f} rows/s"
    return [
        Bar("rows loaded a second, against COPY and index", rate / raw, 0.6, True, told),
        Bar("rows loaded a second, against 250,000", rate / GOAL_ROWS, 1.0, True, told),
        Bar(
            "memory of a load, against one of an eighth of its rows",
            peak / small,
            1.15,
            seen=f"{peak / 1e6:.0f} and {small / 1e6:.0f} MB",
        ),
        Bar(
            "memory of a load, against 500 MB", peak / GOAL_BYTES, 1.0, seen=f"{peak / 1e6:.0f} MB"
        ),
    ]


def _loaded(path: Path, server: str) -> tuple[float, float]:
    """Seconds and peak bytes of a load in a process of its own."""
    with scratch(server) as url:
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, str(path), url],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak


def _copied(server: str, size: scale.Size) -> float:
    """Seconds that COPY takes for the same rows, keys known, into indexed monthly partitions."""
    with scratch(server) as url, tempfile.TemporaryFile() as rows:
        scale.write_keys(rows, size)
        rows.seek(0)
        with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection:
            with connection.cursor() as cursor:
                cursor.execute(FLOOR)
                for first, following in pairwise(scale.months()):
                    cursor.execute(PART.format(first=first, following=following))
                connection.commit()
                began = time.perf_counter()
                cursor.copy_expert(COPY, rows)
                connection.commit()
                return time.perf_counter() - began


class Reader:
    """Somebody who asks the server without a cache for one of READ after another, all the time."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._stop = stage, threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._failed: Exception | None = None
        self.taken: dict[str, list[float]] = {name: [] for name in READ}

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._failed is not None:
            raise self._failed

    def _read(self) -> None:
        person, caller = self._stage.person(self._stage.uncached), Caller(self._stage.uncached)
        try:
            for name in cycle(READ):
                if self._stop.wait(PAUSE_SECONDS):
                    return
                self.taken[name].append(caller.time(person.get(ROUTES[name])))
        except Exception as error:  # told where it is waited for
            self._failed = error


def readers(stage: Stage) -> list[Bar]:
    """What a load of demand, then publishing another run, make readers wait beyond what the same
    route takes usually."""
    with Reader(stage) as calm:
        time.sleep(CALM_SECONDS)
    usual = {name: quantile(taken, 0.5) for name, taken in calm.taken.items()}
    engine = make_engine(stage.database)
    with tempfile.TemporaryDirectory() as folder:
        number = _state(engine).load_id + 1
        file = Path(folder) / "demand.csv"
        size = scale.Size(days=NEW_DAYS)
        scale.write_demand(file, size, seed=number)
        with Reader(stage) as loading:
            command(stage.database, "flask", "--app", "dashboard.cli", "ingest", str(file))
        _must_be_loaded(engine, number, size.demand_rows)
        before = _state(engine).run_id
        bundle = scale.write_bundle(Path(folder), engine, scale.Size(), 1 + number % 10 / 10)
        with Reader(stage) as publishing:
            command(stage.database, "flask", "--app", "dashboard.cli", "publish", str(bundle))
        if _state(engine).run_id <= before:
            raise RuntimeError(f"the bundle was not published as a new run after {before}")
    engine.dispose()
    return [_waited("a load", loading, usual), _waited("a publish", publishing, usual)]


_STATE = """
SELECT coalesce((SELECT max(id) FROM staging.load), 0) AS load_id,
    (SELECT run_id FROM analytics.published) AS run_id
"""


def _state(engine: Engine) -> Row[int, int]:
    """The last load, whatever became of it, and the published run."""
    with engine.connect() as connection:
        return connection.execute(text(_STATE)).one()


def _must_be_loaded(engine: Engine, first: int, rows: int) -> None:
    sql = "SELECT state, rows_accepted FROM staging.load WHERE id >= :first"
    with engine.connect() as connection:
        found = [tuple(one) for one in connection.execute(text(sql), {"first": first})]
    if found != [("accepted", rows)]:
        raise RuntimeError(f"{rows} rows were given, the loads say {found}")


def _waited(what: str, reader: Reader, usual: dict[str, float]) -> Bar:
    """By the route that made wait longest, 999 of 1,000 times."""
    waits = {name: quantile(taken, 0.999) - usual[name] for name, taken in reader.taken.items()}
    worst = max(waits, key=waits.__getitem__)
    taken = reader.taken[worst]
    return Bar(
        f"wait of readers during {what}, against 100 ms",
        max(waits[worst], 0) / READER_SECONDS,
        1.0,
        seen=f"{worst}: {ms(waits[worst] + usual[worst], usual[worst])}, {max(taken) * 1000:.0f} at"
        f" most, {len(taken)} answers",
    )
