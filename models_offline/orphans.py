"""A worker process whose run was killed ends too, in the middle of whatever it was fitting."""

from __future__ import annotations

import os
import threading
import time

SECONDS_BETWEEN_LOOKS = 1.0

_watching: set[int] = set()


def end_with(parent: int) -> None:
    """From now on this process ends when process `parent`, which started it, is gone.

    Does nothing in the parent itself.
    """
    if os.getpid() in (parent, *_watching):
        return
    _watching.add(os.getpid())
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)
