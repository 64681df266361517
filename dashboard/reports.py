"""Setting up board packs by e-mail: plain forms of `/admin/reports`."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from auth.guards import requires
from auth.session import request_actor
from domain.access import Permission
from domain.reports import checked
from warehouse.commands import reports
from warehouse.db import get_engine

PAGE = "/admin/reports"
A_REPORT = f"{PAGE}/<int(max=2147483647):report_id>"

blueprint = Blueprint("reports", __name__)


@blueprint.post(PAGE)
@requires(Permission.MANAGE_USERS)
def save() -> ResponseReturnValue:
    """A new one."""
    wanted = checked(request.form.to_dict(flat=False))
    reports.save(get_engine(), wanted, now=datetime.now(UTC), actor=request_actor())
    return redirect(PAGE, 303)


@blueprint.post(f"{A_REPORT}/stop", defaults={"active": False})
@blueprint.post(f"{A_REPORT}/resume", defaults={"active": True})
@requires(Permission.MANAGE_USERS)
def change(report_id: int, active: bool) -> ResponseReturnValue:
    """Stops one, or lets it go on."""
    now = datetime.now(UTC)
    reports.set_active(get_engine(), report_id, active, now=now, actor=request_actor())
    return redirect(PAGE, 303)


@blueprint.post(f"{A_REPORT}/send")
@requires(Permission.MANAGE_USERS)
def send(report_id: int) -> ResponseReturnValue:
    """Queues one sending more."""
    reports.send_now(get_engine(), report_id, now=datetime.now(UTC), actor=request_actor())
    return redirect(PAGE, 303)


@blueprint.post(f"{A_REPORT}/delete")
@requires(Permission.MANAGE_USERS)
def delete(report_id: int) -> ResponseReturnValue:
    """Drops one."""
    reports.remove(get_engine(), report_id, actor=request_actor())
    return redirect(PAGE, 303)
