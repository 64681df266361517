"""Saving, dropping and beginning with a view: plain forms of the frame's menu."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from auth import saved_views
from auth.guards import current_viewer, requires
from auth.session import own_id, request_actor
from dashboard.i18n import page_of
from domain.access import Permission
from domain.views import checked_name
from warehouse.commands import views
from warehouse.db import get_engine

A_VIEW = "/views/<int(max=2147483647):view_id>"

blueprint = Blueprint("views", __name__)


@blueprint.post("/views")
@requires(Permission.READ)
def save() -> ResponseReturnValue:
    """Keeps the address under a name, for oneself or for a role too."""
    form = request.form
    kept = saved_views.save(
        form.get("name", ""), form.get("address", ""), form.get("shared_with", "")
    )
    return redirect(kept, 303)


@blueprint.post(f"{A_VIEW}/rename")
@requires(Permission.READ)
def rename(view_id: int) -> ResponseReturnValue:
    """Gives one's own view another name."""
    name = checked_name(request.form.get("name", ""))
    views.rename(get_engine(), view_id, name, user_id=own_id(), actor=request_actor())
    return redirect(page_of(request.referrer), 303)


@blueprint.post(f"{A_VIEW}/delete")
@requires(Permission.READ)
def delete(view_id: int) -> ResponseReturnValue:
    """Drops one's own view."""
    views.remove(get_engine(), view_id, user_id=own_id(), actor=request_actor())
    return redirect(page_of(request.referrer), 303)


@blueprint.post(f"{A_VIEW}/start")
@requires(Permission.READ)
def start(view_id: int) -> ResponseReturnValue:
    """Begins with it from the next sign-in on; or no longer."""
    role = current_viewer().role
    views.start_with(get_engine(), view_id, user_id=own_id(), role=role, actor=request_actor())
    return redirect(page_of(request.referrer), 303)


@blueprint.post(f"{A_VIEW}/role-start")
@requires(Permission.ACT)
def role_start(view_id: int) -> ResponseReturnValue:
    """Lets the role that it is shared with begin with it; or no longer."""
    views.role_starts_with(get_engine(), view_id, user_id=own_id(), actor=request_actor())
    return redirect(page_of(request.referrer), 303)
