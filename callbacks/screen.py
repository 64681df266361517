"""What every page has in common: guard, reader, address, and a state for errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from dash import ctx, html
from dash.development.base_component import Component
from flask import g
from werkzeug.exceptions import HTTPException

from auth import trail
from auth.guards import current_viewer, requires
from callbacks.address import Address
from domain.access import Permission
from domain.errors import NotAllowed, NotAuthenticated, NotFound, NothingPublished
from domain.viewer import Viewer
from layouts.components import states

log = logging.getLogger(__name__)

Maker = Callable[[Viewer, Address], Component]


def screen(
    permission: Permission, *, personal: bool = False
) -> Callable[[Maker], Callable[..., Component]]:
    """Makes `make(viewer, address)` a page's guarded entry function `page(**query)`.

    `personal`: it shows what depends on who asks. What is not is made for a nameless viewer, since
    others of the same role and scope may be shown the same (dashboard/kept_pages.py).
    """

    def decorate(make: Maker) -> Callable[..., Component]:
        @requires(permission)
        @wraps(make)
        def page(**query: str) -> Component:
            viewer = current_viewer()
            path, search = _address_asked_for()
            note_view(path, search)
            address = Address(query, viewer.t)
            shown = viewer if personal else nameless(viewer)
            told = states.notices(address.check(str(path)))
            made = _made(make, shown, address)
            return html.Div([*told, made], className="page") if told else made

        page.personal = personal  # type: ignore[attr-defined]
        return page

    return decorate


def nameless(viewer: Viewer) -> Viewer:
    """A reader of the same role, scope, language and look, but nobody in particular."""
    return replace(viewer, name="", email="", user_id=None)


def note_view(path: str, search: str) -> None:
    """The audit row of an opened page."""
    trail.note("page.view", object=trail.readable(f"{path}{search}"), awaited=False)


def _address_asked_for() -> tuple[str, str]:
    """Path and query string in the browser, as Dash's router was told them."""
    told = ctx.inputs
    path, search = (told.get(f"_pages_location.{part}") or "" for part in ("pathname", "search"))
    return path, search


def _made(make: Maker, viewer: Viewer, address: Address) -> Component:
    try:
        return make(viewer, address)
    except NothingPublished:
        return states.nothing_published(viewer)
    except NotFound:
        return states.not_found(viewer)
    except (HTTPException, NotAllowed, NotAuthenticated):
        raise
    except Exception:
        log.exception("a page could not be made")
        g.page_failed = True
        return states.failed(viewer)
