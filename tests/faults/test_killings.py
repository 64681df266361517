"""Loads and publishes that are killed: what was shown is shown, and the next one does it all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from domain.errors import stopped
from tests import factories
from tests.faults.conftest import PATHS, WAIT_SECONDS, Product
from tests.ingesting import counts, load_one, rows, write
from tests.services import ROOT
from warehouse.db import make_engine
from warehouse.pipeline import publish
from warehouse.queries.runs import runs
from warehouse.tables.analytics import PER_RUN

SHARES = (0.1, 0.5, 0.95)
ROWS, CHUNKS = 24_000, 40
FIRST_YEAR = 2015
"""Of years in which the small network has no demand: a load of them goes straight into `core`."""


@pytest.fixture(scope="module")
def engine(product: Product) -> Iterator[Engine]:
    """An engine on the served database."""
    engine = make_engine(product.database)
    yield engine
    engine.dispose()


def shown(product: Product) -> dict[str, str]:
    """What every path shows."""
    return {path: product.ask(path).data for path in PATHS}


# Loads

LOADER = """
import sys, time
from pathlib import Path
from warehouse.db import make_engine
from warehouse.pipeline import read_csv
from warehouse.pipeline.ingest import ingest

file, url, chunks, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
read_csv.BLOCK_BYTES = Path(file).stat().st_size // chunks

def stop(report):
    if report.read >= wanted:
        print(report.read, flush=True)
        time.sleep(600)

ingest(Path(file), engine=make_engine(url), loaded_by="killed", on_progress=stop)
"""
EARLIER = f"FROM core.demand WHERE date < '{FIRST_YEAR + 5}-01-01'"


@pytest.fixture
def demand(request: pytest.FixtureRequest, product: Product, tmp_path: Path) -> Iterator[Path]:
    """A file of demand of the year that is the parameter; nothing of it is left afterwards."""
    lines = "".join(
        f"{request.param}-{n % 12 + 1:02}-01;KILLED-{n // 12};{n % 7}\n" for n in range(ROWS)
    )
    yield write(tmp_path, demand=f"date;sku;quantity\n{lines}") / "demand.csv"
    product.execute(f"DELETE {EARLIER}")
    product.execute("DELETE FROM core.item WHERE sku LIKE 'KILLED-%'")
    product.new_version()


@contextmanager
def loader(file: Path, url: str, wanted: int) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that loads the file, and stops once it has read the wanted rows; killed
    at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOADER, str(file), url, str(CHUNKS), str(wanted)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for(engine: Engine, query: str) -> None:
    """Until the query finds something."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not rows(engine, query):
        assert time.monotonic() < deadline, f"never seen: {query}"
        time.sleep(0.05)


def loads_again(file: Path, engine: Engine) -> None:
    """The next load finds the killed one, and does the whole work."""
    report = load_one(file, engine)
    assert (report.state, report.accepted) == ("accepted", ROWS), report.message
    last = "SELECT loaded_by, state, message FROM staging.load ORDER BY id DESC LIMIT 2"
    told = f"{stopped()}; nothing of it was kept"
    assert rows(engine, last) == [("tester", "accepted", None), ("killed", "failed", told)]
    total = float(sum(n % 7 for n in range(ROWS)))
    assert rows(engine, f"SELECT count(*), sum(quantity) {EARLIER}") == [(ROWS, total)]
    assert rows(engine, "SELECT count(*) FROM staging.demand") == [(0,)]


@pytest.mark.parametrize(
    ("share", "demand"),
    [(share, FIRST_YEAR + turn) for turn, share in enumerate(SHARES)],
    ids=map(str, SHARES),
    indirect=["demand"],
)
def test_a_load_killed_while_it_reads(
    product: Product, engine: Engine, demand: Path, share: float
) -> None:
    before, facts = shown(product), counts(engine)
    with product.probe() as prober:
        with loader(demand, product.database, ceil(share * ROWS)) as process:
            assert process.stdout is not None
            read = int(process.stdout.readline())
            assert share <= read / ROWS < share + 2 / CHUNKS
            at_work = "SELECT loaded_by FROM staging.load WHERE state = 'loading'"
            assert rows(engine, at_work) == [("killed",)]
        assert counts(engine) == facts
        assert shown(product) == before
        assert {one.data for one in prober.answers} <= set(before.values())
        loads_again(demand, engine)
    assert prober.answers and prober.other_than(200) == []


