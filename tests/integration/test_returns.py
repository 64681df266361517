"""Returns: rows of demand below 0, loaded from a file and taken off what was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from tests import factories
from tests.factories import LAST_DAY
from tests.ingesting import load_one, rows, write
from tests.integration.test_queries import settings_of
from warehouse.pipeline import derive, publish
from warehouse.pipeline.histories import demand_matrix
from warehouse.pipeline.report import FileReport
from warehouse.queries import forecasts, kpis, materials
from warehouse.queries.training import load_training_set

CABLE: dict[str, Any] = {"sku": "CABO-01", "site": "DEP-SP"}
COUNTED, ON_HAND = LAST_DAY - timedelta(days=9), 100.0
BELOW, LESS, AFTER = LAST_DAY - timedelta(days=2), LAST_DAY - timedelta(days=3), timedelta(days=1)


@dataclass(frozen=True)
class Returned:
    """Two files that hold returns, the second one of the day after the forecast."""

    engine: Engine
    first: FileReport
    second: FileReport

    def asked(self) -> pd.Series:
        """The cable's demand by day, as the trainer reads it."""
        demand = load_training_set(self.engine).demand
        mine = demand[(demand["sku"] == CABLE["sku"]) & (demand["site"] == CABLE["site"])]
        return mine.set_index("date")["quantity"]


def returns(day: date, *quantities: float) -> str:
    lines = [f"{day};CABO-01;DEP-SP;{one};DEV-{number}" for number, one in enumerate(quantities)]
    return "\n".join(["date;sku;site;quantity;order_ref", *lines, ""])


@pytest.fixture(scope="module")
def returned(
    module_engine: Engine, module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Returned]:
    engine, folder = module_engine, tmp_path_factory.mktemp("returns")
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    stock = {("CABO-01", "DEP-SP"): ON_HAND}
    factories.add_stock(engine, network, stock, last_day=COUNTED)
    for day, quantity in ((BELOW, -500), (LESS, -3)):
        write(folder / f"{day}", demand=returns(day, quantity))
    reports = [load_one(folder / f"{day}", engine) for day in (BELOW, LESS)]
    derive.refresh_after_load(engine)
    bundle = factories.make_bundle(folder / "bundles", engine)
    publish.publish_bundle(bundle, engine=engine, published_by="tests")
    after = write(folder / "after", demand=returns(LAST_DAY + AFTER, 5, -9))
    second = load_one(after, engine)
    derive.refresh_after_load(engine)
    with settings_of(module_database_url):
        yield Returned(engine, reports[0], second)


def test_a_file_of_returns_is_loaded_with_its_net_as_control_total(returned: Returned):
    for report, rows_, total in ((returned.first, 1, -500.0), (returned.second, 2, -4.0)):
        assert (report.state, report.accepted, report.rejected) == ("accepted", rows_, 0)
        assert report.quantity == total


def test_the_kpi_and_the_catalogue_tell_the_net(returned: Returned):
    sql = """
        SELECT sum(quantity * unit_cost_brl) FILTER (WHERE date > :to - 30),
            sum(quantity) FILTER (WHERE sku = 'CABO-01' AND site = 'DEP-SP')
        FROM core.demand JOIN core.item USING (item_id) JOIN core.site USING (site_id)
        WHERE date > :to - 90
    """
    ((value, quantity),) = rows(returned.engine, sql, to=LAST_DAY + AFTER)
    (kpi,) = [one for one in kpis.headline() if one.key == "demand_value"]
    assert kpi.value == pytest.approx(value)
    (depot,) = [one for one in materials.positions(sku="CABO-01") if one.site == "DEP-SP"]
    assert depot.demand_90d == pytest.approx(quantity)


def test_a_days_history_may_be_below_nothing_and_an_actual_is_not(returned: Returned):
    history = {one.date: one.quantity for one in forecasts.history(**CABLE)}
    asked = returned.asked()
    assert history[BELOW] == asked[pd.Timestamp(BELOW)] < -400
    assert history[LESS] == asked[pd.Timestamp(LESS)] > 0
    assert history[LAST_DAY + AFTER] == -4
    first = forecasts.series(**CABLE, models=["ensemble"])[0]
    assert (first.date, first.actual) == (LAST_DAY + AFTER, 0)


def test_what_came_back_is_on_hand_again(returned: Returned):
    asked = returned.asked()
    used = asked[asked.index > pd.Timestamp(COUNTED)].sum()
    assert used < 0
    facts = told(returned.engine)
    assert facts["used_since"] == pytest.approx(used)
    assert facts["on_hand"] == pytest.approx(ON_HAND - used)
    assert facts["request_size"] == pytest.approx(asked[asked > 0].mean())


def told(engine: Engine) -> dict[str, Any]:
    """The facts of the alert about the cable's stock."""
    ((facts,),) = rows(
        engine,
        "SELECT facts FROM analytics.alert JOIN core.item USING (item_id)"
        " JOIN core.site USING (site_id)"
        " WHERE sku = 'CABO-01' AND site = 'DEP-SP' AND alert.kind = 'stockout_imminent'"
        " AND run_id = (SELECT run_id FROM analytics.published)",
    )
    return dict(facts)


def test_no_demand_is_replayed_where_more_came_back(returned: Returned):
    sql = """
        SELECT item_id, site_id FROM core.item, core.site
        WHERE sku = 'CABO-01' AND site = 'DEP-SP'
    """
    with returned.engine.connect() as connection:
        keys = pd.DataFrame(connection.execute(text(sql)).all(), columns=["item_id", "site_id"])
        (path,) = demand_matrix(connection, keys, "D", LAST_DAY, 4)
    asked = returned.asked()
    wanted = asked[asked.index <= pd.Timestamp(LAST_DAY)].tail(4)
    assert path.tolist() == wanted.clip(lower=0).tolist()
    assert path[1] == 0
