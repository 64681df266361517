"""Projects from their files to the stock: history by day, slips, and the demand that they move."""

from __future__ import annotations

import json
from datetime import date, timedelta
from inspect import unwrap
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from domain.access import Role, Scope
from domain.errors import NotFound
from domain.projects import ProjectDetail, ProjectFilters
from domain.viewer import Viewer
from layouts.project import todo
from tests import factories
from tests.factories import LAST_DAY
from tests.hostile_names import write
from tests.ingesting import load
from warehouse.pipeline import derive, publish
from warehouse.queries import projects

pytestmark = pytest.mark.usefixtures("nova")

START, END = LAST_DAY - timedelta(days=50), LAST_DAY + timedelta(days=50)
NEEDED = LAST_DAY + timedelta(days=20)
LEVEL, RATE = 5000.0, 30.0
READER = Viewer("Ana", "ana@nova.test", Role.ANALYST, locale="en")
HEADER = "project name uf status planned_start planned_end budget_brl spent_brl progress_pct"


def project(progress: float, *, quantity: float = 4900, as_of: date = LAST_DAY) -> tuple[Any, ...]:
    bill = [
        {"sku": "CABO-01", "quantity": quantity, "needed_on": str(NEEDED)},
        {"sku": "CABO-01", "quantity": 7, "needed_on": str(LAST_DAY - timedelta(days=45))},
        {"sku": "NEW-99", "quantity": 3, "needed_on": str(NEEDED)},
    ]
    said = ("em andamento", START, END, 1000, 400, progress)
    return ("PRJ-1", "5G Salvador", "BA", *said, json.dumps(bill), as_of)


def load_projects(engine: Engine, folder: Path, *rows: tuple[Any, ...]) -> None:
    write(folder, "projects", f"{HEADER} materials as_of", list(rows))
    report = load(folder / "projects.csv", engine)
    assert report.ok, report
    derive.refresh_after_load(engine)


@pytest.fixture
def network(engine: Engine, tmp_path: Path) -> factories.Network:
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    factories.add_stock(
        engine, network, {("CABO-01", "DEP-BA"): LEVEL, ("CABO-01", "DEP-SP"): 1000.0}
    )
    factories.refresh_views(engine)
    bundle = factories.make_bundle(tmp_path / "bundles", engine)
    publish.publish_bundle(bundle, engine=engine, published_by="tests")
    return network


def days_to_stockout(engine: Engine, site: str = "DEP-BA") -> Any:
    sql = (
        "SELECT days_to_stockout, stockout_p50_on, daily_demand, reorder_point, facts"
        " FROM analytics.policy JOIN core.item USING (item_id) JOIN core.site USING (site_id)"
        " WHERE sku = 'CABO-01' AND site = :site"
    )
    with engine.connect() as connection:
        return connection.execute(text(sql), {"site": site}).one()


def line(found: ProjectDetail, sku: str = "CABO-01", needed_on: date = NEEDED) -> Any:
    return next(one for one in found.materials if (one.sku, one.needed_on) == (sku, needed_on))


def test_a_slip_moves_the_demand_and_the_stockout_with_it(
    engine: Engine, network: factories.Network, tmp_path: Path
) -> None:
    before, elsewhere = days_to_stockout(engine), days_to_stockout(engine, "DEP-SP")
    rate = before.daily_demand
    assert before.days_to_stockout == pytest.approx(LEVEL / rate)

    load_projects(engine, tmp_path, project(50))
    on_plan = projects.detail(project="PRJ-1")
    material = line(on_plan)
    assert (on_plan.score.state, on_plan.score.slip_days) == ("on_plan", 0)
    assert (material.depot, material.expected_on, material.on_hand) == ("DEP-BA", NEEDED, LEVEL)
    assert material.projected == pytest.approx(LEVEL - 20 * rate)
    assert material.shortage == pytest.approx(4900 - (LEVEL - 20 * rate))
    assert material.order_by == NEEDED - timedelta(days=14)
    now = days_to_stockout(engine)
    assert 19 < now.days_to_stockout < 20 and now.stockout_p50_on <= NEEDED
    assert material.stockout_on == material.stockout_as_planned_on
    assert material.stockout_without_on == LAST_DAY + timedelta(days=ceil(LEVEL / rate))

    load_projects(engine, tmp_path, project(20))
    slipped = projects.detail(project="PRJ-1")
    slip, moved = slipped.score.slip_days, line(slipped)
    assert slipped.score.state == "behind" and slip == round(50 - 100 * 0.28714)
    assert moved.expected_on == NEEDED + timedelta(days=slip)
    assert slipped.score.expected_end == END + timedelta(days=slip)
    assert moved.shortage == pytest.approx(4900 - (LEVEL - (20 + slip) * rate))
    assert moved.stockout_as_planned_on == material.stockout_on
    assert moved.stockout_on == material.stockout_on + timedelta(days=slip)
    later = days_to_stockout(engine)
    assert later.days_to_stockout - now.days_to_stockout == pytest.approx(slip, abs=1)
    assert [one.month for one in slipped.months] == [NEEDED.replace(day=1), date(2025, 8, 1)]
    assert slipped.months[0].planned_brl == pytest.approx(4900 * 12.5)
    assert days_to_stockout(engine, "DEP-SP").days_to_stockout == elsewhere.days_to_stockout


