"""The read models: right numbers, nothing out of scope, few statements."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from inspect import unwrap
from math import inf
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, event, text

from domain.access import Scope
from domain.errors import InvalidInput, NotFound, NothingPublished, UnknownMaterial
from domain.records import Filters, Kpi, Page
from tests import factories, services
from tests.factories import LAST_DAY
from tests.ingesting import load_and_publish, write
from warehouse.db import get_engine
from warehouse.pipeline import derive, publish
from warehouse.queries import (
    alerts,
    forecasts,
    inventory,
    items,
    kpis,
    levels,
    materials,
    models,
    recommendations,
    regions,
    status,
)
from warehouse.queries.daily import daily, daily_params
from warehouse.queries.training import load_training_set

SP, SOUTH = Scope(ufs=("SP",)), Scope(contracts=("C-SUL",))
STOCK = {
    ("CABO-01", "DEP-SP"): 200.0,
    ("CABO-01", "DEP-RJ"): 200.0,
    ("BAT-02", "DEP-SP"): 25.0,
    ("PAR-03", "DEP-BA"): 9000.0,
}


@contextmanager
def settings_of(url: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        services.forget_settings()
        yield
    services.forget_settings()


@pytest.fixture(scope="module")
def published(
    module_engine: Engine, module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """One network with everything that the KPIs need, published; the process reads from it."""
    engine = module_engine
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    factories.add_stock(engine, network, STOCK, empty_days={("CABO-01", "DEP-RJ"): 6})
    _add_orders(engine, network)
    start = LAST_DAY - timedelta(days=5)
    night = datetime(start.year, start.month, start.day, 20)
    factories.add_outage(engine, network, "DEP-SP", night, night + timedelta(hours=10))
    _add_demand_without_site(engine, network)
    factories.refresh_views(engine)
    bundle = factories.make_bundle(tmp_path_factory.mktemp("bundles"), engine)
    publish.publish_bundle(bundle, engine=engine, published_by="tests")
    with settings_of(module_database_url):
        yield engine


def _add_orders(engine: Engine, network: factories.Network) -> None:
    for number, days_late in enumerate((0, -1, 4, None)):
        promised = LAST_DAY - timedelta(days=20 + number)
        received = None if days_late is None else promised + timedelta(days=days_late)
        factories.add_order(
            engine,
            network,
            order=f"P{number}",
            sku="BAT-02",
            site="DEP-SP",
            quantity=3,
            ordered_on=promised - timedelta(days=25),
            promised_on=promised,
            received_on=received,
            supplier="BETA",
        )


def _add_demand_without_site(engine: Engine, network: factories.Network) -> None:
    with engine.begin() as connection:
        load = factories.add_load(connection, "demand")
        connection.execute(
            text(
                "INSERT INTO core.demand (date, item_id, site_id, quantity, load_id)"
                " SELECT :day - n, :item, 0, 11, :load FROM generate_series(0, 60) AS n"
            ),
            {"day": LAST_DAY, "item": network.items["CABO-01"], "load": load},
        )


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that the read engine sends meanwhile."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        sent.append(statement)

    engine = get_engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def demand_frame(engine: Engine) -> pd.DataFrame:
    """Demand with site and item columns, by pandas alone."""
    training = load_training_set(engine)
    rows = training.demand.merge(training.items, on="sku").merge(
        training.sites[["site", "uf"]], on="site"
    )
    return rows.assign(value=rows["quantity"] * rows["unit_cost_brl"])


def by_key(found: list[Kpi]) -> dict[str, Kpi]:
    return {one.key: one for one in found}


def value_of(kpi: Kpi) -> float:
    assert kpi.value is not None
    return kpi.value


def test_demand_value_is_that_of_pandas(published: Engine):
    rows = demand_frame(published)
    last = pd.Timestamp(LAST_DAY)
    month = rows[rows["date"] > last - pd.Timedelta(days=30)]
    before = rows[
        (rows["date"] <= last - pd.Timedelta(days=30))
        & (rows["date"] > last - pd.Timedelta(days=60))
    ]
    kpi = by_key(kpis.headline())["demand_value"]
    assert value_of(kpi) == pytest.approx(month["value"].sum())
    assert kpi.previous == pytest.approx(before["value"].sum())
    assert kpi.change == pytest.approx(month["value"].sum() / before["value"].sum() - 1)
    assert kpi.as_of == LAST_DAY


@pytest.mark.parametrize(
    "filters",
    [
        Filters(uf=("SP", "BA")),
        Filters(region=("NE",)),
        Filters(family=("fibra",)),
        Filters(sku=("BAT-02",)),
        Filters(search="OPTICA"),
        Filters(site=("DEP-RJ",), abc=("A",)),
    ],
    ids=lambda filters: next(name for name, value in vars(filters).items() if value),
)
def test_filters_narrow_every_sum_alike(published: Engine, filters: Filters):
    rows = demand_frame(published)
    wanted = {
        "uf": rows["uf"].isin(filters.uf),
        "region": rows["uf"] == "BA",
        "family": rows["family"].isin(filters.family),
        "sku": rows["sku"].isin(filters.sku),
        "search": rows["name"].str.contains("óptica"),
        "site": rows["site"].isin(filters.site),
    }
    name = next(name for name, value in vars(filters).items() if value)
    chosen = rows[wanted[name]]
    recent = chosen[chosen["date"] > pd.Timestamp(LAST_DAY) - pd.Timedelta(days=30)]
    kpi = by_key(kpis.headline(filters=filters))["demand_value"]
    assert value_of(kpi) == pytest.approx(recent["value"].sum())
    total = kpis.demand_and_forecast(filters=filters, days=400, measure="units")
    assert sum(point.actual or 0 for point in total) == pytest.approx(chosen["quantity"].sum())
    assert f"{name}=" in kpi.receipt.filter


def test_the_stockouts_of_one_material_are_counted_without_reading_all_demand(published: Engine):
    filters = Filters(sku=("CABO-01",))
    kpi = by_key(kpis.headline(filters=filters))["stockout_rate"]
    assert value_of(kpi) == pytest.approx(6 / 60)
    with published.connect() as connection:
        sql = text(f"EXPLAIN SELECT sum(positions) FROM {daily('stock', filters)} AS stock")
        plan = "\n".join(connection.execute(sql, daily_params(filters)).scalars())
    assert "stock_20" in plan and "demand_20" not in plan


def test_every_headline_kpi_by_hand(published: Engine):
    found = by_key(kpis.headline())
    assert list(found) == list(kpis.KPIS)
    # 4 positions over 30 days, one of them 6 days empty
    assert value_of(found["stockout_rate"]) == pytest.approx(6 / 120)
    inventory = 400 * 12.5 + 25 * 2400 + 9000 * 0.8
    assert value_of(found["inventory_value"]) == pytest.approx(inventory)
    assert found["inventory_value"].previous == pytest.approx(inventory)
    # 4 lines promised, 2 in time and in full, one late, one never came
    assert value_of(found["otif"]) == pytest.approx(2 / 4)
    # 10 hours down, two sites under contract, the 29 days of June that outages are known of
    assert value_of(found["sla_availability"]) == pytest.approx(1 - 10 / (2 * 696))
    assert found["sla_availability"].previous is None
    assert value_of(found["open_critical_alerts"]) == 2
    assert found.pop("annual_savings").missing == "history"
    assert {one.missing for one in found.values()} == {None}


def test_forecast_value_and_wape_are_those_of_the_bundle(published: Engine):
    found = by_key(kpis.headline())
    rows = demand_frame(published)
    days = (rows["date"].max() - rows["date"].min()).days + 1
    shares = rows.groupby(["sku", "site"]).agg(
        total=("quantity", "sum"), cost=("unit_cost_brl", "first"), first=("date", "min")
    )
    known = (pd.Timestamp(LAST_DAY) - shares["first"]).dt.days + 1
    assert days == factories.DAYS
    expected = (shares["total"] / known * 30 * shares["cost"]).sum()
    assert value_of(found["forecast_value"]) == pytest.approx(expected)
    receipt = {one.symbol: one.value for one in found["wape"].receipt.inputs}
    assert receipt["E"] is not None and receipt["A"] is not None
    assert value_of(found["wape"]) == pytest.approx(receipt["E"] / receipt["A"])


RECOMPUTED: dict[str, Callable[..., float | None]] = {
    "annual_savings": lambda C_0, C_1, m, A, R: m and (C_0 - C_1) * 12 / m,
    "wape": lambda E, A: E / A,
    "stockout_rate": lambda N_0, N: N_0 / N,
    "inventory_value": lambda V: V,
    "days_of_supply": lambda V, F, h: V / (F / h),
    "open_critical_alerts": lambda n: n,
    "demand_value": lambda D: D,
    "forecast_value": lambda F: F,
    "otif": lambda L_ok, L: L_ok / L,
    "sla_availability": lambda H_d, S, T: 1 - H_d / (S * T),
}


@pytest.mark.parametrize("scope", [Scope(), SP], ids=["all", "SP"])
def test_receipts_reproduce_their_value_exactly(published: Engine, scope: Scope):
    for kpi in kpis.headline(scope=scope):
        inputs = {
            one.symbol.replace("{", "").replace("}", ""): one.value for one in kpi.receipt.inputs
        }
        assert RECOMPUTED[kpi.key](**inputs) == kpi.value
        assert kpi.receipt.run_id == status.current().run_id


@pytest.mark.parametrize("scope", [SP, SOUTH], ids=["uf", "contract"])
def test_nothing_is_seen_out_of_scope(published: Engine, scope: Scope):
    rows = demand_frame(published)
    sao_paulo = rows[rows["site"] == "DEP-SP"]
    found = by_key(kpis.headline(scope=scope))
    recent = sao_paulo[sao_paulo["date"] > pd.Timestamp(LAST_DAY) - pd.Timedelta(days=30)]
    assert value_of(found["demand_value"]) == pytest.approx(recent["value"].sum())
    assert value_of(found["inventory_value"]) == pytest.approx(200 * 12.5 + 25 * 2400)
    assert found["stockout_rate"].value == 0
    total = kpis.demand_and_forecast(scope=scope, days=400, measure="units")
    assert sum(p.actual or 0 for p in total) == pytest.approx(sao_paulo["quantity"].sum())
    assert {row.site for row in alerts.page(scope=scope).rows} == {"DEP-SP"}
    assert {row.site for row in forecasts.page(scope=scope, limit=500).rows} == {"DEP-SP"}
    assert {row.sites for row in materials.page(scope=scope).rows} == {1}
    assert [one.value for one in materials.site_options(sku="CABO-01", scope=scope)] == ["DEP-SP"]
    assert [one.site for one in materials.detail(sku="CABO-01", scope=scope).positions] == [
        "DEP-SP"
    ]
    assert [one.value for one in kpis.filter_choices(scope=scope)["uf"]] == ["SP"]
    with pytest.raises(NotFound):
        forecasts.series(sku="CABO-01", site="DEP-RJ", scope=scope)
    hidden = next(row.id for row in alerts.page().rows if row.site == "DEP-RJ")
    with pytest.raises(NotFound):
        alerts.one(alert_id=hidden, scope=scope)


def test_demand_without_a_site_is_in_the_totals_and_hidden_from_scoped_viewers(
    published: Engine,
):
    everything = kpis.demand_and_forecast(days=400, measure="units")
    assert sum(point.actual or 0 for point in everything) == pytest.approx(
        demand_frame(published)["quantity"].sum()
    )
    ufs = tuple(option.value for option in kpis.filter_choices()["uf"])
    assert "-" in {one.value for one in materials.site_options(sku="CABO-01")}
    scoped = materials.site_options(sku="CABO-01", scope=Scope(ufs=ufs))
    assert "-" not in {one.value for one in scoped}


def test_totals_go_from_actuals_to_a_forecast_with_its_band(published: Engine):
    points = kpis.demand_and_forecast(days=90)
    past = [point for point in points if point.mean is None]
    ahead = [point for point in points if point.mean is not None]
    assert (len(past), len(ahead)) == (90, 30)
    assert past[-1].date == LAST_DAY and ahead[0].date == LAST_DAY + timedelta(days=1)
    assert all(point.actual is not None for point in past)
    for point in ahead:
        assert point.p10 is not None and point.mean is not None and point.p90 is not None
        assert 0 <= point.p10 < point.mean < point.p90
    headline = by_key(kpis.headline())["forecast_value"].value
    assert sum(point.mean or 0 for point in ahead) == pytest.approx(headline)


def test_what_was_not_demanded_at_all_in_the_period_is_nothing(published: Engine):
    demand = demand_frame(published)
    asked = set(pd.to_datetime(demand.loc[demand["sku"] == "EPI-04", "date"]).dt.date)
    days = (LAST_DAY - timedelta(days=ago) for ago in range(90))
    quiet = next(day for day in days if day not in asked)
    filters = Filters(sku=("EPI-04",), date_from=quiet, date_to=quiet)
    points = kpis.demand_and_forecast(filters=filters)
    assert [point.actual for point in points if point.date == quiet] == [0]
    unknown = kpis.demand_and_forecast(filters=replace(filters, sku=("NO-SUCH",)))
    assert [point.actual for point in unknown] == [None]


def test_daily_views_hold_what_the_facts_hold(published: Engine):
    """A filter that is finer than the views takes the facts: both ways must agree."""
    every_sku = Filters(sku=("BAT-02", "CABO-01", "EPI-04", "PAR-03"))
    by_view, by_facts = by_key(kpis.headline()), by_key(kpis.headline(filters=every_sku))
    for key, kpi in by_view.items():
        assert by_facts[key].value == pytest.approx(kpi.value), key
        assert by_facts[key].previous == pytest.approx(kpi.previous), key


def test_forecasts_of_a_series(published: Engine):
    points = forecasts.series(sku="CABO-01", site="DEP-SP")
    assert {point.model for point in points} == set(factories.MODELS)
    assert all(point.p10 <= point.p50 <= point.p90 for point in points)
    only = forecasts.series(sku="CABO-01", site="DEP-SP", models=["naive"])
    assert {point.model for point in only} == {"naive"} and len(only) == 30
    history = forecasts.history(sku="EPI-04", site="DEP-SP")
    assert len(history) == factories.DAYS
    assert [b.date - a.date for a, b in zip(history, history[1:], strict=False)] == [
        timedelta(days=1)
    ] * (factories.DAYS - 1)
    assert min(point.quantity for point in history) == 0
    recent = forecasts.history(sku="EPI-04", site="DEP-SP", since=date(2025, 6, 1))
    assert recent[0].date == date(2025, 6, 1) and recent == history[-29:]


def test_a_sums_history_is_that_of_its_depots(published: Engine):
    demand = load_training_set(published.engine).demand
    for level, area, inside in (
        ("item_region", "SE", ["DEP-SP", "DEP-RJ"]),
        ("item_country", "BR", ["DEP-SP", "DEP-RJ", "DEP-BA", "-"]),
    ):
        rows = levels.history(level=level, area=area, sku="CABO-01")
        mine = demand[(demand["sku"] == "CABO-01") & demand["site"].isin(inside)]
        wanted = mine.groupby("date")["quantity"].sum()
        assert sum(row.quantity for row in rows) == pytest.approx(wanted.sum())
        assert [row.quantity for row in rows[-3:]] == wanted.tail(3).tolist()
        later = levels.history(level=level, area=area, sku="CABO-01", since=LAST_DAY)
        assert [row.date for row in later] == [LAST_DAY]
    family = levels.history(level="family_uf", area="BA", family="energia", unit="un")
    one = forecasts.history(sku="BAT-02", site="DEP-BA")
    assert [row.quantity for row in family] == [row.quantity for row in one]


def test_levels_of_a_scope(published: Engine):
    asked: Any = {"level": "item_uf", "sku": "CABO-01"}
    assert [row.value for row in levels.areas(**asked)] == ["BA", "RJ", "SP"]
    assert [row.value for row in levels.areas(**asked, scope=SP)] == ["SP"]
    assert len(levels.series(**asked, area="SP", scope=SP)) == 30
    for scope, area in ((SP, "RJ"), (SOUTH, "SP")):
        assert levels.series(**asked, area=area, scope=scope) == []
        with pytest.raises(NotFound):
            levels.history(**asked, area=area, scope=scope)
    with pytest.raises(NotFound):
        levels.history(level="item_country", sku="CABO-01", area="BR", scope=SP)
    assert levels.families(level="family_country", scope=SP) == []
    assert ("fibra", "m") in levels.families(level="family_uf", scope=SP)
    assert [row.level for row in levels.accuracy(scope=SP)] == [
        "item_depot",
        "item_uf",
        "family_uf",
    ]
    assert [row.level for row in levels.accuracy(scope=SOUTH)] == ["item_depot"]


def test_accuracy_of_a_series_and_of_a_class(published: Engine):
    own = forecasts.accuracy(sku="CABO-01", site="DEP-SP")
    assert {one.model for one in own} == set(factories.MODELS)
    assert {one.model: one.weight for one in own}["naive"] == 0.5
    everything = {one.model: one for one in models.performance() if one.demand_class is None}
    ensemble = everything["ensemble"]
    assert ensemble.wape == pytest.approx(by_key(kpis.headline())["wape"].value)
    assert ensemble.series == 13
    naive = everything["seasonal_naive"]
    assert naive.wape and ensemble.wape and naive.fva == 0.0
    assert ensemble.fva == pytest.approx(naive.wape - ensemble.wape)
    assert sum(one.wins for one in everything.values()) == 13
    assert forecasts.profile(sku="CABO-01", site="DEP-SP").weights == {
        "naive": 0.5,
        "seasonal_naive": 0.5,
    }


def test_accuracy_by_step_adds_up_to_that_of_the_horizon(published: Engine):
    rows = [one for one in models.steps() if one.model == "ensemble"]
    assert [one.step for one in rows] == list(range(len(rows)))
    whole, ahead = rows[0], rows[1:]
    assert whole.points == sum(one.points for one in ahead) > 0
    overall = next(one for one in models.performance() if one.model == "ensemble")
    assert whole.wape == pytest.approx(overall.wape)
    inside = whole.at_most[2] - whole.below[0]
    assert inside == pytest.approx(overall.coverage80)
    assert all(low <= high for low, high in zip(whole.below, whole.at_most, strict=True))
    scoped = [one for one in models.steps(scope=Scope(ufs=("BA",))) if one.model == "ensemble"]
    assert 0 < scoped[0].points < whole.points


def test_the_backtest_of_a_series_is_that_of_its_accuracy(published: Engine):
    rows = forecasts.backtest(sku="CABO-01", site="DEP-SP")
    assert {one.model for one in rows} == set(factories.MODELS)
    mine = [one for one in rows if one.model == "ensemble"]
    own = next(
        one for one in forecasts.accuracy(sku="CABO-01", site="DEP-SP") if one.model == "ensemble"
    )
    missed = sum(abs(one.mean - one.actual) for one in mine)
    assert missed / sum(one.actual for one in mine) == pytest.approx(own.wape)


def test_unknown_materials_and_sites_are_told_apart(published: Engine):
    with pytest.raises(UnknownMaterial):
        forecasts.series(sku="NONE", site="DEP-SP")
    with pytest.raises(NotFound) as caught:
        forecasts.series(sku="CABO-01", site="NONE")
    assert not isinstance(caught.value, UnknownMaterial)
    with pytest.raises(UnknownMaterial):
        materials.detail(sku="NONE")


@pytest.mark.parametrize("sort", ["sku", "-demand_90d", "on_hand", "-next_stockout_on", "abc"])
def test_pages_follow_each_other_without_gap_or_double(published: Engine, sort: str):
    whole = [row.sku for row in materials.page(sort=sort).rows]
    paged: list[str] = []
    cursor = None
    while True:
        page = materials.page(sort=sort, limit=1, cursor=cursor)
        assert page.count == len(whole) == 4
        paged += [row.sku for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert paged == whole


def test_alerts_are_ranked_by_risk_with_the_unknown_last(published: Engine):
    risks = [row.risk_brl for row in alerts.page().rows]
    known = [risk for risk in risks if risk is not None]
    assert known == sorted(known, reverse=True)
    assert risks[: len(known)] == known
    critical = alerts.page(filters=Filters(level=("critical",))).rows
    assert {row.level for row in critical} == {"critical"}


WITHOUT_COSTS = """
UPDATE core.item SET unit_cost_brl = NULL;
UPDATE analytics.policy SET facts = facts - 'risk_brl';
UPDATE analytics.alert SET risk_brl = NULL, acting_brl = NULL, net_brl = NULL;
UPDATE analytics.recommendation SET value_brl = NULL
"""


@pytest.fixture
def unpriced(published: Engine) -> Iterator[Connection]:
    """A company without unit costs, in a transaction that leaves no trace."""
    with published.connect() as connection:
        connection.execute(text(WITHOUT_COSTS))
        yield connection
        connection.rollback()


def test_what_has_no_price_is_worth_nothing_known(unpriced: Connection):
    found: list[tuple[int, list[float | None]]] = [
        *((one.count, [one.net_brl]) for one in unwrap(alerts.totals)(unpriced)),
        *((one.count, [one.value_brl]) for one in unwrap(recommendations.totals)(unpriced)),
        *((one.open, [one.open_brl]) for one in unwrap(recommendations.by_kind)(unpriced)),
        *((one.alerts, [one.risk_brl]) for one in unwrap(regions.rows)(unpriced)),
        *(
            (one.count, [one.stock_value_brl, one.risk_brl])
            for one in unwrap(inventory.totals)(unpriced)
        ),
    ]
    assert {count > 0 for count, _ in found} == {True, False}
    for count, values in found:
        assert set(values) == {None if count else 0.0}
    (carried_out,) = {one.carried_out_brl for one in unwrap(recommendations.by_kind)(unpriced)}
    assert carried_out == 0.0, "nothing was accepted"
    assert not unwrap(status.has_costs)(unpriced)
    assert unwrap(status.has_ufs)(unpriced)
    unpriced.execute(text("UPDATE core.site SET uf = NULL"))
    assert not unwrap(status.has_ufs)(unpriced)


def paged(ask: Callable[..., Page[Any]], connection: Connection, **asked: Any) -> list[Any]:
    """The whole list, which is that of its pages of one row."""
    whole: list[Any] = ask(connection, limit=500, **asked).rows
    seen: list[Any] = []
    cursor = None
    while not seen or cursor:
        page = ask(connection, limit=1, cursor=cursor, **asked)
        seen, cursor = seen + page.rows, page.next
    assert seen == whole
    return whole


@pytest.mark.parametrize("sort", ["-net_brl", "-severity"])
def test_alerts_of_unknown_risk_are_ranked_by_level_and_urgency(unpriced: Connection, sort: str):
    levels = ("critical", "warning", "info")
    places = [
        (levels.index(row.level), inf if row.days_to_stockout is None else row.days_to_stockout)
        for row in paged(unwrap(alerts.page), unpriced, sort=sort)
    ]
    assert places == sorted(places) and len({place for place, _ in places}) > 1


def test_advice_of_unknown_value_is_ranked_by_priority_and_day(unpriced: Connection):
    apart = "UPDATE analytics.recommendation SET priority = 1 + id % 2, act_by = act_by - id::int"
    unpriced.execute(text(apart))
    places = [
        (row.priority, row.act_by or date.max)
        for row in paged(unwrap(recommendations.page), unpriced)
    ]
    assert places == sorted(places) and len({place for place, _ in places}) == 2


@pytest.mark.parametrize("cursor", ["", "xx", "é", "WyJza3UiXQ==", "W10=", "bnVsbA=="])
def test_a_bad_cursor_sort_or_limit_is_refused_by_name(published: Engine, cursor: str):
    with pytest.raises(InvalidInput) as caught:
        materials.page(cursor=cursor)
    assert set(caught.value.fields) == {"cursor"}
    other = materials.page(limit=1, sort="-sku").next
    with pytest.raises(InvalidInput):
        materials.page(limit=1, sort="sku", cursor=other)
    with pytest.raises(InvalidInput) as caught:
        alerts.page(sort="item_id; DROP TABLE core.item")
    assert set(caught.value.fields) == {"sort"}
    with pytest.raises(InvalidInput) as caught:
        items.page(limit=501)
    assert set(caught.value.fields) == {"limit"}


def test_search_finds_without_accents_and_takes_wildcards_literally(published: Engine):
    found = materials.item_options(search="bateria estacionaria")
    assert [one.value for one in found] == ["BAT-02"]
    assert [one.value for one in materials.item_options(search="CABO")] == ["CABO-01"]
    assert materials.item_options(search="BAT-02", limit=1)[0].value == "BAT-02"
    assert materials.item_options(search="%") == []
    assert materials.item_options(search="'; --") == []


def test_material_detail_holds_together(published: Engine):
    detail = materials.detail(sku="BAT-02")
    assert detail.item.supplier == "BETA"
    assert detail.summary.on_hand == 25
    assert [order.order for order in detail.open_orders] == ["P3"]
    assert detail.open_orders[0].days_late == 23
    assert sum(one.open_alerts for one in detail.positions) == detail.summary.open_alerts
    position = next(one for one in detail.positions if one.site == "DEP-SP")
    assert position.on_hand == 25 and position.reorder_point is not None


def test_the_series_with_the_most_demand(published: Engine):
    top = """
        SELECT sku, site FROM core.demand JOIN core.item USING (item_id)
        JOIN core.site USING (site_id) WHERE sku = 'BAT-02' OR :any
        GROUP BY 1, 2 ORDER BY sum(quantity) DESC LIMIT 1
    """
    for wanted in (None, "BAT-02"):
        with published.connect() as connection:
            row = connection.execute(text(top), {"any": wanted is None}).one()
        assert forecasts.most_demanded(sku=wanted) == list(row)
    assert forecasts.most_demanded(scope=Scope(ufs=("AC",))) == []


def test_status_and_files(published: Engine):
    current = status.current()
    assert (current.frequency, current.horizon, current.data_to) == ("D", 30, LAST_DAY)
    assert current.forecast_to == LAST_DAY + timedelta(days=30)
    assert current.series_trained == 13 and not current.is_demo and not current.training_needed
    files = {one.kind: one for one in status.files()}
    assert files["stock"].rows == 280 and files["items"].rows == 4
    assert files["demand"].date_to == LAST_DAY
    with published.connect() as connection:
        loaded = connection.execute(text("SELECT sum(quantity) FROM core.demand")).scalar_one()
    assert files["demand"].quantity == pytest.approx(float(loaded))
    assert files["stock"].quantity is None
    assert files["drivers"].rows == 0 and files["drivers"].loaded_at is None
    with counted() as sent:
        assert status.loaded() == {one.kind for one in files.values() if one.rows}
    assert not any("count(" in one or "sum(" in one for one in sent), "no table is read whole"


def test_a_limited_run_is_not_compared_with_the_demand_of_all_series(published: Engine):
    counts = (
        "UPDATE analytics.run SET manifest = jsonb_set(manifest, '{counts,series_trained}', :n)"
    )
    whole = by_key(kpis.headline())["forecast_value"]
    assert whole.value and whole.previous
    with published.begin() as connection:
        connection.execute(text(counts), {"n": "12"})
    try:
        limited = by_key(kpis.headline())["forecast_value"]
        assert limited.value == whole.value and limited.previous is None
    finally:
        with published.begin() as connection:
            connection.execute(text(counts), {"n": "13"})


def test_demand_is_not_compared_with_days_before_the_first_that_is_known(published: Engine):
    """200 days are known: 100 have as many known before them, 101 do not."""
    for days, known in ((100, True), (101, False)):
        filters = Filters(date_from=LAST_DAY - timedelta(days=days - 1), date_to=LAST_DAY)
        found = by_key(kpis.headline(filters=filters))["demand_value"]
        assert found.value and (found.previous is not None) is known, days


def test_the_forecast_is_not_compared_with_more_periods_than_are_known(published: Engine):
    def ahead(periods: int) -> Kpi:
        with published.begin() as connection:
            sql = text("UPDATE analytics.run SET horizon = :periods")
            connection.execute(sql, {"periods": periods})
        return by_key(kpis.headline())["forecast_value"]

    try:
        assert ahead(200).previous is not None
        assert ahead(201).previous is None
    finally:
        assert ahead(30).previous is not None


def test_reads_take_few_statements(published: Engine):
    calls: dict[str, tuple[Callable[[], object], int]] = {
        "headline": (lambda: kpis.headline(), 3),
        "totals": (lambda: kpis.demand_and_forecast(), 2),
        "choices": (lambda: kpis.filter_choices(), 1),
        "alerts": (lambda: alerts.page(), 3),
        "forecasts": (lambda: forecasts.page(), 3),
        "series": (lambda: forecasts.series(sku="CABO-01", site="DEP-SP"), 3),
        "materials": (lambda: materials.page(), 3),
        "detail": (lambda: materials.detail(sku="CABO-01"), 7),
        "items": (lambda: items.page(), 2),
        "status": (lambda: status.current(), 2),
    }
    for name, (call, most) in calls.items():
        with counted() as sent:
            call()
        assert len(sent) <= most, (name, sent)


def test_an_empty_database_says_what_is_missing(nova: str):
    current = status.current()
    assert current.run_id is None and not current.training_needed
    assert all(one.rows == 0 for one in status.files()) and status.loaded() == set()
    found = by_key(kpis.headline())
    assert {one.value for one in found.values()} == {None}
    assert found["stockout_rate"].missing == "stock"
    assert found["demand_value"].missing == "demand"
    assert found["otif"].missing == "purchase_orders"
    assert found["sla_availability"].missing == "outages"
    assert kpis.demand_and_forecast() == []
    assert materials.page().rows == []
    choices = kpis.filter_choices()
    assert [one.value for one in choices.pop("xyz")] == ["X", "Y", "Z"]
    assert choices == {name: [] for name in kpis.CHOSEN}
    with pytest.raises(NothingPublished):
        alerts.page()
    with pytest.raises(NothingPublished):
        forecasts.page()


def test_weekly_totals_stand_on_the_runs_weeks(nova: str, engine: Engine, tmp_path: Path):
    network = factories.make_network(engine)
    last = date(2025, 6, 23)
    factories.add_demand(engine, network, days=60, step=7, last_day=last)
    factories.refresh_views(engine)
    bundle = factories.make_bundle(tmp_path, engine, frequency="W", horizon=13)
    publish.publish_bundle(bundle, engine=engine, published_by="tests")
    points = kpis.demand_and_forecast(days=90, measure="units")
    past = [point for point in points if point.mean is None]
    ahead = [point for point in points if point.mean is not None]
    assert past[-1].date == last and ahead[0].date == last + timedelta(days=7)
    assert {point.date.weekday() for point in points} == {0}
    assert (len(past), len(ahead)) == (53, 13)
    history = forecasts.history(sku="CABO-01", site="DEP-SP")
    assert len(history) == 60


@pytest.mark.parametrize(
    "counts",
    [
        ("2024-12-31", "2025-01-31", "2025-02-28"),
        ("2025-01-01", "2025-02-01", "2025-03-01"),
        ("2024-12-27", "2025-01-31", "2025-02-27"),
    ],
)
def test_counts_of_each_month_are_compared_with_those_of_the_month_before(
    nova: str, engine: Engine, tmp_path: Path, counts: tuple[str, ...]
):
    held = dict(zip(counts, (300, 200, 0), strict=True))
    months = pd.period_range("2024-06", "2025-02", freq="M")
    asked = dict(zip(months, 2 ** np.arange(len(months)), strict=True))
    files = {
        "items": "sku;family;unit;unit_cost_brl\nA;cabos;m;2\n",
        "sites": "site;uf\nD;SP\n",
        "demand": "date;sku;quantity;site\n"
        + "".join(f"{month}-01;A;{units};D\n" for month, units in asked.items()),
        "stock": "date;sku;site;on_hand\n"
        + "".join(f"{day};A;D;{units}\n" for day, units in held.items()),
    }
    load_and_publish(write(tmp_path, **files), engine, frequency="M", horizon=3)
    found = by_key(kpis.headline())
    value, rate = found["inventory_value"], found["stockout_rate"]
    assert (value.value, value.previous) == (0, 400)
    assert (rate.value, rate.previous) == (1, 0)
    (row,) = materials.page().rows
    assert row.demand_90d == 64 + 128 + 256


def test_a_week_that_is_not_over_is_no_actual(nova: str, engine: Engine, tmp_path: Path):
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    factories.refresh_views(engine)
    bundle = factories.make_bundle(tmp_path, engine, frequency="W", horizon=13)
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["dataset"]["inferred_frequency"] = "D"
    factories.write_manifest(bundle, manifest)
    publish.publish_bundle(bundle, engine=engine, published_by="tests")
    monday = LAST_DAY - timedelta(days=6)

    def shown() -> tuple[list[date], list[float]]:
        history = forecasts.history(sku="CABO-01", site="DEP-SP")
        sums = levels.history(level="item_uf", area="SP", sku="CABO-01")
        totals = kpis.demand_and_forecast(filters=Filters(sku=("CABO-01",), uf=("SP",)))
        known = [point for point in totals if point.actual is not None]
        assert [one.actual for one in known] == [one.quantity * 12.5 for one in sums]
        return [history[-1].date, sums[-1].date, known[-1].date], [one.quantity for one in history]

    days, whole = shown()
    assert days == [monday] * 3
    newer = LAST_DAY + timedelta(days=3)
    factories.add_demand(engine, network, days=3, last_day=newer)
    derive.refresh_after_load(engine)
    days, later = shown()
    assert days == [monday] * 3 and later == whole
    told = by_key(kpis.headline())
    assert told["wape"].as_of == monday + timedelta(days=6), "the last day of the week"
    assert told["open_critical_alerts"].as_of == newer


WIDE = """
    [[source]]
    kind = "demand"
    file = "wide.csv"
    columns = { sku = "sku" }
    [source.unpivot]
    columns = "m(.)"
    value = "quantity"
    start = "2025-01-31"
    step = "month"
