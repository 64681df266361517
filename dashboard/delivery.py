"""What goes over the wire: compressed, and kept by browsers for as long as its name stays true.

Charts are drawn by Plotly's basic bundle (assets/, the npm package plotly.js-basic-dist-min): a
quarter of the whole one, with the scatter and bar traces that `layouts` uses. Its address carries
its version; Dash's own addresses and those of assets carry a version or a time of change.
"""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask, Response, request
from flask_compress import Compress

ROOT = Path(__file__).resolve().parent.parent
IGNORED_ASSETS = r"plotly-basic-.*"
"""Fetched by the first page with a chart (assets/nova.js), not by every page."""
ASSETS = "_dash_assets.static"
SUITES = "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>"
NAMED_BY_VERSION = re.compile(r"\.v\d\w*m\d+\.|-\d+\.\d+\.\d+\.min\.js$")
FOREVER = "public, max-age=31536000, immutable"
BROTLI_QUALITY = 5
SHORTEST_BYTES = 500
PACKED = [
    "application/javascript",
    "application/json",
    "image/svg+xml",
    "image/vnd.microsoft.icon",
    "text/css",
    "text/javascript",
]
"""No pages: they answer with a form's token beside words of the address (BREACH). No exports: they
are streamed, and XLSX is packed already."""


def bind(server: Flask) -> None:
    """Bound before what sets other headers, so that it sees each response last."""
    server.config.update(
        COMPRESS_MIMETYPES=PACKED,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["br", "gzip"],
        COMPRESS_BR_LEVEL=BROTLI_QUALITY,
        COMPRESS_MIN_SIZE=SHORTEST_BYTES,
        COMPRESS_STREAMING_ENDPOINT_CONDITIONAL=[ASSETS, "auth.static", "api.static"],
    )
    Compress(server)
    server.jinja_env.globals["asset"] = asset
    server.after_request(_keep_what_is_named)


def asset(name: str) -> str:
    """The address of a file of assets, as Dash writes it on its own pages."""
    return f"/assets/{name}?m={(ROOT / 'assets' / name).stat().st_mtime}"


def _keep_what_is_named(response: Response) -> Response:
    """Files whose address changes with their content are never asked for twice."""
    is_named = request.endpoint in (ASSETS, SUITES) and (
        "m" in request.args or NAMED_BY_VERSION.search(request.path) is not None
    )
    if is_named and response.status_code in (200, 304):
        response.headers["Cache-Control"] = FOREVER
    return response
