"""A training killed at any moment and started again ends as if nothing had happened."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from scripts.environments import python_of
from tests.faults.conftest import PATHS, Product

ROOT = Path(__file__).resolve().parents[2]
TRAINER = python_of("trainer")
COMMAND = [
    "train", "--jobs", "2", "--horizon", "7",
    "--models", "arima,ets,theta,lightgbm,pooled,compound,ses,tsb,naive,moving_average",
]  # fmt: skip
SHARES = (0.1, 0.5, 0.95)

KILLED = """
import os, signal, sys
from models_offline.threads import limit_threads

limit_threads()
from models_offline import bundle
from models_offline.checkpoints import Store
from models_offline.cli import main

wanted = sys.argv.pop(1)
save, write_table = Store.save, bundle._write_table

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def saved(store, blob):
    save(store, blob)
    if wanted != "partial" and len(store._where) >= int(wanted):
        die()

def written(path, frame):
    write_table(path, frame)
    die()

Store.save = saved
if wanted == "partial":
    bundle._write_table = written
sys.exit(main())
"""
"""Kills itself, and itself alone, once so many fits are kept, or with half a bundle written."""

pytestmark = pytest.mark.skipif(
    not Path(TRAINER).exists(), reason="the trainer's environment is not made: `make test` makes it"
)


def train(database_url: str, home: Path, *program: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "DATABASE_URL": database_url, "NOVA_HOME": str(home)}
    return subprocess.run(
        [TRAINER, *program, *COMMAND],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )


def finish(database_url: str, home: Path) -> tuple[Path, str]:
    """The bundle and what the run said on standard error."""
    done = train(database_url, home, "-m", "models_offline")
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1]), done.stderr


def kill_at(database_url: str, home: Path, wanted: str) -> None:
    """Starts a training that does not live longer than until `wanted`."""
    done = train(database_url, home, "-c", KILLED, wanted)
    assert done.returncode == -signal.SIGKILL, done.stderr


def fits(home: Path) -> int:
    """How many different fits the finished runs of a home have made."""
    records = (json.loads(path.read_text()) for path in (home / "training" / "runs").iterdir())
    return len({key for record in records for key in record["keys"]})


def manifest(bundle: Path) -> dict[str, Any]:
    return json.loads((bundle / "manifest.json").read_text())


def same(first: Path, second: Path) -> bool:
    names = [path.name for path in sorted(first.glob("*.parquet"))]
    assert names
    return all(pq.read_table(first / one).equals(pq.read_table(second / one)) for one in names)


@contextmanager
def one_more(product: Product) -> Iterator[None]:
    """The last demand of one series is five more."""
    change = (
        "UPDATE core.demand SET quantity = quantity + {} WHERE (item_id, site_id, date) ="
        " (SELECT item_id, site_id, date FROM core.demand"
        " ORDER BY date DESC, item_id, site_id LIMIT 1)"
    )
    product.execute(change.format(5))
    try:
        yield
    finally:
        product.execute(change.format(-5))


@pytest.fixture(scope="module")
def whole(product: Product, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A training in one go: its home and its bundle."""
    home = tmp_path_factory.mktemp("whole")
    return home, finish(product.database, home)[0]


def test_a_killed_training_goes_on_and_ends_the_same(
    product: Product, whole: tuple[Path, Path], tmp_path: Path
) -> None:
    before = {path: product.ask(path).data for path in PATHS}
    bundles = tmp_path / "bundles"
    with product.probe() as prober:
        for share in SHARES:
            kill_at(product.database, tmp_path, str(ceil(share * fits(whole[0]))))
            assert not bundles.exists() or list(bundles.iterdir()) == []
        kill_at(product.database, tmp_path, "partial")
        assert [path.suffix for path in bundles.iterdir()] == [".partial"]
        bundle, said = finish(product.database, tmp_path)
    facts = manifest(bundle)["checkpoints"]
    assert (facts["computed"], facts["resumed"]) == (0, facts["fits"]) and facts["fits"] > 0
    assert f"resumed {facts['resumed']} of {facts['fits']} fits" in said
    assert same(whole[1], bundle)
    assert list(bundles.iterdir()) == [bundle]
    assert prober.answers and prober.other_than(200) == []
    assert {one.data for one in prober.answers} <= set(before.values())


def test_only_a_series_with_new_data_is_refit(
    product: Product, whole: tuple[Path, Path], tmp_path: Path
) -> None:
    home, first = whole
    with one_more(product):
        second, _ = finish(product.database, home)
        facts = manifest(second)["checkpoints"]
        series = manifest(second)["counts"]["series_trained"]
        assert (facts["series_refit"], facts["series_reused"]) == (1, series - 1)
        assert list(facts["reused_from"]) == [first.name]
        assert same(finish(product.database, tmp_path)[0], second)
