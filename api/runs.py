"""GET /runs, POST /runs/{id}/publish."""

from __future__ import annotations

from collections.abc import Iterator

from api.exporting import exported
from api.parameters import Paged
from api.routing import route
from auth.session import request_actor
from domain.access import Permission
from domain.records import Job, Page, Run
from warehouse.commands import jobs as commands
from warehouse.db import get_engine
from warehouse.queries import jobs, runs
from warehouse.queries.paging import walked

PUBLISHED = "/runs/<int(max=2147483647):run_id>/publish"


@route("GET", "/runs", permission=Permission.LOAD_DRY_RUN, query=Paged, data=list[Run], paged=True)
def listed(query: Paged) -> Page[Run]:
    """Runs of the trainer, newest first, dropped ones included."""
    return runs.page(limit=query.limit, cursor=query.cursor)


@route("POST", PUBLISHED, permission=Permission.MANAGE_RUNS, data=Job)
def published(run_id: int) -> Job:
    """Shows a run that is still loaded, an older one for instance."""
    job_id = commands.start_publish(get_engine(), run_id=run_id, actor=request_actor())
    return jobs.one(job_id)


@exported("runs", record=Run, permission=Permission.LOAD_DRY_RUN)
def runs_file() -> Iterator[Run]:
    """Every run of the trainer, newest first, dropped ones included."""
    return walked(runs.page)
