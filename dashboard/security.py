"""Headers on every response, the Content Security Policy that Dash can live with, which proxies
are believed, and whose scripts may call the API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dash import Dash, page_container
from flask import Flask, Response, current_app, request
from flask_talisman import Talisman
from werkzeug.middleware.proxy_fix import ProxyFix

from config import TILES, Settings, listed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PERMISSIONS = {
    name: "()"
    for name in ("accelerometer", "camera", "geolocation", "gyroscope", "microphone", "payment")
}
YEAR_SECONDS = 365 * 24 * 3600
API = "/api/v1/"
PROBED = frozenset({"/health", "/api/v1/health", "/metrics"})
CORS_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
CORS_HEADERS = "Authorization, Content-Type, Accept-Language, If-None-Match, X-Request-ID"
CORS_EXPOSED = "ETag, Retry-After, X-Request-ID, Content-Disposition"
CORS_SECONDS = "600"


def admit(server: Flask, settings: Settings) -> None:
    """Host names, proxies and foreign origins, as the settings allow them. Bound before the doors:
    a preflight brings no credentials."""
    if hosts := list(listed(settings.hosts)):
        server.config["TRUSTED_HOSTS"] = hosts
        server.wsgi_app = Probed(server.wsgi_app, hosts[0].removeprefix("."))  # type: ignore[method-assign]
    server.config["CORS_ORIGINS"] = frozenset(listed(settings.cors_origins))
    if hops := settings.proxy_hops:
        server.wsgi_app = ProxyFix(server.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    server.before_request(_answer_preflight)
    server.after_request(_allow_origin)


class Probed:
    """What is probed and scraped is asked by address: such a request counts as one to `name`."""

    def __init__(self, app: WSGIApplication, name: str) -> None:
        self.app = app
        self.name = name

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The answer of what is below."""
        if environ["PATH_INFO"] in PROBED:
            environ["HTTP_HOST"] = self.name
        return self.app(environ, start_response)


def allowed_origin() -> str | None:
    """The request's foreign origin, if the settings let its scripts call this address."""
    origin = request.headers.get("Origin")
    if request.path.startswith(API) and origin in current_app.config["CORS_ORIGINS"]:
        return origin
    return None


def _answer_preflight() -> Response | None:
    asked = request.headers.get("Access-Control-Request-Method")
    if request.method != "OPTIONS" or asked is None or allowed_origin() is None:
        return None
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = CORS_METHODS
    response.headers["Access-Control-Allow-Headers"] = CORS_HEADERS
    response.headers["Access-Control-Max-Age"] = CORS_SECONDS
    return response


def _allow_origin(response: Response) -> Response:
    """Never with credentials: a foreign script brings its own token, no cookie of ours."""
    if request.path.startswith(API) and current_app.config["CORS_ORIGINS"]:
        response.vary.add("Origin")
        if origin := allowed_origin():
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = CORS_EXPOSED
    return response


class SameHeaders(Talisman):  # type: ignore[misc]
    """Talisman whose options are the same for every view: gathered and written out once."""

    @cached_property
    def _options(self) -> Any:
        return super()._get_local_options()

    def _get_local_options(self) -> Any:
        return self._options

    @cached_property
    def _written_policy(self) -> Any:
        return super()._parse_policy(self.content_security_policy)

    def _parse_policy(self, policy: Any) -> Any:
        same = policy is self.content_security_policy
        return self._written_policy if same else super()._parse_policy(policy)


def bind(server: Flask, settings: Settings, script_hashes: Sequence[str]) -> None:
    """Headers for pages, JSON, files and errors alike; HSTS where the request came by TLS."""
    SameHeaders(
        server,
        force_https=False,
        session_cookie_secure=settings.env == "production",
        session_cookie_http_only=True,
        session_cookie_samesite="Lax",
        strict_transport_security=False,  # Talisman would believe anybody's X-Forwarded-Proto
        referrer_policy="same-origin",
        frame_options="DENY",
        permissions_policy=PERMISSIONS,
        content_security_policy=policy(script_hashes, _tiles_from(settings)),
        x_xss_protection=False,
    )
    server.after_request(_add_own_headers)


def _add_own_headers(response: Response) -> Response:
    if request.is_secure:
        value = f"max-age={YEAR_SECONDS}; includeSubDomains"
        response.headers["Strict-Transport-Security"] = value
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


def _tiles_from(settings: Settings) -> str | None:
    found = TILES.fullmatch(settings.map_tile_url or "")
    return found[1] if found else None


def policy(
    script_hashes: Sequence[str], tile_server: str | None = None
) -> dict[str, str | list[str]]:
    """Nothing but our own files; inline scripts only those that Dash wrote and we hashed; forms
    that lead to ourselves; pictures of the map's tile server where there is one."""
    return {
        "default-src": "'none'",
        "script-src": ["'self'", *script_hashes],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:", *([tile_server] if tile_server else [])],
        "font-src": "'self'",
        "connect-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }


def script_hashes(app: Dash) -> list[str]:
    """Hashes of all inline scripts, that of the page title included.

    Dash registers that one on the first request: its first-request functions run here, with an
    empty frame because the real one needs a reader.
    """
    frame, app.layout = app.layout, page_container
    with app.server.test_request_context("/"):
        for function in app.server.before_request_funcs[None]:
            if function.__qualname__.startswith("Dash."):
                function()
    app.layout = frame
    return list(app.csp_hashes())


def keep_private(response: Response) -> Response:
    """What a signed-in reader sees stays out of shared caches unless a route says otherwise."""
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
