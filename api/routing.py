"""The table of routes: what each asks for, takes and gives. It checks requests, and the OpenAPI
document is made from it, so the two cannot disagree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

from flask import Blueprint, Response, copy_current_request_context, g
from pydantic import BaseModel

from api.answers import answer, encoded, locale, respond
from api.parameters import Query, read_body, read_form, read_query
from auth.guards import PUBLIC, current_viewer, public, requires
from auth.session import data_version
from domain.access import Permission
from warehouse.ages import ENCODED_SECONDS
from warehouse.caching import kept

Handler = Callable[..., Any]

blueprint = Blueprint(
    "api",
    __name__,
    url_prefix="/api/v1",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)


@dataclass(frozen=True)
class Route:
    """One door of the API. `data` is the type of the answer's `data`; `paged` answers carry
    `count` and `next`."""

    method: str
    path: str
    name: str
    summary: str
    permission: Permission | str
    query: type[BaseModel]
    body: type[BaseModel] | None
    data: Any
    paged: bool
    form: type[BaseModel] | None = None
    personal: bool = False

    @property
    def kept(self) -> bool:
        """Whether encoded answers are kept: what every reader of one scope and language sees."""
        reads = self.method == "GET" and self.permission == Permission.READ
        return reads and not self.personal and self.media is None

    @property
    def media(self) -> str | None:
        """The media type of what it gives, where that is a file."""
        return self.data.media if isinstance(self.data, File) else None


@dataclass(frozen=True)
class File:
    """Instead of a type of `data`: the handler answers with a file of this media type, whose name
    ends so."""

    media: str
    ending: str


ROUTES: list[Route] = []


def route(
    method: str,
    path: str,
    *,
    data: Any,
    permission: Permission | str = Permission.READ,
    query: type[BaseModel] = Query,
    body: type[BaseModel] | None = None,
    form: type[BaseModel] | None = None,
    paged: bool = False,
    credentials_in_body: bool = False,
    passive: bool = False,
    personal: bool = False,
) -> Callable[[Handler], Handler]:
    """Opens `handler(query=…, body=…, form=…, **path)` under /api/v1; the first paragraph of its
    docstring is the summary.

    What is not declared is not handed over; a `form` is multipart, with files.
    `credentials_in_body`: the request proves itself by what it carries, so no cookie and no CSRF
    token play a part. `personal`: the answer depends on who asks, not on scope and language alone.
    `passive`: an open page asks by itself, so it is no sign of its reader.
    """

    def decorate(handler: Handler) -> Handler:
        name = f"{handler.__module__.rpartition('.')[2]}_{handler.__name__}"
        summary = " ".join((handler.__doc__ or "").partition("\n\n")[0].split())
        made = Route(
            method, path, name, summary, permission, query, body, data, paged, form, personal
        )
        ROUTES.append(made)
        view = _guarded(_view(handler, made), permission)
        view.credentials_in_body = credentials_in_body  # type: ignore[attr-defined]
        view.passive = passive  # type: ignore[attr-defined]
        view.takes_files = form is not None  # type: ignore[attr-defined]
        view.kept = made.kept  # type: ignore[attr-defined]
        blueprint.add_url_rule(path, name, view, methods=[method])
        return handler

    return decorate


def _view(handler: Handler, made: Route) -> Any:
    @wraps(handler)
    def view(**path: Any) -> Response:
        asked = read_query(made.query)
        arguments = dict(path)
        if made.query is not Query:
            arguments["query"] = asked
        if made.body is not None:
            arguments["body"] = read_body(made.body)
        if made.form is not None:
            arguments["form"] = read_form(made.form)
        if made.kept:
            make = partial(_made, arguments)
            g.kept = kept(
                made.name,
                _plain(path, asked),
                ENCODED_SECONDS,
                make,
                version=data_version(),
                renew=lambda: copy_current_request_context(make),
            )
            return respond(g.kept.value)
        made_answer = handler(**arguments)
        return made_answer if made.media else answer(made_answer, made.data)

    def _made(arguments: dict[str, Any]) -> bytes:
        return encoded(handler(**arguments), made.data)

    return view


def _plain(path: dict[str, Any], asked: BaseModel) -> str:
    """All that an answer that is kept depends on, the data version apart."""
    viewer = current_viewer()
    return repr((path, asked, viewer.scope, locale(), viewer.locale))


def _guarded(view: Handler, permission: Permission | str) -> Handler:
    if permission == PUBLIC:
        return public(view)
    return requires(Permission(permission))(view)
