"""Projects: where each stands against its plan, its history, and the materials it still needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, timedelta
from math import ceil
from typing import Any

from sqlalchemy import Connection, Row, text

from domain import projects as formulas
from domain.access import EVERYTHING, Scope
from domain.errors import NotFound
from domain.kpis import ratio
from domain.projects import (
    NO_PROJECT_FILTERS,
    STATES,
    ProjectDetail,
    ProjectFilters,
    ProjectMaterial,
    ProjectScore,
    ProjectStatus,
    Status,
)
from domain.records import Page
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.filtering import project_where, series_where
from warehouse.queries.paging import page_of
from warehouse.queries.published import published_run_or_none, run_and_days

SORTS = {
    "project": "text",
    "planned_end": "date",
    "expected_end": "date",
    **dict.fromkeys(
        ("progress", "slip_days", "budget_brl", "spent_brl", "at_risk", "shortage_brl"),
        "double precision",
    ),
}

_PROJECTS = """
SELECT project.*, newest.as_of, first.planned_end AS first_planned_end, bill.days,
    coalesce(needs.at_risk, 0) AS at_risk,
    CASE WHEN needs.at_risk > 0 THEN needs.shortage_brl ELSE 0 END AS shortage_brl
FROM core.project AS project
JOIN (
    SELECT project_id, max(as_of) AS as_of, min(as_of) AS first_on
    FROM core.project_status GROUP BY project_id
) AS newest USING (project_id)
JOIN core.project_status AS first
    ON first.project_id = project.project_id AND first.as_of = newest.first_on
LEFT JOIN (
    SELECT project_id, array_agg(needed_on) AS days FROM core.project_material GROUP BY project_id
) AS bill ON bill.project_id = project.project_id
LEFT JOIN (
    SELECT need.project_id, count(*) FILTER (WHERE shortage > 0) AS at_risk,
        sum(shortage * item.unit_cost_brl) FILTER (WHERE shortage > 0) AS shortage_brl
    FROM analytics.project_need AS need
    JOIN core.item AS item USING (item_id)
    JOIN core.site AS site USING (site_id)
    WHERE need.run_id = :run_id AND {depots} GROUP BY need.project_id
) AS needs ON needs.project_id = project.project_id
WHERE {where}
"""

_HISTORY = "SELECT * FROM core.project_status WHERE project_id = :project_id ORDER BY as_of"

_MATERIALS = """
SELECT bill.project_id, project.project, item.sku, item.name AS item_name, item.unit,
    bill.quantity, item.unit_cost_brl, bill.needed_on, site.site AS depot,
    need.on_hand, need.arriving, need.projected, need.shortage, need.lead_time_days,
    need.stockout_on, need.stockout_as_planned_on, need.stockout_without_on
FROM core.project_material AS bill
JOIN core.project AS project USING (project_id)
JOIN core.item AS item USING (item_id)
LEFT JOIN (
    analytics.project_need AS need
    JOIN core.site AS site ON site.site_id = need.site_id AND {depots}
) ON need.run_id = :run_id AND need.project_id = bill.project_id
    AND need.item_id = bill.item_id AND need.needed_on = bill.needed_on
