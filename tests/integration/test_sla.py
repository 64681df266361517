"""Contracts through the database: the same cases by hand, scope, exposure, evidence."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from domain.access import Scope
from domain.errors import NotFound
from domain.records import Filters
from domain.sla import ContractScore
from tests import factories
from tests.plans import nodes_of
from warehouse.pipeline import derive
from warehouse.pipeline.penalties import _PENALTIES, penalties_by_contract
from warehouse.pipeline.publish import publish_bundle
from warehouse.queries import kpis, regions, sla

pytestmark = pytest.mark.usefixtures("nova")

SCHEDULE = [{"hours": 2, "percent": 2}, {"hours": 4, "percent": 5}, {"hours": 8, "percent": 12}]
MAY, JUNE, JULY = date(2025, 5, 1), date(2025, 6, 1), date(2025, 7, 1)


@pytest.fixture
def network(engine: Engine) -> factories.Network:
    """C-SUL with the depots of São Paulo and Rio, C-NE with Salvador's; data up to 29 June."""
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE core.contract SET penalty_schedule = CAST(:schedule AS jsonb),"
                " monthly_fee_brl = 100000, cap_pct = 10"
            ),
            {"schedule": json.dumps(SCHEDULE)},
        )
        connection.execute(
            text("UPDATE core.site SET contract_id = :contract WHERE site = 'DEP-RJ'"),
            {"contract": network.contracts["C-SUL"]},
        )
    return network


def at(month: int, day: int, hour: float) -> datetime:
    return datetime(2025, month, day) + timedelta(hours=hour)


def score(code: str = "C-SUL", month: date | None = None, **more: Any) -> ContractScore:
    return next(one for one in sla.listed(month=month, **more) if one.contract == code)


def test_no_outage_file_makes_no_hundred_percent(engine: Engine, network: factories.Network):
    derive.refresh_after_load(engine)
    assert sla.listed() == [] and sla.months() == []
    with pytest.raises(NotFound):
        sla.detail(contract="C-SUL")


def test_penalties_agree_with_cases_by_hand(engine: Engine, network: factories.Network):
    """Two sites: 8 h of one are 4 h a site, exactly the second band's edge."""
    add = factories.add_outage
    add(engine, network, "DEP-SP", at(5, 9, 22), at(5, 10, 6))  # over midnight: 8 h
    add(engine, network, "DEP-SP", at(5, 31, 22), at(6, 1, 4))  # over the month's end: 2 h and 4 h
    add(engine, network, "DEP-RJ", at(6, 10, 8), at(6, 10, 20))  # 12 h,
    add(engine, network, "DEP-RJ", at(6, 10, 10), at(6, 10, 21))  # of which 10 overlap: 13 h
    derive.refresh_after_load(engine)
    may, june = score(month=MAY).now, score(month=JUNE).now
    assert (may.downtime_hours, may.hours_per_site) == (10.0, 5.0)
    assert (may.percent, may.penalty_brl, may.capped) == (5, 5_000.0, False)
    assert (june.downtime_hours, june.hours_per_site) == (17.0, 8.5)
    assert (june.percent, june.penalty_brl, june.capped) == (10, 10_000.0, True)
    assert june.availability == pytest.approx(1 - 17 / (2 * 29 * 24))
    assert (june.days, june.days_left) == (29, 1)
    rio = Filters(uf=("RJ",))
    there = score(month=JUNE, filters=rio)
    assert (there.here.sites, there.here.downtime_hours, there.here.hours_per_site) == (1, 13, 13)
    assert there.here.availability == pytest.approx(1 - 13 / (29 * 24))
    assert replace(there, here=score(month=JUNE).here) == score(month=JUNE)
    assert score(month=MAY, filters=rio).here.downtime_hours == 0.0
    assert [one.contract for one in sla.listed(filters=rio)] == ["C-SUL"]
    assert {one.site for one in sla.outages(filters=rio).rows} == {"DEP-RJ"}
    southeast = score(month=JUNE, filters=Filters(region=("SE",)))
    assert southeast == score(month=JUNE) and southeast.here.downtime_hours == 17.0
    quiet = score("C-NE", JUNE)
    assert (quiet.now.availability, quiet.now.penalty_brl, quiet.state) == (1.0, 0.0, "kept")
    assert availability(Filters()) == pytest.approx(1 - 19 / (3 * 30 * 24))  # 30 days: 31 May too
    asked = Filters(uf=("RJ",), family=("energia",))
    (kpi,) = [one for one in kpis.headline(filters=asked) if one.key == "sla_availability"]
    assert kpi.value == pytest.approx(1 - 13 / (30 * 24))
    assert (kpi.receipt.filter, kpi.receipt.left_out) == ("uf=RJ", ["family"])
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM core.outage WHERE started_at >= '2025-05-31'"))
    derive.refresh_after_load(engine)
    edge = score(month=MAY).now
    assert (edge.hours_per_site, edge.percent, edge.penalty_brl) == (4.0, 2, 2_000.0)


