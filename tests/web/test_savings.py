"""Savings through page, API and file, where the history is too short to replay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from layouts import format as fmt
from tests import factories
from tests.web.conftest import ADMIN, ANALYST, SCOPED, VIEWER, Site
from tests.web.test_board_pack import words_of
from tests.web.test_inventory import rows_of
from tests.web.test_overrides import done
from warehouse.pipeline.savings import savings_of, stage_savings, write_savings

SETTINGS = """
INSERT INTO support.setting (key, value, changed_by)
VALUES ('savings', '{"known_months": 2, "least_months": 2}', 'tests')
"""
NO_SETTINGS = "DELETE FROM support.setting WHERE key IN ('savings', 'recommendations')"
PUBLISHED = "SELECT run_id FROM analytics.published"
MONEY = ("old_brl", "new_brl", "identified_brl")


@pytest.fixture
def replayed(site: Site) -> Iterator[Site]:
    """The same run with fewer months asked for, hence with savings; every worker knows it."""

    def write(setting: str) -> None:
        with site.changing() as connection:
            connection.execute(text(setting))
            run_id = connection.execute(text(PUBLISHED)).scalar_one()
            stage_savings(connection, savings_of(connection, run_id))
            write_savings(connection, run_id)

    write(SETTINGS)
    yield site
    write(NO_SETTINGS)


def test_a_short_history_is_said_and_not_made_up(site: Site):
    api = site.api(VIEWER)
    total = api.get("/savings").json()["data"]
    assert (total["months"], total["annual_brl"]) == (0, None)
    assert api.get("/savings/months").json()["data"] == []
    assert api.get("/savings/items").json()["meta"]["count"] == 0
    kpi = next(k for k in api.get("/kpis").json()["data"] if k["key"] == "annual_savings")
    assert (kpi["value"], kpi["missing"]) == (None, "history")
    page = site.browser(VIEWER).open_page("/savings").json()
    assert "nove meses" in json.dumps(page, ensure_ascii=False)


def test_a_month_is_the_sum_of_its_item_depots(replayed: Site):
    api = replayed.api(ANALYST)
    months = api.get("/savings/months").json()["data"]
    assert len(months) >= 2
    for month in months:
        asked = {"month": month["month"][:7]}
        rows = api.get("/savings/rows", params=asked | {"limit": 500}).json()["data"]
        items = api.get("/savings/items", params=asked | {"limit": 500}).json()["data"]
        told = rows_of(api.get("/exports/savings.csv", params=asked | {"sort": "-sku"}))
        assert (codes := [row["sku"] for row in told]) == sorted(codes, reverse=True)
        assert {row["month"] for row in rows} == {month["month"]}
        assert len(rows) == len(items) == len(told) == month["item_sites"]
        for name in MONEY:
            for found in (rows, items):
                assert sum(row[name] for row in found) == pytest.approx(month[name])
            in_file = sum(float(row[name].replace(",", ".")) for row in told)
            assert in_file == pytest.approx(month[name])


def test_the_premium_of_the_settings_is_that_of_savings_and_what_ifs(replayed: Site):
    admin = replayed.api(ADMIN)

    def missing() -> tuple[float, float, float]:
        """BRL of what was missing in the replay and in a mean year, and of hurry in the replay."""
        months = admin.get("/savings/months").json()["data"]
        year = admin.get("/what-if").json()["data"]["today"]
        parts = [sum(one[f"new_{part}"] for one in months) for part in ("stockout", "expediting")]
        return parts[0], year["stockout_brl"], parts[1]

    def put(**rates: float) -> None:
        asked = admin.call("PATCH", "/settings/thresholds", json=rates)
        assert done(admin, asked.json()["data"]["job_id"])

    before = missing()
    assert all(before)
    put(emergency_premium=1.2, expedite_cost_brl=160)
    after = missing()
    put(emergency_premium=0.3, expedite_cost_brl=80)
    assert after == pytest.approx((4 * before[0], 4 * before[1], 2 * before[2]))
    assert missing() == pytest.approx(before)


def test_dates_choose_the_months_that_lie_whole_within_them(replayed: Site):
    api = replayed.api(ANALYST)
    known = [one["month"] for one in api.get("/savings/months").json()["data"]]
    *_, before, last = known
    last_day = (date.fromisoformat(last) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    cases = {
        f"from={before}&to={last_day}": [before, last],
        f"from={before}&to={last_day - timedelta(days=1)}": [before],
        f"from={before[:-2]}02&to={last_day}": [last],
        f"to={last}": known[:-1],
        f"from={before[:-2]}02": [last],
        f"from={before[:-2]}10&to={before[:-2]}20": [],
        f"from={before[:-2]}15&to={last[:-2]}15": [],
    }
    for query, found in cases.items():
        total = api.get(f"/savings?{query}").json()["data"]
        months = api.get(f"/savings/months?{query}").json()["data"]
        rows = api.get(f"/savings/rows?{query}&limit=500").json()["data"]
        filed = rows_of(api.get(f"/exports/savings-months.csv?{query}"))
        assert [one["month"] for one in months] == [one["month"] for one in filed] == found, query
        assert total["months"] == len(found) and {row["month"] for row in rows} == set(found)
        kpis = api.get(f"/kpis?{query}").json()["data"]
        kpi = next(one for one in kpis if one["key"] == "annual_savings")
        assert kpi["value"] == (pytest.approx(total["annual_brl"]) if found else None), query
        assert kpi["missing"] == (None if found else "whole_months")
    pack = words_of(api.get(f"/exports/board.pdf?from={before[:-2]}10&to={before[:-2]}20").content)
    assert "whole_months" not in pack and "history" not in pack


def test_a_month_of_the_page_leads_to_its_items(replayed: Site):
    (*_, last) = replayed.api(ANALYST).get("/savings/months").json()["data"]
    browser, name = replayed.browser(ANALYST), last["month"][:7]
    whole = json.dumps(browser.open_page("/savings").json(), ensure_ascii=False)
    assert f'"meta": {{"filter": "month", "values": ["{name[:5]}' in whole
    assert whole.count("/exports/savings-items.csv?") == whole.count("/exports/savings.csv?") == 1
    assert "Por mês, item e depósito" in whole
    page = json.dumps(browser.open_page("/savings", f"?month={name}").json(), ensure_ascii=False)
    assert "/exports/savings-items" not in page
    assert re.search(f'/exports/savings\\.csv\\?month={name}[^"]*&sort=-identified_brl', page)
    assert f"identificada {fmt.brl(last['identified_brl'], 'pt_BR', 2)}." in page
    assert f"month={name}” no endereço" not in page
    assert "month=2000-01" in browser.open_page("/savings", "?month=2000-01").text
    year = json.dumps(browser.open_page("/savings", "?period=365&uf=SP").json())
    since = factories.LAST_DAY - timedelta(days=364)
    assert f"/exports/savings-months.csv?uf=SP&from={since}" in year
    main = json.dumps(browser.open_page("/main", "?period=365&uf=SP").json())
    assert '"/savings?uf=SP&period=365"' in main


def test_the_file_is_for_those_who_may_export(site: Site):
    assert site.browser(VIEWER).get("/api/v1/exports/savings.csv").status_code == 403
    for person in (ANALYST, SCOPED):
        answer = site.browser(person).get("/api/v1/exports/savings.csv?uf=SP")
        answer.encoding = "utf-8"
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert answer.text.startswith("\ufeffmonth;sku;item_name;site;uf;basis;old_holding")
    assert site.audit("export")[-1].object == "savings"


def test_what_cannot_be_asked_is_refused(site: Site):
    api = site.api(VIEWER)
    for query in (
        "/savings?foo=1",
        "/savings/items?sort=moon",
        "/savings/rows?cursor=x",
        "/savings/rows?month=May",
    ):
        assert api.get(query).status_code == 422
