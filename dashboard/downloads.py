"""Files too long for a callback: written to the reader as they are read."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, request

from api.exporting import file_of
from api.files import CSV, XLSX, Table
from auth import session
from auth.guards import check, current_viewer, requires
from callbacks.address import Address
from callbacks.admin_audit import filters_of
from domain.access import Permission
from domain.browsers import browser_of
from domain.records import RejectedRow
from domain.sheets import Cell
from layouts.admin_audit import CSV_HEADER, csv_cells
from layouts.admin_data import REJECT_HEADER, reject_cells
from warehouse.queries import audit, jobs, loads, sessions, users

blueprint = Blueprint("downloads", __name__)


REJECTS = "/admin/data/loads/<int(max=2147483647):load_id>/rejects"
KINDS = {kind.ending: kind for kind in (CSV, XLSX)}


@blueprint.get(f"{REJECTS}.csv", defaults={"ending": "csv"})
@blueprint.get(f"{REJECTS}.xlsx", defaults={"ending": "xlsx"})
@requires(Permission.LOAD_DRY_RUN)
def rejects_file(load_id: int, ending: str) -> Response:
    """Every refused row of one load."""
    check(Permission.EXPORT)
    loads.one(load_id)
    return _rejected(loads.every_reject(load_id), f"load:{load_id}", ending)


JOB_REJECTS = "/admin/data/jobs/<int(max=2147483647):job_id>/rejects"


@blueprint.get(f"{JOB_REJECTS}.csv", defaults={"ending": "csv"})
@blueprint.get(f"{JOB_REJECTS}.xlsx", defaults={"ending": "xlsx"})
@requires(Permission.LOAD_DRY_RUN)
def job_rejects_file(job_id: int, ending: str) -> Response:
    """Every row that a check refused."""
    check(Permission.EXPORT)
    return _rejected(jobs.rejects(job_id), f"job:{job_id}", ending)


def _rejected(rows: Iterable[RejectedRow], of: str, ending: str) -> Response:
    table = Table(REJECT_HEADER, map(reject_cells, rows))
    return file_of("rejects", table, KINDS[ending], {}, current_viewer(), one=of)


@blueprint.get("/admin/audit.csv", defaults={"ending": "csv"})
@blueprint.get("/admin/audit.xlsx", defaults={"ending": "xlsx"})
@requires(Permission.READ_AUDIT)
def audit_file(ending: str) -> Response:
    """Every row of the audit log that the page's filter lets through, oldest first."""
    viewer = current_viewer()
    asked = filters_of(Address.parse(request.query_string.decode(errors="replace"), viewer.t))
    said = {name: str(value) for name, value in vars(asked).items() if value}
    table = Table(CSV_HEADER, (csv_cells(row) for row in audit.every(asked)))
    return file_of("audit-log", table, KINDS[ending], said, viewer)


SESSIONS = "/admin/users/<int(max=2147483647):user_id>/sessions"


@blueprint.get(f"{SESSIONS}.csv", defaults={"ending": "csv"})
@blueprint.get(f"{SESSIONS}.xlsx", defaults={"ending": "xlsx"})
@requires(Permission.MANAGE_USERS)
def sessions_file(user_id: int, ending: str) -> Response:
    """Where a user is signed in, last seen first."""
    check(Permission.EXPORT)
    users.known(user_id)
    return _sessions(user_id, ending, f"user:{user_id}")


@blueprint.get("/account/sessions.csv", defaults={"ending": "csv"})
@blueprint.get("/account/sessions.xlsx", defaults={"ending": "xlsx"})
@requires(Permission.READ)
def own_sessions_file(ending: str) -> Response:
    """Where the reader is signed in: one's own data, which every role may take away."""
    return _sessions(session.own_id(), ending, "account")


SESSION_COLUMNS = ("address", "browser", "created_at", "seen_at", "expires_at", "agent")


def _sessions(user_id: int, ending: str, one: str) -> Response:
    found = sessions.of_user(user_id, idle=session.idle_limit())
    table = Table(SESSION_COLUMNS, [_session_cells(row) for row in found])
    return file_of("sessions", table, KINDS[ending], {}, current_viewer(), one=one)


def _session_cells(row: sessions.SessionRow) -> list[Cell]:
    known = {**vars(row), "browser": browser_of(row.agent)}
    return [known[name] for name in SESSION_COLUMNS]
