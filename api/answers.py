"""The one shape of success: `{"data", "meta"}`, with an ETag and never in a shared cache."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import orjson
from flask import Response, request
from pydantic import TypeAdapter

from auth.guards import current_viewer
from auth.session import has_bearer, signed_in
from domain.records import DataStatus, Page
from domain.viewer import DEFAULT_LOCALE
from warehouse.queries import status

VARY = "Accept-Language, Authorization, Cookie"


def answer(value: Any, kind: Any) -> Response:
    """`value` (a record, a list or a Page of `kind`) as the response to this request."""
    return respond(encoded(value, kind))


def encoded(value: Any, kind: Any) -> bytes:
    """The body that tells `value`."""
    page = value if isinstance(value, Page) else None
    data = page.rows if page else value
    count = page.count if page else (len(data) if isinstance(data, list) else None)
    meta = meta_of(status.current(), count=count, next=page.next if page else None)
    return enveloped(_adapter(kind).dump_json(data), meta)


def meta_of(
    known: DataStatus, *, count: int | None = None, next: str | None = None
) -> dict[str, Any]:
    """Which run speaks, how old its data and all that is loaded are, how many rows there are and
    where to go on."""
    return {
        "run_id": known.run_id,
        "data_as_of": known.data_to,
        "as_of": known.as_of,
        "computed_at": known.computed_at,
        "count": count,
        "next": next,
        "is_demo": known.is_demo,
    }


def enveloped(data: bytes, meta: dict[str, Any]) -> bytes:
    """Encoded data with what is to be known about it."""
    return b'{"data":' + data + b',"meta":' + orjson.dumps(meta) + b"}"


def respond(body: bytes) -> Response:
    """The response with this body; 304 if the caller has it already."""
    response = Response(body, content_type="application/json")
    response.headers["Vary"] = VARY
    if request.method in ("GET", "HEAD"):
        response.headers["Cache-Control"] = "private, no-cache"
        response.set_etag(hashlib.blake2b(body, digest_size=16).hexdigest())
        response.make_conditional(request)
        return response
    response.headers["Cache-Control"] = "no-store"
    return response


def locale() -> str:
    """The language of texts in answers: what is asked for, else the account's own."""
    row = signed_in()
    if row is not None and has_bearer() and "Accept-Language" not in request.headers:
        return row.language or DEFAULT_LOCALE
    return current_viewer().locale


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
