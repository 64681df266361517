"""Clusters and failure risk through page, API and files."""

from __future__ import annotations

import csv
import io
import json

import pytest
from sqlalchemy import text

from domain.clusters import FAMILIES
from tests.web.conftest import ADMIN, ANALYST, SCOPED, VIEWER, Site

FILES = ("failure-risk.csv", "parts-demand.csv", "equipment-clusters.csv", "tower-clusters.csv")


def test_page_api_and_file_say_the_same(site: Site) -> None:
    api = site.api(ANALYST)
    risks = api.get("/failure-risk").json()["data"]
    assert [row["rank"] for row in risks] == list(range(1, 7))
    assert risks[0]["probability"] == max(row["probability"] for row in risks)
    answer = api.get("/exports/failure-risk.csv")
    answer.encoding = "utf-8-sig"
    rows = list(csv.DictReader(io.StringIO(answer.text), delimiter=";"))
    assert [row["equipment"] for row in rows] == [row["equipment"] for row in risks]
    page = site.browser(VIEWER).open_page("/features", "?tab=clusters").text
    words = json.dumps(json.loads(page), ensure_ascii=False)
    assert all(row["equipment"] in words for row in risks)
    assert "Equipamentos com maior risco de falha" in words


def test_parts_are_added_up_and_stand_beside_forecast_and_stock(site: Site) -> None:
    api = site.api(ANALYST)
    parts = api.get("/failure-risk/parts").json()["data"]
    risks = api.get("/failure-risk", params={"site": "DEP-BA"}).json()["data"]
    (one,) = [row for row in parts if row["site"] == "DEP-BA"]
    assert one["mean"] == pytest.approx(4 * sum(row["probability"] for row in risks))
    ahead = api.get("/forecasts", params={"sku": "BAT-02", "site": "DEP-BA", "limit": 500}).json()[
        "data"
    ]
    expected = sum(row["mean"] for row in ahead if row["mean"] is not None)
    assert one["forecast"] == pytest.approx(expected) and one["on_hand"] == 5.0


def test_parts_stand_beside_what_counts_of_the_same_days(site: Site) -> None:
    """In a run of weeks the days go on from the last day of the last week known."""
    override = """
        INSERT INTO analytics.override_in_force
            (run_id, item_id, site_id, date, override_id, mean, p10, p50, p90)
        SELECT run_id, item_id, site_id, max(date), 0, 1000, 1000, 1000, 1000
        FROM analytics.parts_demand JOIN analytics.forecast USING (run_id, item_id, site_id)
        GROUP BY 1, 2, 3
    """
    with site.changing() as connection:
        daily = connection.execute(text("SELECT data_to FROM analytics.run")).scalar_one()
        connection.execute(text(override))
        weekly = text("UPDATE analytics.run SET frequency = 'W', data_to = data_to - 6")
        connection.execute(weekly)
    try:
        parts = site.api(ANALYST).get("/failure-risk/parts").json()["data"]
        assert parts and all(row["forecast"] > 1000 for row in parts)
    finally:
        with site.changing() as connection:
            connection.execute(text("DELETE FROM analytics.override_in_force"))
            back = text("UPDATE analytics.run SET frequency = 'D', data_to = :daily")
            connection.execute(back, {"daily": daily})


@pytest.mark.parametrize("family", FAMILIES)
def test_members_come_by_pages_and_add_up_to_the_clusters(site: Site, family: str) -> None:
    api = site.api(VIEWER)
    clusters = api.get(f"/clustering/{family}").json()["data"]
    whole = api.get(f"/clustering/{family}/members").json()
    assert sum(one["size"] for one in clusters) == whole["meta"]["count"] > 0
    first = api.get(f"/clustering/{family}/members", params={"limit": 1}).json()
    rest = api.get(
        f"/clustering/{family}/members", params={"limit": 500, "cursor": first["meta"]["next"]}
    ).json()
    assert first["data"] + rest["data"] == whole["data"]
    alone = api.get(f"/clustering/{family}/members", params={"cluster": 2}).json()["data"]
    assert {row["cluster"] for row in alone} == {2}
    assert api.get(f"/clustering/{family}/summary").json()["data"]["reason"] is None


def test_towers_that_moved_and_broke_are_told(site: Site) -> None:
    api = site.api(VIEWER)
    moved = api.get("/clustering/tower-performance/members", params={"moved": "true"}).json()
    assert [row["previous"] != row["cluster"] for row in moved["data"]] == [True]
    assert len(api.get("/clustering/tower-performance/trends").json()["data"]) == 3
    page = site.browser(VIEWER).open_page("/features", "?tab=clusters&of=towers").text
    assert moved["data"][0]["member"] in page and "Torres que mudaram de grupo" in page
    trends = "/clustering/tower-performance/trends"
    every = api.get(trends, params={"changed": "false"}).json()["data"]
    calm = next(row["site"] for row in every if row["changed_on"] is None)
    found = api.get(trends, params={"changed": "false", "search": calm}).json()["data"]
    assert found == [row for row in every if row["site"] == calm]
    address = f"?tab=clusters&of=towers&search={calm}"
    page = site.browser(VIEWER).open_page("/features", address).text
    assert all(f'"{row["site"]} {row["metric"]}"' in page for row in found)
    machine = api.get("/failure-risk").json()["data"][0]["equipment"]
    page = site.browser(VIEWER).open_page("/features", f"?tab=clusters&search={machine}").text
    assert machine in page and "não pôde ser carregada" not in page


def test_a_scope_takes_machines_away_and_not_the_model(site: Site) -> None:
    mine, whole = site.api(SCOPED), site.api(ADMIN)
    assert {row["uf"] for row in mine.get("/failure-risk").json()["data"]} == {"BA"}
    (few, all_) = (one.get("/failure-risk/summary").json()["data"] for one in (mine, whole))
    assert (few["machines"], all_["machines"]) == (2, 6) and few["quality"] == all_["quality"]
    page = site.browser(SCOPED).open_page("/features", "?tab=clusters").text
    assert "BAT-DEP-BA-1" in page and "BAT-DEP-SP" not in page


def test_files_are_for_those_who_may_export(site: Site) -> None:
    for name in (*FILES, "parts-demand.xlsx"):
        assert site.api(VIEWER).get(f"/exports/{name}").status_code == 403
        assert site.api(SCOPED).get(f"/exports/{name}").status_code == 200
    objects = {row.object for row in site.audit("export")}
    assert {"failure_risk", "parts_demand", "tower_clusters"} <= objects


def test_what_cannot_be_asked_is_refused_or_noticed(site: Site) -> None:
    api = site.api(VIEWER)
    for query in ("/failure-risk?sort=moon", "/clustering/tower-performance/members?cluster=0"):
        assert api.get(query).status_code == 422
    page = site.browser(VIEWER).open_page("/features", "?tab=clusters&cluster=9&of=moon").text
    assert "cluster=9" in page and "of=moon" in page