def availability(filters: Filters) -> float | None:
    (kpi,) = [one for one in kpis.headline(filters=filters) if one.key == "sla_availability"]
    return kpi.value


def test_a_contract_is_up_over_its_own_sites_alone(engine: Engine, network: factories.Network):
    """Two depots of São Paulo under two contracts; Salvador's is moved there."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.site SET uf = 'SP' WHERE site = 'DEP-BA'"))
    factories.add_outage(engine, network, "DEP-BA", at(6, 10, 0), at(6, 13, 0))
    derive.refresh_after_load(engine)
    of_one = Filters(contract=("C-NE",))
    found = {row.uf: row.availability for row in regions.rows(filters=of_one)}
    assert found["SP"] == availability(of_one) == pytest.approx(1 - 72 / (29 * 24))
    assert found["RJ"] is None, "where the contract has no site"
    by_region = {row.uf: row.availability for row in regions.rows(filters=of_one, by="region")}
    assert by_region["SE"] == found["SP"] == score("C-NE").now.availability
    asked = replace(of_one, date_from=JUNE, date_to=date(2025, 6, 29))
    assert availability(asked) == found["SP"], "of the same days"


def test_an_outage_that_goes_on_lasts_to_the_end_of_the_data(
    engine: Engine, network: factories.Network
):
    factories.add_outage(engine, network, "DEP-SP", at(6, 29, 18), None)
    derive.refresh_after_load(engine)
    found = score(month=JUNE)
    assert (found.now.downtime_hours, found.as_of) == (6.0, date(2025, 6, 29))
    (outage,) = sla.outages().rows
    assert (outage.ended_at, outage.hours) == (None, 6.0)


def test_an_outage_that_goes_on_is_told_alike_where_outages_are_the_last_to_be_known(
    engine: Engine, network: factories.Network
):
    """From 18:00 of 2 July on: 6 h, and 24 h of the day on which another one ended at 10:00."""
    factories.add_outage(engine, network, "DEP-SP", at(7, 2, 18), None)
    factories.add_outage(engine, network, "DEP-RJ", at(7, 3, 8), at(7, 3, 10))
    derive.refresh_after_load(engine)
    found = score(month=JULY)
    assert (found.now.downtime_hours, found.as_of) == (32.0, date(2025, 7, 3))
    assert {one.site: one.hours for one in sla.outages().rows} == {"DEP-SP": 30.0, "DEP-RJ": 2.0}
    sheet = sla.evidence(contract="C-SUL", month=JULY)
    assert sum(one.hours_within for one in sheet.incidents) == found.now.downtime_hours
    with engine.begin() as connection:
        moved = "UPDATE core.outage SET started_at = :start, ended_at = :end WHERE outage = 'O-2'"
        connection.execute(text(moved), {"start": at(7, 2, 8), "end": at(7, 3, 0)})
    derive.refresh_after_load(engine)
    at_midnight = score(month=JULY)
    assert (at_midnight.now.downtime_hours, at_midnight.as_of) == (6.0 + 16.0, date(2025, 7, 2))


def test_an_outage_is_its_own_contracts_to_readers_of_contracts(
    engine: Engine, network: factories.Network
):
    """C-SUL's, at the site of C-NE."""
    factories.add_outage(engine, network, "DEP-BA", at(6, 3, 0), at(6, 3, 10))
    with engine.begin() as connection:
        own = "UPDATE core.outage SET contract_id = :contract"
        connection.execute(text(own), {"contract": network.contracts["C-SUL"]})
    derive.refresh_after_load(engine)
    south, northeast = Scope(contracts=("C-SUL",)), Scope(contracts=("C-NE",))
    assert score(month=JUNE, scope=south).now.downtime_hours == 10.0
    assert [one.contract for one in sla.outages(scope=south).rows] == ["C-SUL"]
    (incident,) = sla.evidence(contract="C-SUL", month=JUNE, scope=south).incidents
    assert incident.hours_within == 10.0
    assert score("C-NE", JUNE, scope=northeast).now.downtime_hours == 0.0
    assert sla.outages(scope=northeast).rows == []
    assert sla.outages(filters=Filters(contract=("C-NE",))).rows == []


