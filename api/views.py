"""GET and POST /views, PATCH and DELETE /views/{id}: saved views, one's own and one's role's."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from api.parameters import MAX_TEXT, Body, Text, clean
from api.routing import route
from auth import saved_views
from auth.guards import current_viewer
from auth.session import own_id, request_actor
from domain.views import LONGEST, SavedView, checked_name
from warehouse.commands import views as commands
from warehouse.db import get_engine
from warehouse.queries import views

A_VIEW = "/views/<int(max=2147483647):view_id>"

Address = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(clean)]


class ViewBody(Body):
    """A view to keep: its name, a page with its query, and the role that sees it too, if any."""

    name: Text
    address: Address
    shared_with: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(clean)] = ""


class NameBody(Body):
    """A view's new name."""

    name: Text


@route("GET", "/views", data=list[SavedView], personal=True)
def listed() -> list[SavedView]:
    """One's own saved views, then those shared with one's role that one may open."""
    viewer = current_viewer()
    return views.listed(user_id=own_id(), role=viewer.role, scope=viewer.scope)


@route("POST", "/views", body=ViewBody, data=list[SavedView])
def saved(body: ViewBody) -> list[SavedView]:
    """Keeps a page's address under a name; one of the same name on the same page is replaced."""
    saved_views.save(body.name, body.address, body.shared_with)
    return listed()


@route("PATCH", A_VIEW, body=NameBody, data=list[SavedView])
def renamed(view_id: int, body: NameBody) -> list[SavedView]:
    """Gives one's own view another name."""
    name = checked_name(body.name)
    commands.rename(get_engine(), view_id, name, user_id=own_id(), actor=request_actor())
    return listed()


@route("DELETE", A_VIEW, data=list[SavedView])
def dropped(view_id: int) -> list[SavedView]:
    """Drops one's own view."""
    commands.remove(get_engine(), view_id, user_id=own_id(), actor=request_actor())
    return listed()
