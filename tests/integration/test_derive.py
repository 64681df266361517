"""What is derived from facts and forecasts: policy, alerts, scores, and what persists."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text

from domain.access import EVERYTHING, Role, Scope
from domain.clock import BRASILIA
from domain.errors import InvalidInput, NotFound
from domain.receipts import evaluate
from domain.recommending.settings import RecommendationSettings
from tests import factories
from tests.factories import LAST_DAY
from tests.ingesting import load, load_and_publish, write
from tests.waiting import waiting
from warehouse.commands import alerts as commands
from warehouse.commands import decisions, users
from warehouse.commands.users import Actor
from warehouse.db import make_engine
from warehouse.pipeline import copying, derive, publish
from warehouse.pipeline.recorded import received_lines
from warehouse.pipeline.scores import total_band
from warehouse.pipeline.views import refresh_needed
from warehouse.queries import forecasts, inventory, kpis, overrides, receipts, status
from warehouse.queries.published import run_and_days
from warehouse.queries.training import load_training_set

BY = "tests"
LATE: dict[str, Any] = {
    "order": "L",
    "sku": "CABO-01",
    "site": "DEP-SP",
    "ordered_on": LAST_DAY - timedelta(days=40),
    "promised_on": LAST_DAY - timedelta(days=10),
}
STOCK = {
    ("CABO-01", "DEP-SP"): 200.0,
    ("CABO-01", "DEP-RJ"): 200.0,
    ("CABO-01", "DEP-BA"): 5000.0,
    ("BAT-02", "DEP-SP"): 25.0,
    ("PAR-03", "DEP-SP"): 100.0,
}


@pytest.fixture
def network(engine: Engine) -> factories.Network:
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    factories.add_stock(engine, network, STOCK)
    return network


def publish_now(engine: Engine, folder: Path, **options: Any) -> int:
    factories.refresh_views(engine)
    bundle = factories.make_bundle(folder, engine, **options)
    return publish.publish_bundle(bundle, engine=engine, published_by=BY)


def rows(engine: Engine, sql: str, **params: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(sql), params).all())


def alerts(engine: Engine) -> dict[tuple[str, str, str], Any]:
    found = rows(
        engine,
        "SELECT alert.*, item.sku, site.site FROM analytics.alert"
        " JOIN core.item USING (item_id) JOIN core.site USING (site_id)"
        " WHERE run_id = (SELECT run_id FROM analytics.published)",
    )
    return {(row.kind, row.sku, row.site): row for row in found}


def policy(engine: Engine, sku: str, site: str) -> Any:
    (row,) = rows(
        engine,
        "SELECT policy.* FROM analytics.policy"
        " JOIN core.item USING (item_id) JOIN core.site USING (site_id)"
        " WHERE sku = :sku AND site = :site"
        " AND run_id = (SELECT run_id FROM analytics.published)",
        sku=sku,
        site=site,
    )
    return row


def test_the_textbooks_levels_stand_beside_ours(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    publish_now(engine, tmp_path)
    row = policy(engine, "CABO-01", "DEP-SP")
    (mean, std) = rows(
        engine,
        "SELECT mean, std FROM analytics.series_profile"
        " JOIN core.item USING (item_id) JOIN core.site USING (site_id)"
        " WHERE sku = 'CABO-01' AND site = 'DEP-SP'",
    )[0]
    safety = 1.88079361 * std * np.sqrt(14)  # Z(0.97): class A has no service level of its own
    assert (row.lead_time_days, row.lead_time_source) == (14, "items file")
    assert row.textbook_safety_stock == pytest.approx(safety, rel=1e-6)
    assert row.textbook_reorder_point == pytest.approx(14 * mean + safety, rel=1e-6)
    assert row.days_to_stockout == pytest.approx(200 / mean, rel=1e-6)
    assert row.stockout_on == LAST_DAY + timedelta(days=ceil(200 / mean))


def test_an_item_without_lead_time_has_no_policy(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    publish_now(engine, tmp_path)
    row = policy(engine, "PAR-03", "DEP-SP")
    assert (row.lead_time_days, row.safety_stock, row.reorder_point) == (None, None, None)
    assert row.days_to_stockout == pytest.approx(100 / row.daily_demand)


def test_measured_lead_times_come_first(engine: Engine, network: factories.Network, tmp_path: Path):
    days = (18, 20, 22, 20, 20)
    factories.add_lead_times(engine, network, sku="CABO-01", site="DEP-SP", days=days)
    publish_now(engine, tmp_path)
    own = policy(engine, "CABO-01", "DEP-RJ")
    assert (own.lead_time_days, own.lead_time_source) == (20, "orders of the item")
    assert own.facts["lead_time_std"] == pytest.approx(np.std([18, 20, 22, 20, 20], ddof=1))
    of_supplier = policy(engine, "PAR-03", "DEP-RJ")
    assert (of_supplier.lead_time_days, of_supplier.lead_time_source) == (
        20,
        "orders of the supplier",
    )


def test_cancelled_lines_set_no_lead_times(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    days = (18, 20, 22, 20, 20)
    factories.add_lead_times(engine, network, sku="CABO-01", site="DEP-SP", days=days)
    for number in range(6):
        factories.add_order(
            engine,
            network,
            order=f"X{number}",
            sku="CABO-01",
            site="DEP-SP",
            quantity=10,
            ordered_on=LAST_DAY - timedelta(days=122 + number),
            promised_on=None,
            received_on=LAST_DAY - timedelta(days=number),
            status="Cancelado",
        )
    publish_now(engine, tmp_path)
    assert policy(engine, "CABO-01", "DEP-SP").lead_time_days == 20
    (drift,) = rows(engine, "SELECT facts FROM analytics.alert WHERE kind = 'lead_time_drift'")
    assert (drift.facts["recent_lines"], drift.facts["recent_days"]) == (5, 20)
    with engine.connect() as connection:
        assert sorted(received_lines(connection)["days"]) == sorted(days)


def test_alerts_are_raised_where_stock_runs_out(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    publish_now(engine, tmp_path)
    found = alerts(engine)
    assert set(found) == {
        ("stockout_imminent", "CABO-01", "DEP-SP"),
        ("stockout_imminent", "CABO-01", "DEP-RJ"),
        ("stockout_imminent", "BAT-02", "DEP-SP"),
        ("stockout_imminent", "PAR-03", "DEP-SP"),
    }
    cable = found["stockout_imminent", "CABO-01", "DEP-SP"]
    assert cable.level == "critical"
    premium = RecommendationSettings().emergency_premium
    assert cable.risk_brl == pytest.approx(cable.facts["risk_quantity"] * 12.5 * premium)
    assert cable.net_brl == cable.risk_brl - cable.acting_brl
    assert cable.facts["on_hand"] == 200
    assert found["stockout_imminent", "BAT-02", "DEP-SP"].level == "warning"
    assert found["stockout_imminent", "PAR-03", "DEP-SP"].risk_brl is None  # no lead time


def test_stock_under_the_reorder_point_is_told_before_it_runs_out(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.stock SET on_hand = 430 WHERE on_hand = 5000"))
    publish_now(engine, tmp_path)
    row = alerts(engine)["below_reorder_point", "CABO-01", "DEP-BA"]
    assert row.level == "info"
    assert row.facts["available"] <= row.facts["reorder_point"]


def test_an_order_already_placed_in_time_covers_and_a_late_one_does_not(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    coming: dict[str, Any] = {
        "sku": "CABO-01",
        "quantity": 2000.0,
        "ordered_on": LAST_DAY - timedelta(days=9),
    }
    in_time, too_late = LAST_DAY + timedelta(days=3), LAST_DAY + timedelta(days=12)
    factories.add_order(engine, network, order="A", site="DEP-SP", promised_on=in_time, **coming)
    factories.add_order(engine, network, order="B", site="DEP-RJ", promised_on=too_late, **coming)
    publish_now(engine, tmp_path)
    cables = {key for key in alerts(engine) if key[1] == "CABO-01"}
    assert cables == {("stockout_imminent", "CABO-01", "DEP-RJ")}
    assert policy(engine, "CABO-01", "DEP-SP").on_order == 2000


def test_cancelled_and_received_orders_are_not_counted_on(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    order: dict[str, Any] = {
        "sku": "CABO-01",
        "site": "DEP-SP",
        "quantity": 2000.0,
        "ordered_on": LAST_DAY - timedelta(days=9),
        "promised_on": LAST_DAY + timedelta(days=3),
    }
    factories.add_order(engine, network, order="A", status="Cancelado", **order)
    factories.add_order(engine, network, order="B", received_on=LAST_DAY, **order)
    publish_now(engine, tmp_path)
    assert ("stockout_imminent", "CABO-01", "DEP-SP") in alerts(engine)


def test_what_is_received_after_the_last_day_of_the_data_is_on_order_until_then(
    nova: str, engine: Engine, network: factories.Network, tmp_path: Path
):
    """Orders of the day after the data, which no count has yet."""
    tomorrow = LAST_DAY + timedelta(days=1)
    came: dict[str, Any] = LATE | {"received_on": tomorrow}
    factories.add_order(engine, network, **came, quantity=2000, received_qty=1900)
    placed = {"order": "M", "ordered_on": tomorrow, "promised_on": tomorrow}
    factories.add_order(engine, network, **came | placed, quantity=100)
    publish_now(engine, tmp_path)
    row = policy(engine, "CABO-01", "DEP-SP")
    assert (row.on_hand, row.on_order) == (200, 2000)
    kinds = {kind for kind, *place in alerts(engine) if place == ["CABO-01", "DEP-SP"]}
    assert not kinds & {"stockout_imminent", "below_reorder_point", "late_order"}
    listed = inventory.open_orders(sku="CABO-01", site="DEP-SP")
    assert [(one.order, one.received_on, one.days_late) for one in listed] == [
        ("L", tomorrow, None),
        ("M", tomorrow, None),
    ]
    factories.add_stock(engine, network, {("PAR-03", "DEP-SP"): 100}, days=1, last_day=tomorrow)
    derive.refresh_after_load(engine)
    row = policy(engine, "CABO-01", "DEP-SP")
    assert (row.on_hand, row.on_order) == (2200, 0)
    assert inventory.open_orders(sku="CABO-01", site="DEP-SP") == []


def test_a_late_order_is_told_and_expected_after_the_usual_delay(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    factories.add_order(engine, network, **LATE, quantity=2000, order_dated=False)
    publish_now(engine, tmp_path)
    row = alerts(engine)["late_order", "CABO-01", "DEP-SP"]
    assert (row.level, row.facts["days_late"], row.facts["order"]) == ("warning", 10, "L")
    assert row.facts["ordered_on"] is None
    assert row.facts["expected_on"] == (LAST_DAY + timedelta(days=1)).isoformat()
    assert ("stockout_imminent", "CABO-01", "DEP-SP") not in alerts(engine)


def test_an_old_count_is_brought_up_to_date_with_demand_and_receipts(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    counted = LAST_DAY - timedelta(days=10)
    with engine.begin() as connection:
        connection.execute(
            text("DELETE FROM core.stock WHERE date > :day AND site_id = :site"),
            {"day": counted, "site": network.sites["DEP-BA"]},
        )
    factories.add_order(
        engine,
        network,
        order="R",
        sku="CABO-01",
        site="DEP-BA",
        quantity=77,
        ordered_on=counted,
        promised_on=LAST_DAY,
        received_on=LAST_DAY,
    )
    factories.add_order(
        engine,
        network,
        order="X",
        sku="CABO-01",
        site="DEP-BA",
        quantity=400,
        ordered_on=counted,
        promised_on=LAST_DAY,
        received_on=LAST_DAY,
        status="cancelado",
    )
    publish_now(engine, tmp_path)
    ((consumed,),) = rows(
        engine,
        "SELECT sum(quantity) FROM core.demand WHERE date > :day"
        " AND site_id = :site AND item_id = :item",
        day=counted,
        site=network.sites["DEP-BA"],
        item=network.items["CABO-01"],
    )
    row = policy(engine, "CABO-01", "DEP-BA")
    assert row.on_hand == pytest.approx(5000 - consumed + 77)


LINES: dict[str, tuple[tuple[int, int], tuple[str, int], list[tuple[str, str]]]] = {
    # units at the count of 31 May, in transit then; the line's day and units; received_on and
    # received_qty of it in each file
    "part": ((35, 60), ("2025-05-20", 60), [("", ""), ("", "40")]),
    "rest": ((5, 20), ("2025-05-20", 30), [("", "10"), ("2025-06-01", "30")]),
    "dated": ((5, 20), ("2025-05-20", 30), [("2025-05-25", "10"), ("2025-06-01", "30")]),
    "whole": ((5, 30), ("2025-05-20", 30), [("", ""), ("2025-06-01", "")]),
    "known": ((5, 20), ("2025-05-20", 30), [("", "10"), ("", "10")]),
    "young": ((5, 0), ("2025-06-01", 30), [("", "10"), ("", "10")]),
    "lowered": ((5, 30), ("2025-05-20", 30), [("", ""), ("", "25"), ("", "20")]),
    "redated": ((5, 0), ("2025-05-20", 30), [("", ""), ("", "25"), ("2025-05-30", "25")]),
    "raised": ((5, 25), ("2025-05-20", 30), [("", "10"), ("", "5"), ("", "12")]),
}


def test_what_came_of_an_order_since_the_count_is_on_hand_and_neither_on_order_nor_in_transit(
    nova: str, engine: Engine, tmp_path: Path
):
    """Whether files tell the day of a receipt or only more units; the data end on 1 June."""
    asked = "".join(
        f"{date(2025, 5, 1) + timedelta(days=n)};{sku};{int(n < 31)};D\n"
        for sku in LINES
        for n in range(32)
    )
    stock = "".join(
        f"2025-05-31;{sku};D;{on_hand};{sent}\n" for sku, ((on_hand, sent), _, _) in LINES.items()
    )

    def orders(number: int) -> str:
        header = "order;line;sku;supplier;site;ordered_on;quantity;received_on;received_qty\n"
        return header + "".join(
            f"{sku};1;{sku};S;D;{ordered};{quantity};{';'.join(told[min(number, len(told) - 1)])}\n"
            for sku, (_, (ordered, quantity), told) in LINES.items()
        )

    files = {
        "sites": "site;uf\nD;SP\n",
        "items": "sku;unit;lead_time_days\n" + "".join(f"{sku};m;10\n" for sku in LINES),
        "demand": f"date;sku;quantity;site\n{asked}",
        "stock": f"date;sku;site;on_hand;in_transit\n{stock}",
    }
    load_and_publish(write(tmp_path, **files, purchase_orders=orders(0)), engine)
    for number in (1, 2):
        again = write(tmp_path / str(number), purchase_orders=orders(number))
        assert load(again, engine).ok
    derive.refresh_after_load(engine)
    found = {}
    for sku in LINES:
        row = inventory.one(sku=sku, site="D")
        found[sku] = (row.on_hand, row.on_order, row.in_transit)
    assert found == {
        "part": (75, 20, 20),
        "rest": (25, 0, 0),
        "dated": (25, 0, 0),
        "whole": (35, 0, 0),
        "known": (5, 20, 20),
        "young": (15, 20, 0),
        "lowered": (25, 10, 10),
        "redated": (5, 0, 0),
        "raised": (12, 18, 18),
    }


def test_a_depot_that_falls_silent_is_told_until_it_is_heard_of_again(
    engine: Engine, tmp_path: Path
):
    """DEP-RJ and DEP-MG, where nobody asks for anything, were counted more than a year ago."""
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    with engine.begin() as connection:
        sql = "INSERT INTO core.site (site, uf, kind) VALUES ('DEP-MG', 'MG', 'depot')"
        made = connection.execute(text(f"{sql} RETURNING site_id")).scalar_one()
        network.sites["DEP-MG"] = made
    factories.add_stock(engine, network, {("CABO-01", "DEP-SP"): 500.0}, days=1)
    last = LAST_DAY - timedelta(days=400)
    old = {("CABO-01", "DEP-RJ"): 90.0, ("EPI-04", "DEP-MG"): 9.0, ("BAT-02", "DEP-MG"): 2.0}
    factories.add_stock(engine, network, old, days=3, last_day=last)
    publish_now(engine, tmp_path)
    gaps = {key: row.facts for key, row in alerts(engine).items() if key[0] == "data_gap"}
    assert {site for _, _, site in gaps} == {"DEP-RJ", "DEP-MG"}
    rio, minas = (gaps["data_gap", "BAT-02", site] for site in ("DEP-RJ", "DEP-MG"))
    assert (rio["last_on"], rio["silent_days"], rio["items"]) == (last.isoformat(), 400, 4)
    assert (minas["silent_days"], minas["items"], minas["risk_brl"]) == (400, 2, None)
    factories.add_stock(engine, network, {(sku, site): 90.0 for _, sku, site in gaps}, days=1)
    derive.refresh_after_load(engine)
    assert "data_gap" not in {kind for kind, _, _ in alerts(engine)}


def test_with_only_demand_there_are_forecasts_and_no_alerts(engine: Engine, tmp_path: Path):
    network = factories.make_network(engine, with_site=False)
    factories.add_demand(engine, network)
    run_id = publish_now(engine, tmp_path)
    assert alerts(engine) == {}
    assert rows(engine, "SELECT count(*) FROM analytics.policy WHERE run_id = :r", r=run_id) == [
        (4,)
    ]
    assert policy(engine, "CABO-01", "-").on_hand is None


def test_weekly_runs_derive_daily_rates(engine: Engine, tmp_path: Path):
    network = factories.make_network(engine)
    factories.add_demand(engine, network, days=60, step=7, last_day=date(2025, 6, 23))
    factories.add_stock(engine, network, STOCK)
    publish_now(engine, tmp_path, frequency="W", horizon=13)
    row = policy(engine, "CABO-01", "DEP-SP")
    ((mean,),) = rows(
        engine,
        "SELECT mean FROM analytics.series_profile"
        " JOIN core.item USING (item_id) JOIN core.site USING (site_id)"
        " WHERE sku = 'CABO-01' AND site = 'DEP-SP'",
    )
    assert row.daily_demand == pytest.approx(mean / 7)
    assert row.stockout_on == LAST_DAY + timedelta(days=ceil(200 / (mean / 7)))


def test_demand_of_a_month_reaches_to_its_end(nova: str, engine: Engine, tmp_path: Path):
    """Of June, dated its first day, is all that was asked for since the count of 31 May, and half
    since that of 15 June; then the forecast of July goes on."""
    months = "".join(f"2025-0{month}-01;{sku};300;D\n" for month in range(1, 6) for sku in "AB")
    files = {
        "items": "sku;family;unit;unit_cost_brl\nA;cabos;m;2\nB;cabos;m;2\n",
        "sites": "site;uf\nD;SP\n",
        "demand": f"date;sku;quantity;site\n{months}",
        "stock": "date;sku;site;on_hand\n2025-05-31;A;D;400\n2025-06-15;B;D;400\n",
    }
    load_and_publish(write(tmp_path, **files), engine, frequency="M", horizon=3)
    june = "date;sku;quantity;site\n2025-06-01;A;300;D\n2025-06-01;B;300;D\n"
    assert load(write(tmp_path / "june", demand=june), engine).ok
    derive.refresh_after_load(engine)
    row = policy(engine, "A", "D")
    assert row.on_hand == 100 and policy(engine, "B", "D").on_hand == 250
    assert row.days_to_stockout == pytest.approx(100 / (300 / 31))
    assert row.stockout_on == date(2025, 7, 11)
    assert status.current().as_of == date(2025, 6, 30)
    ahead = [(p.date.month, p.actual) for p in forecasts.series(sku="A", site="D")]
    assert ahead[:3] == [(6, 300), (7, None), (8, None)]
    assert overrides.periods() == [date(2025, 7, 1), date(2025, 8, 1)]
    (asked,) = [one for one in kpis.headline() if one.key == "demand_value"]
    assert (asked.value, asked.as_of) == (1_200, date(2025, 6, 30))


def test_a_month_that_was_running_when_it_was_loaded_is_not_over(
    nova: str, engine: Engine, tmp_path: Path
):
    """June, loaded on its 10th: demand is known to 31 May, and nothing counts from a day that is
    still to come. Loaded again on the evening of its last day, it is over."""
    months = "".join(f"2025-0{month}-01;A;310;D\n" for month in range(1, 6))
    files = {
        "items": "sku;family;unit;unit_cost_brl\nA;cabos;m;2\n",
        "sites": "site;uf\nD;SP\n",
        "demand": f"date;sku;quantity;site\n{months}",
        "stock": "date;sku;site;on_hand\n2025-05-21;A;D;400\n",
        "outages": "outage;site;started_at\nO-1;D;2025-05-25 00:00\n",
    }
    load_and_publish(write(tmp_path, **files), engine, frequency="M", horizon=3)
    june = "date;sku;quantity;site\n2025-06-01;A;90;D\n"
    assert load(write(tmp_path / "june", demand=june), engine).ok
    _loaded_at(engine, "2025-06-10 23:30")
    derive.refresh_after_load(engine)
    assert load_training_set(engine).loaded_on == date(2025, 6, 10)
    assert policy(engine, "A", "D").on_hand == 400 - 100
    known = status.current()
    assert known.as_of == known.demand_to == date(2025, 5, 31)
    assert {point.actual for point in forecasts.series(sku="A", site="D")} == {None}
    (asked,) = [one for one in kpis.headline() if one.key == "demand_value"]
    assert (asked.value, asked.as_of) == (620, date(2025, 5, 31))
    hours = "SELECT sum(hours) FROM analytics.downtime_by_day"
    assert rows(engine, hours) == [(7 * 24,)]
    _loaded_at(engine, "2025-06-30 23:30")
    derive.refresh_after_load(engine)
    with engine.connect() as connection:
        reached = run_and_days(connection)
    assert reached.demand == reached.outages_to == date(2025, 6, 30)
    assert rows(engine, hours) == [((7 + 30) * 24,)]


def _loaded_at(engine: Engine, moment: str) -> None:
    sql = "UPDATE staging.load SET started_at = CAST(:moment AS timestamp) AT TIME ZONE :zone"
    with engine.begin() as connection:
        connection.execute(text(sql), {"moment": moment, "zone": BRASILIA.key})


def test_what_was_last_asked_for_in_a_month_is_idle_from_its_end(engine: Engine, tmp_path: Path):
    """B is last asked for in December, at a depot of its own, dated the month's first day."""
    asked = "".join(f"2025-0{month}-01;A;300;D\n" for month in range(1, 7)) + "2024-12-01;B;30;E\n"
    files = {
        "items": "sku;family;unit;unit_cost_brl\nA;cabos;m;2\nB;cabos;m;2\n",
        "sites": "site;uf\nD;SP\nE;SP\n",
        "demand": f"date;sku;quantity;site\n{asked}",
        "stock": "date;sku;site;on_hand\n2025-06-30;A;D;400\n2025-06-30;B;E;900\n",
    }
    load_and_publish(write(tmp_path, **files), engine, frequency="M", horizon=3)
    told = {key: row.facts for key, row in alerts(engine).items()}
    dead, gap = told["dead_stock", "B", "E"], told["data_gap", "B", "E"]
    assert (dead["last_demand_on"], dead["unasked_days"]) == ("2024-12-31", 181)
    assert (gap["file"], gap["last_on"], gap["silent_days"]) == ("demand", "2024-12-31", 181)
    set_policy(engine, '{"dead_days": 182, "gap_days": 182}')
    assert not {("dead_stock", "B", "E"), ("data_gap", "B", "E")} & set(alerts(engine))