WHERE bill.project_id = ANY(:projects)
ORDER BY project.project, bill.needed_on, item.sku
"""


@read_model(at_most=ages.FACTS)
def every(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: ProjectFilters = NO_PROJECT_FILTERS,
) -> list[ProjectScore]:
    """Every project in view, those most behind first."""
    return _scores(connection, scope, filters)


@read_model(at_most=ages.FACTS)
def listed(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: ProjectFilters = NO_PROJECT_FILTERS,
    limit: int = 50,
    cursor: str | None = None,
    sort: str = "project",
) -> Page[ProjectScore]:
    """The same by pages."""
    return page_of(
        _scores(connection, scope, filters),
        sort=sort,
        sorts=SORTS,
        tie="project",
        limit=limit,
        cursor=cursor,
    )


@read_model(at_most=ages.FACTS)
def detail(connection: Connection, *, project: str, scope: Scope = EVERYTHING) -> ProjectDetail:
    """One project with everything. Raises NotFound for one that is not in view."""
    rows = _rows(connection, scope, NO_PROJECT_FILTERS, project)
    if not rows:
        raise NotFound("No project has this code.")
    (row,) = rows
    now = _status(row)
    history = connection.execute(text(_HISTORY), {"project_id": row.project_id})
    lines, today = _materials(connection, scope, [row]), _today(connection)
    is_published = published_run_or_none(connection) is not None
    return ProjectDetail(
        score=_score(row, today, is_published),
        today=max(now.as_of, today),
        curve=formulas.curve(now),
        history=[_told(_status(one)) for one in history],
        materials=lines,
        months=formulas.shifted(lines),
    )


@read_model(at_most=ages.FACTS)
def materials(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: ProjectFilters = NO_PROJECT_FILTERS,
) -> list[ProjectMaterial]:
    """Every line of the bills of the projects in view."""
    wanted = {one.project for one in _scores(connection, scope, filters)}
    rows = [one for one in _rows(connection, scope, filters) if one.project in wanted]
    return _materials(connection, scope, rows)


def _scores(connection: Connection, scope: Scope, filters: ProjectFilters) -> list[ProjectScore]:
    is_published = published_run_or_none(connection) is not None
    today = _today(connection)
    found = [_score(row, today, is_published) for row in _rows(connection, scope, filters)]
    wanted = [
        one
        for one in found
        if (not filters.state or one.state in filters.state)
        and (not filters.at_risk or one.at_risk)
    ]
    return sorted(wanted, key=_urgency)


def _today(connection: Connection) -> date:
    """The last day that demand and stock speak of, which runs are derived for."""
    return run_and_days(connection).as_of or date.min


def _urgency(one: ProjectScore) -> tuple[int, int, str]:
    return STATES.index(one.state), -(one.slip_days or 0), one.project


def _rows(
    connection: Connection, scope: Scope, filters: ProjectFilters, project: str | None = None
) -> Sequence[Row[Any]]:
    run = published_run_or_none(connection)
    where, depots = project_where(scope, filters), series_where(scope)
    if project is not None:
        where.add("project.project = :project", project=project)
    params = {**depots.params, **where.params, "run_id": run.run_id if run else None}
    sql = _PROJECTS.format(where=where.sql, depots=depots.sql)
    return connection.execute(text(sql), params).all()


def _status(row: Row[Any]) -> Status:
    return Status(
        as_of=row.as_of,
        status=row.status,
        planned_start=row.planned_start,
        planned_end=row.planned_end,
        actual_end=row.actual_end,
        progress=None if row.progress_pct is None else row.progress_pct / 100,
        budget_brl=row.budget_brl,
        spent_brl=row.spent_brl,
    )


_SAID = [field.name for field in fields(Status)]


def _told(one: Status) -> ProjectStatus:
    return ProjectStatus(
        **{name: getattr(one, name) for name in _SAID},
        planned_progress=formulas.planned_progress(one),
        slip_days=formulas.slip_days(one),
    )


def _score(row: Row[Any], today: date, is_published: bool) -> ProjectScore:
    now = _status(row)
    ahead = [day for day in row.days or () if formulas.needed_when(now, day, today)]
    return ProjectScore(
        **{name: getattr(now, name) for name in _SAID},
        project=row.project,
        name=row.name,
        uf=row.uf,
        state=formulas.state(now),
        first_planned_end=row.first_planned_end,
        expected_end=formulas.expected_end(now),
        planned_progress=formulas.planned_progress(now),
        slip_days=formulas.slip_days(now),
        spent_share=ratio(row.spent_brl, row.budget_brl),
        materials=len(ahead),
        at_risk=row.at_risk if is_published else None,
        shortage_brl=row.shortage_brl if is_published else None,
    )


def _materials(
    connection: Connection, scope: Scope, rows: Sequence[Row[Any]]
) -> list[ProjectMaterial]:
    run = published_run_or_none(connection)
    depots = series_where(scope)
    statuses = {row.project_id: _status(row) for row in rows}
    params = {
        **depots.params,
        "run_id": run.run_id if run else None,
        "projects": list(statuses),
    }
    found = connection.execute(text(_MATERIALS.format(depots=depots.sql)), params)
    today = _today(connection)
    return [_material(line, statuses[line.project_id], today) for line in found]


def _material(line: Row[Any], now: Status, today: date) -> ProjectMaterial:
    expected = formulas.needed_when(now, line.needed_on, today)
    values = {name: value for name, value in line._mapping.items() if name != "project_id"}
    missing, cost, lead = line.shortage, line.unit_cost_brl, line.lead_time_days
    return ProjectMaterial(
        **values,
        expected_on=expected,
        shortage_brl=None if missing is None or cost is None else missing * cost,
        order_by=None
        if lead is None or expected is None
        else expected - timedelta(days=ceil(lead)),
    )
