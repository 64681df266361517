"""How gunicorn serves `wsgi:server`; read from the working directory by `gunicorn wsgi:server`."""

from gunicorn.http import wsgi

from config import get_settings


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
