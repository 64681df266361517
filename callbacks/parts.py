"""Pages made in parts: what a page needs beyond its headline comes with the page where it is in the
cache, else in callbacks of its own, side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar, cast

from dash import MATCH, Dash, Input, Output
from dash._pages import _parse_query_string, _path_to_page
from dash.development.base_component import Component
from flask import g

from auth.guards import requires
from callbacks.address import Address
from domain.access import Permission
from domain.errors import NotFound
from layouts.components import states
from layouts.components.parts import HEIGHT, INNER, PART, Make, awaited, part_id
from warehouse import caching

D = TypeVar("D")
NONE = ""
"""What is wanted once the wanted part is made."""


def begin(at: str, address: Address, wanted: str | None = None) -> None:
    """From here on this request makes the page at `at`, or of it the part `wanted` alone."""
    g.opened_at, g.opened, g.wanted_part = at, address, wanted
    g.pop("made_part", None)


def later(
    name: str, make: Make, height: int = HEIGHT, narrow: int | None = None
) -> list[Component]:
    """The part, if all that it shows is in the cache; else its outline, and the page is not kept.
    While one part is wanted alone, the others are left out, but for the one that it is a part of
    by its name (`list.detail`)."""
    if g.wanted_part is None:
        try:
            with caching.only_kept():
                return _with_notices(make)
        except caching.Missed:
            g.is_in_parts = True
            return [awaited(name, g.opened_at, height, narrow)]
    if g.wanted_part == name:
        g.wanted_part = None
        g.made_part = _with_notices(make)
        g.wanted_part = NONE
    elif g.wanted_part.startswith(f"{name}."):
        make()
    return []


def wanted_of(_page: Component) -> list[Component]:
    """The part that was wanted of the page just made. Raises NotFound if the page has none such."""
    if "made_part" not in g:
        raise NotFound("There is no such part.")
    return cast(list[Component], g.made_part)


def _with_notices(make: Make) -> list[Component]:
    """The part, below what only it could tell of the address."""
    notices = cast(Address, g.opened).notices
    told = len(notices)
    made = make()
    return [*states.notices(notices[told:]), *made]


def lazily(kind: type[D], **values: Any) -> D:
    """A record with these values, of which those given as functions are made when they are first
    asked for."""
    made = {name: _made_once(value) for name, value in values.items() if callable(value)}
    record: Any = object.__new__(type(kind.__name__, (kind,), made))
    vars(record).update({name: value for name, value in values.items() if name not in made})
    return cast(D, record)


def _made_once(make: Callable[[], Any]) -> cached_property[Any]:
    return cached_property(lambda _record: make())


def register(app: Dash) -> None:
    """The parts that were not in the cache when their page was opened."""

    @requires(Permission.READ)
    def show(identity: Any) -> Any:
        told = identity if isinstance(identity, dict) else {}
        name, at = told.get("name"), told.get("at")
        if not isinstance(name, str) or not isinstance(at, str):
            raise NotFound("There is no such part.")
        path, mark, search = at.partition("?")
        found, _variables = _path_to_page(path.strip("/"))
        page = found.get("layout")
        if not hasattr(page, "part"):
            raise NotFound("There is no such page.")
        return page.part(name, at, _parse_query_string(mark + search))

    for kind in (PART, INNER):
        identity = part_id(MATCH, MATCH, kind)
        app.callback(Output(identity, "children"), Input(identity, "id"))(show)
