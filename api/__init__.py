"""/api/v1: the same queries as the pages, as JSON."""

from __future__ import annotations

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from api import (  # noqa: F401
    alerts,
    audit,
    auth,
    board,
    clustering,
    clustering_exports,
    drivers,
    exports,
    forecasts,
    formulas,
    health,
    inventory,
    items,
    jobs,
    kpis,
    loads,
    materials,
    models,
    openapi,
    overrides,
    projects,
    recommendations,
    regions,
    reports,
    runs,
    savings,
    series_exports,
    settings,
    sla,
    status,
    supplier_exports,
    suppliers,
    users,
    views,
    what_if,
)
from api.routing import blueprint
from auth import trail
from auth.guards import public

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
UNKNOWN = "api_unknown"
UNRECORDED = frozenset({"api.health_ready", "api.static", "api.status_current"})


def init_app(server: Flask) -> None:
    """Binds every route of the API and /health; each call leaves its audit row."""
    server.register_blueprint(blueprint)
    server.add_url_rule("/api/<path:rest>", UNKNOWN, unknown, methods=METHODS)
    health.init_app(server)
    server.after_request(_record)


@public
def unknown(rest: str) -> Response:
    """Addresses under /api/ that lead nowhere: Dash would answer them with a page."""
    allowed = [method for method in METHODS if _leads_somewhere(method)]
    if allowed:
        raise MethodNotAllowed(valid_methods=allowed)
    raise NotFound("There is nothing at this address.")


unknown.credentials_in_body = True  # type: ignore[attr-defined]


def _leads_somewhere(method: str) -> bool:
    adapter = current_app.create_url_adapter(request)
    return adapter is not None and adapter.match(method=method)[0] != UNKNOWN


def _record(response: Response) -> Response:
    record(response.status_code)
    return response


def record(code: int) -> None:
    """Whatever was asked of the API, and what came of it."""
    is_quiet = request.endpoint in UNRECORDED and code < 400
    if request.path.startswith("/api/") and not is_quiet:
        trail.note(
            request.endpoint or UNKNOWN,
            object=trail.readable(f"{request.method} {request.path}"),
            status=code,
            awaited=request.method not in ("GET", "HEAD") or code >= 400,
        )
