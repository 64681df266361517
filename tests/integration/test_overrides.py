"""Overrides: what is saved, what the effective forecast is, what follows it, and what they did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from domain.access import EVERYTHING, Scope
from domain.clock import today
from domain.errors import InvalidInput, NotAllowed, NotFound
from domain.overrides import Adjustment, TrackRecord, Why
from tests import factories
from tests.factories import LAST_DAY
from warehouse import caching
from warehouse.commands import jobs
from warehouse.commands import overrides as commands
from warehouse.commands.users import Actor
from warehouse.pipeline.derive import derive_overrides, refresh_after_load
from warehouse.pipeline.overriding import apply_overrides
from warehouse.pipeline.publish import publish_bundle
from warehouse.queries import forecasts, overrides, what_if

CABLE: dict[str, Any] = {"sku": "CABO-01", "site": "DEP-SP"}
FIRST = LAST_DAY + timedelta(days=1)
ANA = commands.Person(Actor("ana@nova.test"), None, EVERYTHING)
TODAY = today()
WHY = Why("project", TODAY + timedelta(days=30), "novo anel")

Publish = Callable[..., int]


@pytest.fixture
def network(engine: Engine, nova: str, monkeypatch: pytest.MonkeyPatch) -> factories.Network:
    """Demand and stock that lasts; jobs are done by the tests themselves."""
    caching.use(None)
    monkeypatch.setattr(jobs, "spawn", lambda *_: None)
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    levels = {(sku, site): 1500.0 for sku in network.items for site in network.sites}
    factories.add_stock(engine, network, levels)
    refresh_after_load(engine)
    return network


@pytest.fixture
def publish(engine: Engine, network: factories.Network, tmp_path: Path) -> Iterator[Publish]:
    def now(**options: Any) -> int:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        bundle = factories.make_bundle(folder, engine, **options)
        return publish_bundle(bundle, engine=engine, published_by="tests")

    yield now


def quantities(value: float, days: int = 3) -> Adjustment:
    return Adjustment(**CABLE, quantities={FIRST + timedelta(days=d): value for d in range(days)})


def save(engine: Engine, asked: Adjustment, who: commands.Person = ANA) -> int:
    number = commands.save(engine, asked, WHY, who=who).override_id
    derive_overrides(engine)
    return number


def effective(engine: Engine, **where: str) -> list[Any]:
    sql = "SELECT * FROM analytics.effective_forecast JOIN core.item USING (item_id)"
    sql += " JOIN core.site USING (site_id)"
    sql += " WHERE run_id = (SELECT run_id FROM analytics.published)"
    sql += "".join(f" AND {name} = :{name}" for name in where) + " ORDER BY sku, site, date"
    return rows(engine, sql, **where)


def rows(engine: Engine, sql: str, **params: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(sql), params).all())


def policy(engine: Engine) -> Any:
    sql = """
        SELECT policy.* FROM analytics.policy JOIN core.item USING (item_id)
        JOIN core.site USING (site_id) WHERE sku = :sku AND site = :site
            AND run_id = (SELECT run_id FROM analytics.published)
    """
    (row,) = rows(engine, sql, **CABLE)
    return row


def test_a_quantity_takes_the_forecasts_place_and_policy_and_alerts_follow(
    engine: Engine, publish: Publish
) -> None:
    publish()
    before, version = policy(engine), data_version(engine)
    model = effective(engine, **CABLE)
    number = save(engine, quantities(900.0))
    now = effective(engine, **CABLE)
    assert [row.mean for row in now[:4]] == [900, 900, 900, model[3].mean]
    ratio = 900 / model[0].mean
    for name in ("p10", "p50", "p90"):
        assert getattr(now[0], name) == pytest.approx(getattr(model[0], name) * ratio)
    after = policy(engine)
    assert after.daily_demand > before.daily_demand
    assert after.stockout_on == LAST_DAY + timedelta(days=2) < before.stockout_on
    raised = "SELECT alert.kind FROM analytics.alert JOIN core.item USING (item_id)"
    raised += " JOIN core.site USING (site_id) WHERE sku = :sku AND site = :site"
    assert [row.kind for row in rows(engine, raised, **CABLE)] == ["stockout_imminent"]
    point = forecasts.series(**CABLE, models=["ensemble"])[0]
    assert (point.mean, point.override_mean) == (pytest.approx(model[0].mean), 900)
    assert point.override_id == number and data_version(engine) != version


def test_it_counts_for_its_periods_and_is_not_carried_on_for_a_year(
    engine: Engine, publish: Publish
) -> None:
    """300 more on one day, of about 30: half again over a lead time of 14 days."""
    publish()
    before, played = policy(engine), what_if.compare(**CABLE).today
    save(engine, quantities(300 + effective(engine, **CABLE)[0].mean, days=1))
    after, again = policy(engine), what_if.compare(**CABLE).today
    assert after.daily_demand == pytest.approx(before.daily_demand + 300 / 14)
    more = after.facts["annual_quantity"] - before.facts["annual_quantity"]
    assert more == pytest.approx(300, rel=0.01)
    assert after.stockout_p50_on > before.stockout_p50_on - timedelta(days=15)
    assert again.orders == pytest.approx(played.orders, rel=0.1)


def data_version(engine: Engine) -> str:
    with engine.connect() as connection:
        return caching.data_version(connection)


def test_ending_it_brings_the_forecast_back_and_keeps_the_history(
    engine: Engine, publish: Publish
) -> None:
    publish()
    before, model = policy(engine), effective(engine)
    number = save(engine, quantities(900.0))
    commands.end(engine, number, who=ANA)
    assert derive_overrides(engine) and not derive_overrides(engine)
    assert effective(engine) == model
    assert policy(engine).daily_demand == before.daily_demand
    found = overrides.one(override_id=number)
    assert (found.state, found.ended_by, found.after) == ("ended", "ana@nova.test", 2700)
    with pytest.raises(InvalidInput, match="has ended"):
        commands.end(engine, number, who=ANA)
    words = rows(engine, "SELECT status FROM support.decision WHERE kind = 'override'")
    assert [row.status for row in words] == ["in_force", "ended"]
    audit = rows(engine, "SELECT action FROM support.audit_log WHERE action LIKE 'override.%'")
    assert [row.action for row in audit] == ["override.save", "override.end"]


def test_a_lift_is_spread_pro_rata_as_previewed(engine: Engine, publish: Publish) -> None:
    publish()
    model = effective(engine)
    asked = Adjustment(family="fibra", uf="SP", change=0.2)
    told = overrides.preview(asked)
    assert (told.series, told.periods, told.points) == (1, 30, 30)
    everywhere = Adjustment(uf="BA", change=0.5, date_to=FIRST + timedelta(days=9))
    told = overrides.preview(everywhere)
    assert (told.series, told.points, told.unit) == (4, 40, None)
    assert told.after == pytest.approx(1.5 * told.before)
    assert told.after_brl == pytest.approx(1.5 * told.before_brl)
    assert told.changes[0].sku == "BAT-02" and told.changes[-1].change_brl is None
    assert rows(engine, "SELECT * FROM support.override") == []
    save(engine, everywhere)
    for was, now in zip(model, effective(engine), strict=True):
        lifted = was.uf == "BA" and was.date <= FIRST + timedelta(days=9)
        for name in ("mean", "p10", "p50", "p90"):
            expected = getattr(was, name) * (1.5 if lifted else 1.0)
            assert getattr(now, name) == pytest.approx(expected)


def test_a_preview_counts_the_periods_that_are_over_by_the_calendar(
    published_once: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for later, passed in ((0, 0), (3, 3), (400, 30)):
        day = FIRST + timedelta(days=later)
        monkeypatch.setattr("warehouse.queries.overrides.today", lambda day=day: day)
        assert overrides.preview(Adjustment(sku="CABO-01", change=0.2)).passed == passed


def test_quantiles_stay_in_order_whatever_is_said(engine: Engine, publish: Publish) -> None:
    publish()
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE analytics.forecast SET p10 = 0, p50 = 0, p90 = mean / 2"
                " WHERE item_id = (SELECT item_id FROM core.item WHERE sku = 'EPI-04')"
            )
        )
    for sku in ("EPI-04", "CABO-01"):
        for value in (0.0, 0.01, 40.0, 1e9):
            day = {FIRST: value}
            save(engine, Adjustment(sku=sku, site="DEP-SP", quantities=day))
            point = effective(engine, sku=sku, site="DEP-SP")[0]
            assert point.mean == value
            assert 0 <= point.p10 <= point.p50 <= point.p90, (sku, value)


def test_a_newer_one_takes_the_periods_and_ends_what_has_none_left(
    engine: Engine, publish: Publish
) -> None:
    publish()
    first = save(engine, quantities(100.0, days=3))
    second = save(engine, quantities(200.0, days=1))
    means = [row.mean for row in effective(engine, **CABLE)[:3]]
    assert means == [200, 100, 100]
    assert overrides.one(override_id=first).state == "in_force"
    assert overrides.preview(quantities(5.0)).replaces == 2
    third = save(engine, Adjustment(sku="CABO-01", change=-0.5))
    assert [row.state for row in overrides.page().rows] == ["in_force", "superseded", "superseded"]
    commands.end(engine, third, who=ANA)
    derive_overrides(engine)
    assert effective(engine, **CABLE)[0].override_id is None, "the older ones do not come back"
    assert overrides.one(override_id=second).superseded_by == third


def expires_on(connection: Connection, day: date) -> None:
    connection.execute(text("UPDATE support.override SET expires_on = :day"), {"day": day})


def test_it_counts_to_the_end_of_its_last_day_in_brasilia(engine: Engine, publish: Publish) -> None:
    run_id = publish()
    save(engine, quantities(900.0))
    for zone in ("Etc/GMT+12", "Pacific/Kiritimati"):
        for day, counts in ((today(), True), (today() - timedelta(days=1), False)):
            with engine.begin() as connection:
                connection.execute(text(f"SET LOCAL timezone = '{zone}'"))
                expires_on(connection, day)
                apply_overrides(connection, run_id)
                there = "SELECT EXISTS (SELECT FROM analytics.override_in_force)"
                assert connection.execute(text(there)).scalar() is counts


def test_an_expired_one_no_longer_counts_at_the_next_derivation(
    engine: Engine, publish: Publish
) -> None:
    publish()
    number = save(engine, quantities(900.0))
    with engine.begin() as connection:
        expires_on(connection, TODAY - timedelta(days=1))
    refresh_after_load(engine)
    assert effective(engine, **CABLE)[0].override_id is None
    assert overrides.one(override_id=number).state == "expired"


@pytest.mark.parametrize(
    ("other", "state"),
    [("expires_on = CURRENT_DATE - 2", "expired"), ("frequency = 'W'", "in_force")],
)
def test_one_that_does_not_count_loses_no_periods(
    engine: Engine, publish: Publish, other: str, state: str
) -> None:
    """Neither one that has expired nor one of another frequency; the preview says so."""
    publish()
    old = commands.save(engine, quantities(100.0), WHY, who=ANA).override_id
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE support.override SET {other}"))
    assert overrides.preview(quantities(5.0)).replaces == 0
    commands.save(engine, quantities(5.0), WHY, who=ANA)
    taken = "SELECT count(*) FROM support.override_point WHERE superseded_by IS NOT NULL"
    assert rows(engine, taken) == [(0,)]
    assert overrides.one(override_id=old).state == state


def test_it_survives_a_new_run_for_the_periods_still_ahead(
    engine: Engine, network: factories.Network, publish: Publish
) -> None:
    publish()
    save(engine, quantities(900.0, days=5))
    save(engine, Adjustment(sku="BAT-02", change=1.0))
    demand_of(engine, network, days=2, quantity=100.0)
    publish(name="20250702T060000Z-00000000", scale=1.1)
    cable = effective(engine, **CABLE)
    assert cable[0].date == FIRST + timedelta(days=2)
    assert [row.mean == 900 for row in cable[:4]] == [True, True, True, False]
    model = rows(
        engine,
        "SELECT mean FROM analytics.forecast JOIN core.item USING (item_id)"
        " WHERE run_id = (SELECT run_id FROM analytics.published) AND model = 'ensemble'"
        " AND sku = 'BAT-02' ORDER BY site_id, date",
    )
    battery = effective(engine, sku="BAT-02", site="DEP-SP")
    assert battery[0].mean == pytest.approx(2 * model[0].mean)


def demand_of(engine: Engine, network: factories.Network, *, days: int, quantity: float) -> None:
    """What was then demanded of everything, everywhere, on the days after the run."""
    values = [
        {"date": FIRST + timedelta(days=day), "item": item, "site": site, "quantity": quantity}
        for day in range(days)
        for item in network.items.values()
        for site in network.sites.values()
    ]
    with engine.begin() as connection:
        load = factories.add_load(connection, "demand")
        factories.ensure_months(connection, "core.demand", FIRST, FIRST + timedelta(days=days))
        connection.execute(
            text(
                "INSERT INTO core.demand (date, item_id, site_id, quantity, load_id)"
                f" VALUES (:date, :item, :site, :quantity, {load})"
            ),
            values,
        )
    refresh_after_load(engine)


def test_the_record_is_the_error_on_the_periods_that_have_passed(
    engine: Engine, network: factories.Network, publish: Publish
) -> None:
    publish()
    model = effective(engine, **CABLE)[0].mean
    save(engine, quantities(90.0, days=5))
    assert overrides.preview(quantities(1.0)).item == TrackRecord(0, 0, None, None)
    demand_of(engine, network, days=2, quantity=100.0)
    told = overrides.record(sku="CABO-01")
    assert (told.overrides, told.periods) == (1, 2)
    assert told.override_wape == pytest.approx(0.1)
    assert told.model_wape == pytest.approx(abs(model - 100) / 100)
    assert overrides.record(sku="BAT-02").periods == 0
    assert overrides.record(scope=Scope(ufs=("BA",))).periods == 0
    assert told.model_wape is not None
    steps = {(one.over, one.step): one for one in overrides.value_added()}
    assert steps["overridden", "override"].wape == pytest.approx(0.1)
    assert steps["overridden", "override"].added == pytest.approx(told.model_wape - 0.1)
    tested = steps["backtest", "model"]
    assert tested.points == 360 and tested.wape == steps["backtest", "naive"].wape
    something_came_back(engine, network)
    refresh_after_load(engine)
    told = overrides.record(sku="CABO-01")
    assert (told.periods, told.override_wape) == (4, pytest.approx((10 + 10 + 90 + 90) / 200))


def test_what_was_taken_back_before_its_time_is_not_held_against_anybody(
    engine: Engine, network: factories.Network, publish: Publish
) -> None:
    publish()
    number = save(engine, quantities(90.0, days=5))
    demand_of(engine, network, days=2, quantity=100.0)
    commands.end(engine, number, who=ANA)
    something_came_back(engine, network)
    assert overrides.record(sku="CABO-01").periods == 2


def test_what_expired_is_judged_on_the_periods_up_to_its_last_day_alone(
    engine: Engine, network: factories.Network, publish: Publish
) -> None:
    publish()
    number = save(engine, quantities(90.0, days=5))
    with engine.begin() as connection:
        expires_on(connection, FIRST + timedelta(days=1))
    demand_of(engine, network, days=4, quantity=100.0)
    assert overrides.record(sku="CABO-01").periods == 2
    assert overrides.one(override_id=number).record.periods == 2
    steps = {(one.over, one.step): one for one in overrides.value_added()}
    assert steps["overridden", "override"].points == 2


def something_came_back(engine: Engine, network: factories.Network) -> None:
    with engine.begin() as connection:
        load = factories.add_load(connection, "demand")
        connection.execute(
            text(
                "INSERT INTO core.demand (date, item_id, site_id, quantity, load_id)"
                " VALUES (:date, :item, :site, -7, :load)"
            ),
            {
                "date": FIRST + timedelta(days=3),
                "item": network.items["CABO-01"],
                "site": network.sites["DEP-SP"],
                "load": load,
            },
        )
    refresh_after_load(engine)


def test_nobody_lifts_or_ends_what_they_cannot_see(engine: Engine, publish: Publish) -> None:
    publish()
    bahia = commands.Person(Actor("bia@nova.test"), None, Scope(ufs=("BA",)))
    for asked in (Adjustment(uf="SP", change=0.1), quantities(5.0)):
        with pytest.raises(NotFound):
            commands.save(engine, asked, WHY, who=bahia)
    number = save(engine, Adjustment(sku="CABO-01", change=0.1), bahia)
    reached = rows(engine, "SELECT DISTINCT site_id FROM support.override_point")
    assert len(reached) == 1
    wide = save(engine, Adjustment(sku="BAT-02", change=0.1))
    assert overrides.one(override_id=wide, scope=bahia.scope).series == 1
    with pytest.raises(NotAllowed):
        commands.end(engine, wide, who=bahia)
    with pytest.raises(NotFound):
        overrides.one(override_id=number, scope=Scope(ufs=("SP",)))
    commands.end(engine, number, who=bahia)


LATER = FIRST + timedelta(days=40)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (Adjustment(**CABLE, quantities={LATER: 5.0}), "periods"),
        (Adjustment(**CABLE, quantities={LAST_DAY: 5.0}), "periods"),
        (Adjustment(**CABLE, quantities={}), "periods"),
        (Adjustment(**CABLE, quantities={FIRST: -1.0}), "periods"),
        (Adjustment(**CABLE, quantities={FIRST: float("nan")}), "periods"),
        (Adjustment(**CABLE, quantities={FIRST: float("inf")}), "periods"),
        (Adjustment(sku="CABO-01", quantities={FIRST: 5.0}), "site"),
        (Adjustment(**CABLE, uf="SP", quantities={FIRST: 5.0}), "uf"),
        (Adjustment(**CABLE), "change"),
        (Adjustment(**CABLE, change=0.1, quantities={FIRST: 1.0}), "change"),
        (Adjustment(**CABLE, change=0.0), "change"),
        (Adjustment(**CABLE, change=-1.01), "change"),
        (Adjustment(**CABLE, change=5.01), "change"),
        (Adjustment(**CABLE, change=float("nan")), "change"),
        (Adjustment(change=0.1), "sku"),
        (Adjustment(**CABLE, change=0.1, date_from=LATER), "from"),
        (Adjustment(**CABLE, change=0.1, date_to=LAST_DAY), "to"),
        (Adjustment(**CABLE, change=0.1, date_from=FIRST + timedelta(days=2), date_to=FIRST), "to"),
    ],
)
def test_what_is_wrong_is_named(published_once: Engine, asked: Adjustment, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        overrides.preview(asked)
    assert field in refused.value.fields, refused.value.fields


@pytest.fixture(scope="module")
def published_once(
    module_engine: Engine,
    module_database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Engine]:
    from tests import services

    network = factories.make_network(module_engine)
    factories.add_demand(module_engine, network)
    refresh_after_load(module_engine)
    folder = tmp_path_factory.mktemp("bundle")
    bundle = factories.make_bundle(folder, module_engine)
    publish_bundle(bundle, engine=module_engine, published_by="tests")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", module_database_url)
        services.forget_settings()
        caching.use(None)
        yield module_engine
    services.forget_settings()


@pytest.mark.parametrize(
    ("why", "field"),
    [
        (Why("holiday", TODAY + timedelta(days=3)), "reason"),
        (Why("other", TODAY + timedelta(days=3), "  "), "note"),
        (Why("project", TODAY + timedelta(days=3), "x" * 501), "note"),
        (Why("project", TODAY), "expires_on"),
        (Why("project", date(2020, 1, 1)), "expires_on"),
    ],
)
def test_a_reason_and_an_expiry_ahead_are_asked_for(
    published_once: Engine, why: Why, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        commands.save(published_once, quantities(5.0), why, who=ANA)
    assert list(refused.value.fields) == [field]
    assert rows(published_once, "SELECT * FROM support.override") == []
