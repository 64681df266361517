"""Work of a run done by the workers of a Dask cluster.

A batch of series is one task, sent with its histories; few more than there are workers are under
way at a time, so that neither scheduler nor workers hold much. What a dying worker was at is given
to another; workers may come and go.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from domain.errors import InvalidInput, Unavailable
from models_offline import keys

if TYPE_CHECKING:
    from distributed import Client

R = TypeVar("R")

CONNECT_SECONDS = 30
ALONE_SECONDS = 300
"""A run waits so long for a worker when the last one has gone."""
LOOK_SECONDS = 5
AHEAD = 2
"""Tasks under way for each worker's thread: the next one is there when it has done one."""


def run(
    function: Callable[..., R], calls: Iterable[tuple[Any, ...]], scheduler: str
) -> Iterator[R]:
    """What `function` gives for each of `calls`, in the order in which the workers of `scheduler`
    are done. Raises InvalidInput where a worker would compute other numbers than this process, and
    Unavailable where scheduler or workers stay away."""
    from distributed import Client
    from distributed.scheduler import KilledWorker

    try:
        with Client(scheduler, timeout=CONNECT_SECONDS) as client:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
            for worker, reason in client.run(_unfit, keys.environment()).items():
                _refuse(worker, reason)
            yield from _done(client, function, iter(calls))
    except KilledWorker as error:
        raise Unavailable(
            f"Workers of {scheduler} keep dying at the same work ({error.task}): out of memory?"
            " What is finished is kept; train again when it is mended."
        ) from None
    except OSError as error:
        raise Unavailable(
            f"The Dask cluster at {scheduler} does not answer ({error}): is NOVA_DASK_SCHEDULER"
            " right, and does a worker run there? What is finished is kept."
        ) from None


def _unfit(environment: str) -> str:
    """Why this worker would compute other numbers than a process of that environment, if it would:
    they are the same from the same source, the same libraries and one thread."""
    if keys.environment() != environment:
        return "has other source or libraries than this trainer: start both from one image."
    if os.environ.get("OMP_NUM_THREADS") != "1":
        return "needs OMP_NUM_THREADS=1 in its environment."
    return ""


def _fitted(environment: str, function: Callable[..., R], *call: Any) -> R:
    """A task as a worker does it. Workers may have come since the run began: each is looked at
    again before it fits anything."""
    from distributed import get_worker

    _refuse(get_worker().address, _unfit(environment))
    return function(*call)


def _refuse(worker: str, reason: str) -> None:
    if reason:
        raise InvalidInput(f"The worker {worker} {reason}")


def _threads(client: Client) -> int:
    """Threads of all workers together. Raises InvalidInput where one has several: its fits would
    run side by side in one process."""
    threads = client.nthreads()
    for worker, number in threads.items():
        _refuse(worker, "needs --nthreads 1 (and more --nworkers)." if number != 1 else "")
    return len(threads)


def _done(
    client: Client, function: Callable[..., R], calls: Iterator[tuple[Any, ...]]
) -> Iterator[R]:
    from distributed import wait

    under_way: set[Any] = set()
    environment = keys.environment()
    seen = time.monotonic()
    while True:
        workers = _threads(client)
        seen = time.monotonic() if workers else seen
        if time.monotonic() - seen > ALONE_SECONDS:
            raise OSError(f"no worker for {ALONE_SECONDS} s")
        for call in islice(calls, max(0, workers * AHEAD - len(under_way))):
            under_way.add(client.submit(_fitted, environment, function, *call, pure=False))
        if not under_way and workers:
            return
        try:
            done = wait(under_way, timeout=LOOK_SECONDS, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            continue
        for future in done:
            under_way.remove(future)
            if future.cancelled():
                raise OSError("the scheduler has lost the work")
            yield future.result()