@pytest.mark.parametrize(
    ("lock", "held_up", "demand"),
    [
        ("core.item IN SHARE MODE", "INSERT INTO core.item%", FIRST_YEAR + 3),
        (
            "core.demand IN SHARE UPDATE EXCLUSIVE MODE",
            "ALTER TABLE core.demand %",
            FIRST_YEAR + 4,
        ),
    ],
    ids=["promoting", "attaching"],
    indirect=["demand"],
)
def test_a_load_killed_at_work_on_core(
    product: Product, engine: Engine, demand: Path, lock: str, held_up: str
) -> None:
    before, facts = shown(product), counts(engine)
    with product.probe() as prober:
        with engine.connect() as obstacle:
            obstacle.execute(text(f"LOCK {lock}"))
            with loader(demand, product.database, ROWS + 1):
                wait_for(
                    engine,
                    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    f" AND query LIKE '{held_up}' AND datname = current_database()",
                )
        assert counts(engine) == facts
        assert shown(product) == before
        assert {one.data for one in prober.answers} <= set(before.values())
        loads_again(demand, engine)
    assert prober.answers and prober.other_than(200) == []


# Publishes

PUBLISHER = """
import os, signal, sys
from sqlalchemy import event
from warehouse.db import make_engine
from warehouse.pipeline import publish

url, bundle, files = sys.argv[1], sys.argv[2], int(sys.argv[3])
engine, said = make_engine(url), []

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def tell(message):
    said.append(message)
    loaded = sum(one.startswith("loading ") for one in said[:-1])
    if loaded == files and message.startswith(("loading ", "deriving ")):
        die()

@event.listens_for(engine, "after_cursor_execute")
def look(_connection, _cursor, sql, *_):
    if "INSERT INTO analytics.published" in sql:
        die()

publish.publish_bundle(bundle, engine=engine, published_by="killed", on_progress=tell)
"""
NEVER = -1
FIGURES = {
    "forecast": "count(*), round(sum(mean)::numeric, 6)",
    "level_forecast": "count(*), round(sum(mean)::numeric, 6)",
    "policy": "count(*), round(sum(reorder_point)::numeric, 6)",
    "alert": "count(*), count(DISTINCT fingerprint)",
    "recommendation": "count(*), count(DISTINCT fingerprint)",
}


def figures(engine: Engine, run_id: int) -> dict[str, tuple]:
    """What a run holds, in numbers."""
    counted = dict.fromkeys((table.name for table in PER_RUN), "count(*)") | FIGURES
    return {
        table: rows(engine, f"SELECT {what} FROM analytics.{table} WHERE run_id = {run_id}")[0]
        for table, what in counted.items()
    }


@pytest.fixture(scope="module")
def whole(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A bundle, and what its run holds when nobody kills the publish."""
    folder = tmp_path_factory.mktemp("bundles")
    bundle = factories.make_bundle(folder, engine, name="whole", scale=1.3)
    run_id = publish.publish_bundle(bundle, engine=engine, published_by="tester")
    return bundle, figures(engine, run_id)


def sent_again(bundle: Path, minute: int) -> int:
    """The same numbers made at another time are another run; gives how many files they are."""
    manifest = json.loads((bundle / "manifest.json").read_text())
    made = {"created_at": f"2025-06-30T07:{minute:02}:00+00:00"}
    factories.write_manifest(bundle, manifest | made)
    return len(manifest["files"])


@pytest.mark.parametrize(
    "share", [*SHARES, None], ids=[*map(str, SHARES), "with-the-pointer-moved"]
)
def test_a_publish_killed_changes_nothing_and_the_next_one_heals(
    product: Product, engine: Engine, whole: tuple[Path, dict], share: float | None
) -> None:
    bundle, unbroken = whole
    before = shown(product)
    pointed = rows(engine, "SELECT run_id, previous_run_id FROM analytics.published")
    files = sent_again(bundle, int(100 * (share or 0)) % 60)
    loaded = NEVER if share is None else ceil(share * files)
    with product.probe() as prober:
        killed = subprocess.run(
            [sys.executable, "-c", PUBLISHER, product.database, str(bundle), str(loaded)],
            cwd=ROOT,
            timeout=300,
        )
        assert killed.returncode == -signal.SIGKILL
        product.new_version()
        assert shown(product) == before
        assert rows(engine, "SELECT run_id, previous_run_id FROM analytics.published") == pointed
        run_id = publish.publish_bundle(bundle, engine=engine, published_by="tester")
        after = shown(product)
    assert prober.answers and prober.other_than(200) == []
    assert {one.data for one in prober.answers} <= {*before.values(), *after.values()}
    assert rows(engine, "SELECT run_id, previous_run_id FROM analytics.published") == [
        (run_id, pointed[0][0])
    ]
    assert figures(engine, run_id) == unbroken
    assert {one.state for one in runs(engine)} <= {"ready", "dropped"}
