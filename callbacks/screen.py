"""What every page has in common: guard, reader, address, and a state for errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps

from dash import ctx
from dash.development.base_component import Component
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


def screen(permission: Permission) -> Callable[[Maker], Callable[..., Component]]:
    """Makes `make(viewer, address)` a page's guarded entry function `page(**query)`."""

    def decorate(make: Maker) -> Callable[..., Component]:
        @requires(permission)
        @wraps(make)
        def page(**query: str) -> Component:
            viewer = current_viewer()
            trail.note("page.view", object=_address_asked_for())
            return _made(make, viewer, Address(query, viewer.t))

        return page

    return decorate


def _address_asked_for() -> str:
    """The address in the browser, as Dash's router was told it."""
    told = ctx.inputs
    path, search = (told.get(f"_pages_location.{part}") or "" for part in ("pathname", "search"))
    return trail.readable(f"{path}{search}")


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
        return states.failed(viewer)
