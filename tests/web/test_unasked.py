"""Parts of a roll-out that was cancelled: bought, counted, and never asked for."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from layouts.inventory import TABS
from tests.hostile_names import write
from tests.web.conftest import ANALYST, Site

LAST_DAY = date(2025, 6, 29)
BOUGHT = LAST_DAY - timedelta(days=200)
LEFT, PLANNED = 510, 10


def write_files(folder: Path) -> None:
    """At DEP-SP: RADIO lies there since BOUGHT, HUB was sent on to another depot a month ago, NEW
    came a month ago. A project still wants PLANNED of RADIO."""
    days = [LAST_DAY - timedelta(days=back) for back in range(230)]
    skus = ("RET-48", "RADIO", "HUB", "NEW")
    items = [(sku, sku.title(), "un", 1000, 15) for sku in skus]
    write(folder, "items", "sku name unit unit_cost_brl lead_time_days", items)
    write(folder, "sites", "site name uf kind", [("DEP-SP", "Depósito", "SP", "depot")])
    demand = [(day, "RET-48", 4 + day.toordinal() % 5, "DEP-SP") for day in days]
    write(folder, "demand", "date sku quantity site", demand)
    month_ago = LAST_DAY - timedelta(days=30)
    levels = {
        "RET-48": lambda _: 600,
        "RADIO": lambda day: LEFT if day >= BOUGHT else 0,
        "HUB": lambda day: 80 if day < month_ago else 60,
        "NEW": lambda day: 70 if day >= month_ago else 0,
    }
    stock = [(day, sku, "DEP-SP", level(day)) for sku, level in levels.items() for day in days]
    write(folder, "stock", "date sku site on_hand", stock)
    end = LAST_DAY + timedelta(days=90)
    wanted = [{"sku": "RADIO", "quantity": PLANNED, "needed_on": str(end - timedelta(days=30))}]
    plan = ("OBRA", "SP", LAST_DAY, end, 0, json.dumps(wanted), LAST_DAY)
    header = "project uf planned_start planned_end progress_pct materials as_of"
    write(folder, "projects", header, [plan])


def data(site: Site, path: str) -> Any:
    answer = site.api(ANALYST).get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_what_lies_there_unasked_for_is_dead_stock_with_its_value(loaded: Site) -> None:
    (alert,) = data(loaded, "/alerts?kind=dead_stock")
    facts, idle = alert["facts"], LEFT - PLANNED
    assert (alert["sku"], alert["site"], alert["level"]) == ("RADIO", "DEP-SP", "info")
    assert (facts["idle_quantity"], facts["capital_brl"]) == (idle, idle * 1000)
    assert (facts["unmoved_since"], facts["unasked_days"]) == (str(BOUGHT), 200)
    assert facts["last_demand_on"] is None
    assert alert["risk_brl"] == pytest.approx(idle * 1000 * facts["holding_rate"])
    assert "desde 11/12/2024 (há 200 dias)" in alert["message"]
    receipt = data(loaded, f"/alerts/{alert['id']}")["receipt"]
    assert {"idle_quantity", "capital_brl", "holding_brl"} <= {
        step["key"] for step in receipt["steps"]
    }
    (row,) = data(loaded, "/inventory?sku=RADIO")
    assert (row["flag"], row["open_alerts"]) == ("unknown", 1)


def test_it_is_recommended_to_be_reduced_and_nothing_else(loaded: Site) -> None:
    others = ("RADIO", "HUB", "NEW")
    (cut,) = [one for one in data(loaded, "/recommendations?limit=500") if one["sku"] in others]
    assert (cut["kind"], cut["sku"], cut["quantity"]) == ("REDUCE", "RADIO", LEFT - PLANNED)
    assert cut["value_brl"] == pytest.approx(
        cut["facts"]["holding_brl"] - cut["facts"]["reduce_cost_brl"]
    )
    assert "as contagens não mostram saída desde 11/12/2024" in cut["narrative"]["pt_BR"]


def test_pages_show_it(loaded: Site) -> None:
    browser = loaded.browser(ANALYST)
    tabs = [("/inventory", f"?item=RADIO&depot=DEP-SP&tab={tab}") for tab in TABS]
    pages = [(path, "") for path in ("/alerts", "/recommendations", "/materials/RADIO")]
    for path, search in pages + tabs:
        shown = browser.open_page(path, search)
        assert shown.status_code == 200 and "Radio" in shown.text, path
