"""`/admin/data`."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, no_update
from dash.development.base_component import Component
from flask_wtf.csrf import generate_csrf

from auth.guards import current_viewer, requires
from auth.session import request_actor
from callbacks.address import Address
from callbacks.jobs import begin_anew, job_in, leave_off
from callbacks.listing import listed
from callbacks.screen import screen
from config import get_settings
from domain.access import Permission
from domain.records import Page, Run
from domain.viewer import Viewer
from layouts import admin_data as layout
from layouts.jobs import AGAIN, job_card
from warehouse.commands import jobs as commands
from warehouse.db import get_engine
from warehouse.queries import jobs, loads, runs


@screen(Permission.LOAD_DRY_RUN, personal=True)
def page(viewer: Viewer, address: Address) -> Component:
    """Loads, runs and what is at work; or one load, if the address names it."""
    load_id, job_id = address.count("load"), address.count("job")
    if load_id:
        return layout.detail(_detail(address, load_id), viewer)
    data = layout.AdminData(
        loads=listed(address, layout.LOADS, loads.page, layout.PAGE_ROWS),
        runs=listed(address, layout.RUNS, runs.page, layout.PAGE_ROWS),
        query=address.query,
        notices=address.notices,
        job=jobs.one(job_id) if job_id else None,
        at_work=jobs.active(),
        to_publish=_to_publish(viewer, address),
        csrf_token=generate_csrf(),
        upload_mb=get_settings().upload_mb,
    )
    return layout.layout(data, viewer)


def _to_publish(viewer: Viewer, address: Address) -> Run | None:
    """The run that the address asks to publish, if it can be."""
    run_id = address.count("publish")
    if not run_id or not viewer.may(Permission.MANAGE_RUNS):
        return None
    run = runs.one(run_id)
    return run if run.state == "ready" and not run.is_published else None


def _detail(address: Address, load_id: int) -> layout.LoadDetail:
    def rejects(**asked: Any) -> Page[Any]:
        return loads.rejects(load_id=load_id, **asked)

    return layout.LoadDetail(
        load=loads.one(load_id),
        rejects=listed(address, "", rejects, layout.REJECT_ROWS),
        query=address.query,
        notices=address.notices,
    )


def register(app: Dash) -> None:
    """A job's progress, its end before time, the load after a preview, the derivation that is still
    due, and the publish after its confirmation."""

    @app.callback(
        Output("job-panel", "children"),
        Output(layout.ENDED, "data"),
        Input("job-tick", "n_intervals"),
        State("_pages_location", "search"),
        prevent_initial_call=True,
    )
    @requires(Permission.LOAD_DRY_RUN)
    def tick(ticks: int | None, search: str | None) -> Any:
        viewer = current_viewer()
        address = Address.parse(search, viewer.t)
        if not ticks or not (job_id := address.count("job")):
            return no_update, no_update
        job = jobs.one(job_id)
        panel = job_card(job, jobs.active() if job.is_active else [], viewer)
        return panel, no_update if job.is_active else job_id

    @app.callback(
        Output("data-tables", "children"),
        Input(layout.ENDED, "data"),
        State("_pages_location", "search"),
        prevent_initial_call=True,
    )
    @requires(Permission.LOAD_DRY_RUN)
    def listed_anew(ended: int | None, search: str | None) -> Any:
        if not ended:
            return no_update
        viewer = current_viewer()
        address = Address.parse(search, viewer.t)
        loaded = listed(address, layout.LOADS, loads.page, layout.PAGE_ROWS)
        published = listed(address, layout.RUNS, runs.page, layout.PAGE_ROWS)
        return layout.tables(loaded, published, address.query, viewer)

    @app.callback(
        Output("job-cancel", "children"),
        Input("cancel-job", "n_clicks"),
        State("_pages_location", "search"),
        prevent_initial_call=True,
    )
    @requires(Permission.LOAD_DRY_RUN)
    def cancel(clicks: int | None, search: str | None) -> Any:
        viewer = current_viewer()
        job_id = job_in(search, viewer)
        return leave_off(job_id, viewer) if clicks and job_id else no_update

    @app.callback(
        Output("load-address", "search"),
        Input("load-previewed", "n_clicks"),
        State("_pages_location", "search"),
        prevent_initial_call=True,
    )
    @requires(Permission.LOAD)
    def load(clicks: int | None, search: str | None) -> Any:
        seen = job_in(search, current_viewer())
        if not clicks or not seen:
            return no_update
        job_id = commands.load_previewed(get_engine(), job_id=seen, actor=request_actor())
        return f"?job={job_id}"

    @app.callback(
        Output("again-address", "search"),
        Input(AGAIN, "n_clicks"),
        State("_pages_location", "search"),
        prevent_initial_call=True,
    )
    @requires(Permission.LOAD)
    def derive(clicks: int | None, search: str | None) -> Any:
        viewer = current_viewer()
        ended = job_in(search, viewer)
        return f"?job={begin_anew(ended, viewer)}" if clicks and ended else no_update

    @app.callback(
        Output("publish-address", "search"),
        Input("publish-run", "n_clicks"),
        State("_pages_location", "search"),
        prevent_initial_call=True,
    )
    @requires(Permission.MANAGE_RUNS)
    def publish(clicks: int | None, search: str | None) -> Any:
        run_id = Address.parse(search, current_viewer().t).count("publish")
        if not clicks or not run_id:
            return no_update
        job_id = commands.start_publish(get_engine(), run_id=run_id, actor=request_actor())
        return f"?job={job_id}"