def test_what_is_drawn_already_is_history_and_not_demand_to_come(
    engine: Engine, network: factories.Network, tmp_path: Path
) -> None:
    load_projects(engine, tmp_path, project(50))
    found = projects.detail(project="PRJ-1")
    drawn = line(found, needed_on=LAST_DAY - timedelta(days=45))
    assert (drawn.expected_on, drawn.shortage) == (None, None)
    assert found.score.materials == 2 and found.score.at_risk == 1
    new = line(found, "NEW-99")
    assert (new.expected_on, new.depot, new.on_hand, new.shortage) == (NEEDED, "DEP-BA", None, None)
    assert "not known there" in todo(new, found.today, READER)

    load_projects(engine, tmp_path, project(100))
    over = projects.detail(project="PRJ-1")
    assert over.score.state == "done" and over.score.materials == over.score.at_risk == 0
    at_depot = days_to_stockout(engine)
    assert at_depot.days_to_stockout == pytest.approx(LEVEL / at_depot.daily_demand)


def test_what_was_expected_before_today_is_not_to_come(
    engine: Engine, network: factories.Network, tmp_path: Path
) -> None:
    """The project's file is of ten days ago, as the demand is; the last count is of today."""
    today = LAST_DAY + timedelta(days=10)
    factories.add_stock(engine, network, {("CABO-01", "DEP-BA"): LEVEL}, days=1, last_day=today)
    passed, far = LAST_DAY + timedelta(days=9), today + timedelta(days=367)
    days = (passed, NEEDED, today + timedelta(days=366), far)
    bill = [{"sku": "CABO-01", "quantity": 4900, "needed_on": str(day)} for day in days]
    row = list(project(50))
    row[HEADER.split().index("progress_pct") + 1] = json.dumps(bill)
    load_projects(engine, tmp_path, tuple(row))
    found = projects.detail(project="PRJ-1")
    gone, next_one, last, beyond = (line(found, needed_on=day) for day in days)
    assert (found.today, found.score.materials, found.score.at_risk) == (today, 3, 2)
    assert (gone.expected_on, gone.on_hand) == (None, None)
    assert LAST_DAY < next_one.order_by < today
    assert "too late" in todo(next_one, found.today, READER)
    assert last.shortage > 0 and "too late" not in todo(last, found.today, READER)
    assert (beyond.on_hand, beyond.projected, beyond.shortage) == (next_one.on_hand, None, None)
    assert "too far ahead" in todo(beyond, found.today, READER)


def test_receipts_say_what_projects_take(
    engine: Engine, network: factories.Network, tmp_path: Path
) -> None:
    quiet = days_to_stockout(engine)
    load_projects(engine, tmp_path, project(70))
    slip = projects.detail(project="PRJ-1").score.slip_days
    assert slip is not None and slip < -6
    policy = days_to_stockout(engine)
    assert policy.facts["project_demand"] == policy.facts["project_ahead"] == 4900
    assert policy.reorder_point == quiet.reorder_point
    with engine.connect() as connection:
        narrative = connection.execute(
            text("SELECT narrative FROM analytics.recommendation WHERE facts::text LIKE '%4900%'")
        ).scalar_one()
        sql = "SELECT facts FROM analytics.{} WHERE kind = :kind AND site_id = :site"
        params = {"site": network.sites["DEP-BA"]}
        alert = connection.execute(
            text(sql.format("alert")), {**params, "kind": "stockout_imminent"}
        ).scalar_one()
        order = connection.execute(
            text(sql.format("recommendation")), {**params, "kind": "REORDER"}
        ).scalar_one()
    assert alert["project_demand"] == order["project_demand"] == 4900
    assert "os projetos vão tomar: 4.900 m" in str(narrative)
    assert alert["position"] == order["position"] == LEVEL - 4900
    room = order["order_up_to"] - order["position"]
    assert room - 1 < order["quantity"] <= room


