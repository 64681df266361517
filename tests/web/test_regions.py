"""The country by UF and region: through the API and the page, the same numbers as elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from tests.web.conftest import ANALYST, SCOPED, VIEWER, Api, Site

COUNTS = ("alerts", "critical", "depots", "towers")
MONEY = ("demand_brl", "stock_brl", "risk_brl")


@pytest.fixture(scope="module")
def viewer(site: Site) -> Api:
    return site.api(VIEWER)


def data(api: Api, path: str, **params: Any) -> list[dict[str, Any]]:
    answer = api.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def total(rows: list[dict[str, Any]], name: str) -> float:
    return sum(row[name] or 0 for row in rows)


def test_all_27_units_add_up_to_the_regions_and_to_the_other_numbers(viewer: Api) -> None:
    ufs, regions = data(viewer, "/geographic/data"), data(viewer, "/inventory/regions")
    assert len(ufs) == 27 and len({row["uf"] for row in ufs}) == 27 and len(regions) == 5
    for name in (*COUNTS, *MONEY):
        assert total(ufs, name) == pytest.approx(total(regions, name)), name
    kpis = {one["key"]: one["value"] for one in data(viewer, "/kpis")}
    assert total(ufs, "stock_brl") == pytest.approx(kpis["inventory_value"])
    assert total(ufs, "demand_brl") == pytest.approx(kpis["demand_value"])
    assert total(ufs, "critical") == kpis["open_critical_alerts"]
    alerts = data(viewer, "/alerts/totals")
    assert total(ufs, "alerts") == alerts[0]["count"] > 0
    assert total(ufs, "depots") == 3


def test_a_filter_narrows_the_numbers_and_a_scope_the_rows(site: Site, viewer: Api) -> None:
    whole, cable = data(viewer, "/geographic/data"), data(viewer, "/geographic/data", sku="CABO-01")
    assert len(cable) == 27 and 0 < total(cable, "stock_brl") < total(whole, "stock_brl")
    mine = data(site.api(SCOPED), "/geographic/data")
    assert [row["uf"] for row in mine] == ["BA"]
    (bahia,) = (row for row in whole if row["uf"] == "BA")
    assert {name: pytest.approx(value) for name, value in mine[0].items()} == bahia


def test_the_page_holds_the_map_and_its_table(site: Site, viewer: Api) -> None:
    page = site.browser(VIEWER).open_page("/regions", "?uf=BA&measure=stock_brl").json()
    told = json.dumps(page, ensure_ascii=False)
    rows = {row["uf"]: row["stock_brl"] for row in data(viewer, "/geographic/data")}
    found = page["response"]["_pages_content"]["children"]
    assert '"chosen": ["BA"]' in told and "brazil.geojson" in told
    shown = [one for one in _rows_of(found, "table-ufs")]
    assert {row["id"]: row["stock_brl"] for row in shown} == rows
    assert [row["id"] for row in shown if row["chosen"]] == ["BA"]
    assert not any(row["chosen"] for row in _rows_of(found, "table-regions"))
    assert "para comparar; as escolhidas" in told


@pytest.fixture
def transfer(site: Site) -> Iterator[dict[str, str]]:
    """The one open transfer there is, from Bahia to the south-east."""
    made = """
        UPDATE analytics.recommendation SET kind = 'TRANSFER',
            from_site_id = (SELECT site_id FROM core.site WHERE site = 'DEP-BA')
        FROM core.site JOIN core.uf USING (uf), core.item
        WHERE site.site_id = recommendation.site_id AND item.item_id = recommendation.item_id
            AND recommendation.id = (SELECT min(id) FROM analytics.recommendation
                JOIN core.site USING (site_id) WHERE uf <> 'BA' AND status = 'open')
        RETURNING id, recommendation.kind, sku, site, family
    """
    was = "SELECT id, kind FROM analytics.recommendation"
    with site.changing() as connection:
        before = {row.id: row.kind for row in connection.execute(text(was))}
        row = connection.execute(text(made)).one()
    yield {"sku": row.sku, "site": row.site, "family": row.family}
    back = "UPDATE analytics.recommendation SET kind = :kind, from_site_id = NULL WHERE id = :id"
    with site.changing() as connection:
        connection.execute(text(back), {"id": row.id, "kind": before[row.id]})


def test_transfers_and_places_follow_the_filters(site: Site, transfer: dict[str, str]) -> None:
    api, browser = site.api(ANALYST), site.browser(VIEWER)

    def shown(**asked: str) -> tuple[int, int]:
        page = browser.open_page("/regions", f"?{urlencode(asked)}").text
        moves = api.get("/exports/map-transfers.csv", params=asked).text.splitlines()[1:]
        places = {name: value for name, value in asked.items() if name == "region"}
        depots = api.get("/exports/map-places.csv", params=places).text.splitlines()[1:]
        assert (f"Transferências: {len(moves)}" in page) == bool(moves)
        assert f"Depósitos: {len(depots)}" in page
        return len(moves), len(depots)

    assert shown() == (1, 3)
    assert shown(family=transfer["family"], site=transfer["site"]) == (1, 3)
    assert shown(site="DEP-BA") == (0, 3)
    assert shown(region="SE") == (1, 2)
    assert shown(region="NE") == (0, 1)


def _rows_of(node: Any, name: str) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("props", {}).get("id") == name:
            return list(node["props"]["rowData"])
        return [row for one in node.values() for row in _rows_of(one, name)]
    if isinstance(node, list):
        return [row for one in node for row in _rows_of(one, name)]
    return []
