"""Headers on every response, and the Content Security Policy that Dash can live with."""

from __future__ import annotations

from collections.abc import Sequence

from dash import Dash, page_container
from flask import Flask, Response
from flask_talisman import Talisman

from config import Settings

PERMISSIONS = {
    name: "()"
    for name in ("accelerometer", "camera", "geolocation", "gyroscope", "microphone", "payment")
}


def bind(server: Flask, settings: Settings, script_hashes: Sequence[str]) -> None:
    """Headers for pages, JSON, files and errors alike; HSTS where the request came by TLS."""
    Talisman(
        server,
        force_https=False,
        session_cookie_secure=settings.env == "production",
        session_cookie_http_only=True,
        session_cookie_samesite="Lax",
        strict_transport_security=True,
        referrer_policy="same-origin",
        frame_options="DENY",
        permissions_policy=PERMISSIONS,
        content_security_policy=policy(script_hashes),
        x_xss_protection=False,
    )


def policy(script_hashes: Sequence[str]) -> dict[str, str | list[str]]:
    """Nothing but our own files; inline scripts only those that Dash wrote and we hashed."""
    return {
        "default-src": "'none'",
        "script-src": ["'self'", *script_hashes],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
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
