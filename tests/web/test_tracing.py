"""Traces go to an OTLP receiver where one is named, from the served product: request, statements,
cache. Without the packages it serves and says why there are none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from sqlalchemy import Engine

from config import Settings
from dashboard import tracing
from tests.conftest import StartServer
from tests.local_http import Handler, Server, answering

OTEL = pytest.importorskip("opentelemetry.sdk", reason="requirements-tracing.txt")


@pytest.fixture(scope="module")
def receiver() -> Iterator[tuple[str, list[Any]]]:
    """An OTLP/HTTP receiver: its endpoint, and the spans that have come."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    spans: list[Any] = []

    class Receiver(Handler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.end_headers()

    with answering(Server(Receiver)) as server:
        yield server.url, spans


def plain(span: Any) -> dict[str, Any]:
    return {
        one.key: one.value.string_value or one.value.int_value or one.value.bool_value
        for one in span.attributes
    }


def from_caller(spans: list[Any]) -> list[Any]:
    return [one for one in spans if one.parent_span_id == b"\xcd" * 8]


def children_of(spans: list[Any], root: Any) -> list[Any]:
    return [one for one in spans if one.trace_id == root.trace_id and one is not root]


def test_a_request_its_statements_and_the_cache_are_one_trace(
    receiver: tuple[str, list[Any]], start_server: StartServer, database_url: str, engine: Engine
) -> None:
    endpoint, spans = receiver
    url = start_server(
        database_url, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_BSP_SCHEDULE_DELAY="100"
    )
    caller = f"00-{'ab' * 16}-{'cd' * 8}-01"
    requests.get(f"{url}/health?secret=x", timeout=30)
    requests.get(f"{url}/api/v1/health", headers={"traceparent": caller}, timeout=30)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not from_caller(spans):
        time.sleep(0.1)
    (root,) = from_caller(spans)
    assert root.trace_id == b"\xab" * 16
    assert plain(root)["http.route"] == "/api/v1/health"
    assert plain(root)["http.response.status_code"] == 200
    inside = children_of(spans, root)
    assert {"SQL SELECT", "cache get"} <= {one.name for one in inside}
    (revision,) = [
        one
        for one in inside
        if "alembic_version" in str(plain(one)) and "version_num" in str(plain(one))
    ]
    assert revision.parent_span_id == root.span_id
    assert plain(revision)["db.system.name"] == "postgresql"
    assert "secret=x" not in str(spans)


def test_without_the_packages_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.exporter.otlp.proto.http", None)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert tracing.tracer_of(Settings()) is None
    assert "install requirements-tracing.txt" in caplog.text
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    assert tracing.tracer_of(Settings()) is None
