"""Receipts of alerts: every formula, with its inputs put in, gives the value that is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from domain.access import Scope
from domain.errors import NotFound
from domain.receipts import ALERT_RULES, evaluate
from domain.records import Filters
from tests import factories, services
from tests.factories import LAST_DAY
from warehouse import caching
from warehouse.pipeline import derive
from warehouse.pipeline.publish import publish_bundle
from warehouse.queries import alerts, inventory, materials, receipts, recommendations

OF_DRIFTS = {"extra_days", "drift_risk_brl", "deviation", "pace_risk_brl", "gap_risk_brl"}
"""Those of the alerts in test_drifting.py."""

COUNTED, COUNTED_ON = ("CABO-01", "DEP-RJ"), LAST_DAY - timedelta(days=3)


@pytest.fixture(scope="module")
def raised(
    module_engine: Engine,
    module_database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Engine]:
    """A published run whose stock is low but for one item, with a late order; once it was counted
    three days ago, and something came since."""
    network = factories.make_network(module_engine)
    factories.add_demand(module_engine, network)
    levels = {(sku, site): 3.0 for sku in network.items for site in network.sites}
    levels["CABO-01", "DEP-BA"] = 480.0
    levels["BAT-02", "DEP-SP"] = 90_000.0
    del levels[COUNTED]
    factories.add_stock(module_engine, network, levels)
    factories.add_stock(module_engine, network, {COUNTED: 200.0}, last_day=COUNTED_ON)
    sku, site = COUNTED
    factories.add_order(
        module_engine,
        network,
        order="PO-2",
        sku=sku,
        site=site,
        quantity=30,
        ordered_on=LAST_DAY - timedelta(days=10),
        promised_on=LAST_DAY,
        received_on=LAST_DAY - timedelta(days=1),
    )
    factories.add_order(
        module_engine,
        network,
        order="PO-1",
        sku="BAT-02",
        site="DEP-BA",
        quantity=20,
        ordered_on=LAST_DAY - timedelta(days=60),
        promised_on=LAST_DAY - timedelta(days=20),
    )
    derive.refresh_after_load(module_engine)
    folder = tmp_path_factory.mktemp("bundle")
    publish_bundle(
        factories.make_bundle(folder, module_engine), engine=module_engine, published_by="tests"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", module_database_url)
        services.forget_settings()
        caching.use(None)
        yield module_engine
    services.forget_settings()


def every_alert() -> list[Any]:
    return alerts.page(limit=500).rows


def test_each_formula_gives_the_value_that_is_shown(raised: Engine) -> None:
    shown: set[str] = set()
    for alert in every_alert():
        made = receipts.of_alert(alert_id=alert.id)
        assert made.steps, alert
        for step in made.steps:
            assert evaluate(step) == pytest.approx(step.value, rel=1e-9, abs=1e-9), (alert, step)
            shown.add(step.key)
        values = {step.key: step.value for step in made.steps}
        risk = "holding_brl" if alert.kind in ("excess", "dead_stock") else "risk_brl"
        if alert.risk_brl is not None and alert.kind != "late_order":
            assert values[risk] == pytest.approx(alert.risk_brl)
    assert shown == {rule.key for rule in ALERT_RULES} - OF_DRIFTS


def test_a_changed_fact_is_noticed(raised: Engine) -> None:
    alert = next(one for one in every_alert() if one.kind == "stockout_imminent" and one.risk_brl)
    with raised.begin() as connection:
        connection.execute(
            text(
                "UPDATE analytics.alert SET facts = facts || CAST(:facts AS jsonb) WHERE id = :id"
            ),
            {"facts": json.dumps({"unit_cost_brl": 1e6}), "id": alert.id},
        )
    caching.forget_version()
    steps = receipts.of_alert(alert_id=alert.id).steps
    (cost,) = [step for step in steps if step.key == "shortage_brl"]
    assert evaluate(cost) != pytest.approx(cost.value)
    with raised.begin() as connection:
        connection.execute(
            text(
                "UPDATE analytics.alert SET facts = facts || CAST(:facts AS jsonb) WHERE id = :id"
            ),
            {"facts": json.dumps({"unit_cost_brl": alert.facts["unit_cost_brl"]}), "id": alert.id},
        )


def test_the_sources_are_the_run_and_the_loads(raised: Engine) -> None:
    alert = next(one for one in every_alert() if one.kind == "late_order")
    found = {one.kind: one for one in receipts.of_alert(alert_id=alert.id).sources}
    assert set(found) == {"run", "stock", "purchase_orders", "items"}
    assert found["stock"].on == LAST_DAY and found["stock"].name == "stock.csv"


def test_an_older_count_is_brought_to_today_before_ones_eyes(raised: Engine) -> None:
    alert = next(one for one in every_alert() if (one.sku, one.site) == COUNTED)
    sql = """
        SELECT sum(quantity) FROM core.demand JOIN core.item USING (item_id)
        JOIN core.site USING (site_id) WHERE sku = :sku AND site = :site AND date > :counted
    """
    with raised.connect() as connection:
        params = {"sku": alert.sku, "site": alert.site, "counted": COUNTED_ON}
        used = connection.execute(text(sql), params).scalar_one()
    assert 0 < used < 200
    made = receipts.of_alert(alert_id=alert.id)
    step = next(step for step in made.steps if step.key == "on_hand")
    put_in = {line.symbol: line.on or line.value for line in step.inputs}
    assert put_in == {"C": 200, "t_C": COUNTED_ON, "D": used, "E": 30, "T": 0, "t_0": LAST_DAY}
    assert step.value == alert.facts["on_hand"] == 200 - used + 30
    sources = {one.kind: one.on for one in made.sources}
    assert sources["stock"] == COUNTED_ON and "purchase_orders" in sources
    advice = recommendations.page(limit=500, filters=Filters(sku=("CABO-01",), site=("DEP-RJ",)))
    steps = receipts.of_recommendation(recommendation_id=advice.rows[0].id).steps
    assert step in steps


def test_a_material_has_on_hand_what_its_depots_have(raised: Engine) -> None:
    places = materials.positions(sku="CABO-01")
    on_hand = sum(place.on_hand or 0 for place in places)
    (listed,) = materials.page(filters=Filters(sku=("CABO-01",))).rows
    head = materials.summary(sku="CABO-01")
    assert head == listed and head.on_hand == pytest.approx(on_hand)
    stock = inventory.page(filters=Filters(sku=("CABO-01",))).rows
    assert on_hand == pytest.approx(sum(row.on_hand or 0 for row in stock))
    assert head.stock_value_brl == pytest.approx(sum(row.stock_value_brl or 0 for row in stock))
    ahead = sum(row.forecast_horizon or 0 for row in stock)
    assert head.days_of_supply == pytest.approx(on_hand / ahead * 30)


def test_an_alert_out_of_scope_has_no_receipt(raised: Engine) -> None:
    alert = next(one for one in every_alert() if one.uf == "BA")
    with pytest.raises(NotFound):
        receipts.of_alert(alert_id=alert.id, scope=Scope(ufs=("SP",)))


def test_a_transfer_has_a_receipt_for_who_sees_both_ends(raised: Engine) -> None:
    every = recommendations.page(limit=500).rows
    move = next(one for one in every if one.from_uf not in (None, one.uf))
    asked = {"recommendation_id": move.id}
    both = Scope(ufs=tuple(uf for uf in (move.uf, move.from_uf) if uf))
    assert receipts.of_recommendation(**asked, scope=both).steps
    for uf in both.ufs:
        with pytest.raises(NotFound):
            receipts.of_recommendation(**asked, scope=Scope(ufs=(uf,)))
