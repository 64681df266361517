"""GET /projects, /projects/{project}, /exports/projects, project-materials and project-statuses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from api.exporting import exported
from api.parameters import (
    MAX_TEXT,
    Between,
    Paged,
    Query,
    Text,
    Texts,
    Ufs,
    checked_text,
    clean,
    one_of,
    split,
    told,
)
from api.routing import route
from auth.guards import current_viewer
from domain.projects import (
    CurveDay,
    ProjectDetail,
    ProjectFilters,
    ProjectMaterial,
    ProjectMonth,
    ProjectScore,
    ProjectStatus,
    curve_days,
)
from domain.records import Page
from warehouse.queries import projects

State = Literal["behind", "on_plan", "not_started", "unknown", "done", "cancelled"]


class ProjectsFilters(Between):
    """What narrows the projects: `from` and `to` to those that run between them. `at_risk`: those
    that lack materials; `search` looks into codes and names."""

    project: Texts = ()
    uf: Ufs = ()
    region: Texts = ()
    state: Annotated[tuple[State, ...], BeforeValidator(split)] = ()
    at_risk: bool = False
    search: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(clean)] = ""

    def filters(self) -> ProjectFilters:
        """The same as the queries' argument."""
        return told(self, ProjectFilters)


class ProjectsQuery(ProjectsFilters, Paged):
    """The same by pages, by their codes unless asked otherwise."""

    sort: Annotated[Text, one_of(projects.SORTS)] = "project"


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


@exported("projects", query=ProjectsFilters, record=ProjectScore)
def projects_file(query: ProjectsFilters) -> list[ProjectScore]:
    """Every project that the filters let through."""
    return projects.every(scope=current_viewer().scope, filters=query.filters())


@exported("project-materials", query=ProjectsFilters, record=ProjectMaterial)
def materials_file(query: ProjectsFilters) -> list[ProjectMaterial]:
    """Every line of their bills of materials, with the stock that it finds."""
    return projects.materials(scope=current_viewer().scope, filters=query.filters())


class StatusesQuery(Query):
    """One project; there are no lines where none is named."""

    project: Text = ""


@exported("project-curve", query=StatusesQuery, record=CurveDay)
def curve_file(query: StatusesQuery) -> list[CurveDay]:
    """What one project was to have done by plan, what it had, and what is to be expected."""
    return curve_days(one(query.project)) if query.project else []


@exported("project-months", query=StatusesQuery, record=ProjectMonth)
def months_file(query: StatusesQuery) -> list[ProjectMonth]:
    """The materials of one project still to come, before and after its slip, by month."""
    return one(query.project).months if query.project else []


@exported("project-statuses", query=StatusesQuery, record=ProjectStatus)
def statuses_file(query: StatusesQuery) -> list[ProjectStatus]:
    """What each file said of one project."""
    return one(query.project).history if query.project else []
