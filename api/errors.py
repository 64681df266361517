"""One shape for every failure: `{"error": {"code", "message", "fields"}}`, never a trace."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from flask import Response
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from domain.errors import (
    BadReport,
    InvalidInput,
    NoRoom,
    NotAllowed,
    NotAuthenticated,
    NotForReport,
    NotFound,
    NothingPublished,
    NothingSelected,
    NovaError,
    TooManyAttempts,
    Unavailable,
    WeakPassword,
)

STATUSES: tuple[tuple[type[NovaError], int], ...] = (
    (InvalidInput, 422),
    (NotAuthenticated, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (NothingPublished, 409),
    (TooManyAttempts, 429),
    (Unavailable, 503),
    (NoRoom, 507),
)
CODES = {
    400: "bad_request",
    401: "not_authenticated",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    409: "nothing_published",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid_input",
    429: "too_many_attempts",
    500: "internal_error",
    503: "unavailable",
    507: "no_room",
}
OF_FORMS = (NothingSelected, NotForReport, BadReport, WeakPassword)
"""What forms of pages alone can be refused with."""

INTERNAL = "Something went wrong on our side. The log has the details under this request's id."


def status_of(error: Exception) -> int:
    """The HTTP status of any exception."""
    if isinstance(error, NovaError):
        return next((code for kind, code in STATUSES if isinstance(error, kind)), 400)
    if isinstance(error, HTTPException):
        return error.code or 500
    return 500


def codes() -> dict[int, list[str]]:
    """The codes that each status of a failure can carry."""
    found = {status: [code] for status, code in CODES.items()}
    for kind, status in STATUSES:
        own = [one.code for one in _kinds(kind) if one not in OF_FORMS]
        found[status] += [code for code in own if code not in found[status]]
    return found


def _kinds(kind: type[NovaError]) -> Iterator[type[NovaError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _kinds(one)


def failure(error: Exception) -> Response:
    """The JSON answer to any exception."""
    status = status_of(error)
    fields = error.fields if isinstance(error, NovaError) else {}
    body = {"code": code_of(error), "message": message_of(error), "fields": fields}
    response = Response(
        orjson.dumps({"error": body}), status=status, content_type="application/json"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(_headers(error))
    return response


def code_of(error: Exception) -> str:
    """A word for programs to branch on."""
    if isinstance(error, NovaError):
        return error.code
    return CODES.get(status_of(error), "error")


def message_of(error: Exception) -> str:
    """A sentence for people; nothing of our inner workings."""
    if isinstance(error, RequestEntityTooLarge):
        return "The request is too large."
    if isinstance(error, NovaError):
        return str(error)
    if isinstance(error, HTTPException) and status_of(error) < 500:
        return error.description or error.name
    return INTERNAL


def _headers(error: Exception) -> dict[str, str]:
    """Headers that belong to a failure: Allow, Retry-After, WWW-Authenticate."""
    if isinstance(error, NotAuthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, (TooManyAttempts, Unavailable)):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, HTTPException):
        own = ("allow", "retry-after")
        return {name: value for name, value in error.get_headers() if name.lower() in own}
    return {}