def test_what_a_project_takes_on_the_last_day_of_a_lead_time_is_taken_whole(
    engine: Engine, network: factories.Network, tmp_path: Path
) -> None:
    """It takes 19.4 days in the mean, and the project draws on day 20."""
    days = (19, 19, 19, 20, 20)
    factories.add_lead_times(engine, network, sku="CABO-01", site="DEP-SP", days=days)
    load_projects(engine, tmp_path, project(50))
    assert days_to_stockout(engine).facts["project_demand"] == 4900


def test_history_grows_by_day_and_late_files_change_nothing_of_today(
    engine: Engine, network: factories.Network, tmp_path: Path
) -> None:
    load_projects(engine, tmp_path, project(50))
    assert len(projects.detail(project="PRJ-1").history) == 1
    earlier = list(project(10, quantity=1, as_of=LAST_DAY - timedelta(days=30)))
    earlier[5] = END - timedelta(days=9)
    load_projects(engine, tmp_path, tuple(earlier))
    load_projects(engine, tmp_path, project(55))
    found = projects.detail(project="PRJ-1")
    assert [(one.as_of, one.progress) for one in found.history] == [
        (LAST_DAY - timedelta(days=30), 0.1),
        (LAST_DAY, 0.55),
    ]
    assert found.score.progress == 0.55 and found.score.planned_end == END
    assert found.score.first_planned_end == END - timedelta(days=9)
    assert line(found).quantity == 4900


def test_a_shortage_of_what_has_no_price_is_worth_nothing_known(
    engine: Engine, network: factories.Network, tmp_path: Path
) -> None:
    bill = [{"sku": "CABO-01", "quantity": 1, "needed_on": str(NEEDED - timedelta(days=9))}]
    covered = ("PRJ-2", *project(50)[1:-2], json.dumps(bill), LAST_DAY)
    load_projects(engine, tmp_path, project(50), covered)

    def worth() -> dict[str, float | None]:
        found = {one.project: one.shortage_brl for one in unwrap(projects.every)(connection)}
        assert found == {
            code: unwrap(projects.detail)(connection, project=code).score.shortage_brl
            for code in found
        }
        return found

    with engine.connect() as connection:
        missing = line(unwrap(projects.detail)(connection, project="PRJ-1")).shortage_brl
        assert worth() == {"PRJ-1": pytest.approx(missing), "PRJ-2": 0}
        connection.execute(text("UPDATE core.item SET unit_cost_brl = NULL"))
        assert worth() == {"PRJ-1": None, "PRJ-2": 0}
        connection.rollback()


def test_without_a_run_projects_are_shown_and_their_stock_is_not_known(
    engine: Engine, tmp_path: Path
) -> None:
    assert projects.every() == []
    load_projects(engine, tmp_path, project(20))
    (score,) = projects.every()
    assert (score.state, score.materials) == ("behind", 2)
    assert score.at_risk is score.shortage_brl is None
    found = line(projects.detail(project="PRJ-1"))
    assert found.expected_on > NEEDED and found.on_hand is found.depot is None


def test_who_sees_some_ufs_sees_their_projects(
    engine: Engine, network: factories.Network, tmp_path: Path
) -> None:
    load_projects(engine, tmp_path, project(20))
    for scope in (Scope(ufs=("BA",)), Scope(contracts=("C-NE",))):
        assert [one.project for one in projects.every(scope=scope)] == ["PRJ-1"]
    for scope in (Scope(ufs=("SP",)), Scope(contracts=("C-SUL",))):
        assert projects.every(scope=scope) == projects.materials(scope=scope) == []
        with pytest.raises(NotFound):
            projects.detail(project="PRJ-1", scope=scope)
    wanted = {"behind": 1, "on_plan": 0}
    for state, count in wanted.items():
        assert projects.listed(filters=ProjectFilters(state=(state,))).count == count
    assert projects.every(filters=ProjectFilters(search="salvador", at_risk=True))
    assert projects.every(filters=ProjectFilters(region=("SE",))) == []
