"""Saving, dropping and beginning with a view: plain forms of the frame's menu."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from auth.guards import check, current_viewer, requires
from auth.session import request_actor, signed_in
from dashboard.i18n import page_of
from dashboard.pages import permission_at
from domain.access import Permission
from domain.views import address_of, checked, checked_name
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
        form.get("name", ""), form.get("address", ""), form.get("shared_with", ""), _may_open
    )
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


@blueprint.post(f"{A_VIEW}/rename")
@requires(Permission.READ)
def rename(view_id: int) -> ResponseReturnValue:
    """Gives one's own view another name."""
    name = checked_name(request.form.get("name", ""))
    views.rename(get_engine(), view_id, name, user_id=_own_id(), actor=request_actor())
    return redirect(page_of(request.referrer), 303)


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


def _may_open(path: str) -> bool:
    permission = permission_at(path)
    return permission is not None and current_viewer().may(permission)


def _own_id() -> int:
    row = signed_in()
    assert row is not None
    return row.user_id
