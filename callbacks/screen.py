"""What every page has in common: guard, reader, address, and a state for errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import TypeVar

from dash import ctx, html
from dash.development.base_component import Component
from flask import g
from werkzeug.exceptions import HTTPException

from auth import trail
from auth.guards import current_viewer, requires
from callbacks import parts
from callbacks.address import Address, Query
from domain.access import Permission
from domain.errors import NotAllowed, NotAuthenticated, NotFound, NothingPublished
from domain.page_filters import variables_at
from domain.viewer import Viewer
from layouts.components import states

log = logging.getLogger(__name__)

T = TypeVar("T")
Maker = Callable[[Viewer, Address], Component]


def screen(
    permission: Permission, *, personal: bool = False
) -> Callable[[Maker], Callable[..., Component]]:
    """Makes `make(viewer, address)` a page's guarded entry function `page(**query)`, and
    `page.part(name, at, query)` gives one part of it.

    `personal`: it shows what depends on who asks. What is not is made for a nameless viewer, since
    others of the same role and scope may be shown the same (dashboard/kept_pages.py).
    """

    def decorate(make: Maker) -> Callable[..., Component]:
        @requires(permission)
        @wraps(make)
        def page(**query: str) -> Component:
            viewer = current_viewer()
            path, search = address_asked_for()
            note_view(path, search)
            address = _address(path, query, viewer)
            shown = viewer if personal else nameless(viewer)
            told = states.notices(address.check(path))
            parts.begin(f"{path}{search}", address)
            made = _made(lambda: make(shown, address), shown)
            return html.Div([*told, made], className="page") if told else made

        @requires(permission)
        def part(name: str, at: str, query: Query) -> Component | list[Component]:
            viewer = current_viewer()
            shown = viewer if personal else nameless(viewer)
            address = _address(at.partition("?")[0], query, viewer)
            parts.begin(at, address, name)
            return _made(lambda: parts.wanted_of(make(shown, address)), shown, alone=False)

        page.personal, page.part = personal, part  # type: ignore[attr-defined]
        return page

    return decorate


def nameless(viewer: Viewer) -> Viewer:
    """A reader of the same role, scope, language and look, but nobody in particular."""
    return replace(viewer, name="", email="", user_id=None)


def note_view(path: str, search: str) -> None:
    """The audit row of an opened page."""
    trail.note("page.view", object=trail.readable(f"{path}{search}"), awaited=False)


def address_asked_for() -> tuple[str, str]:
    """Path and query string in the browser, as Dash's router was told them."""
    told = ctx.inputs
    path, search = (told.get(f"_pages_location.{part}") or "" for part in ("pathname", "search"))
    return path, search


def _address(path: str, query: Query, viewer: Viewer) -> Address:
    """The query with what the path says, which Dash leaves as browsers encode it."""
    return Address({**query, **variables_at(path)}, viewer.t)


def _made(make: Callable[[], T], viewer: Viewer, alone: bool = True) -> T | Component:
    """What `make()` gives, or a state that says why it gives nothing, `alone` on its page."""
    try:
        return make()
    except NothingPublished:
        return states.nothing_published(viewer, alone=alone)
    except NotFound:
        return states.not_found(viewer, alone=alone)
    except (HTTPException, NotAllowed, NotAuthenticated):
        raise
    except Exception:
        log.exception("a page could not be made")
        g.page_failed = True
        return states.failed(viewer, alone=alone)