def set_policy(engine: Engine, settings: str) -> None:
    set_setting(engine, "policy", settings)
    derive.refresh_after_load(engine)


def set_setting(engine: Engine, key: str, value: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO support.setting (key, value, changed_by)"
                " VALUES (:key, CAST(:value AS jsonb), 'tests')"
            ),
            {"key": key, "value": value},
        )


def test_the_company_may_decide_by_the_textbook(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    publish_now(engine, tmp_path)
    ours = policy(engine, "CABO-01", "DEP-SP")
    assert ours.safety_stock != pytest.approx(ours.textbook_safety_stock, rel=1e-3)
    set_policy(engine, '{"method": "textbook"}')
    row = policy(engine, "CABO-01", "DEP-SP")
    assert row.safety_stock == row.textbook_safety_stock == ours.textbook_safety_stock
    assert row.reorder_point == row.textbook_reorder_point


def test_the_reorder_point_covers_the_lead_times_demand_as_often_as_asked(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    """With a constant lead time and independent errors, days of the forecast's own spread."""
    publish_now(engine, tmp_path)
    row = policy(engine, "CABO-01", "DEP-SP")
    (mean, low, high) = rows(
        engine,
        "SELECT forecast.mean, p10, p90 FROM analytics.forecast JOIN core.item USING (item_id)"
        " JOIN core.site USING (site_id) WHERE model = 'ensemble' AND sku = 'CABO-01'"
        " AND site = 'DEP-SP' LIMIT 1",
    )[0]
    sigma = (high - low) / 2.5631
    shared = row.facts["shared_error"]
    spread = sigma * np.sqrt(14 * (1 - shared) + 14**2 * shared)
    assert row.facts["lead_time_demand_std"] == pytest.approx(spread, rel=0.1)
    assert row.reorder_point == pytest.approx(14 * mean + 1.88 * spread, rel=0.05)


def test_the_time_before_a_young_items_first_demand_is_not_demand_of_none(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    """4 to 8 units every third day for 60 days, over a lead time of 14 days."""
    since = {"since": LAST_DAY - timedelta(days=59), "last": LAST_DAY}
    of_cable = (
        "item_id = (SELECT item_id FROM core.item WHERE sku = 'CABO-01')"
        " AND site_id = (SELECT site_id FROM core.site WHERE site = 'DEP-SP')"
    )
    with engine.begin() as connection:
        early = f"DELETE FROM core.demand WHERE {of_cable} AND (date < :since OR date <> :last"
        connection.execute(text(f"{early} AND (date - CAST(:since AS date)) % 3 > 0)"), since)
        sizes = "4 + (date - CAST(:since AS date)) / 3 % 5"
        connection.execute(
            text(f"UPDATE core.demand SET quantity = {sizes} WHERE {of_cable}"), since
        )
    factories.refresh_views(engine)
    bundle = factories.make_bundle(tmp_path, engine)

    def pausing(profiles: pd.DataFrame) -> pd.DataFrame:
        of = (profiles["sku"] == "CABO-01") & (profiles["site"] == "DEP-SP")
        return profiles.assign(demand_class=profiles["demand_class"].where(~of, "intermittent"))

    factories.rewrite(bundle, "series_profile.parquet", pausing)
    publish.publish_bundle(bundle, engine=engine, published_by=BY)
    row = policy(engine, "CABO-01", "DEP-SP")
    spread = 6 * np.sqrt(14 * 1 / 3 * 2 / 3)
    assert row.facts["lead_time_demand_std"] == pytest.approx(spread, rel=0.15)
    assert row.reorder_point % 1 == 0, "at a part of a piece it would wait for the piece below"


def test_what_is_on_the_shelf_decides_the_chance_of_running_out_and_its_dates(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    publish_now(engine, tmp_path)
    short, ample = policy(engine, "CABO-01", "DEP-SP"), policy(engine, "CABO-01", "DEP-BA")
    assert (short.stockout_probability, ample.stockout_probability) == (1.0, 0.0)
    assert short.stockout_p90_on <= short.stockout_p50_on
    assert abs(short.stockout_p50_on - short.stockout_on) <= timedelta(days=1)


def test_an_empty_shelf_is_out_now_whatever_comes_tomorrow(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.stock SET on_hand = 0"))
    factories.add_order(engine, network, **LATE, quantity=20_000)
    publish_now(engine, tmp_path)
    now = policy(engine, "CABO-01", "DEP-SP")
    assert (now.days_to_stockout, now.stockout_probability) == (0, 1)
    assert now.stockout_on == now.stockout_p50_on == now.stockout_p90_on == LAST_DAY
    raised = alerts(engine)
    assert raised["stockout_imminent", "CABO-01", "DEP-SP"].level == "critical"
    assert ("late_order", "CABO-01", "DEP-SP") in raised


def test_what_is_missing_before_an_order_arrives_is_at_risk(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    """200 on hand, and an order that comes on day 12 of a lead time of 14 days."""
    order: dict[str, Any] = LATE | {"promised_on": LAST_DAY + timedelta(days=12)}
    factories.add_order(engine, network, **order, quantity=20_000)
    publish_now(engine, tmp_path)
    row = policy(engine, "CABO-01", "DEP-SP")
    missing = 11 * row.daily_demand - 200
    assert missing > 100 and row.stockout_probability == 1
    assert row.facts["risk_quantity"] == pytest.approx(missing, rel=0.02)
    alert = alerts(engine)["stockout_imminent", "CABO-01", "DEP-SP"]
    assert alert.risk_brl == row.facts["risk_brl"] > 0
    assert policy(engine, "CABO-01", "DEP-BA").facts["risk_quantity"] == 0


def test_what_was_put_aside_is_open_again_when_it_gets_worse(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    run_id = publish_now(engine, tmp_path)
    with engine.begin() as connection:
        connection.execute(text("UPDATE analytics.alert SET status = 'resolved'"))
        connection.execute(
            text("UPDATE analytics.alert SET level = 'info' WHERE item_id = :item_id"),
            {"item_id": network.items["CABO-01"]},
        )
        derive.derive_run(connection, run_id)
    found = alerts(engine)
    kinds = ("stockout_imminent", "below_reorder_point")
    statuses = {
        (key[1], row.status, row.level != "info") for key, row in found.items() if key[0] in kinds
    }
    assert ("CABO-01", "open", True) in statuses
    assert {status for sku, status, _ in statuses if sku != "CABO-01"} == {"resolved"}


def test_what_is_in_transit_beyond_the_open_orders_is_counted_on(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    """9,000 in transit, of which orders of 120 that were open at the count are a part: one of them
    without an order date, loaded on the day after the count."""
    factories.add_order(
        engine,
        network,
        order="PO-9",
        sku="CABO-01",
        site="DEP-SP",
        quantity=90,
        ordered_on=LAST_DAY - timedelta(days=3),
        promised_on=LAST_DAY + timedelta(days=11),
    )
    factories.add_order(
        engine,
        network,
        order="PO-U",
        sku="CABO-01",
        site="DEP-SP",
        quantity=30,
        ordered_on=LAST_DAY + timedelta(days=1),
        order_dated=False,
        promised_on=LAST_DAY + timedelta(days=11),
    )
    publish_now(engine, tmp_path)
    bare = policy(engine, "CABO-01", "DEP-SP")
    assert bare.on_order == 120
    assert ("stockout_imminent", "CABO-01", "DEP-SP") in alerts(engine)
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE core.stock SET in_transit = 9000 WHERE date = :day AND item_id = :item_id"
                " AND site_id = :site_id"
            ),
            {
                "day": LAST_DAY,
                "item_id": network.items["CABO-01"],
                "site_id": network.sites["DEP-SP"],
            },
        )
    derive.refresh_after_load(engine)
    row = policy(engine, "CABO-01", "DEP-SP")
    assert row.on_order == 9000
    assert ("stockout_imminent", "CABO-01", "DEP-SP") not in alerts(engine)


def test_what_was_in_transit_at_an_older_count_is_on_hand_once_it_should_be_there(
    nova: str, engine: Engine, network: factories.Network, tmp_path: Path
):
    """Counted 10 days ago with 400 in transit, which takes 7 days, and then 20 days."""
    counted = LAST_DAY - timedelta(days=10)
    at_depot = {"item_id": network.items["CABO-01"], "site_id": network.sites["DEP-BA"]}
    of = "item_id = :item_id AND site_id = :site_id AND date"
    with engine.begin() as connection:
        params = at_depot | {"day": counted}
        connection.execute(text(f"DELETE FROM core.stock WHERE {of} > :day"), params)
        connection.execute(
            text(f"UPDATE core.stock SET on_hand = 20, in_transit = 400 WHERE {of} = :day"), params
        )
        used = connection.execute(
            text(f"SELECT sum(quantity) FROM core.demand WHERE {of} > :day"), params
        ).scalar_one()
    publish_now(engine, tmp_path)
    row = policy(engine, "CABO-01", "DEP-BA")
    assert 20 < used < 420
    assert (row.on_hand, row.on_order) == (pytest.approx(420 - used), 0)
    alert = alerts(engine)["stockout_imminent", "CABO-01", "DEP-BA"]
    (step,) = [s for s in receipts.of_alert(alert_id=alert.id).steps if s.key == "on_hand"]
    assert {line.symbol: line.value for line in step.inputs}["T"] == 400
    assert evaluate(step) == alert.facts["on_hand"] == row.on_hand
    shown = inventory.one(sku="CABO-01", site="DEP-BA")
    assert (shown.on_hand, shown.in_transit) == (row.on_hand, 0)
    set_policy(engine, '{"in_transit_days": 20}')
    row = policy(engine, "CABO-01", "DEP-BA")
    assert (row.on_hand, row.on_order) == (0, 400)
    assert inventory.one(sku="CABO-01", site="DEP-BA").in_transit == 400


def test_service_levels_follow_the_companys_settings(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    publish_now(engine, tmp_path)
    before = policy(engine, "CABO-01", "DEP-SP").safety_stock
    set_policy(engine, '{"service_levels": {"A": 0.5}}')
    assert before > 0
    assert policy(engine, "CABO-01", "DEP-SP").safety_stock < before / 5


def test_a_load_is_followed_by_new_alerts_under_the_same_run(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    run_id = publish_now(engine, tmp_path)
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.stock SET on_hand = 9000"))
    derive.refresh_after_load(engine)
    assert {kind for kind, _, _ in alerts(engine)} == {"excess"}
    assert rows(engine, "SELECT run_id FROM analytics.published") == [(run_id,)]


def test_a_load_without_its_refresh_is_noticed(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    publish_now(engine, tmp_path)
    assert not refresh_needed(engine)
    with engine.begin() as connection:
        factories.add_load(connection, "stock")
    assert refresh_needed(engine)
    derive.refresh_after_load(engine)
    assert not refresh_needed(engine)


def set_status(engine: Engine, alert_id: int, status: str, scope: Scope = EVERYTHING) -> None:
    commands.set_status(
        engine,
        alert_ids=[alert_id],
        status=status,
        actor=Actor("ana@example.com", "ANALYST"),
        user_id=None,
        scope=scope,
        reason="seen",
    )


def test_a_status_persists_with_its_alert_over_runs(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    publish_now(engine, tmp_path)
    key = ("stockout_imminent", "CABO-01", "DEP-SP")
    first = alerts(engine)[key]
    set_status(engine, first.id, "acknowledged")

    publish_now(engine, tmp_path, name="other", scale=1.01)
    second = alerts(engine)[key]
    assert second.run_id != first.run_id
    assert (second.status, second.raised_at) == ("acknowledged", first.raised_at)
    assert alerts(engine)["stockout_imminent", "CABO-01", "DEP-RJ"].status == "open"


def test_a_snoozed_alert_wakes_up_when_its_time_is_over(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    publish_now(engine, tmp_path)
    key = ("stockout_imminent", "CABO-01", "DEP-SP")
    set_status(engine, alerts(engine)[key].id, "snoozed")
    derive.refresh_after_load(engine)
    assert alerts(engine)[key].status == "snoozed"
    with engine.begin() as connection:
        connection.execute(text("UPDATE analytics.alert SET snoozed_until = now()"))
    derive.refresh_after_load(engine)
    assert alerts(engine)[key].status == "open"


def test_an_alert_goes_on_with_its_owner_while_they_may_act_on_it(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    """Both were analysts of everything: Ana has the cables of São Paulo, Bia all else."""
    publish_now(engine, tmp_path)
    viewer, of_rio = (
        users.create(
            engine, email=email, name="", role=role, scope=scope, password_hash="", actor=Actor()
        )
        for email, role, scope in (
            ("ana@nova.test", Role.VIEWER, EVERYTHING),
            ("bia@nova.test", Role.ANALYST, Scope(ufs=("RJ",))),
        )
    )
    given = """
        UPDATE analytics.alert SET owner_id = CASE WHEN uf = 'SP' AND sku = 'CABO-01' THEN :ana
            ELSE :bia END
        FROM core.site, core.item
        WHERE site.site_id = alert.site_id AND item.item_id = alert.item_id
    """
    with engine.begin() as connection:
        connection.execute(text(given), {"ana": viewer, "bia": of_rio})
    before = [row.owner_id for row in alerts(engine).values()]
    derive.refresh_after_load(engine)
    owners = {key[1:]: row.owner_id for key, row in alerts(engine).items()}
    assert {("CABO-01", "DEP-SP"), ("PAR-03", "DEP-SP"), ("CABO-01", "DEP-RJ")} <= owners.keys()
    assert {key for key, owner in owners.items() if owner == of_rio} == {("CABO-01", "DEP-RJ")}
    after = [row.owner_id for row in alerts(engine).values()]
    assert set(after) == {of_rio, None}
    sql = """
        SELECT object, actor, CAST(before ->> 'alerts' AS integer) FROM support.audit_log
        WHERE action = 'user.release_alerts' ORDER BY object
    """
    with engine.connect() as connection:
        told = [tuple(row) for row in connection.execute(text(sql))]
    assert told == [
        ("user:ana@nova.test", "system", before.count(viewer)),
        ("user:bia@nova.test", "system", before.count(of_rio) - after.count(of_rio)),
    ]


def test_settings_that_changed_several_times_are_followed_once(
    engine: Engine, network: factories.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """One that changes during a derivation may have come too late for it, and is followed next."""
    publish_now(engine, tmp_path)
    assert not derive.derive_settings(engine)
    set_setting(engine, "recommendations", '{"order_cost_brl": 99}')
    computing = derive.write_metrics

    def changed_meanwhile(*given: Any) -> None:
        set_setting(engine, "policy", '{"method": "textbook"}')
        computing(*given)

    with monkeypatch.context() as patched:
        patched.setattr(derive, "write_metrics", changed_meanwhile)
        assert derive.derive_settings(engine)
    assert derive.derive_settings(engine) and not derive.derive_settings(engine)
    row = policy(engine, "CABO-01", "DEP-SP")
    assert row.safety_stock == row.textbook_safety_stock


def until_one_waits(engine: Engine) -> None:
    """Until a connection of this database waits for a lock."""
    for _ in range(200):
        with engine.connect() as connection:
            if waiting(connection):
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits for a lock")


def test_people_decide_while_a_derivation_computes_and_copies(
    engine: Engine, network: factories.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """All that is copied from here stands beside the tables until people are kept from them."""
    publish_now(engine, tmp_path)
    set_setting(engine, "savings", '{"known_months": 2, "least_months": 2}')
    key = ("stockout_imminent", "CABO-01", "DEP-SP")
    number = alerts(engine)[key].id
    impatient = make_engine(engine.url.render_as_string(hide_password=False), lock_timeout_ms=100)
    copying_rows = copying.copy
    copied: list[str] = []

    def decided_meanwhile(connection: Any, statement: str, rows: Any) -> None:
        set_status(impatient, number, ("acknowledged", "open")[len(copied) % 2])
        copied.append(statement.split()[1])
        copying_rows(connection, statement, rows)

    monkeypatch.setattr(copying, "copy", decided_meanwhile)
    assert derive.derive_settings(engine)
    impatient.dispose()
    assert copied[-3:] == ["advised", "replayed", "raised"]
    decided = ("acknowledged", "open")[(len(copied) - 1) % 2]
    assert (alerts(engine)[key].id, alerts(engine)[key].status) == (number, decided)
    assert rows(engine, "SELECT FROM analytics.savings") and len(copied) > 3


def test_a_decision_and_a_derivation_wait_for_each_other(
    engine: Engine, network: factories.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run_id = publish_now(engine, tmp_path)
    key = ("stockout_imminent", "CABO-01", "DEP-SP")
    number = alerts(engine)[key].id
    recording = decisions.record

    def when_derived(*given: Any, **more: Any) -> None:
        until_one_waits(engine)
        recording(*given, **more)

    with ThreadPoolExecutor() as pool:
        with monkeypatch.context() as patched:
            patched.setattr(decisions, "record", when_derived)
            deciding = pool.submit(set_status, engine, number, "acknowledged")
            until_held = "SELECT FROM pg_locks WHERE mode = 'RowShareLock' AND relation = {}"
            while not rows(engine, until_held.format("'analytics.alert'::regclass")):
                time.sleep(0.01)
            derive.refresh_after_load(engine)
            deciding.result()
        assert alerts(engine)[key].status == "acknowledged"
        with engine.begin() as connection:
            derive.derive_run(connection, run_id)
            deciding = pool.submit(set_status, engine, number, "resolved")
            until_one_waits(engine)
        deciding.result()
    assert (alerts(engine)[key].id, alerts(engine)[key].status) == (number, "resolved")


def test_a_status_is_a_decision_with_its_audit_row(
    engine: Engine, network: factories.Network, tmp_path: Path
):
    publish_now(engine, tmp_path)
    one = alerts(engine)["stockout_imminent", "CABO-01", "DEP-SP"]
    set_status(engine, one.id, "resolved")
    set_status(engine, one.id, "resolved")
    (made,) = rows(engine, "SELECT * FROM support.decision")
    assert (made.fingerprint, made.status, made.reason) == (one.fingerprint, "resolved", "seen")
    (audited,) = rows(engine, "SELECT * FROM support.audit_log WHERE action = 'alert.status'")
    assert (audited.actor, audited.before["status"]) == ("ana@example.com", "open")
    with pytest.raises(InvalidInput, match="must be one of"):
        set_status(engine, one.id, "gone")
    with pytest.raises(NotFound):
        set_status(engine, one.id, "open", Scope(ufs=("BA",)))
    assert alerts(engine)["stockout_imminent", "CABO-01", "DEP-SP"].status == "resolved"


def test_availability_of_a_contract(engine: Engine, network: factories.Network, tmp_path: Path):
    night = datetime(2025, 6, 10, 22)
    factories.add_outage(engine, network, "DEP-SP", night, night + timedelta(hours=6))
    publish_now(engine, tmp_path)
    days = rows(engine, "SELECT * FROM analytics.downtime_by_day ORDER BY date")
    assert [(day.date.day, day.hours) for day in days] == [(10, 2.0), (11, 4.0)]


def test_the_band_of_totals_holds_four_fifths_of_them():
    rng = np.random.default_rng(3)
    error = rng.normal(0, 3.0, 400)
    band = total_band(100 + error, np.full(400, 100.0), np.full(400, 1.0))
    z = band["z"]
    assert z is not None
    assert np.mean(np.abs(error) <= z) == pytest.approx(0.8, abs=0.01)
    assert total_band([1.0], [1.0], [1.0]) == {"z": None, "n": 1}
