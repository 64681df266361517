"""A process that has read the product's modules and forks once a line of its input: what serves the
tests starts in a second instead of six. Each of gunicorn's workers still makes an app of its own.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import tempfile
import time
from importlib import import_module

MODULES = (
    "dashboard.counting",
    "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread",
    "numpy",
    "dashboard.app",
)


def main() -> None:
    """Reads the modules, then answers each order with the number of a new process, until its input
    ends. An order is a line of JSON: environment, folder and log."""
    read_modules()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            serve(**json.loads(line))
        print(child, flush=True)


def read_modules() -> None:
    """Metrics are made for several processes, as under gunicorn; they count from the fork on.
    Frozen, what was read is not searched for garbage again as each process ends."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        for module in MODULES:
            import_module(module)
    gc.freeze()


def serve(environment: dict[str, str], folder: str, log: str) -> None:
    """This process becomes gunicorn, leader of a group of its own."""
    from gunicorn.app import wsgiapp

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for number, path in enumerate((os.devnull, log, log)):
        kept = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.dup2(kept, number)
        os.close(kept)
    sys.argv = ["gunicorn", "wsgi:server"]
    wsgiapp.run(prog="gunicorn")


if __name__ == "__main__":
    main()
