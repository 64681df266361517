"""Worker processes: one set of them for all of a run, and no longer than it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from joblib import delayed

from domain.errors import InvalidInput
from models_offline.processes import parallel, ready

ROOT = Path(__file__).resolve().parents[2]
JOBS = 2
TRIES = 30


def slowly() -> int:
    """Slow enough for both workers to take part."""
    time.sleep(0.2)
    return os.getpid()


def workers() -> set[int]:
    """All of them, once the last one has started."""
    found = set[int]()
    for _ in range(TRIES):
        found.update(parallel(JOBS)(delayed(slowly)() for _ in range(2 * JOBS)))
        if len(found) >= JOBS:
            break
    return found


def test_whatever_is_done_is_done_by_the_same_workers_which_end_with_the_body() -> None:
    with ready(JOBS, ("naive",)):
        first = workers()
        streamed = parallel(JOBS, return_as="generator_unordered", batch_size=1)
        second = set(streamed(delayed(slowly)() for _ in range(2 * JOBS)))
        assert second <= first == workers()
        assert len(first) == JOBS and os.getpid() not in first
    assert not [pid for pid in first if Path(f"/proc/{pid}").exists()]


def test_a_body_that_fails_ends_them_and_its_error_is_the_one_that_is_told() -> None:
    found: set[int] = set()
    with pytest.raises(InvalidInput, match="nothing"), ready(JOBS, ("naive",)):
        found = workers()
        raise InvalidInput("nothing to train on")
    assert len(found) == JOBS
    assert not [pid for pid in found if Path(f"/proc/{pid}").exists()]
    assert workers().isdisjoint(found)


def test_one_job_starts_nothing() -> None:
    with ready(1, ("naive",)):
        assert parallel(1)([delayed(os.getpid)()]) == [os.getpid()]


def test_what_models_need_is_imported_ahead() -> None:
    script = (
        "import sys; from models_offline import models; name = 'statsforecast.models';"
        "assert name not in sys.modules; models.load(('naive', 'ses')); assert name in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
