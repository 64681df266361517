"""Training on a Dask cluster: the numbers of the local run, whatever becomes of workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from config import get_settings
from domain.errors import InvalidInput, Unavailable
from models_offline import dask_cluster, fitting, keys
from models_offline.checkpoints import Store
from models_offline.training import Options, run
from tests.offline.test_checkpoints import same
from warehouse.queries.training import TrainingSet

distributed = pytest.importorskip("distributed", reason="Dask is not installed")

OPTIONS = Options(horizon=14, models=("naive", "ses", "pooled"))
PATIENT_SECONDS = 240
"""How long a worker may take to start: it has what processors others leave."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as found:
        yield found


@pytest.fixture
def scheduler(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The settings name the cluster; batches are so small that every worker has several."""
    monkeypatch.setattr(fitting, "MOST_SERIES", 2)
    yield from named(cluster.scheduler_address, monkeypatch)


def named(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with monkeypatch.context() as patch:
        patch.setenv("NOVA_DASK_SCHEDULER", address)
        get_settings.cache_clear()
        yield address
    get_settings.cache_clear()


class Deadly(Store):
    """Kills a worker that is at work as soon as the first result has come."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address, self.killed = address, 0

    def save(self, blob: bytes) -> None:
        super().save(blob)
        if not self.killed:
            with distributed.Client(self._address, set_as_default=False) as client:
                busy = next(worker for worker, tasks in client.processing().items() if tasks)
                self.killed = client.run(os.getpid, workers=[busy])[busy]
            os.kill(self.killed, signal.SIGKILL)


def test_a_cluster_finds_what_this_machine_finds_though_a_worker_is_killed(
    scheduler: str, small: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Deadly(scheduler)
    there = run(small, OPTIONS, store)
    with monkeypatch.context() as patch:
        patch.setenv("NOVA_DASK_SCHEDULER", "")
        get_settings.cache_clear()
        here = run(small, OPTIONS)
    same(here, there)
    assert store.killed and there.tally.facts()["computed"] == here.tally.facts()["computed"]


def test_a_worker_of_another_version_is_refused(
    scheduler: str, small: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "environment", lambda: "another")
    with pytest.raises(InvalidInput, match="other source or libraries"):
        run(small, OPTIONS)


@contextmanager
def foreign_worker(scheduler: str, folder: Path) -> Iterator[None]:
    """A worker that has one library more than this trainer."""
    library = folder / "another-1.0.dist-info"
    library.mkdir()
    (library / "METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 1.0\n")
    command = "-m distributed.cli.dask_worker --nthreads=1 --no-nanny --no-dashboard".split()
    with subprocess.Popen(
        [sys.executable, *command, scheduler],
        cwd=keys.ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(folder)},
        stderr=subprocess.DEVNULL,
    ) as worker:
        try:
            with distributed.Client(scheduler, set_as_default=False) as client:
                client.wait_for_workers(3, timeout=PATIENT_SECONDS)
            yield
        finally:
            worker.kill()


def test_a_worker_of_another_version_is_refused_though_it_comes_later(
    scheduler: str, tmp_path: Path
) -> None:
    def calls(stack: ExitStack) -> Iterator[tuple[float]]:
        yield from [(0.0,)] * 2
        stack.enter_context(foreign_worker(scheduler, tmp_path))
        yield from [(0.1,)] * 100

    with ExitStack() as stack, pytest.raises(InvalidInput, match="other source or libraries"):
        list(dask_cluster.run(time.sleep, calls(stack), scheduler))


def test_a_cluster_that_is_not_there_is_named(
    small: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 1)
    for _ in named("tcp://127.0.0.1:1", monkeypatch):
        with pytest.raises(Unavailable, match="NOVA_DASK_SCHEDULER"):
            run(small, OPTIONS)
