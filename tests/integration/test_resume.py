"""A training killed at any moment and started again ends as if nothing had happened."""

from __future__ import annotations

import json
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from scripts.environments import python_of
from tests import factories, services

ROOT = Path(__file__).resolve().parents[2]
TRAINER = python_of("trainer")
COMMAND = [
    TRAINER, "-m", "models_offline", "train", "--jobs", "2", "--horizon", "7",
    "--models", "arima,ets,theta,lightgbm,pooled,ses,tsb,naive,moving_average",
]  # fmt: skip
KILLS = 3

pytestmark = pytest.mark.skipif(
    not Path(TRAINER).exists(), reason="the trainer's environment is not made: `make test` makes it"
)


def start(database_url: str, home: Path) -> subprocess.Popen[str]:
    environment = {"PATH": "/usr/bin:/bin", "DATABASE_URL": database_url, "NOVA_HOME": str(home)}
    return subprocess.Popen(
        COMMAND,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(database_url: str, home: Path) -> tuple[Path, str]:
    """The bundle and what the run said on standard error."""
    run = start(database_url, home)
    printed, said = run.communicate(timeout=300)
    assert run.returncode == 0, said
    return Path(printed.splitlines()[-1]), said


def kept(home: Path) -> int:
    return len(list((home / "training" / "fits").glob("*")))


def kill_midway(database_url: str, home: Path) -> None:
    """Starts a training and kills it, and it alone, a random moment after it kept one more file."""
    before = kept(home)
    run = start(database_url, home)
    while kept(home) == before and run.poll() is None:
        time.sleep(0.005)
    time.sleep(random.uniform(0, 0.05))
    run.kill()
    run.communicate(timeout=60)


def manifest(bundle: Path) -> dict[str, Any]:
    return json.loads((bundle / "manifest.json").read_text())


def same(first: Path, second: Path) -> bool:
    names = [path.name for path in sorted(first.glob("*.parquet"))]
    assert names
    return all(pq.read_table(first / one).equals(pq.read_table(second / one)) for one in names)


@pytest.fixture(scope="module")
def loaded(module_engine: Engine, module_database_url: str) -> str:
    """The URL of a database with demand, which no test changes."""
    network = factories.make_network(module_engine)
    factories.add_demand(module_engine, network)
    factories.refresh_views(module_engine)
    module_engine.dispose()
    return module_database_url


@pytest.fixture(scope="module")
def whole(loaded: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A training in one go: its home and its bundle."""
    home = tmp_path_factory.mktemp("whole")
    return home, finish(loaded, home)[0]


def test_a_killed_training_goes_on_and_ends_the_same(
    loaded: str, whole: tuple[Path, Path], tmp_path: Path
) -> None:
    for _ in range(KILLS):
        kill_midway(loaded, tmp_path)
    assert list((tmp_path / "bundles").glob("2*")) == []
    bundle, said = finish(loaded, tmp_path)
    facts = manifest(bundle)["checkpoints"]
    assert facts["resumed"] > 0
    assert f"resumed {facts['resumed']} of {facts['fits']} fits" in said
    assert facts["resumed"] + facts["computed"] == facts["fits"]
    assert same(whole[1], bundle)
    assert [path.name for path in (tmp_path / "bundles").iterdir()] == [bundle.name]


def test_only_a_series_with_new_data_is_refit(
    server_url: str, loaded: str, whole: tuple[Path, Path], tmp_path: Path
) -> None:
    home, first = whole
    with services.fresh_database(server_url, loaded.rpartition("/")[2]) as url:
        services.execute(
            url,
            "UPDATE core.demand SET quantity = quantity + 5 WHERE (item_id, site_id, date) ="
            " (SELECT item_id, site_id, date FROM core.demand"
            " ORDER BY date DESC, item_id, site_id LIMIT 1)",
        )
        second, _ = finish(url, home)
        facts = manifest(second)["checkpoints"]
        series = manifest(second)["counts"]["series_trained"]
        assert (facts["series_refit"], facts["series_reused"]) == (1, series - 1)
        assert list(facts["reused_from"]) == [first.name]
        assert same(finish(url, tmp_path)[0], second)
