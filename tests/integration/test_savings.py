"""Savings of a run: months replayed without looking ahead, recorded sides, acceptance, receipts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, text

from domain.access import Scope
from domain.what_if import NOTHING, Change, Comparison
from tests import factories
from tests.factories import LAST_DAY
from warehouse.commands.recommendations import set_status
from warehouse.commands.users import Actor
from warehouse.pipeline import publish
from warehouse.pipeline.copying import frame_of
from warehouse.pipeline.derivation import setup_of
from warehouse.pipeline.histories import daily_matrix
from warehouse.pipeline.savings import savings_of, stage_savings, write_savings
from warehouse.pipeline.simulate import write_simulation
from warehouse.queries import kpis, playing, savings
from warehouse.queries.published import published_run

SETTINGS = """
INSERT INTO support.setting (key, value, changed_by)
VALUES ('savings', '{"known_months": 2, "least_months": 2}', 'tests')
"""
MONTHS = [date(2025, month, 1) for month in (3, 4, 5)]
ROWS = """
SELECT savings.*, sku, site FROM analytics.savings
JOIN core.item USING (item_id) JOIN core.site USING (site_id) ORDER BY sku, site, month
"""
ADVISE = """
INSERT INTO analytics.recommendation
    (run_id, fingerprint, kind, priority, item_id, site_id, facts)
SELECT run_id, 'f-test', 'REORDER', 1, item_id, site_id,
    '{"sku": "CABO-01", "site": "DEP-SP"}'
