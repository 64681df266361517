"""JSON logs with a request id, one access line a request, and Prometheus metrics."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from datetime import UTC, datetime
from ipaddress import ip_address
from uuid import uuid4

from flask import Flask, Response, g, has_request_context, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

from auth.guards import check, public
from domain.access import Permission

SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET = frozenset({"/health", "/metrics"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
EXTRAS = ("method", "path", "status", "ms", "user", "address")

access = logging.getLogger("nova.access")

REQUESTS = Counter("nova_requests", "Requests answered.", ("method", "endpoint", "status"))
SECONDS = Histogram("nova_request_seconds", "Time to answer a request.", ("endpoint",))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: control characters cannot forge a second one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in EXTRAS if hasattr(record, name)}
        if has_request_context() and "request_id" in g:
            line["request_id"] = g.request_id
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_as_json(level: int = logging.INFO) -> None:
    """All logs of the process as JSON lines on stderr; callable again."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    kept = [one for one in root.handlers if not isinstance(one.formatter, JsonFormatter)]
    root.handlers = [*kept, handler]
    root.setLevel(level)


def bind(server: Flask) -> None:
    """Numbers and times every request. Bound first: whatever fails later has its number."""
    server.before_request(_begin)
    server.after_request(_end)
    server.add_url_rule("/metrics", "metrics", metrics)


@public
def metrics() -> ResponseReturnValue:
    """Counters of this worker, for a scraper on this machine or an administrator."""
    if not _is_loopback(request.remote_addr) or "X-Forwarded-For" in request.headers:
        check(Permission.MANAGE_USERS)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if SANE_ID.fullmatch(given) else uuid4().hex
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    seconds = time.perf_counter() - g.began
    endpoint = request.endpoint or "none"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(method, endpoint, response.status_code).inc()
    SECONDS.labels(endpoint).observe(seconds)
    response.headers["X-Request-ID"] = g.request_id
    if request.path not in QUIET:
        access.info("request", extra=_facts(response, seconds))
    return response


def _facts(response: Response, seconds: float) -> dict[str, object]:
    row = g.get("signed_in")
    return {
        "method": request.method,
        "path": _path(),
        "status": response.status_code,
        "ms": round(seconds * 1000, 1),
        "user": row.user_id if row else None,
        "address": request.remote_addr,
    }


def _path() -> str:
    """The address as asked for, but not the secret of a one-time link."""
    rule = request.url_rule
    return rule.rule if rule and "secret" in rule.arguments else request.path


def _is_loopback(address: str | None) -> bool:
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False
