"""How gunicorn serves `wsgi:server`; read from the working directory by `gunicorn wsgi:server`."""

import gc
import os
import shutil
import tempfile
from typing import Any

from gunicorn.http import wsgi

from config import get_settings
from dashboard import counting

if counting.FOLDER not in os.environ:  # SIGHUP reads this file again
    os.environ[counting.FOLDER] = tempfile.mkdtemp(prefix="nova-metrics-")


class QuietResponse(wsgi.Response):
    """A response that does not tell which server wrote it."""

    def default_headers(self) -> list[str]:
        """gunicorn's own headers but for `Server`."""
        return [line for line in super().default_headers() if not line.startswith("Server:")]


wsgi.Response = QuietResponse

settings = get_settings()
host = f"[{settings.host}]" if ":" in settings.host else settings.host
bind = f"{host}:{settings.port}"
workers = 2
worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 10
limit_request_line = 8190
max_requests = 20_000
max_requests_jitter = 2_000
proc_name = "nova-corrente"
control_socket_disable = True
forwarded_allow_ips = (
    ""  # forwarded headers count as NOVA_PROXY_HOPS says, see dashboard/security.py
)
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "dashboard.observability.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "loggers": {"gunicorn.error": {"handlers": ["stderr"], "level": "INFO", "propagate": False}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}


def pre_fork(server: Any, worker: Any) -> None:
    """A worker counts at the first place that no other has; one that has ended is not among them
    any more."""
    taken = {other.place for other in server.WORKERS.values()}
    worker.place = min({*range(len(taken) + 1)} - taken)


def post_fork(server: Any, worker: Any) -> None:
    """Two servers share a folder while one replaces the other."""
    counting.take(f"{server.pid}-{worker.place}")


def post_worker_init(_worker: Any) -> None:
    """NumPy is there before threads ask for it: Plotly takes one that another thread is still
    loading for loaded, and a page would fail. What was made until now lasts as long as the worker,
    so that no request waits while it is searched for garbage."""
    import numpy  # noqa: F401

    gc.collect()
    gc.freeze()


def on_exit(_server: Any) -> None:
    """The counters' files end with the server."""
    shutil.rmtree(os.environ[counting.FOLDER], ignore_errors=True)
