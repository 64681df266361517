"""GET /loads, POST /loads, GET /loads/{id}/rejects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from api.exporting import exported
from api.parameters import Form, Paged, Uploaded
from api.routing import route
from auth.guards import check
from auth.session import request_actor
from domain.access import Permission
from domain.erp import KINDS
from domain.records import Job, Load, Page, RejectedRow
from warehouse import uploads
from warehouse.commands import jobs as commands
from warehouse.db import get_engine
from warehouse.queries import jobs, loads
from warehouse.queries.paging import walked

LOADS = "/loads"
ITS_REJECTS = "/loads/<int(max=2147483647):load_id>/rejects"


class FileForm(Form):
    """An ERP file, the mapping that goes with it, and what to do with it."""

    file: Uploaded
    mapping: Uploaded | None = None
    kind: Literal[tuple(KINDS)] | None = None  # type: ignore[valid-type]
    dry_run: bool = False


@route("GET", LOADS, permission=Permission.LOAD_DRY_RUN, query=Paged, data=list[Load], paged=True)
def listed(query: Paged) -> Page[Load]:
    """Files that were loaded or refused, newest first."""
    return loads.page(limit=query.limit, cursor=query.cursor)


@route("POST", LOADS, permission=Permission.LOAD_DRY_RUN, form=FileForm, data=Job)
def sent(form: FileForm) -> Job:
    """Checks (dry_run) or loads an ERP file; the job says how far it is."""
    if not form.dry_run:
        check(Permission.LOAD)
    mapping = form.mapping.stream if form.mapping else None
    upload = uploads.keep(form.file.stream, form.file.filename or "", mapping)
    job_id = commands.start_file(
        get_engine(),
        upload=upload,
        file_kind=form.kind,
        dry_run=form.dry_run,
        actor=request_actor(),
    )
    return jobs.one(job_id)


@route(
    "GET",
    ITS_REJECTS,
    permission=Permission.LOAD_DRY_RUN,
    query=Paged,
    data=list[RejectedRow],
    paged=True,
)
def rejected(load_id: int, query: Paged) -> Page[RejectedRow]:
    """Rows of one file that were refused: line, column, value and reason."""
    return loads.rejects(load_id=load_id, limit=query.limit, cursor=query.cursor)


@exported("loads", record=Load, permission=Permission.LOAD_DRY_RUN)
def loads_file() -> Iterator[Load]:
    """Every file that was loaded or refused, newest first."""
    return walked(loads.page)
