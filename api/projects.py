"""GET /projects, /projects/{project}, /exports/projects.csv and .xlsx, project-materials.csv."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import AfterValidator, BeforeValidator, Field

from api.files import CSV, XLSX, records_csv, records_xlsx
from api.parameters import (
    MAX_TEXT,
    Paged,
    Query,
    Text,
    Texts,
    Ufs,
    checked_text,
    clean,
    split,
)
from api.routing import route
from auth import trail
from auth.guards import current_viewer
from domain.access import Permission
from domain.projects import ProjectDetail, ProjectFilters, ProjectMaterial, ProjectScore
from domain.records import Page
from warehouse.queries import projects

State = Literal["behind", "on_plan", "not_started", "unknown", "done", "cancelled"]


class ProjectsFilters(Query):
    """What narrows the projects. `at_risk`: those that lack materials; `search` looks into codes
    and names."""

    uf: Ufs = ()
    region: Texts = ()
    state: Annotated[tuple[State, ...], BeforeValidator(split)] = ()
    at_risk: bool = False
    search: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(clean)] = ""

    def filters(self) -> ProjectFilters:
        """The same as the queries' argument."""
        known = ProjectFilters.__dataclass_fields__
        return ProjectFilters(**{name: value for name, value in self if name in known})


class ProjectsQuery(ProjectsFilters, Paged):
    """The same by pages, by their codes unless asked otherwise."""

    sort: Text = "project"


@route("GET", "/projects", query=ProjectsQuery, data=list[ProjectScore], paged=True)
def listed(query: ProjectsQuery) -> Page[ProjectScore]:
    """Where each project stands: progress against the plan, slip, budget, materials at risk."""
    return projects.listed(
        scope=current_viewer().scope,
        filters=query.filters(),
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )


@route("GET", "/projects/<path:project>", data=ProjectDetail)
def one(project: str) -> ProjectDetail:
    """One project: its plan, its history, its bill of materials and what that does to the stock."""
    return projects.detail(project=checked_text("project", project), scope=current_viewer().scope)


@route(
    "GET", "/exports/projects.csv", permission=Permission.EXPORT, query=ProjectsFilters, data=CSV
)
def projects_csv(query: ProjectsFilters) -> Response:
    """Every project that the filters let through."""
    return records_csv(ProjectScore, _scores(query), "projects", current_viewer())


@route(
    "GET", "/exports/projects.xlsx", permission=Permission.EXPORT, query=ProjectsFilters, data=XLSX
)
def projects_xlsx(query: ProjectsFilters) -> Response:
    """The same as a workbook."""
    return records_xlsx(ProjectScore, _scores(query), "projects")


@route(
    "GET",
    "/exports/project-materials.csv",
    permission=Permission.EXPORT,
    query=ProjectsFilters,
    data=CSV,
)
def materials_csv(query: ProjectsFilters) -> Response:
    """Every line of their bills of materials, with the stock that it finds."""
    viewer = current_viewer()
    rows = projects.materials(scope=viewer.scope, filters=query.filters())
    trail.note("export", object="project_materials", after={"rows": len(rows)})
    return records_csv(ProjectMaterial, rows, "project-materials", viewer)


def _scores(query: ProjectsFilters) -> list[ProjectScore]:
    found = projects.every(scope=current_viewer().scope, filters=query.filters())
    trail.note("export", object="projects", after={"rows": len(found)})
    return found
