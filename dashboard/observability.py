"""JSON logs with a request id, one access line a request, and Prometheus metrics.

Under gunicorn the workers share their counters through files (gunicorn.conf.py), so a scrape tells
of all of them, whichever answers.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import re
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from ipaddress import ip_address
from uuid import uuid4

import orjson
from flask import Flask, Request, Response, g, has_request_context, request
from flask.typing import ResponseReturnValue
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from auth import resets
from auth.guards import check, public
from config import get_settings
from domain.access import Permission
from domain.clock import day_of, days_since
from domain.errors import Unavailable
from warehouse.queries import status
from warehouse.queries.jobs import active

REQUEST_ID = "X-Request-ID"
SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET = frozenset({"/health", "/metrics"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
EXTRAS = ("method", "path", "status", "ms", "user", "address")

access = logging.getLogger("nova.access")

REQUESTS = Counter("nova_requests", "Requests answered.", ("method", "endpoint", "status"))
SECONDS = Histogram("nova_request_seconds", "Time to answer a request.", ("endpoint",))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: control characters cannot forge a second one. `request_id`: of what
    was asked for by a request that has ended."""

    def __init__(self, request_id: str | None = None) -> None:
        super().__init__()
        self._request_id = request_id

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
        elif self._request_id:
            line["request_id"] = self._request_id
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(line, default=str).decode()
        except TypeError:  # half a surrogate pair, or a number beyond 64 bits
            return json.dumps(line, default=str)


def log_as_json(level: int = logging.INFO, *, request_id: str | None = None) -> None:
    """All logs of the process as JSON lines on stderr, under the request that asked for it if one
    did; callable again."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(request_id))
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # never shown
    logging._srcfile = None  # nor is the line that logged, which is searched for otherwise
    root = logging.getLogger()
    kept = [one for one in root.handlers if not isinstance(one.formatter, JsonFormatter)]
    root.handlers = [*kept, handler]
    root.setLevel(level)


def bind(server: Flask) -> None:
    """Numbers and times every request. Bound first: whatever fails later has its number."""
    server.before_request(begin)
    server.after_request(_end)
    server.add_url_rule("/metrics", "metrics", metrics)


@public
def metrics() -> ResponseReturnValue:
    """Counters of all workers and the age of the data: for a scraper on this machine or with
    NOVA_METRICS_TOKEN, or an administrator."""
    is_here = _is_loopback(request.remote_addr) and "X-Forwarded-For" not in request.headers
    if not is_here and not _knows_the_token():
        check(Permission.MANAGE_USERS)
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    registry.register(DataCollector())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class DataCollector(Collector):
    """What the database knows, asked at each scrape; `nova_database_up` 0 without the rest where it
    does not answer."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Gauges in days and numbers."""
        try:
            known, at_work = status.current(), active()
        except Unavailable:
            yield _gauge("nova_database_up", "Whether the database answers.", 0)
            return
        yield _gauge("nova_database_up", "Whether the database answers.", 1)
        yield _gauge("nova_jobs_waiting", "Jobs that have not ended.", len(at_work))
        yield _gauge("nova_published_run", "Number of the published run.", known.run_id or 0)
        if known.demand_to is not None and known.fresh_until is not None:
            age, limit = days_since(known.demand_to), (known.fresh_until - known.demand_to).days
            yield _gauge("nova_data_age_days", "Days since the last day of demand.", age)
            yield _gauge("nova_data_age_limit_days", "Days after which demand is old.", limit)
        if known.computed_at is not None:
            age = days_since(day_of(known.computed_at))
            yield _gauge("nova_run_age_days", "Days since the published run was computed.", age)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)


def _knows_the_token() -> bool:
    token = get_settings().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return token is not None and hmac.compare_digest(given.encode(), token.encode())


def begin() -> None:
    """The request's number, its own where it is a sane one, and the time."""
    if "began" in g:
        return
    given = request.headers.get(REQUEST_ID, "")
    g.request_id = given if SANE_ID.fullmatch(given) else uuid4().hex
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    response.headers[REQUEST_ID] = g.request_id
    end(response.status_code)
    return response


def end(status: int) -> None:
    """Counts the request and writes its line."""
    asked = request._get_current_object()  # type: ignore[attr-defined]
    seconds = time.perf_counter() - g.began
    endpoint = asked.endpoint or "none"
    method = asked.method if asked.method in METHODS else "other"
    REQUESTS.labels(method, endpoint, status).inc()
    SECONDS.labels(endpoint).observe(seconds)
    if asked.path not in QUIET:
        access.info("request", extra=_facts(asked, status, seconds))


def _facts(asked: Request, status: int, seconds: float) -> dict[str, object]:
    row = g.get("signed_in")
    return {
        "method": asked.method,
        "path": resets.masked(asked.path),
        "status": status,
        "ms": round(seconds * 1000, 1),
        "user": row.user_id if row else None,
        "address": asked.remote_addr,
    }


def _is_loopback(address: str | None) -> bool:
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False
