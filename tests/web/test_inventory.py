"""Item-depots through page, API and files."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from sqlalchemy import text

from domain.policy_receipts import POLICY_RULES
from domain.receipts import Step, StepInput, evaluate
from domain.records import STOCK_FLAGS
from layouts.inventory import TABS
from tests.web.conftest import ANALYST, SCOPED, VIEWER, Site, unfolding

LEVELS = ("safety_stock", "reorder_point", "order_up_to")


def rows_of(answer: requests.Response) -> list[dict[str, str]]:
    """The lines of a CSV file."""
    answer.encoding = "utf-8-sig"
    delimiter = ";" if ";" in answer.text.splitlines()[0] else ","
    return list(csv.DictReader(io.StringIO(answer.text), delimiter=delimiter))


def test_page_api_and_file_say_the_same(site: Site) -> None:
    api = site.api(ANALYST)
    rows = api.get("/inventory", params={"limit": 500}).json()["data"]
    risks = [row["risk_brl"] for row in rows if row["risk_brl"] is not None]
    assert risks == sorted(risks, reverse=True) and rows[0]["risk_brl"] is not None
    told = rows_of(api.get("/exports/inventory.csv"))
    named = ("sku", "site", "flag")
    assert [[row[name] for name in named] for row in told] == [
        [row[name] for name in named] for row in rows
    ]
    page = json.dumps(site.browser(VIEWER).open_page("/inventory").json(), ensure_ascii=False)
    assert all(f"{row['sku']}\\n{row['site']}" in page for row in rows)
    assert "Sem contagem ou sem nível" in page and "Sem estoque ou" not in page


def test_flags_follow_from_stock_and_levels(site: Site) -> None:
    api = site.api(VIEWER)
    rows = api.get("/inventory", params={"limit": 500}).json()["data"]
    for row in rows:
        if row["on_hand"] is None or row["reorder_point"] is None:
            continue
        available = row["on_hand"] - (row["reserved"] or 0)
        position = available + (row["on_order"] or 0)
        expected = "out" if available <= 0 else "ok"
        if available > 0 and position <= row["reorder_point"]:
            expected = "below"
        if available > 0 and position > row["order_up_to"]:
            expected = "above"
        assert row["flag"] == expected, row
    totals = {row["flag"]: row for row in api.get("/inventory/totals").json()["data"]}
    assert tuple(totals) == STOCK_FLAGS
    for flag, total in totals.items():
        of_it = [row for row in rows if row["flag"] == flag]
        narrowed = api.get("/inventory", params={"flag": flag}).json()
        assert narrowed["meta"]["count"] == len(of_it) == total["count"]
        known = [row["stock_value_brl"] for row in of_it if row["stock_value_brl"] is not None]
        value = sum(known) if known or not of_it else None
        assert total["stock_value_brl"] == (value and pytest.approx(value))


def test_stock_at_its_reorder_point_is_below(site: Site) -> None:
    api = site.api(VIEWER)
    row = api.get("/inventory?flag=below&limit=1").json()["data"][0]
    at = "UPDATE analytics.policy SET reorder_point = :point FROM core.item, core.site WHERE"
    at += " item.item_id = policy.item_id AND site.site_id = policy.site_id"
    at += " AND sku = :sku AND site = :site"
    keys = {name: row[name] for name in ("sku", "site")}
    position = row["on_hand"] - (row["reserved"] or 0) + (row["on_order"] or 0)
    with site.changing() as connection:
        connection.execute(text(at), {**keys, "point": position - (row["project_demand"] or 0)})
    try:
        assert api.get("/inventory", params=keys).json()["data"][0]["flag"] == "below"
    finally:
        with site.changing() as connection:
            connection.execute(text(at), {**keys, "point": row["reorder_point"]})


def test_positions_are_those_of_the_material(site: Site) -> None:
    api = site.api(VIEWER)
    (row,) = api.get("/inventory?sku=BAT-02&site=DEP-SP").json()["data"]
    detail = api.get("/materials/BAT-02").json()["data"]
    there = next(one for one in detail["positions"] if one["site"] == "DEP-SP")
    assert {name: there[name] for name in there if name in row} == {
        name: row[name] for name in there if name in row
    }


@pytest.mark.parametrize("tab", TABS)
def test_the_chosen_row_is_shown_on_each_tab(site: Site, tab: str) -> None:
    browser = site.browser(VIEWER)
    chosen = {"item": "BAT-02", "depot": "DEP-SP", "tab": tab}
    page = browser.open_page("/inventory", f"?{urlencode(chosen)}")
    assert page.status_code == 200 and "state-error" not in page.text
    assert "BAT-02 · " in page.text and "state-failed" not in page.text
    hidden = site.browser(SCOPED).open_page("/inventory", f"?{urlencode(chosen)}").text
    assert "BAT-02 · Depósito São Paulo" not in hidden and "item=BAT-02" in hidden


def test_the_levels_stand_beside_the_textbooks_with_their_receipt(site: Site) -> None:
    api, place = site.api(ANALYST), {"sku": "CABO-01", "site": "DEP-SP"}
    (made,) = api.get("/inventory/policy", params=place).json()["data"]
    (row,) = api.get("/inventory", params=place).json()["data"]
    assert {f"{name}": made["ours"][name] for name in LEVELS} == {
        name: row[name] for name in LEVELS
    }
    assert made["textbook"] == {name: row[f"textbook_{name}"] for name in LEVELS}
    assert made["method"] == "quantile" and made["ours"] != made["textbook"]
    steps = {step["key"]: step for step in made["receipt"]["steps"]}
    assert set(steps) == {rule.key for rule in POLICY_RULES}
    for key, step in steps.items():
        inputs = [StepInput(**one) for one in step["inputs"]]
        put_in = evaluate(Step(**step | {"inputs": inputs}))
        assert put_in == pytest.approx(step["value"], rel=1e-9), key
    assert {one["kind"] for one in made["receipt"]["sources"]} >= {"run", "items", "stock"}
    told = rows_of(api.get("/exports/policy.csv", params=place))
    results = {line["step"]: line["value"] for line in told if not line["symbol"]}
    assert {key: float(value.replace(",", ".")) for key, value in results.items()} == {
        key: pytest.approx(step["value"]) for key, step in steps.items()
    }


def test_both_pages_show_the_textbooks_levels(site: Site) -> None:
    browser = site.browser(VIEWER)
    there = "?item=CABO-01&depot=DEP-SP&tab=plan"
    for path, query in (("/inventory", there), ("/materials/CABO-01", "?tab=stock&site=DEP-SP")):
        page = json.dumps(browser.open_page(path, query).json(), ensure_ascii=False)
        assert "Níveis: os nossos e os do livro-texto" in page, path
        assert '"Nosso"' in page and '"Nossa"' not in page, path
        assert "formula=safety_stock_variable&sku=CABO-01&site=DEP-SP" in page, path
        assert '"type": "policy-receipt"' in page and "working-result" not in page, path


def test_how_a_policy_is_computed_is_told_once_it_is_unfolded(site: Site) -> None:
    def unfolded(email: str, sku: Any, place: Any) -> str:
        answer = site.browser(email).callback(unfolding("policy", sku=sku, site=place))
        assert answer.status_code == 200, answer.text
        return json.dumps(answer.json(), ensure_ascii=False)

    shown = unfolded(VIEWER, "CABO-01", "DEP-SP")
    for rule in POLICY_RULES:
        assert json.dumps(f"$${rule.formula}$$") in shown
    forged: list[tuple[Any, Any]] = [("CABO-01", "NO"), ("NO", "DEP-SP"), (5, None), ("", [1])]
    for email, sku, place in ((SCOPED, "CABO-01", "DEP-SP"), *((VIEWER, *one) for one in forged)):
        hidden = unfolded(email, sku, place)
        assert "Isto não existe mais" in hidden and "working" not in hidden, (sku, place)


def test_orders_name_their_supplier_and_lead_to_it(site: Site) -> None:
    api = site.api(ANALYST)
    (line,) = api.get("/order-lines", params={"sku": "BAT-02"}).json()["data"]
    detail = api.get("/materials/BAT-02").json()["data"]
    (order,) = detail["open_orders"]
    told = [one["supplier_name"] for one in (line, order, detail["item"])]
    assert told == ["Alfa Energia", "Alfa Energia", "Beta Cabos"]
    browser = site.browser(VIEWER)
    for tab in ("orders", "history"):
        page = browser.open_page("/inventory", f"?item=BAT-02&depot=DEP-BA&tab={tab}").text
        assert '"supplier":"Alfa Energia","href":"/suppliers/ALFA"' in page, tab
    assert "Beta Cabos" in browser.open_page("/materials/BAT-02").text


@pytest.mark.parametrize(
    ("given", "result"),
    [((8, 14, 20), "132"), ((2, 10, 15), "35"), ((0.5, 21, 30), "40,5")],
)
def test_the_companys_examples_come_out_by_link(
    site: Site, given: tuple[float, ...], result: str
) -> None:
    asked = dict(zip(("daily", "lead", "safety"), map(str, given), strict=True))
    query = urlencode({"tab": "formulas", "formula": "reorder_point"} | asked)
    page = json.dumps(site.browser(VIEWER).open_page("/features", f"?{query}").json())
    assert f'"= {result} unidades"' in page and f"/features?{query}" in page


def test_what_cannot_be_asked_is_refused(site: Site) -> None:
    api = site.api(VIEWER)
    for query in ("flag=moon", "sort=moon", "limit=0"):
        assert api.get(f"/inventory?{query}").status_code == 422
    assert api.get("/exports/inventory.csv").status_code == 403
    page = site.browser(VIEWER).open_page("/inventory", "?flag=moon&item=NO&depot=NO").text
    assert "flag=moon" in page and "item=NO" in page
