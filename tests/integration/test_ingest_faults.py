"""Loads that are killed, and readers and memory while a load runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.ingesting import counts, load_one, rows, write
from tests.services import ROOT
from warehouse.pipeline.loads import STOPPED

DEADLINE_SECONDS = 60

LOADER = """
import sys, time
from pathlib import Path
from warehouse.db import make_engine
from warehouse.pipeline.ingest import ingest

def stop(report):
    if sys.argv[3] == "while staging":
        print("staged", report.read, flush=True)
        time.sleep(600)

print("started", flush=True)
ingest(Path(sys.argv[1]), engine=make_engine(sys.argv[2]), loaded_by="killed", on_progress=stop)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = "".join(f"2024-{n % 12 + 1:02}-01;SKU-{n // 12};{n % 7}\n" for n in range(24_000))
    return write(tmp_path, demand=f"date;sku;quantity\n{lines}")


@contextmanager
def loader(folder: Path, url: str, where: str) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that loads the folder; killed at the end, if it is not yet."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOADER, str(folder), url, where],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(engine: Engine, query: str) -> None:
    """Until the query finds something."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not rows(engine, query):
        assert time.monotonic() < deadline, f"never seen: {query}"
        time.sleep(0.05)


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def loads_again(folder: Path, engine: Engine) -> None:
    """The next load finds the killed one, and does the whole work."""
    report = load_one(folder, engine)
    assert (report.state, report.accepted) == ("accepted", 24_000), report.message
    assert rows(engine, "SELECT loaded_by, state, message FROM staging.load ORDER BY id") == [
        ("killed", "failed", STOPPED),
        ("tester", "accepted", None),
    ]
    assert rows(engine, "SELECT count(*), sum(quantity) FROM core.demand") == [
        (24_000, float(sum(n % 7 for n in range(24_000))))
    ]
    assert rows(engine, "SELECT count(*) FROM staging.demand") == [(0,)]


def test_killed_while_staging(engine: Engine, database_url: str, folder: Path):
    before = counts(engine)
    with loader(folder, database_url, "while staging") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        assert process.stdout.readline() == "staged 24000\n"
        assert rows(engine, "SELECT state FROM staging.load") == [("loading",)]
        kill(process)
    assert counts(engine) == before
    loads_again(folder, engine)


@pytest.mark.parametrize(
    ("when", "lock", "held_up"),
    [
        ("while promoting", "core.item IN SHARE MODE", "INSERT INTO core.item%"),
        (
            "while attaching",
            "core.demand IN SHARE UPDATE EXCLUSIVE MODE",
            "ALTER TABLE core.demand %",
        ),
    ],
)
def test_killed_at_work_on_core(
    engine: Engine, database_url: str, folder: Path, when: str, lock: str, held_up: str
):
    before = counts(engine)
    with loader(folder, database_url, when) as process:
        with engine.connect() as obstacle:
            obstacle.execute(text(f"LOCK {lock}"))
            wait_for(
                engine,
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                f" AND query LIKE '{held_up}' AND datname = current_database()",
            )
            kill(process)
    assert counts(engine) == before
    loads_again(folder, engine)


def test_readers_see_all_or_nothing_and_never_wait(engine: Engine, folder: Path):
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as reader:
        total = text("SELECT count(*) FROM core.demand JOIN core.item USING (item_id)")
        assert reader.execute(total).scalar() == 0
        # the reader's transaction stays open: a load that needed its locks would time out
        assert load_one(folder, engine).state == "accepted"
        reader.execute(text("SET LOCAL lock_timeout = '100ms'"))
        assert reader.execute(total).scalar() == 0
    assert rows(engine, "SELECT count(*) FROM core.demand") == [(24_000,)]


PEAK = """
import resource, sys
from pathlib import Path
from warehouse.db import make_engine
from warehouse.pipeline.ingest import ingest

report = ingest(Path(sys.argv[1]), engine=make_engine(sys.argv[2], statement_timeout_ms=0),
                loaded_by="tester")
assert report.ok, report.files
print(report.files[0].accepted, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(engine: Engine, database_url: str, tmp_path: Path):
    peaks = []
    for rows_wanted in (200_000, 1_000_000):
        path = tmp_path / f"demand_{rows_wanted}.csv"
        with path.open("w") as stream:
            stream.write("date;sku;quantity;site\n")
            stream.writelines(
                f"2024-{n % 12 + 1:02}-{n // 12 % 28 + 1:02};MAT-{n // 336:05};{n % 9};CD-SP\n"
                for n in range(rows_wanted)
            )
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(path), database_url],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=True,
        )
        accepted, kilobytes = (int(word) for word in done.stdout.split())
        assert accepted == rows_wanted
        peaks.append(kilobytes)
    assert peaks[1] < peaks[0] * 1.25, peaks
