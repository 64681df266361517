"""Savings through page, API and file, where the history is too short to replay."""

from __future__ import annotations

import json

from tests.web.conftest import ANALYST, SCOPED, VIEWER, Site


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
    for query in ("/savings?foo=1", "/savings/items?sort=moon", "/savings/rows?cursor=x"):
        assert api.get(query).status_code == 422