def test_an_outage_that_ended_at_midnight_is_none_of_the_month_that_began_then(
    engine: Engine, network: factories.Network
):
    factories.add_outage(engine, network, "DEP-SP", at(5, 31, 22), at(6, 1, 0))
    factories.add_outage(engine, network, "DEP-RJ", at(6, 1, 0), at(6, 1, 0))
    derive.refresh_after_load(engine)
    assert [one.site for one in sla.outages(since=JUNE).rows] == ["DEP-RJ"]
    assert [one.site for one in sla.evidence(contract="C-SUL", month=JUNE).sites] == ["DEP-RJ"]
    assert [one.site for one in sla.evidence(contract="C-SUL", month=MAY).sites] == ["DEP-SP"]


def test_a_reader_of_a_part_sees_its_hours_the_contracts_month_and_no_money(
    engine: Engine, network: factories.Network
):
    """10 h of the part that is hidden, 1 h of the one in view: 5.5 h a site are in breach."""
    factories.add_outage(engine, network, "DEP-SP", at(6, 3, 0), at(6, 3, 10))
    factories.add_outage(engine, network, "DEP-RJ", at(6, 4, 0), at(6, 4, 1))
    derive.refresh_after_load(engine)
    rio, own = Scope(ufs=("RJ",)), Scope(contracts=("C-SUL",))
    part, whole = score(month=JUNE, scope=rio), score(month=JUNE)
    assert [one.contract for one in sla.listed(scope=rio)] == ["C-SUL"]
    assert part == replace(
        whole,
        partial=True,
        here=score(month=JUNE, filters=Filters(uf=("RJ",))).here,
        fee_brl=None,
        now=replace(whole.now, penalty_brl=None),
        penalty_projected_brl=None,
    )
    assert (part.state, part.now.percent, part.now.hours_per_site) == ("breached", 5, 5.5)
    assert (part.here.sites, part.here.downtime_hours, part.here.exposure_brl) == (1, 1.0, None)
    assert [one.site for one in sla.outages(scope=rio).rows] == ["DEP-RJ"]
    assert sla.listed(scope=rio, filters=Filters(uf=("SP",))) == []
    assert score(month=JUNE, scope=own) == whole and whole.now.penalty_brl == 5_000.0
    seen = sla.detail(contract="C-SUL", month=JUNE, scope=rio)
    everything = sla.detail(contract="C-SUL", month=JUNE)
    assert seen.days == everything.days and seen.score == part
    assert seen.months == [replace(one, penalty_brl=None) for one in everything.months]
    with pytest.raises(NotFound):
        sla.detail(contract="C-NE", scope=own)
    with pytest.raises(NotFound):
        sla.evidence(contract="C-NE", month=JUNE, scope=rio)
    sheet = sla.evidence(contract="C-SUL", month=JUNE, scope=rio)
    assert [one.site for one in sheet.sites] == ["DEP-RJ"] and sheet.score == part


