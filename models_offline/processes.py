"""The worker processes of a run: one set of them, whatever is done in parallel, and early.

joblib keeps its workers from one use to the next only where it is called in the same way. A worker
that is new has to import several seconds' worth of libraries first.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from config import get_settings
from models_offline import models
from models_offline.orphans import end_with
from models_offline.threads import limit_threads


def parallel(jobs: int, **how: Any) -> Any:
    """joblib's `Parallel` on `jobs` processes; with one, here."""
    from joblib import Parallel

    return Parallel(n_jobs=jobs, max_nbytes=None, **how)


@contextmanager
def ready(jobs: int, names: Sequence[str]) -> Iterator[None]:
    """Starts the workers, which import the libraries of the models of these names while the body
    begins; they end with it. Nothing is started where fits are made in this process or elsewhere.
    """
    if jobs == 1 or get_settings().dask_scheduler is not None:
        yield
        return
    from joblib import delayed

    calls = (delayed(_load)(tuple(names), os.getpid()) for _ in range(jobs))
    loading = parallel(jobs, return_as="generator_unordered")(calls)
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nobody waits for what they have imported
            loading.close()


def _load(names: Sequence[str], run: int) -> None:
    end_with(run)
    limit_threads()
    models.load(names)
