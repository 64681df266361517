"""The company's own method, from its files to levels and alerts: its published examples."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from math import sqrt
from pathlib import Path
from statistics import NormalDist, stdev

import pytest
from sqlalchemy import Engine, text

from tests import services
from tests.hostile_names import write
from tests.ingesting import load_and_publish
from warehouse import caching
from warehouse.queries import alerts, inventory

LAST_DAY, DAYS = date(2025, 6, 29), 200
EXAMPLES = {
    "EX-1": (8, 14, 20, 132, [12.0, 4.0] * (DAYS // 2)),
    "EX-2": (2, 10, 15, 35, [4.0, 0.0] * (DAYS // 2)),
    "EX-3": (0.5, 21, 30, 40.5, ([25.0] + [0.0] * (DAYS // 4 - 1)) * 4),
}
"""D a day, L days, SS and PP, and demand of that mean; the service level makes its spread SS."""
OWN = {"OWN-1": "1", "OWN-0": "0", "OWN": ""}
"""Service levels that no formula takes, or none; demand and lead time are those of EX-1."""
METHOD = """
INSERT INTO support.setting (key, value, changed_by)
VALUES ('policy', '{"method": "textbook"}', 'tests')
"""


def write_files(folder: Path) -> None:
    days = [LAST_DAY - timedelta(days=back) for back in reversed(range(DAYS))]
    items, demand = [], []
    for sku, (_, lead, safety, _, asked) in EXAMPLES.items():
        level = NormalDist().cdf(safety / (stdev(asked) * sqrt(lead)))
        items.append((sku, sku, "un", 10, lead, repr(level)))
        both = zip(days, asked, strict=True)
        demand += [(day, sku, quantity, "DEP") for day, quantity in both if quantity]
    _, lead, *_, asked = EXAMPLES["EX-1"]
    for sku, given in OWN.items():
        items.append((sku, sku, "un", 10, lead, given))
        demand += [(day, sku, quantity, "DEP") for day, quantity in zip(days, asked, strict=True)]
    write(folder, "items", "sku name unit unit_cost_brl lead_time_days service_level", items)
    write(folder, "sites", "site name uf kind", [("DEP", "Depósito", "SP", "depot")])
    write(folder, "demand", "date sku quantity site", demand)
    write(folder, "stock", "date sku site on_hand", [(LAST_DAY, "EX-1", "DEP", 85)])


@pytest.fixture(scope="module")
def published(
    module_engine: Engine, module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The examples' files, loaded; a run of which the company decides by the textbook."""
    folder = tmp_path_factory.mktemp("erp")
    write_files(folder)
    with module_engine.begin() as connection:
        connection.execute(text(METHOD))
    load_and_publish(folder, module_engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", module_database_url)
        services.forget_settings()
        caching.use(None)
        yield
    services.forget_settings()


@pytest.mark.parametrize("sku", EXAMPLES)
def test_the_published_examples_come_out_exactly(published: None, sku: str) -> None:
    _, lead, safety, reorder, _ = EXAMPLES[sku]
    row = inventory.one(sku=sku, site="DEP")
    assert row.lead_time_days == lead
    assert (row.safety_stock, row.reorder_point) == pytest.approx((safety, reorder), rel=1e-9)
    assert row.textbook_reorder_point == row.reorder_point


def test_a_level_of_all_is_the_highest_and_one_of_none_is_the_classes(published: None) -> None:
    every, none, usual = (inventory.one(sku=sku, site="DEP") for sku in OWN)
    assert every.service_level == 0.999
    assert none.service_level == usual.service_level != every.service_level
    _, lead, *_, asked = EXAMPLES["EX-1"]
    for row in (every, none):
        safety = NormalDist().inv_cdf(row.service_level or 0) * stdev(asked) * sqrt(lead)
        assert (row.safety_stock, row.reorder_point) == pytest.approx((safety, 8 * 14 + safety))


def test_the_alert_comes_today_and_not_at_the_safety_stock(published: None) -> None:
    (alert,) = [one for one in alerts.page(limit=50).rows if one.sku == "EX-1"]
    assert (alert.kind, alert.level) == ("stockout_imminent", "warning")
    assert alert.facts["available"] == 85 and alert.facts["reorder_point"] == pytest.approx(132)
    assert alert.days_to_stockout == pytest.approx(85 / 8)
