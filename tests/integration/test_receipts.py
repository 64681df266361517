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
from tests import factories, services
from tests.factories import LAST_DAY
from warehouse import caching
from warehouse.pipeline import derive
from warehouse.pipeline.publish import publish_bundle
from warehouse.queries import alerts, receipts

OF_DRIFTS = {"extra_days", "drift_risk_brl", "deviation", "pace_risk_brl", "gap_risk_brl"}
"""Those of the alerts in test_drifting.py."""


@pytest.fixture(scope="module")
def raised(
    module_engine: Engine,
    module_database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Engine]:
    """A published run whose stock is low but for one item, with a late order."""
    network = factories.make_network(module_engine)
    factories.add_demand(module_engine, network)
    levels = {(sku, site): 3.0 for sku in network.items for site in network.sites}
    levels["CABO-01", "DEP-BA"] = 480.0
    levels["BAT-02", "DEP-SP"] = 90_000.0
    factories.add_stock(module_engine, network, levels)
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


def test_an_alert_out_of_scope_has_no_receipt(raised: Engine) -> None:
    alert = next(one for one in every_alert() if one.uf == "BA")
    with pytest.raises(NotFound):
        receipts.of_alert(alert_id=alert.id, scope=Scope(ufs=("SP",)))
