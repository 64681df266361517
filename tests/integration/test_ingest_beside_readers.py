"""Readers and memory while a load runs."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.ingesting import load_one, rows, write
from tests.services import ROOT
from warehouse.db import make_engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = "".join(f"2024-{n % 12 + 1:02}-01;SKU-{n // 12};{n % 7}\n" for n in range(24_000))
    return write(tmp_path, demand=f"date;sku;quantity\n{lines}")


def test_readers_see_all_or_nothing_and_never_wait(engine: Engine, folder: Path):
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as reader:
        total = text("SELECT count(*) FROM core.demand JOIN core.item USING (item_id)")
        assert reader.execute(total).scalar() == 0
        # the reader's transaction stays open: a load that needed its locks would time out
        assert load_one(folder, engine).state == "accepted"
        reader.execute(text("SET LOCAL lock_timeout = '100ms'"))
        assert reader.execute(total).scalar() == 0
    assert rows(engine, "SELECT count(*) FROM core.demand") == [(24_000,)]


def test_a_load_waits_for_a_backup(engine: Engine, database_url: str, tmp_path: Path):
    write(tmp_path, demand="date;sku;quantity\n2024-01-01;A;1\n")
    hasty = make_engine(database_url, lock_timeout_ms=200)
    with ThreadPoolExecutor() as pool, engine.connect() as backup:
        backup.execute(text("LOCK TABLE staging.demand IN ACCESS SHARE MODE"))
        loading = pool.submit(load_one, tmp_path, hasty)
        with pytest.raises(TimeoutError):
            loading.result(timeout=1)
        backup.rollback()
        assert loading.result(timeout=60).state == "accepted"
    hasty.dispose()


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
