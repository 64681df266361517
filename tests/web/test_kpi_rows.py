"""The headline sums, down to the parts of their receipts and to the item-depots."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from domain.kpis import SUMMED
from tests.web.conftest import ANALYST, SCOPED, VIEWER, Api, Site
from tests.web.test_inventory import rows_of

MAY = {"from": "2025-05-01", "to": "2025-05-31"}
FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"uf": "SP"},
    {"family": "fibra"},
    {"site": "DEP-BA"},
    MAY,
)


QUIET = text(
    """
    SELECT min(day)::date FROM generate_series(CAST('2025-05-01' AS date), '2025-06-01', '1 day')
        AS day
    WHERE 0 < (SELECT sum(quantity) FROM core.demand JOIN core.item USING (item_id)
            JOIN core.site USING (site_id)
            WHERE sku = 'BAT-02' AND site = 'DEP-SP' AND date = day - interval '1 day')
        AND NOT EXISTS (SELECT FROM core.demand JOIN core.item USING (item_id)
            JOIN core.site USING (site_id)
            WHERE sku = 'BAT-02' AND site = 'DEP-SP' AND date = day)
    """
)
"""A day on which São Paulo asked for no battery, as it had the day before."""


@pytest.fixture(scope="module")
def api(site: Site) -> Api:
    return site.api(ANALYST)


@pytest.mark.parametrize("asked", FILTERS, ids=str)
@pytest.mark.parametrize("key", SUMMED)
def test_parts_and_rows_add_up_to_the_number(api: Api, key: str, asked: dict[str, str]) -> None:
    kpis = {kpi["key"]: kpi for kpi in api.get("/kpis", params=asked).json()["data"]}
    value, receipt = kpis[key]["value"], kpis[key]["receipt"]
    assert value and sum(part["value"] for part in receipt["parts"]) == pytest.approx(value)
    rows = api.get("/kpis/rows", params={**asked, "kpi": key, "limit": 500}).json()["data"]
    assert sum(row["value_brl"] for row in rows) == pytest.approx(value)
    for row in rows:
        assert row["value_brl"] == pytest.approx(row["quantity"] * row["unit_cost_brl"])
    told = rows_of(api.get("/exports/kpi-rows.csv", params={**asked, "kpi": key}))
    assert [(one["sku"], one["site"]) for one in told] == [(r["sku"], r["site"]) for r in rows]


def test_a_receipt_is_by_uf_and_within_one_uf_by_family(api: Api) -> None:
    def told(**asked: str) -> dict[str, object]:
        kpis = api.get("/kpis", params=asked).json()["data"]
        return next(kpi["receipt"] for kpi in kpis if kpi["key"] == "demand_value")

    assert told()["parts_by"] == "uf" and told(uf="SP")["parts_by"] == "family"


def test_the_first_screen_leads_to_the_rows_under_its_filter(site: Site) -> None:
    browser = site.browser(ANALYST)
    page = json.dumps(browser.open_page("/main", "?uf=SP").json(), ensure_ascii=False)
    for key in SUMMED:
        query = urlencode({"uf": "SP", "kpi": key})
        assert f"/api/v1/exports/kpi-rows.csv?{query}" in page
    listed = "/inventory?uf=SP&sort=-stock_value_brl"
    assert "/alerts?uf=SP&level=critical&status=open" in page
    assert "/inventory?uf=SP&flag=out" in page
    assert listed in page and "Por família" in page and "Juntos" in page
    assert (
        "state-failed"
        not in browser.open_page("/inventory", listed.removeprefix("/inventory")).text
    )
    reader = json.dumps(site.browser(VIEWER).open_page("/main").json(), ensure_ascii=False)
    assert "kpi-rows" not in reader and "Por UF" in reader


def test_rows_are_those_in_view(site: Site) -> None:
    rows = site.api(SCOPED).get("/kpis/rows").json()["data"]
    assert {row["uf"] for row in rows} == {"BA"}


def test_nothing_asked_for_is_zero_and_what_is_not_known_is_nothing(site: Site, api: Api) -> None:
    with site.engine.connect() as connection:
        day = str(connection.execute(QUIET).scalar_one())
    battery = {"sku": "BAT-02", "site": "DEP-SP", "from": day, "to": day}

    def told(path: str, asked: dict[str, str]) -> Any:
        answer = api.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def demand(asked: dict[str, str]) -> Any:
        return next(kpi for kpi in told("/kpis", asked) if kpi["key"] == "demand_value")

    def by_place(path: str, asked: dict[str, str]) -> dict[str, float | None]:
        return {row["uf"]: row["demand_brl"] for row in told(path, asked)}

    found = demand(battery)
    assert (found["value"], found["change"], found["missing"]) == (0, -1, None)
    assert found["previous"] > 0 and found["receipt"]["parts"] == []
    assert next(one["value"] for one in found["receipt"]["inputs"] if one["symbol"] == "D") == 0
    assert told("/kpis/rows", battery | {"kpi": "demand_value"}) == []
    ufs, regions = by_place("/geographic/data", battery), by_place("/inventory/regions", battery)
    assert (ufs["SP"], ufs["RJ"], ufs["AC"]) == (0, None, None)
    assert (regions["SE"], regions["N"]) == (0, None)
    no_cost, before = {"sku": "EPI-04"}, battery | {"from": "2020-01-01", "to": "2020-01-31"}
    for unknown in (no_cost, battery | no_cost, before, {"sku": "C-NOT"}):
        assert demand(unknown)["value"] is None, unknown
        assert set(by_place("/geographic/data", unknown).values()) == {None}, unknown
