"""Traces of requests, their statements and what they ask of the cache, by OpenTelemetry.

Only where OTEL_EXPORTER_OTLP_ENDPOINT is set and the packages of requirements-tracing.txt are
installed; otherwise nothing is imported and nothing is added to a request. Statements are sent
without their parameters, addresses without their queries: they may be somebody's words.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request
from sqlalchemy import Engine, event

from config import Settings
from warehouse.caching import Backend

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

SERVICE = "nova-corrente"
SQL_LETTERS = 2_000
SERVER_ERROR = 500

log = logging.getLogger(__name__)


def tracer_of(settings: Settings) -> Tracer | None:
    """What spans are started by; None where tracing is off, said in the log where packages lack."""
    if settings.otlp_endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        log.warning(
            "no traces: OTEL_EXPORTER_OTLP_ENDPOINT is set and %s is missing; install"
            " requirements-tracing.txt",
            error.name,
        )
        return None
    facts = {"service.name": SERVICE, "service.version": settings.commit or "unknown"}
    provider = TracerProvider(resource=Resource.create(facts))
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider.get_tracer(SERVICE)


def bind(server: Flask, tracer: Tracer | None) -> None:
    """A span for each request, and below it one for each statement."""
    if tracer is not None:
        _Requests(tracer).bind(server)
        _Statements(tracer).bind()


def traced(backend: Backend | None, tracer: Tracer | None) -> Backend | None:
    """The cache's backend with a span for each call, where there are traces."""
    return backend if backend is None or tracer is None else _Traced(backend, tracer)


class _Requests:
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def bind(self, server: Flask) -> None:
        server.before_request(self._begin)
        server.after_request(self._note)
        server.teardown_request(self._end)

    def _begin(self) -> None:
        from opentelemetry import context, propagate
        from opentelemetry.trace import SpanKind, set_span_in_context

        carrier = {name.lower(): value for name, value in request.headers.items()}
        span = self._tracer.start_span(
            f"{request.method} {request.endpoint or 'none'}",
            context=propagate.extract(carrier),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": request.method,
                "http.route": request.url_rule.rule if request.url_rule else "",
                "nova.request_id": g.request_id,
            },
        )
        g.span, g.span_token = span, context.attach(set_span_in_context(span))

    def _note(self, response: Response) -> Response:
        g.span.set_attribute("http.response.status_code", response.status_code)
        if response.status_code >= SERVER_ERROR:
            _fail(g.span)
        return response

    def _end(self, _error: BaseException | None) -> None:
        from opentelemetry import context

        if span := g.pop("span", None):
            context.detach(g.pop("span_token"))
            span.end()


class _Statements:
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def bind(self) -> None:
        event.listen(Engine, "before_cursor_execute", self._begin)
        event.listen(Engine, "after_cursor_execute", self._end)
        event.listen(Engine, "handle_error", self._failed)

    def _begin(
        self, connection: Any, _cursor: Any, sql: str, _params: Any, context: Any, *_: Any
    ) -> None:
        from opentelemetry.trace import SpanKind

        plain = " ".join(sql.split())
        context.nova_span = self._tracer.start_span(
            f"SQL {plain.partition(' ')[0]}",
            kind=SpanKind.CLIENT,
            attributes={
                "db.system.name": "postgresql",
                "db.namespace": connection.engine.url.database or "",
                "db.query.text": plain[:SQL_LETTERS],
            },
        )

    def _end(self, *arguments: Any) -> None:
        arguments[4].nova_span.end()

    def _failed(self, failure: Any) -> None:
        span = getattr(failure.execution_context, "nova_span", None)
        if span is not None:
            _fail(span)
            span.end()


class _Traced:
    """A backend whose calls are spans; whether a value was found is an attribute."""

    def __init__(self, backend: Backend, tracer: Tracer) -> None:
        self._backend, self._tracer = backend, tracer

    def get(self, key: str) -> bytes | None:
        """The bytes under `key`, or None."""
        with self._tracer.start_as_current_span("cache get") as span:
            value = self._backend.get(key)
            span.set_attribute("cache.hit", value is not None)
            return value

    def set(self, key: str, value: bytes, timeout: int) -> object:
        """Keeps `value` for `timeout` seconds."""
        with self._tracer.start_as_current_span("cache set"):
            return self._backend.set(key, value, timeout)


def _fail(span: Any) -> None:
    from opentelemetry.trace import StatusCode

    span.set_status(StatusCode.ERROR)