def test_exposure_is_the_chance_times_the_penalty(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    """Each part's product, and a depot's penalties under its contracts add up to its request's."""
    levels = {(sku, place): 5.0 for sku in network.items for place in network.sites}
    factories.add_stock(engine, network, levels, empty_days={("CABO-01", "DEP-SP"): 20})
    factories.add_outage(engine, network, "DEP-SP", at(6, 3, 0), at(6, 3, 10))
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE core.outage SET item_waited_for_id = :item"),
            {"item": network.items["CABO-01"]},
        )
    derive.refresh_after_load(engine)
    publish_bundle(factories.make_bundle(tmp_path, engine), engine=engine, published_by="tests")
    detail = sla.detail(contract="C-SUL")
    assert detail.parts and {part.site for part in detail.parts} == {"DEP-SP", "DEP-RJ"}
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT sku, site, stockout_probability, penalty_brl FROM analytics.policy"
                " JOIN analytics.replay_input USING (run_id, item_id, site_id)"
                " JOIN core.item USING (item_id) JOIN core.site USING (site_id)"
            )
        )
        known = {(row.sku, row.site): row for row in rows}
    for part in detail.parts:
        row = known[part.sku, part.site]
        assert part.stockout_probability == row.stockout_probability > 0
        assert part.penalty_brl == pytest.approx(row.penalty_brl)
        assert part.exposure_brl == pytest.approx(part.stockout_probability * part.penalty_brl)
    total = sum(part.exposure_brl for part in detail.parts)
    assert detail.score.exposure_brl == detail.score.here.exposure_brl == pytest.approx(total)
    there = score(filters=Filters(uf=("RJ",)))
    of_rio = sum(part.exposure_brl for part in detail.parts if part.site == "DEP-RJ")
    assert there.here.exposure_brl == pytest.approx(of_rio) and 0 < of_rio < total
    narrow = sla.detail(contract="C-SUL", filters=Filters(uf=("RJ",)))
    assert narrow.score == there and sum(one.exposure_brl for one in narrow.parts) == of_rio
    assert (narrow.days, narrow.months) == (detail.days, detail.months)
    assert sla.detail(contract="C-SUL", filters=Filters(uf=("BA",))).score.here.sites == 0
    last = {"start": at(6, 29, 10), "end": at(6, 29, 20)}
    with engine.connect() as connection:
        capped = penalties_by_contract(connection, date(2025, 6, 29))
        steeper = [*SCHEDULE[:2], {"hours": 8, "percent": 10}, {"hours": 16, "percent": 90}]
        connection.execute(
            text("UPDATE core.contract SET penalty_schedule = CAST(:schedule AS jsonb)"),
            {"schedule": json.dumps(steeper)},
        )
        assert penalties_by_contract(connection, date(2025, 6, 29)) == capped, "10 % from 8 h on"
        connection.execute(
            text("UPDATE core.outage SET started_at = :start, ended_at = :end"), last
        )
        assert penalties_by_contract(connection, date(2025, 6, 29)) == capped, "on the last day"
        connection.execute(text("UPDATE core.contract SET cap_pct = 5"))
        lower = penalties_by_contract(connection, date(2025, 6, 29))
    assert lower == {key: pytest.approx(brl) for key, brl in capped.items()}, "5 % from 4 h on"


def test_an_hours_price_is_made_once_for_a_contract_however_many_sites_it_has(
    engine: Engine, network: factories.Network
):
    """Or its sites were counted for each of them."""
    factories.add_outage(engine, network, "DEP-SP", at(6, 3, 0), at(6, 3, 10))
    towers = """
        INSERT INTO core.site (site, uf, kind, contract_id)
        SELECT 'T-' || n, 'SP', 'tower', contract_id
        FROM core.contract CROSS JOIN generate_series(1, 40) AS n WHERE contract = 'C-SUL'
    """
    with engine.begin() as connection:
        connection.execute(text(towers))
        params = {"today": date(2025, 6, 29), "since": date(2024, 6, 29)}
        found = nodes_of(connection, _PENALTIES, params)
    loops = [one["Actual Loops"] for one in found if one.get("Parent Relationship") == "SubPlan"]
    assert max(loops, default=0) <= len(network.contracts)


def test_the_evidence_has_stock_and_orders_of_that_day(engine: Engine, network: factories.Network):
    factories.add_stock(engine, network, {("BAT-02", "DEP-SP"): 3.0}, last_day=date(2025, 6, 2))
    factories.add_outage(engine, network, "DEP-SP", at(6, 3, 8), at(6, 3, 20))
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE core.outage SET item_waited_for_id = :item"),
            {"item": network.items["BAT-02"]},
        )
    dates = {
        "under way": (date(2025, 5, 1), date(2025, 6, 9)),
        "came before": (date(2025, 4, 1), date(2025, 5, 20)),
        "ordered later": (date(2025, 6, 5), None),
        "elsewhere": (date(2025, 5, 1), None),
    }
    for name, (ordered, received) in dates.items():
        factories.add_order(
            engine,
            network,
            order=name,
            sku="BAT-02",
            site="DEP-BA" if name == "elsewhere" else "DEP-SP",
            quantity=4,
            ordered_on=ordered,
            promised_on=ordered + timedelta(days=20),
            received_on=received,
        )
    derive.refresh_after_load(engine)
    found = sla.evidence(contract="C-SUL", month=JUNE)
    (incident,) = found.incidents
    assert (incident.hours_within, incident.depot) == (12.0, "DEP-SP")
    assert incident.stock is not None
    assert (incident.stock.counted_on, incident.stock.on_hand) == (date(2025, 6, 2), 3.0)
    assert [order.order_no for order in incident.orders] == ["under way"]
    assert incident.orders[0].first_promised_on == date(2025, 5, 21)
    assert {source.kind for source in found.sources} >= {"outages", "purchase_orders", "stock"}
    with pytest.raises(NotFound):
        sla.evidence(contract="C-SUL", month=date(2025, 3, 1))
