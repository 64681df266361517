"""Saving, dropping and beginning with a view: plain forms of the frame's menu."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from auth.guards import check, current_viewer, requires
from auth.session import request_actor, signed_in
from dashboard.i18n import page_of
from dashboard.pages import permission_at
from domain.access import Permission
from domain.errors import InvalidInput
from domain.views import address_of, checked
from warehouse.commands import views
from warehouse.db import get_engine

A_VIEW = "/views/<int(max=2147483647):view_id>"

blueprint = Blueprint("views", __name__)


@blueprint.post("/views")
@requires(Permission.READ)
def save() -> ResponseReturnValue:
    """Keeps the address under a name, for oneself or for a role too."""
    form = request.form
    name, page, query, role = checked(
        form.get("name", ""), form.get("address", ""), form.get("shared_with", "")
    )
    permission = permission_at(page)
    if permission is None or not current_viewer().may(permission):
        reason = "is no page of this site"
        raise InvalidInput(f"address: {reason}.", fields={"address": reason})
    if role is not None:
        check(Permission.ACT)
    views.save(
        get_engine(),
        user_id=_own_id(),
        name=name,
        page=page,
        query=query,
        shared_with=role,
        actor=request_actor(),
    )
    return redirect(address_of(page, query), 303)


@blueprint.post(f"{A_VIEW}/delete")
@requires(Permission.READ)
def delete(view_id: int) -> ResponseReturnValue:
    """Drops one's own view."""
    views.remove(get_engine(), view_id, user_id=_own_id(), actor=request_actor())
    return redirect(page_of(request.referrer), 303)


@blueprint.post(f"{A_VIEW}/start")
@requires(Permission.READ)
def start(view_id: int) -> ResponseReturnValue:
    """Begins with it from the next sign-in on; or no longer."""
    views.start_with(get_engine(), view_id, user_id=_own_id(), actor=request_actor())
    return redirect(page_of(request.referrer), 303)


def _own_id() -> int:
    row = signed_in()
    assert row is not None
    return row.user_id
