"""A late supplier and a better one: from the files to the accepted change of supplier."""

from __future__ import annotations

import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from domain.recommendation_receipts import workings_of
from tests.hostile_names import write
from tests.web.conftest import ANALYST, Site
from warehouse.pipeline import derive

LAST_DAY, DAYS, LINES = date(2025, 6, 29), 150, 12
PROMISED = 15


def write_files(folder: Path) -> None:
    """TARDE promises 15 days and takes 20 to 42, at R$ 100; PONTUAL keeps them, at R$ 96."""
    days = [LAST_DAY - timedelta(days=back) for back in range(DAYS)]
    item = ("RET-48", "Retificador 48V", "energia", "un", 100, 15, "TARDE")
    write(folder, "items", "sku name family unit unit_cost_brl lead_time_days supplier", [item])
    write(folder, "sites", "site name uf kind", [("DEP-SP", "Depósito", "SP", "depot")])
    suppliers = [("TARDE", "Tarde Ltda", "domestic"), ("PONTUAL", "Pontual SA", "domestic")]
    write(folder, "suppliers", "supplier name kind", suppliers)
    demand = [(day, "RET-48", 4 + day.toordinal() % 5, "DEP-SP") for day in days]
    write(folder, "demand", "date sku quantity site", demand)
    stock = [(day, "RET-48", "DEP-SP", 600) for day in days[:30]]
    write(folder, "stock", "date sku site on_hand", stock)
    orders = []
    for number in range(LINES):
        ordered = days[-1] + timedelta(days=7 * number)
        promised = ordered + timedelta(days=PROMISED)
        for supplier, price, late in (("TARDE", 100, 5 + 2 * number), ("PONTUAL", 96, 0)):
            received = promised + timedelta(days=late)
            orders.append(
                (f"{supplier}-{number}", 1, "RET-48", supplier, ordered, 40, "DEP-SP", promised)
                + (received, 40, price)
            )
    header = "order line sku supplier ordered_on quantity site promised_on"
    header += " received_on received_qty unit_price_brl"
    write(folder, "purchase_orders", header, orders)


def test_the_files_of_a_supplier_hold_its_lead_times_and_what_later_ones_cost(loaded: Site) -> None:
    api = loaded.api(ANALYST)
    found = api.get("/suppliers/TARDE").json()["data"]
    assert len(found["lead_times"]) == LINES and found["later"]
    for name, rows in (("lead-times", found["lead_times"]), ("later-deliveries", found["later"])):
        path = f"/exports/supplier-{name}.xlsx"
        book = load_workbook(io.BytesIO(api.get(path, params={"supplier": "TARDE"}).content))
        header, *lines = book.worksheets[0].iter_rows(values_only=True)
        told = [dict(zip(header, line, strict=True)) for line in lines]
        assert [pytest.approx(row) for row in rows] == told
        several = api.get(f"/exports/supplier-{name}.csv?supplier=TARDE,PONTUAL")
        assert len(several.text.splitlines()) == 1


def test_a_late_supplier_is_left_for_a_better_one(loaded: Site) -> None:
    api = loaded.api(ANALYST)
    (switch,) = api.get("/recommendations?kind=SWITCH").json()["data"]
    facts = switch["facts"]
    assert (switch["sku"], switch["status"]) == ("RET-48", "open")
    assert (facts["supplier_now"], facts["supplier_new"]) == ("Tarde Ltda", "Pontual SA")
    assert (facts["otif_now"], facts["otif_new"]) == (0, 1)
    assert facts["lead_mean_now"] == pytest.approx(PROMISED + 5 + 11)
    assert (facts["lead_mean_new"], facts["lines_new"]) == (PROMISED, LINES)
    assert (facts["supplier_price_brl_now"], facts["supplier_price_brl_new"]) == (100, 96)
    prices_alone = facts["annual_demand"] * (100 - 96)
    value = facts["annual_brl_now"] - facts["annual_brl_new"] - facts["switch_cost_brl"]
    assert switch["value_brl"] == pytest.approx(value)
    assert value + facts["switch_cost_brl"] > prices_alone > 0
    (step,) = workings_of("SWITCH", facts).steps
    assert step.value == pytest.approx(switch["value_brl"])
    assert "Pontual SA" in switch["narrative"]["pt_BR"]

    path = f"/recommendations/{switch['id']}"
    said = api.call("PATCH", path, json={"status": "accepted", "reason": "contrato novo"})
    assert said.status_code == 200, said.text
    with loaded.engine.connect() as connection:
        sql = "SELECT actor, status, reason FROM support.decision WHERE kind = 'recommendation'"
        assert connection.execute(text(sql)).all() == [(ANALYST, "accepted", "contrato novo")]
    derive.refresh_after_load(loaded.engine)
    (again,) = api.get("/recommendations?kind=SWITCH").json()["data"]
    assert (again["status"], again["decided_by"]) == ("accepted", ANALYST)
