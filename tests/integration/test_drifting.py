"""Drifts and gaps: lead times that grow, forecasts that demand has left, depots that fall silent;
and thresholds that decide when that is said."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, insert, text

from domain.errors import InvalidInput
from domain.receipts import evaluate
from domain.wording import alert_message
from tests import factories, services
from tests.factories import LAST_DAY
from tests.waiting import waiting
from warehouse import caching
from warehouse.commands import jobs, settings
from warehouse.commands.users import Actor
from warehouse.pipeline import derive
from warehouse.pipeline.publish import publish_bundle
from warehouse.queries import alerts, receipts
from warehouse.tables import core

SINCE = 14
"""Days of demand after the forecast."""
LOT = 20.0


@pytest.fixture(scope="module")
def drifted(
    module_engine: Engine, module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """BAT-02 takes twice as long, CABO-01 sells five times its forecast at DEP-SP, and DEP-BA's
    stock has not been counted for a month. PAR-03 is asked for in lots at DEP-RJ, as before."""
    network = factories.make_network(module_engine)
    factories.add_demand(module_engine, network)
    ask_in_lots(module_engine, network)
    everywhere = {(sku, site): 900.0 for sku in network.items for site in network.sites}
    silent = {key: level for key, level in everywhere.items() if key[1] == "DEP-BA"}
    heard = {key: level for key, level in everywhere.items() if key not in silent}
    factories.add_stock(module_engine, network, silent, last_day=LAST_DAY - timedelta(days=30))
    factories.add_stock(module_engine, network, heard)
    for number in range(6):
        for days, back in ((10, 400), (20, 100)):
            ordered = LAST_DAY - timedelta(days=back - number)
            factories.add_order(
                module_engine,
                network,
                order=f"PO-{days}-{number}",
                sku="BAT-02",
                site="DEP-SP",
                quantity=10,
                ordered_on=ordered,
                promised_on=ordered + timedelta(days=10),
                received_on=ordered + timedelta(days=days),
                received_qty=10,
            )
    derive.refresh_after_load(module_engine)
    folder = tmp_path_factory.mktemp("bundle")
    bundle = factories.make_bundle(folder, module_engine)
    factories.rewrite(bundle, "forecast.parquet", no_day_likely)
    factories.rewrite(bundle, "series_profile.parquet", lumpy)
    publish_bundle(bundle, engine=module_engine, published_by="tests")
    go_on(module_engine, network)
    derive.refresh_after_load(module_engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", module_database_url)
        patch.setattr(jobs, "spawn", lambda *_: None)
        services.forget_settings()
        caching.use(None)
        yield module_engine
    services.forget_settings()


def ask_in_lots(engine: Engine, network: factories.Network) -> None:
    """PAR-03 at DEP-RJ: 20 units every 33rd day."""
    here = {"item": network.items["PAR-03"], "site": network.sites["DEP-RJ"], "last": LAST_DAY}
    where = "item_id = :item AND site_id = :site"
    with engine.begin() as connection:
        connection.execute(
            text(f"DELETE FROM core.demand WHERE {where} AND (:last - date) % 33 > 0"), here
        )
        connection.execute(text(f"UPDATE core.demand SET quantity = {LOT} WHERE {where}"), here)


def in_lots(rows: pd.DataFrame) -> pd.Series:
    return (rows["sku"] == "PAR-03") & (rows["site"] == "DEP-RJ")


def no_day_likely(forecasts: pd.DataFrame) -> pd.DataFrame:
    quantiles = ["p10", "p50", "p90"]
    return forecasts.assign(
        **{name: forecasts[name].where(~in_lots(forecasts), 0.0) for name in quantiles}
    )


def lumpy(profiles: pd.DataFrame) -> pd.DataFrame:
    classes = profiles["demand_class"].where(~in_lots(profiles), "lumpy")
    return profiles.assign(demand_class=classes)


def go_on(engine: Engine, network: factories.Network) -> None:
    """Demand goes on after the forecast as it was, but for CABO-01 at DEP-SP, where more comes back
    on the last day than was ever asked for."""
    lots = (network.items["PAR-03"], network.sites["DEP-RJ"])
    last = LAST_DAY + timedelta(days=SINCE)
    rows = [
        {
            "date": LAST_DAY + timedelta(days=day),
            "item_id": item_id,
            "site_id": site_id,
            "quantity": factories.RATES[sku] * (5 if (sku, site) == ("CABO-01", "DEP-SP") else 1),
        }
        for day in range(1, SINCE + 1)
        for sku, item_id in network.items.items()
        for site, site_id in network.sites.items()
        if (item_id, site_id) != lots
    ]
    rows += [
        dict(zip(("item_id", "site_id"), lots, strict=True), date=day, quantity=LOT)
        for day in (LAST_DAY + timedelta(days=3), LAST_DAY + timedelta(days=9))
    ]
    rows += [
        {
            "date": last,
            "item_id": network.items["CABO-01"],
            "site_id": network.sites["DEP-SP"],
            "quantity": -9_000.0,
            "order_ref": "back",
        }
    ]
    with engine.begin() as connection:
        load = factories.add_load(connection, "demand")
        factories.ensure_months(connection, "core.demand", LAST_DAY, last)
        connection.execute(
            insert(core.demand), [{"order_ref": "", "load_id": load} | row for row in rows]
        )


def found(kind: str) -> dict[tuple[str, str], Any]:
    caching.forget_version()
    return {(one.sku, one.site): one for one in alerts.page(kinds=(kind,), limit=500).rows}


def receipt(alert: Any) -> dict[str, Any]:
    return {step.key: step for step in receipts.of_alert(alert_id=alert.id).steps}


def assert_explained(alert: Any, key: str) -> None:
    steps = receipt(alert)
    assert evaluate(steps[key]) == pytest.approx(alert.risk_brl)
    for step in steps.values():
        assert evaluate(step) == pytest.approx(step.value)


@pytest.mark.usefixtures("drifted")
def test_lead_times_that_grow_are_told_for_the_whole_network():
    (alert,) = found("lead_time_drift").values()
    assert (alert.sku, alert.site, alert.level) == ("BAT-02", "-", "warning")
    assert (alert.facts["usual_days"], alert.facts["recent_days"]) == (10, 20)
    assert "20 dias em média, e não 10 dias" in alert_message(alert, "pt_BR")
    assert_explained(alert, "drift_risk_brl")
    assert receipt(alert)["extra_days"].value == 10


@pytest.mark.usefixtures("drifted")
def test_demand_that_has_left_its_forecast_is_told_at_its_depot():
    drifted = found("forecast_drift")
    assert set(drifted) == {("CABO-01", "DEP-SP")}
    alert = drifted["CABO-01", "DEP-SP"]
    assert alert.level == "warning" and alert.facts["until"] is None
    assert alert.facts["since"] == (LAST_DAY + timedelta(days=1)).isoformat()
    assert alert.facts["actual_quantity"] == 5 * (SINCE - 1) * factories.RATES["CABO-01"]
    assert_explained(alert, "pace_risk_brl")
    assert receipt(alert)["deviation"].value >= 3


def test_demand_after_the_horizon_is_not_held_against_the_forecast(drifted: Engine):
    horizon = SINCE - 4
    last = LAST_DAY + timedelta(days=horizon)
    sql = "SELECT facts FROM analytics.alert WHERE kind = 'forecast_drift'"
    later = text("DELETE FROM analytics.forecast WHERE date > :last")
    with drifted.connect() as connection:
        connection.execute(later, {"last": last})
        shorter = text("UPDATE analytics.run SET horizon = :horizon RETURNING run_id")
        run_id = connection.execute(shorter, {"horizon": horizon}).scalar_one()
        derive.derive_run(connection, run_id)
        facts = connection.execute(text(sql)).scalar_one()
    rate = factories.RATES["CABO-01"]
    assert facts["actual_quantity"] == 5 * horizon * rate
    assert facts["elapsed_days"] == horizon
    assert facts["until"] == last.isoformat()
    more = facts["actual_quantity"] - facts["expected_quantity"]
    assert facts["risk_brl"] == pytest.approx(
        more / horizon * facts["lead_time_days"] * facts["shortage_brl"]
    )


@pytest.mark.usefixtures("drifted")
def test_a_depot_that_falls_silent_is_told_once():
    gaps = found("data_gap")
    silent = [one for one in gaps.values() if one.site == "DEP-BA"]
    assert [one.facts["file"] for one in silent] == ["stock"]
    assert silent[0].facts["items"] == len(factories.ITEMS)
    last = date.fromisoformat(str(silent[0].facts["last_on"]))
    assert last == LAST_DAY - timedelta(days=30)
    assert alert_message(silent[0], "en").startswith("Depósito")
    assert_explained(silent[0], "gap_risk_brl")


def test_a_threshold_decides_when_it_is_said(drifted: Engine):
    admin = Actor("admin@nova.test", role="ADMIN")
    before = found("lead_time_drift")
    job = settings.change(drifted, {"drift_days": 11.0, "gap_days": 60.0}, actor=admin)
    assert job is not None and derive.derive_settings(drifted)
    assert found("lead_time_drift") == {} and not {
        key for key in found("data_gap") if key[1] == "DEP-BA"
    }
    assert settings.change(drifted, {"drift_days": 11.0}, actor=admin) is None
    settings.change(drifted, {"drift_days": 3.0, "gap_days": 7.0}, actor=admin)
    assert derive.derive_settings(drifted)
    assert set(found("lead_time_drift")) == set(before)
    sql = "SELECT before, after FROM support.audit_log WHERE action = 'setting.change'"
    with drifted.connect() as connection:
        row = connection.execute(text(f"{sql} ORDER BY audit_id LIMIT 1")).one()
    assert row.before == {"drift_days": 3.0, "gap_days": 7.0}
    assert row.after == {"drift_days": 11.0, "gap_days": 60.0}


def test_two_first_changes_at_once_are_both_kept(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jobs, "spawn", lambda *_: None)
    wanted, admin = ({"warning_days": 20.0}, {"late_days": 8.0}), Actor("admin@nova.test")
    seeing = engine.execution_options(isolation_level="AUTOCOMMIT")
    with ThreadPoolExecutor(2) as pool, engine.connect() as other, seeing.connect() as eye:
        other.execute(text("LOCK TABLE support.setting IN SHARE MODE"))
        changes = [pool.submit(settings.change, engine, one, actor=admin) for one in wanted]
        while waiting(eye) < len(wanted):
            assert not any(change.done() for change in changes)
        other.rollback()
        assert all(change.result() for change in changes)
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT value FROM support.setting")).scalar_one()
    assert kept == {"warning_days": 20, "late_days": 8}


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"drift_days": -1.0}, "drift_days"),
        ({"dead_days": 45.5}, "dead_days"),
        ({"moon": 1.0}, "moon"),
        ({"critical_days": 20.0}, "warning_days"),
    ],
)
def test_a_threshold_that_cannot_be_is_named_and_nothing_changes(
    drifted: Engine, wanted: dict[str, float], named: str
):
    with pytest.raises(InvalidInput) as refused:
        settings.change(drifted, wanted | {"late_days": 8.0}, actor=Actor("admin@nova.test"))
    assert set(refused.value.fields) == {named}