FROM analytics.published, core.item, core.site WHERE sku = 'CABO-01' AND site = 'DEP-SP'
RETURNING id
"""


@pytest.fixture(scope="module")
def published(module_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """200 days of demand, stock counted daily at CABO-01 in São Paulo for 150 of them."""
    network = factories.make_network(module_engine)
    factories.add_demand(module_engine, network)
    factories.add_stock(module_engine, network, {("CABO-01", "DEP-SP"): 700.0}, days=150)
    with module_engine.begin() as connection:
        connection.execute(text(SETTINGS))
    factories.refresh_views(module_engine)
    bundle = factories.make_bundle(tmp_path_factory.mktemp("bundle"), module_engine)
    publish.publish_bundle(bundle, engine=module_engine, published_by="tests")
    yield module_engine


@pytest.fixture
def trial(published: Engine) -> Iterator[Connection]:
    """A transaction that leaves no trace."""
    with published.connect() as connection:
        yield connection
        connection.rollback()


def rows(connection: Connection) -> pd.DataFrame:
    found = connection.execute(text(ROWS))
    return pd.DataFrame(found.all(), columns=list(found.keys()))


def anew(connection: Connection) -> pd.DataFrame:
    run_id = connection.execute(text("SELECT run_id FROM analytics.published")).scalar_one()
    stage_savings(connection, savings_of(connection, run_id))
    write_savings(connection, run_id)
    return rows(connection)


def test_whole_months_of_items_with_a_cost_are_replayed(trial: Connection):
    found = rows(trial)
    assert sorted(found["month"].unique()) == MONTHS
    assert set(found["sku"]) == {"CABO-01", "BAT-02"}  # the others have no cost or no lead time
    recorded = found[found["basis"] == "recorded"]
    assert set(zip(recorded["sku"], recorded["site"], strict=True)) == {("CABO-01", "DEP-SP")}


def test_what_was_recorded_is_priced_as_it_was(trial: Connection):
    """700 m at R$ 12.50 through March: 31 days at 22 % a year; no order, nothing missed."""
    found = rows(trial)
    march = found[(found["basis"] == "recorded") & (found["month"] == MONTHS[0])].iloc[0]
    assert march["old_holding"] == pytest.approx(700 * 12.5 * 0.22 * 31 / 365.25)
    assert (march["old_ordering"], march["old_missed"], march["old_stockout"]) == (0, 0, 0)
    assert march["old_stock"] == pytest.approx(700)


def test_days_without_stock_cost_the_demand_that_they_hid(trial: Connection):
    trial.execute(
        text("UPDATE core.stock SET on_hand = 0 WHERE date BETWEEN '2025-04-01' AND '2025-04-10'")
    )
    found = anew(trial)
    april = found[(found["basis"] == "recorded") & (found["month"] == MONTHS[1])].iloc[0]
    asked, days = trial.execute(
        text(
            "SELECT sum(quantity), count(*) FROM core.demand JOIN core.item USING (item_id)"
            " JOIN core.site USING (site_id) WHERE sku = 'CABO-01' AND site = 'DEP-SP'"
            " AND quantity > 0 AND date BETWEEN '2025-04-01' AND '2025-04-30'"
        )
    ).one()
    hidden = (10 / 30) / (1 - 10 / 30)
    assert april["old_missed"] == pytest.approx(days * hidden)
    assert april["old_stockout"] == pytest.approx(asked * hidden * 12.5 * 0.30)
    assert april["old_expediting"] == pytest.approx(days * hidden * 80)


def test_levels_know_nothing_of_the_months_that_they_are_for(trial: Connection):
    before = rows(trial)
    trial.execute(text("UPDATE core.demand SET quantity = quantity * 9 WHERE date >= '2025-05-01'"))
    after = anew(trial)
    parts = [name for name in before if str(name).startswith(("old_", "new_"))]
    early = before["month"] < MONTHS[2]
    assert after.loc[early, parts].equals(before.loc[early, parts])
    assert not after.loc[~early, parts].equals(before.loc[~early, parts])


FREQUENCIES = pytest.mark.parametrize(
    ("frequency", "data_to"), [("W", date(2025, 6, 23)), ("M", date(2025, 5, 1))]
)


def become(connection: Connection, frequency: str, data_to: date, native: str = "D") -> int:
    """Turns the published run into one of another period, of demand recorded so."""
    sql = """
        UPDATE analytics.run SET frequency = :frequency, data_to = :data_to, manifest =
            jsonb_set(manifest, '{dataset,inferred_frequency}', to_jsonb(CAST(:native AS text)))
        RETURNING run_id
    """
    told = {"frequency": frequency, "data_to": data_to, "native": native}
    return int(connection.execute(text(sql), told).scalar_one())


@FREQUENCIES
def test_the_runs_period_changes_nothing_where_days_are_recorded(
    trial: Connection, frequency: str, data_to: date
):
    before = rows(trial)
    become(trial, frequency, data_to)
    pd.testing.assert_frame_equal(anew(trial), before)


@FREQUENCIES
def test_both_sides_hold_stock_for_the_days_of_the_month(
    trial: Connection, frequency: str, data_to: date
):
    """Of demand recorded by the week, months of four weeks and of five: what is held is priced for
    as many days as what was recorded."""
    become(trial, frequency, data_to, native=frequency)
    found = anew(trial)
    days = pd.to_datetime(found["month"]).dt.days_in_month
    items = frame_of(trial, "SELECT sku, unit_cost_brl FROM core.item", {})
    cost = found["sku"].map(items.set_index("sku")["unit_cost_brl"]).astype(float)
    for side in ("old", "new"):
        held = found[f"{side}_stock"] * cost * 0.22 * days / 365.25
        assert found[f"{side}_holding"].tolist() == pytest.approx(held.tolist())


@FREQUENCIES
def test_what_ifs_of_recorded_days_play_days(trial: Connection, frequency: str, data_to: date):
    """A strike of 7 days, of 15 and of 30, and lead times half as long again, are played as they
    are; requests are days with demand, as those that penalties are reckoned by."""

    def played(change: Change = NOTHING) -> Comparison:
        run = published_run(trial)
        return playing.compare(trial, run, "item.sku = 'CABO-01'", {}, change, few=True)

    daily = played().today
    run_id = become(trial, frequency, data_to)
    policy = frame_of(trial, "SELECT * FROM analytics.replay_input", {})
    write_simulation(trial, setup_of(trial, run_id), policy)
    here = played().today
    assert here.stock_value_brl == pytest.approx(daily.stock_value_brl, rel=0.02)
    assert here.fill_units == pytest.approx(daily.fill_units, abs=0.001)
    assert here.fill_lines is not None
    assert here.requests_missed / (1 - here.fill_lines) == pytest.approx(3 * 365)
    missed = [
        played(Change(strike_days=days, strike="all")).changed.requests_missed
        for days in (0, 7, 15, 30)
    ]
    assert missed == sorted(missed) and len(set(missed)) == 4
    later = played(Change(lead_time_change=0.5)).changed
    assert later.stock_value_brl > here.stock_value_brl


def test_what_is_recorded_by_the_month_is_asked_for_evenly_on_its_days(trial: Connection):
    keys = frame_of(trial, "SELECT item_id, site_id FROM analytics.replay_input", {})
    by_day = daily_matrix(trial, keys, "D", date(2025, 5, 31), 151)
    found = daily_matrix(trial, keys, "M", date(2025, 5, 10), 151)
    assert found[:, -31:] == pytest.approx(np.repeat(by_day[:, -31:].mean(axis=1)[:, None], 31, 1))
    assert found.sum(axis=1) == pytest.approx(by_day.sum(axis=1))


def test_the_old_policy_keeps_its_settings(trial: Connection):
    before = rows(trial)
    value = '{"service_levels": {"A": 0.999, "B": 0.999, "C": 0.999}}'
    sql = "INSERT INTO support.setting (key, value, changed_by) VALUES ('policy', :value, 'tests')"
    trial.execute(text(sql), {"value": value})
    after = anew(trial)
    played = before["basis"] == "textbook"
    assert after.loc[played, "old_stock"].equals(before.loc[played, "old_stock"])
    assert after["new_stock"].sum() > before["new_stock"].sum()


def test_acceptance_tells_what_was_realised(trial: Connection):
    trial.execute(
        text(
            "INSERT INTO support.decision (at, actor, kind, fingerprint, status, facts)"
            " VALUES ('2025-04-30 22:30-03', 'tests', 'recommendation', 'f-test', 'accepted',"
            ' \'{"sku": "CABO-01", "site": "DEP-SP"}\')'
        )
    )
    found = anew(trial)
    mine = found[(found["sku"] == "CABO-01") & (found["site"] == "DEP-SP")]
    assert mine["accepted"].all() and not found.drop(mine.index)["accepted"].any()
    assert mine["basis"].tolist() == ["recorded", "recorded", "textbook"]
    realised = mine["realised_brl"].tolist()
    may = mine.iloc[2]
    was = 700 * 12.5 * 0.22 * 31 / 365.25
    old = sum(may[f"old_{part}"] for part in ("holding", "stockout", "expediting", "ordering"))
    assert realised[:2] == pytest.approx([float("nan")] * 2, nan_ok=True)
    assert realised[2] == pytest.approx(old - was)
    trial.execute(
        text(
            "INSERT INTO support.decision (actor, kind, fingerprint, status, facts)"
            " VALUES ('tests', 'recommendation', 'f-test', 'rejected',"
            ' \'{"sku": "CABO-01", "site": "DEP-SP"}\')'
        )
    )
    assert not anew(trial)["accepted"].any()


def test_what_is_accepted_counts_at_once_and_when_its_advice_is_gone(published: Engine):
    who: dict[str, Any] = {"actor": Actor("ana"), "user_id": None, "scope": Scope()}

    def accepted() -> list[str]:
        with published.connect() as connection:
            found = rows(connection)
        told = found[found["accepted"]]
        return sorted(told["sku"] + " " + told["site"])

    def advise() -> int:
        with published.begin() as connection:
            return connection.execute(text(ADVISE)).scalar_one()

    def change(sql: str) -> None:
        with published.begin() as connection:
            connection.execute(text(sql))
            anew(connection)

    mine = ["CABO-01 DEP-SP"] * len(MONTHS)
    gone = "DELETE FROM analytics.recommendation WHERE fingerprint = 'f-test'"
    number = advise()
    try:
        for status, expected in (("accepted", mine), ("open", []), ("accepted", mine)):
            set_status(published, recommendation_ids=[number], status=status, **who)
            assert accepted() == expected
        change("UPDATE support.decision SET at = '2025-03-31 22:30-03'")
        change(gone)
        assert accepted() == mine
        again = advise()
        set_status(published, recommendation_ids=[again], status="rejected", reason="no", **who)
        assert accepted() == mine
        change(gone)
        with published.connect() as connection:
            found = rows(connection)
        realised = found[found["realised_brl"].notna()]
        assert (realised["sku"] + " " + realised["site"]).tolist() == mine[1:]
    finally:
        change(f"{gone}; DELETE FROM support.decision")


def test_what_is_accepted_while_a_run_is_replayed_counts_as_accepted(published: Engine):
    with published.begin() as connection:
        number = connection.execute(text(ADVISE)).scalar_one()
    with published.connect() as connection:
        run_id = connection.execute(text("SELECT run_id FROM analytics.published")).scalar_one()
        stage_savings(connection, savings_of(connection, run_id))
        who: dict[str, Any] = {"actor": Actor("ana"), "user_id": None, "scope": Scope()}
        set_status(published, recommendation_ids=[number], status="accepted", **who)
        write_savings(connection, run_id)
        found = rows(connection)
        connection.rollback()
    with published.begin() as connection:
        gone = "DELETE FROM analytics.recommendation WHERE fingerprint = 'f-test'"
        connection.execute(text(f"{gone}; DELETE FROM support.decision"))
        anew(connection)
    assert set(found.loc[found["accepted"], "sku"]) == {"CABO-01"}


def test_kpi_total_months_items_and_rows_agree(
    published: Engine, module_database_url: str, monkeypatch: pytest.MonkeyPatch
):
    from tests import services

    monkeypatch.setenv("DATABASE_URL", module_database_url)
    services.forget_settings()
    with published.connect() as connection:
        table = rows(connection)
    for scope in (Scope(), Scope(ufs=("SP",))):
        seen = table if scope.everything else table[table["site"] == "DEP-SP"]
        saved = _identified(seen).sum()
        total = savings.total(scope=scope)
        assert total.identified_brl == pytest.approx(saved)
        assert total.months == 3
        assert sum(row.identified_brl for row in savings.months(scope=scope)) == pytest.approx(
            saved
        )
        assert sum(row.identified_brl for row in savings.items(scope=scope).rows) == pytest.approx(
            saved
        )
        page = savings.page(scope=scope, limit=500)
        assert page.count == len(seen)
        kpi = next(one for one in kpis.headline(scope=scope) if one.key == "annual_savings")
        assert kpi.value == pytest.approx(saved * 4) == pytest.approx(total.annual_brl)
        assert (kpi.as_of, kpi.missing) == (date(2025, 5, 31), None)
    monkeypatch.undo()
    services.forget_settings()


def _identified(table: pd.DataFrame) -> pd.Series:
    parts = ("holding", "stockout", "expediting", "ordering")
    total: Any = sum(table[f"old_{part}"] - table[f"new_{part}"] for part in parts)
    return total


def test_too_short_a_history_gives_no_number(trial: Connection):
    trial.execute(text("UPDATE support.setting SET value = '{}' WHERE key = 'savings'"))
    assert anew(trial).empty
    assert LAST_DAY - timedelta(days=factories.DAYS) > date(2024, 10, 1)
