"""Suppliers' figures against an independent computation with pandas, and on made-up orders."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text

from domain.access import EVERYTHING, Scope
from domain.errors import NotFound
from domain.records import NO_FILTERS, Filters
from domain.suppliers import MIN_LINES
from tests import factories
from tests.ingesting import EXAMPLES, load, write
from tests.plans import nodes_of
from warehouse.pipeline import derive
from warehouse.pipeline.publish import publish_bundle
from warehouse.queries import kpis, suppliers

pytestmark = pytest.mark.usefixtures("nova")

SCMS = Path("suppliers/scms_delivery_history.csv.gz")


@pytest.fixture
def deliveries(shared_data: Path) -> pd.DataFrame:
    """The direct drops of the SCMS file, with real dates; 328 have no order date."""
    rows = pd.read_csv(shared_data / SCMS, keep_default_na=False)
    rows = rows[rows["Fulfill Via"] == "Direct Drop"]
    rows = rows.assign(
        promised=pd.to_datetime(rows["Scheduled Delivery Date"], format="%d-%b-%y"),
        received=pd.to_datetime(rows["Delivered to Client Date"], format="%d-%b-%y"),
        ordered=pd.to_datetime(rows["PO Sent to Vendor Date"], format="%m/%d/%y", errors="coerce"),
    )
    return rows


@pytest.fixture
def scms(engine: Engine, shared_data: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(EXAMPLES / "scms_deliveries" / "mapping.toml", tmp_path)
    shutil.copy(shared_data / SCMS, tmp_path)
    assert load(tmp_path, engine).ok
    yield engine


def test_every_vendor_is_what_pandas_says(scms: Engine, deliveries: pd.DataFrame) -> None:
    check_every_vendor(deliveries)
    check_a_year(deliveries)


def check_every_vendor(deliveries: pd.DataFrame) -> None:
    found = {score.supplier: score for score in suppliers.listed()}
    assert set(found) == set(deliveries["Vendor"]) and len(found) == 72
    ranked = [score for score in found.values() if score.rank is not None]
    assert len(ranked) == sum(deliveries["Vendor"].value_counts() >= MIN_LINES) == 20
    assert sum(score.lines for score in found.values()) == len(deliveries) == 4_920
    for vendor, rows in deliveries.groupby("Vendor"):
        score = found[str(vendor)]
        late = rows["received"] > rows["promised"]
        assert (score.lines, score.late) == (len(rows), int(late.sum()))
        assert score.on_time_in_full == len(rows) - int(late.sum())
        assert score.late_rate == pytest.approx(late.mean(), abs=1e-12)
        assert score.otif == pytest.approx(1 - late.mean(), abs=1e-12)
        took = (rows["received"] - rows["ordered"]).dt.days
        took = took[took >= 0]
        assert score.lines_received == len(took)
        if len(took):
            told = (score.lead_time_p50, score.lead_time_p90, score.lead_time_mean)
            assert told == pytest.approx(
                (took.quantile(0.5), took.quantile(0.9), took.mean()), abs=1e-9
            )
        if len(took) > 1:
            assert score.lead_time_std == pytest.approx(took.std(), abs=1e-9)
    (whole,) = [one for one in suppliers.totals() if one.kind == "all"]
    late = deliveries["received"] > deliveries["promised"]
    assert whole.late_rate == pytest.approx(late.mean(), abs=1e-12)
    assert (whole.lines, whole.ranked) == (len(deliveries), 20)
    assert whole.lines_received == (deliveries["received"] >= deliveries["ordered"]).sum()


def check_a_year(deliveries: pd.DataFrame) -> None:
    """Dates narrow each figure to its own lines: promised, or received, within them."""
    year = Filters(date_from=date(2012, 1, 1), date_to=date(2012, 12, 31))
    (whole,) = [one for one in suppliers.totals(filters=year) if one.kind == "all"]
    due = deliveries[deliveries["promised"].dt.year == 2012]
    came = deliveries[
        (deliveries["received"].dt.year == 2012) & (deliveries["received"] >= deliveries["ordered"])
    ]
    assert whole.lines == len(due)
    assert whole.late_rate == pytest.approx((due["received"] > due["promised"]).mean(), abs=1e-12)
    assert whole.lines_received == len(came)
    took = (came["received"] - came["ordered"]).dt.days
    assert whole.lead_time_p90 == pytest.approx(took.quantile(0.9), abs=1e-9)


@pytest.fixture
def network(engine: Engine) -> factories.Network:
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    return network


def order(engine: Engine, network: factories.Network, number: int, **more: Any) -> None:
    ordered = date(2025, 1, 1) + timedelta(days=2 * number)
    values: dict[str, Any] = {
        "sku": "CABO-01",
        "site": "DEP-SP",
        "quantity": 10,
        "ordered_on": ordered,
        "promised_on": ordered + timedelta(days=20),
        "received_on": ordered + timedelta(days=20),
    }
    factories.add_order(engine, network, order=f"P{number:03d}", **(values | more))


def test_a_line_is_late_against_its_first_promise(engine: Engine, tmp_path: Path) -> None:
    def deliver(**cells: str) -> None:
        line = {
            "order": "P1", "line": "1", "sku": "A", "supplier": "S", "ordered_on": "2025-01-01",
            "quantity": "5", "promised_on": "2025-01-20", "received_on": "", "site": "D",
        } | cells  # fmt: skip
        names, cells_of = zip(*line.items(), strict=True)
        write(tmp_path, purchase_orders=f"{','.join(names)}\n{','.join(cells_of)}\n")
        assert load(tmp_path, engine).ok

    deliver()
    deliver(promised_on="2025-02-20")
    deliver(promised_on="2025-02-25", received_on="2025-02-24")
    (score,) = suppliers.listed()
    assert (score.lines, score.on_time_in_full, score.late) == (1, 0, 1)
    (line,) = suppliers.lines().rows
    assert (line.first_promised_on, line.promised_on) == (date(2025, 1, 20), date(2025, 2, 25))
    assert line.days_late == 35
    derive.refresh_after_load(engine)
    with engine.connect() as connection:
        day = connection.execute(text("SELECT date FROM analytics.order_by_day")).scalar_one()
    assert day == date(2025, 1, 20)


def test_what_is_due_and_has_not_come_is_late_and_what_is_not_due_does_not_count(
    engine: Engine, network: factories.Network
) -> None:
    order(engine, network, 1)
    order(engine, network, 2, received_on=None)
    order(engine, network, 3, received_qty=9)
    order(engine, network, 4, promised_on=None)
    order(engine, network, 5, promised_on=date(2026, 1, 1), received_on=None)
    tomorrow = factories.LAST_DAY + timedelta(days=1)
    undated: dict[str, Any] = {"ordered_on": tomorrow, "order_dated": False}
    order(engine, network, 6, promised_on=tomorrow, received_on=tomorrow, **undated)
    derive.refresh_after_load(engine)
    score = next(one for one in suppliers.listed() if one.lines)
    assert (score.lines, score.on_time_in_full, score.late, score.in_full) == (3, 1, 1, 1)
    assert score.fill_rate == pytest.approx(19 / 30)
    assert (score.open_lines, score.overdue_lines) == (3, 1)
    assert score.rank is None and score.lead_time_low is None


def test_prices_and_lead_times_that_grow_are_measured(
    engine: Engine, network: factories.Network
) -> None:
    """Each item against itself: that later orders are of a dearer item is no drift."""
    for number in range(60):
        sku, base = ("CABO-01", 10.0) if number < 30 else ("PAR-03", 90.0)
        price = base * 1.2 ** (2 * number / 365.25)
        ordered = date(2025, 1, 1) + timedelta(days=2 * number)
        took = timedelta(days=10 + number // 6)
        order(engine, network, number, sku=sku, unit_price_brl=price, received_on=ordered + took)
    derive.refresh_after_load(engine)
    score = next(one for one in suppliers.listed() if one.lines)
    assert score.price_drift == pytest.approx(0.2, abs=1e-6)
    days = np.array([2 * n + 10 + n // 6 for n in range(60)])
    slope = np.polyfit(days, [10 + n // 6 for n in range(60)], 1)[0]
    assert score.lead_time_trend == pytest.approx(slope * 365.25)
    low, high = score.lead_time_trend_low, score.lead_time_trend_high
    assert low is not None and high is not None and 0 < low < slope * 365.25 < high
    months = suppliers.detail(supplier=score.supplier).months
    assert sum(month.lines for month in months) == score.lines == 60
    levels = [month.price_index for month in months if month.price_index is not None]
    assert len(levels) == 4 and min(levels) < 1 < max(levels)


def test_only_suppliers_with_lines_enough_are_ranked(
    engine: Engine, network: factories.Network
) -> None:
    for number in range(40):
        late = timedelta(days=30) if number % 4 == 0 else timedelta(days=15)
        ordered = date(2025, 1, 1) + timedelta(days=2 * number)
        order(engine, network, number, received_on=ordered + late)
        if number < MIN_LINES - 1:
            order(engine, network, 40 + number, sku="BAT-02", supplier="BETA")
    derive.refresh_after_load(engine)
    first, second = [one for one in suppliers.listed() if one.lines]
    assert (first.supplier, first.rank, first.rank_best, first.rank_worst) == ("ALFA", 1, 1, 1)
    assert (second.supplier, second.lines, second.rank) == ("BETA", MIN_LINES - 1, None)
    assert (second.otif, second.otif_high) == (1.0, 1.0)
    assert second.otif_low == pytest.approx(0.8830302)
    order(engine, network, 79, sku="CABO-01", supplier="BETA", received_on=None)
    order(engine, network, 80, received_on=None)  # due after the last day of demand
    factories.add_outage(engine, network, "DEP-SP", datetime(2025, 7, 5), datetime(2025, 7, 6))
    derive.refresh_after_load(engine)
    span = {"date_from": date(2025, 1, 1), "date_to": date(2025, 7, 31)}
    for name, otif in (("ALFA", 0.75), ("BETA", (MIN_LINES - 1) / MIN_LINES)):
        asked = Filters(supplier=(name,), **span)  # type: ignore[arg-type]
        (shown,) = [one for one in kpis.headline(filters=asked) if one.key == "otif"]
        (totals, *_) = suppliers.totals(filters=asked)
        assert shown.value == totals.otif == pytest.approx(otif), "whoever supplies the item"
    second = next(one for one in suppliers.listed() if one.supplier == "ALFA")
    assert (second.rank, second.sole_items) == (2, 0)
    assert second.spend_share == pytest.approx(41 / (41 + MIN_LINES))
    assert suppliers.listed(filters=Filters(supplier=("ALFA",))) == [second], "its place among all"


def test_a_period_reads_its_own_lines_and_the_open_ones(
    engine: Engine, network: factories.Network
) -> None:
    """A supplier whose lines are all older stays in the list of what is narrowed."""
    order(engine, network, 1)
    order(engine, network, 2, sku="BAT-02", supplier="BETA")
    order(engine, network, 3, received_on=None)
    order(engine, network, 70)
    derive.refresh_after_load(engine)
    june = Filters(date_from=date(2025, 6, 1), date_to=date(2025, 6, 30), uf=("SP",))
    with engine.connect() as connection:
        where, params = suppliers._view(connection, EVERYTHING, june, ())
        found = nodes_of(connection, suppliers._TOTALS.format(where=where.sql), params)
    assert [one["Actual Rows"] for one in found if one.get("Subplan Name") == "CTE seen"] == [2]
    scores = {one.supplier: one for one in suppliers.listed(filters=june)}
    assert {code: one.lines for code, one in scores.items()} == {"ALFA": 1, "BETA": 0}
    assert (scores["ALFA"].open_lines, scores["ALFA"].overdue_lines) == (1, 1)
    before = replace(june, date_from=date(2024, 1, 1), date_to=date(2024, 1, 31))
    (whole, kind) = suppliers.totals(filters=replace(before, supplier=("BETA",)))
    assert (whole.kind, kind.kind, whole.lines, kind.lines) == ("all", "", 0, 0)


def test_a_scoped_reader_sees_the_lines_of_the_own_part(
    engine: Engine, network: factories.Network
) -> None:
    order(engine, network, 1)
    order(engine, network, 2, sku="BAT-02", site="DEP-BA", supplier="BETA")
    derive.refresh_after_load(engine)
    bahia = Scope(ufs=("BA",))
    assert [one.supplier for one in suppliers.listed(scope=bahia)] == ["BETA"]
    assert {line.site for line in suppliers.lines(scope=bahia).rows} == {"DEP-BA"}
    assert suppliers.detail(supplier="BETA", scope=bahia).score.lines == 1
    with pytest.raises(NotFound):
        suppliers.detail(supplier="ALFA", scope=bahia)
    narrowed = replace(NO_FILTERS, uf=("BA",))
    assert suppliers.listed(filters=narrowed) == suppliers.listed(scope=bahia)


def test_later_deliveries_cost_safety_stock(
    engine: Engine, network: factories.Network, tmp_path: Path
) -> None:
    """Each number from the policy's own: SS = Z·√(L·σ_D² + D²·σ_L²) at L and at L + 7."""
    for number in range(10):
        ordered = date(2025, 1, 1) + timedelta(days=10 * number)
        took = timedelta(days=(16, 24)[number % 2])
        order(engine, network, number, ordered_on=ordered, received_on=ordered + took)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE core.supplier SET contract_lead_time_days = 12 WHERE supplier = 'ALFA'")
        )
    derive.refresh_after_load(engine)
    bundle = factories.make_bundle(tmp_path, engine)
    publish_bundle(bundle, engine=engine, published_by="tests")
    detail = suppliers.detail(supplier="ALFA")
    with engine.connect() as connection:
        series = connection.execute(
            text(
                "SELECT policy.*, unit_cost_brl FROM analytics.policy JOIN core.item"
                " USING (item_id) JOIN core.supplier USING (supplier_id)"
                " WHERE supplier = 'ALFA' AND policy.lead_time_days IS NOT NULL"
            )
        ).all()
    z = {0.90: 1.2815515655446004, 0.95: 1.6448536269514722, 0.97: 1.880793608151251}

    def stock(row: Any, lead: float, spread: float) -> float:
        variance = lead * row.facts["demand_std"] ** 2 + row.daily_demand**2 * spread**2
        return z[round(row.service_level, 4)] * variance**0.5 * row.unit_cost_brl

    def now(row: Any) -> float:
        return stock(row, row.lead_time_days, row.facts["lead_time_std"])

    week = sum(
        stock(row, row.lead_time_days + 7, row.facts["lead_time_std"]) - now(row) for row in series
    )
    late = sum(now(row) - stock(row, 12, 0.0) for row in series)
    assert detail.series == len(series) == 6
    assert detail.safety_stock_brl == pytest.approx(sum(now(row) for row in series))
    assert detail.score.later_week_brl == pytest.approx(week) and week > 0
    assert detail.score.lateness_brl == pytest.approx(late) and late > 0
    by_days = {one.days: one for one in detail.later}
    assert by_days[7].stock_brl == pytest.approx(week)
    assert by_days[7].holding_brl == pytest.approx(week * 0.22)