"""


def test_a_month_of_demand_is_one_month(nova: str, engine: Engine, tmp_path: Path):
    """Counted from 31 January, months end where they do."""
    files = {
        "items": "sku;family;unit;unit_cost_brl\nA;cabos;m;2\n",
        "wide": "sku;m1;m2;m3;m4;m5\nA;1;10;100;1000;10000\n",
    }
    (write(tmp_path, **files) / "mapping.toml").write_text(dedent(WIDE))
    load_and_publish(tmp_path, engine, frequency="M", horizon=5)
    history = forecasts.history(sku="A", site="-")
    assert [(point.date.month, point.quantity) for point in history][-2:] == [(4, 1e3), (5, 1e4)]
    found = by_key(kpis.headline())
    assert (found["demand_value"].value, found["demand_value"].previous) == (20_000, 2_000)
    assert found["forecast_value"].previous == 2 * 11_111, "January is known whole"
    assert found["demand_value"].as_of == date(2025, 5, 31)


def test_actuals_appear_beside_the_forecast_once_they_are_loaded(
    nova: str, engine: Engine, tmp_path: Path
):
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    factories.refresh_views(engine)
    bundle = factories.make_bundle(tmp_path, engine)
    publish.publish_bundle(bundle, engine=engine, published_by="tests")
    assert {p.actual for p in forecasts.series(sku="CABO-01", site="DEP-SP")} == {None}
    compared = by_key(kpis.headline())["forecast_value"].previous
    with engine.begin() as connection:
        load = factories.add_load(connection, "demand")
        connection.execute(
            text(
                "CREATE TABLE core.demand_2025_07 PARTITION OF core.demand"
                " FOR VALUES FROM ('2025-07-01') TO ('2025-08-01')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO core.demand (date, item_id, site_id, quantity, load_id)"
                " VALUES ('2025-07-02', :item, :site, 44, :load)"
            ),
            {"item": network.items["CABO-01"], "site": network.sites["DEP-SP"], "load": load},
        )
    derive.refresh_after_load(engine)
    points = forecasts.series(sku="CABO-01", site="DEP-SP", models=["ensemble"])
    assert [point.actual for point in points[:4]] == [0, 0, 44, None]
    assert status.current().training_needed
    both = [p for p in kpis.demand_and_forecast() if p.date == date(2025, 7, 2)]
    assert len(both) == 1 and both[0].actual is not None and both[0].mean is not None
    assert by_key(kpis.headline())["forecast_value"].previous == compared, "of before the forecast"


OF_ALFA = ("CABO-01", "PAR-03")


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        (Filters(supplier=("ALFA",)), lambda rows: rows["sku"].isin(OF_ALFA)),
        (Filters(contract=("C-SUL",)), lambda rows: rows["site"] == "DEP-SP"),
        (
            Filters(supplier=("BETA",), contract=("C-SUL",)),
            lambda rows: (rows["sku"] == "BAT-02") & (rows["site"] == "DEP-SP"),
        ),
    ],
)
def test_suppliers_and_contracts_narrow_what_pandas_narrows(published: Engine, filters, kept):
    rows = demand_frame(published)
    shown = rows[kept(rows) & (rows["date"] > pd.Timestamp(LAST_DAY) - timedelta(days=30))]
    found = by_key(kpis.headline(filters=filters))["demand_value"]
    assert value_of(found) == pytest.approx(shown["value"].sum())
    listed = {row.sku for row in materials.page(filters=filters, limit=500).rows}
    assert listed == set(shown["sku"])


def test_regular_demand_is_part_of_all(published: Engine):
    parts = [inventory.page(filters=Filters(xyz=(one,)), limit=1).count for one in "XYZ"]
    every = inventory.page(limit=500)
    assert 0 == min(parts) < max(parts) and sum(parts) <= every.count
