"""The trainer in its own environment, from the warehouse to a run that publish accepts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from scripts.environments import python_of
from tests import factories
from tests.images import copied, files_of, told
from warehouse.pipeline.publish import publish_bundle

ROOT = Path(__file__).resolve().parents[2]
TRAINER = python_of("trainer")
MODELS = "arima,naive,moving_average"

pytestmark = pytest.mark.skipif(
    not Path(TRAINER).exists(), reason="the trainer's environment is not made: `make test` makes it"
)


def train(
    database_url: str, out: Path, *options: str, app: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    command = [TRAINER, "-m", "models_offline", "train", "--jobs", "1", "--models", MODELS]
    return subprocess.run(
        [*command, "--out", str(out), *options],
        cwd=app,
        env={
            **told("base", "trainer"),
            "PATH": "/usr/bin:/bin",
            "DATABASE_URL": database_url,
            "NOVA_HOME": str(out),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_what_the_trainer_writes_can_be_published(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    """By the trainer's image: what its stage copies is enough, and is not written to."""
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    factories.refresh_views(engine)
    app, home = copied("trainer", tmp_path / "app"), tmp_path / "nova"
    before = files_of(app)
    done = train(database_url, home, app=app)
    assert done.returncode == 0, done.stderr
    assert files_of(app) == before
    run_id = publish_bundle(done.stdout.splitlines()[-1], engine=engine, published_by="tests")
    with engine.connect() as connection:
        dates, series, wrong = connection.execute(
            text(
                "SELECT count(DISTINCT date), count(DISTINCT (item_id, site_id)),"
                " count(*) FILTER (WHERE NOT (0 <= p10 AND p10 <= p50 AND p50 <= p90))"
                " FROM analytics.forecast WHERE run_id = :run AND model = 'ensemble'"
            ),
            {"run": run_id},
        ).one()
    assert (dates, wrong) == (30, 0)
    assert series == len(network.items) * len(network.sites)


def test_an_empty_warehouse_ends_with_what_to_do(database_url: str, tmp_path: Path) -> None:
    done = train(database_url, tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "error: there is no demand to train on: load a demand file with `flask ingest` first"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_its_tables_ends_with_what_to_do(
    server_url: str, tmp_path: Path
) -> None:
    done = train(server_url, tmp_path)
    assert done.returncode == 2
    assert "alembic upgrade head" in done.stderr and "Traceback" not in done.stderr
