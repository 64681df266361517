"""Programs that ask the same again: the response as it went out before.

What hooks and view have made of a kept answer is given once more to readers of the same role,
scope and language, at the same data version and while the answer is kept. Who asks is found out as
ever, and such a request has its own number, audit row, log line and counts.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask, Response, current_app, g, request

import api
from auth.session import data_version, has_bearer, signed_in
from dashboard import observability
from warehouse import caching
from warehouse.caching import Kept, Latest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

EXTENSION = "nova-repeats"
MEMORY_BYTES = 8 * 1024 * 1024
OVERHEAD_BYTES = 4096
"""Of what a request says and of headers, about."""
OWN = frozenset({"REMOTE_ADDR", "REMOTE_PORT", "HTTP_AUTHORIZATION", "HTTP_X_REQUEST_ID"})
"""What every request has of its own, and no kept answer depends on."""

OK, NOT_MODIFIED = 200, 304


@dataclass(frozen=True)
class Made:
    """A response that has gone out, but for its number."""

    kept: Kept
    status: int
    line: str
    headers: list[tuple[str, str]]
    body: list[bytes]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response(self.line, [*self.headers, (observability.REQUEST_ID, g.request_id)])
        return self.body


def bind(server: Flask) -> None:
    """Bound before everything else, so that it sees responses when nothing changes them any more.
    Not bound, nothing is given again."""
    server.extensions[EXTENSION] = Latest[Hashable, Made](MEMORY_BYTES)
    server.after_request(_hold)


def response() -> Made | None:
    """What was made of a request that said the same; None where there is nothing that can be given
    again. Raises NotAuthenticated, Unavailable."""
    made_before = current_app.extensions.get(EXTENSION)
    view = current_app.view_functions.get(request.endpoint or "")
    if made_before is None or not getattr(view, "kept", False) or not has_bearer():
        return None
    observability.begin()
    g.said = _said(request.environ)
    made: Made | None = made_before.get(g.said)
    if made is None or not caching.again(made.kept):
        return None
    api.record(made.status)
    observability.end(made.status)
    return made


def _said(environ: WSGIEnvironment) -> Hashable:
    """All that the response depends on."""
    reader = signed_in()
    can = reader and (reader.role, reader.scope, reader.language, reader.must_change_password)
    told = [one for one in environ.items() if type(one[1]) is str and one[0] not in OWN]
    return can, data_version(), *told


def _hold(response: Response) -> Response:
    kept = g.get("kept") if caching.in_use() else None
    if kept and "said" in g and response.status_code in (OK, NOT_MODIFIED):
        body = [response.get_data()] if response.status_code == OK else []
        headers = response.get_wsgi_headers(request.environ)
        made = Made(
            kept=kept,
            status=response.status_code,
            line=response.status,
            headers=[one for one in headers if one[0] != observability.REQUEST_ID],
            body=body,
        )
        size = sum(map(len, body)) + OVERHEAD_BYTES
        current_app.extensions[EXTENSION].put(g.said, made, size)
    return response
