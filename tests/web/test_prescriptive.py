"""What became of recommendations: by kind, on the page and by API, over runs."""

from __future__ import annotations

import json

from sqlalchemy import text

from tests.web.conftest import ANALYST, SCOPED, VIEWER, Site

KINDS = "/recommendations/kinds"


def test_decisions_are_counted_by_kind(site: Site) -> None:
    api = site.api(ANALYST)
    rows = api.get("/recommendations?status=open&limit=500").json()["data"]
    before = _kinds(site)
    for kind, one in before.items():
        of_it = [row for row in rows if row["kind"] == kind]
        assert one["open"] == len(of_it)
        assert abs(one["open_brl"] - sum(row["value_brl"] or 0 for row in of_it)) < 0.01
    first, other = rows[0], rows[1]
    for row, change in ((first, "accepted"), (other, "rejected")):
        body = {"status": change, "reason": "medido"}
        path = f"/recommendations/{row['id']}"
        assert api.call("PATCH", path, json=body).status_code == 200
    after = _kinds(site)
    assert after[first["kind"]]["accepted"] == before[first["kind"]]["accepted"] + 1
    assert after[other["kind"]]["rejected"] == before[other["kind"]]["rejected"] + 1
    gained = after[first["kind"]]["carried_out_brl"] - before[first["kind"]]["carried_out_brl"]
    assert abs(gained - (first["value_brl"] or 0)) < 0.01


def test_what_an_earlier_run_advised_and_nobody_decided_is_gone(site: Site) -> None:
    before = _kinds(site)["REDUCE"]
    sql = """
        INSERT INTO analytics.run
            (bundle, manifest, manifest_sha256, frequency, horizon, data_from, data_to, state)
        SELECT 'earlier', manifest, 'earlier', frequency, horizon, data_from, data_to, 'dropped'
        FROM analytics.run ORDER BY run_id LIMIT 1 RETURNING run_id
    """
    advice = """
        INSERT INTO analytics.recommendation (run_id, fingerprint, kind, priority, item_id, site_id)
        SELECT :run_id, 'REDUCE|gone', 'REDUCE', 3, item_id, site_id
        FROM analytics.recommendation LIMIT 1
    """
    with site.changing() as connection:
        run_id = connection.execute(text(sql)).scalar_one()
        connection.execute(text(advice), {"run_id": run_id})
    try:
        after = _kinds(site)["REDUCE"]
        assert (after["gone"], after["open"]) == (before["gone"] + 1, before["open"])
    finally:
        with site.changing() as connection:
            drop = text("DELETE FROM analytics.run WHERE run_id = :run_id")
            connection.execute(drop, {"run_id": run_id})


def test_the_tab_leads_into_the_queue(site: Site) -> None:
    page = json.dumps(site.browser(VIEWER).open_page("/features", "?tab=prescriptive").json())
    assert "/recommendations?kind=REORDER&status=all" in page and '"advice-kinds"' in page


def test_the_map_of_features_is_that_of_regions(site: Site) -> None:
    browser = site.browser(SCOPED)
    tab = json.dumps(browser.open_page("/features", "?tab=map").json())
    assert '"table-ufs"' in tab and "?tab=map&uf=BA" in tab
    assert "?uf=BA" in json.dumps(browser.open_page("/regions").json())


def _kinds(site: Site) -> dict[str, dict]:
    return {row["kind"]: row for row in site.api(VIEWER).get(KINDS).json()["data"]}
