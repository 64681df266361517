"""GET /jobs/{id}, POST /jobs/{id}/load, POST /jobs/{id}/cancel."""

from __future__ import annotations

from api.routing import route
from auth.guards import current_viewer
from auth.session import request_actor
from domain.access import Permission
from domain.records import Job
from warehouse.commands import jobs as commands
from warehouse.db import get_engine
from warehouse.queries import jobs

A_JOB = "/jobs/<int(max=2147483647):job_id>"


@route("GET", A_JOB, permission=Permission.ACT, data=Job)
def one(job_id: int) -> Job:
    """How far a dry run, a load, a publish or a derivation is, and what came of it. A scoped person
    finds their own alone."""
    return jobs.one_for(current_viewer(), job_id)


@route("POST", f"{A_JOB}/load", permission=Permission.LOAD, data=Job)
def loaded(job_id: int) -> Job:
    """Loads the file that one's own dry run has looked at."""
    new = commands.load_previewed(get_engine(), job_id=job_id, actor=request_actor())
    return jobs.one(new)


@route("POST", f"{A_JOB}/cancel", permission=Permission.LOAD_DRY_RUN, data=Job)
def cancelled(job_id: int) -> Job:
    """Asks a check or load that is waiting or being read to leave off, or a publish or derivation
    before it is shown: nothing is changed by it then, and the run before stays."""
    scope = current_viewer().scope
    commands.cancel(get_engine(), job_id=job_id, actor=request_actor(), scope=scope)
    return jobs.one(job_id)
