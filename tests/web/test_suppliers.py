"""Suppliers through page, API and files."""

from __future__ import annotations

import csv
import io
import json
import re

from tests.web.conftest import ANALYST, SCOPED, VIEWER, Site

PATH = "/exports/suppliers"


def test_page_api_and_file_say_the_same(site: Site):
    api = site.api(ANALYST)
    scores = {row["supplier"]: row for row in api.get("/suppliers").json()["data"]}
    assert set(scores) == {"ALFA", "BETA"}
    alfa = scores["ALFA"]
    assert (alfa["lines"], alfa["late"], alfa["otif"], alfa["rank"]) == (1, 1, 0.0, None)
    detail = api.get("/suppliers/ALFA").json()["data"]
    assert detail["score"] == alfa and sum(m["lines"] for m in detail["months"]) == 1
    (line,) = api.get("/order-lines", params={"supplier": "ALFA"}).json()["data"]
    assert (line["order_no"], line["days_late"], line["on_time_in_full"]) == ("PO-1", 20, False)
    whole = next(x for x in api.get("/supplier-totals").json()["data"] if x["kind"] == "all")
    assert (whole["lines"], whole["late_rate"]) == (1, 1.0)
    answer = api.get(f"{PATH}.csv")
    answer.encoding = "utf-8-sig"
    delimiter = ";" if ";" in answer.text.splitlines()[0] else ","
    rows = list(csv.DictReader(io.StringIO(answer.text), delimiter=delimiter))
    assert [(row["supplier"], row["lines"], row["late"]) for row in rows] == [
        (row["supplier"], str(row["lines"]), str(row["late"])) for row in scores.values()
    ]
    browser = site.browser(VIEWER)
    assert "/suppliers/ALFA?" in json.dumps(browser.open_page("/suppliers").json())
    page = json.dumps(browser.open_page("/suppliers/ALFA").json(), ensure_ascii=False)
    assert "PO-1 / 1" in page and "sem posição abaixo de 30" in page


def test_files_are_for_those_who_may_export_and_leave_their_row(site: Site):
    for path in (f"{PATH}.csv", f"{PATH}.xlsx", "/exports/order-lines.csv"):
        assert site.api(VIEWER).get(path).status_code == 403
        assert site.api(SCOPED).get(path).status_code == 200
    page = site.browser(SCOPED).open_page("/suppliers/ALFA", "?sort=sku").text
    (link,) = re.findall(r'"(/api/v1/exports/order-lines\.csv[^"]*sort=sku)"', page)
    assert site.api(SCOPED).get(link.removeprefix("/api/v1")).status_code == 200
    assert {"suppliers", "order_lines"} <= {row.object for row in site.audit("export")}


def test_what_cannot_be_asked_is_refused(site: Site):
    api = site.api(VIEWER)
    for query in ("/suppliers?kind=moon", "/suppliers?from=x", "/order-lines?sort=moon"):
        assert api.get(query).status_code == 422
    assert api.get("/suppliers/NO-SUCH").status_code == 404
    page = site.browser(VIEWER).open_page("/suppliers", "?period=77").text
    assert "period=77" in page
