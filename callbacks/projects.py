"""`/projects` and `/projects/<project>`."""

from __future__ import annotations

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.filters import bar_of
from callbacks.parts import later, lazily
from callbacks.screen import screen
from domain.access import Permission
from domain.projects import STATES, ProjectFilters
from domain.viewer import Viewer
from layouts import project as detail_layout
from layouts import projects as layout
from warehouse.queries import projects, status

RISKS = ("all", "at_risk")


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """The projects, narrowed to places, states, those at risk and a search."""
    bar = bar_of(viewer, address, "/projects")
    filters = ProjectFilters(
        uf=bar.filters.uf,
        region=bar.filters.region,
        state=address.many("state", STATES),
        at_risk=address.one("materials", RISKS, "all") == "at_risk",
        search=address.text("search"),
        date_from=bar.filters.date_from,
    )
    data = lazily(
        layout.ProjectsData,
        scores=lambda: projects.every(scope=viewer.scope, filters=filters),
        count=lambda: len(projects.every(scope=viewer.scope)),
        start=address.count("start"),
        bar=bar,
        filters=filters,
        is_loaded="projects" in status.loaded(),
        run_id=status.current().run_id,
        query=address.query,
        notices=address.notices,
    )
    return layout.layout(data, viewer, later)


@screen(Permission.READ)
def detail(viewer: Viewer, address: Address) -> Component:
    """One project."""
    data = lazily(
        detail_layout.ProjectData,
        detail=projects.detail(project=address.text("project", 200), scope=viewer.scope),
        run_id=lambda: status.current().run_id,
        notices=address.notices,
    )
    return detail_layout.layout(data, viewer, later)
