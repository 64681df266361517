"""Recommendations through the front door: listed, decided, exported."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from tests.web.conftest import ADMIN, ANALYST, SCOPED, VIEWER, Api, Site, unfolding
from tests.web.test_alerts import SOON

FIELDS = set(
    "id kind priority sku site from_site quantity act_by value_brl reason facts narrative"
    " narrative_source status".split()
)


@pytest.fixture(scope="module")
def analyst(site: Site) -> Api:
    return site.api(ANALYST)


def listed(api: Api, **params: Any) -> list[dict[str, Any]]:
    answer = api.get("/recommendations", params={"limit": 500} | params)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def decide(api: Api, number: int, **body: Any) -> Any:
    return api.call("PATCH", f"/recommendations/{number}", json=body)


@pytest.fixture
def purchase(analyst: Api) -> dict[str, Any]:
    """An open purchase."""
    found = [one for one in listed(analyst, kind="REORDER") if one["status"] == "open"]
    return found[0]


def test_the_list_has_its_fields_and_filters(analyst: Api) -> None:
    everything = listed(analyst)
    assert everything and FIELDS <= set(everything[0])
    first = everything[0]
    assert first["reason"] == first["narrative"]["pt_BR"]
    assert first["receipt"]["steps"]
    alone = analyst.get(f"/recommendations/{first['id']}").json()["data"]
    assert alone["receipt"]["steps"] == first["receipt"]["steps"]
    kinds = [one["kind"] for one in alone["receipt"]["sources"]]
    assert kinds.count("run") == 1 and "items" in kinds and "stock" in kinds
    assert listed(analyst, kind="REDUCE,SWITCH") == [
        one for one in everything if one["kind"] in ("REDUCE", "SWITCH")
    ]
    assert {one["uf"] for one in listed(analyst, uf="RJ")} == {"RJ"}
    for params in ({"kind": "BUY"}, {"status": "gone"}, {"colour": "red"}, {"sort": "facts"}):
        answer = analyst.get("/recommendations", params=params)
        assert answer.status_code == 422, params
        assert list(answer.json()["error"]["fields"]) == list(params)


def test_without_reserved_quantities_what_is_available_is_on_hand(analyst: Api) -> None:
    order = next(one for one in listed(analyst, kind="REORDER"))
    assert order["facts"]["reserved"] is None
    steps = {step["key"]: step for step in order["receipt"]["steps"]}
    on_hand, reserved = (line["value"] for line in steps["available"]["inputs"])
    assert (on_hand, reserved) == (order["facts"]["on_hand"], 0)
    assert steps["available"]["value"] == order["facts"]["available"]


def test_no_more_missing_units_are_avoided_than_are_bought_or_moved(analyst: Api) -> None:
    avoiding = [one for one in listed(analyst) if "avoided_quantity" in one["facts"]]
    assert "REORDER" in {one["kind"] for one in avoiding}
    for one in avoiding:
        assert one["facts"]["avoided_quantity"] <= one["quantity"], one["narrative"]
    worth = {
        step["key"]: [line["name"] for line in step["inputs"]]
        for one in avoiding
        if one["kind"] == "REORDER"
        for step in one["receipt"]["steps"]
    }
    assert "quantity" in worth["reorder_avoided"]


def test_missing_units_and_money_at_risk_name_their_days(analyst: Api) -> None:
    said = 0
    for one in listed(analyst):
        nothing, words = one["facts"]["if_nothing"], one["narrative"]
        assert nothing["window_days"] or nothing["risk_brl"] is None
        if "devem faltar" in words["pt_BR"]:
            days = max(1, round(nothing["window_days"]))
            assert f"nos {days} dias depois de " in words["pt_BR"]
            assert f"in the {days} days after " in words["en"]
            said += 1
            ahead = date.fromisoformat(one["facts"]["today"]) + timedelta(nothing["window_days"])
            if "acaba em" in words["pt_BR"] and nothing["stockout_on"]:
                assert date.fromisoformat(nothing["stockout_on"]) <= ahead
    assert said


def test_totals_by_status_are_the_sums_of_the_rows(analyst: Api) -> None:
    totals = analyst.get("/recommendations/totals").json()["data"]
    for total in totals:
        rows = listed(analyst, status=total["status"])
        assert total["count"] == len(rows)
        assert total["value_brl"] == pytest.approx(sum(one["value_brl"] or 0 for one in rows))


def test_a_decision_needs_the_right_and_a_rejection_its_reason(
    site: Site, analyst: Api, purchase: dict[str, Any]
) -> None:
    number = purchase["id"]
    assert decide(site.api(VIEWER), number, status="accepted").status_code == 403
    for body in (
        {"status": "rejected"},
        {"status": "bought"},
        {"status": "accepted", "quantity": 5},
        {"reason": "why"},
    ):
        assert decide(analyst, number, **body).status_code == 422, body
    assert decide(analyst, 987654321, status="accepted").status_code == 404
    answer = decide(analyst, number, status="rejected", reason="obra adiada")
    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]
    assert (told["status"], told["decided_by"], told["decision_reason"]) == (
        "rejected",
        ANALYST,
        "obra adiada",
    )
    assert site.audit("recommendation.status")[-1].after["reason"] == "obra adiada"
    assert decide(analyst, number, status="done").status_code == 422
    assert decide(analyst, number, status="open").status_code == 200


def test_how_it_is_computed_is_told_once_it_is_unfolded(site: Site, analyst: Api) -> None:
    browser, bahia = site.browser(VIEWER), site.browser(SCOPED)
    page = browser.open_page("/recommendations", "?status=all").text
    everything = listed(analyst)
    for one in everything:
        told = browser.callback(unfolding("recommendation", number=one["id"])).json()["response"]
        (receipt, fold) = told.values()
        assert fold == {"disable_n_clicks": True}
        shown = json.dumps(receipt)
        steps = one["receipt"]["steps"]
        formulas = [json.dumps(f"$${step['formula']}$$") for step in steps]
        assert formulas and all(formula in shown for formula in formulas)
        assert f"recommendation-{one['id']}" in page
        assert not any(formula in page for formula in formulas)
    elsewhere = next(one["id"] for one in everything if one["uf"] == "SP")
    forged: list[Any] = [987654321, -1, 2**70, True, "1", None, [elsewhere]]
    asked = [(bahia, elsewhere), *((browser, number) for number in forged)]
    for reader, number in asked:
        answer = reader.callback(unfolding("recommendation", number=number))
        assert answer.status_code == 200 and "working" not in answer.text, number
        assert "Isto não existe mais" in json.dumps(answer.json(), ensure_ascii=False), number


def pressed(status: str, ticked: list[int], seen: dict[int, float] | None = None) -> dict[str, Any]:
    """What the button for those that are ticked sends; seen: quantities that the page shows."""
    name = {"number": 0, "status": status, "type": "recommendation-action"}
    ticks = [
        {"id": {"type": "recommendation-pick", "number": one}, "property": "value", "value": [one]}
        for one in ticked
    ]
    return {
        "output": "recommendations-decided.data",
        "outputs": {"id": "recommendations-decided", "property": "data"},
        "inputs": [[{"id": name, "property": "n_clicks", "value": 1}]],
        "state": [ticks, [], [], *_stores(seen or {})],
        "changedPropIds": [f"{json.dumps(name, separators=(',', ':'))}.n_clicks"],
    }


def _stores(seen: dict[int, float]) -> list[list[dict[str, Any]]]:
    """What the cards' stores of their quantities hold, and their ids."""
    names = {number: {"number": number, "type": "recommendation-seen"} for number in seen}
    held: tuple[tuple[str, Any], ...] = (("data", seen), ("id", names))
    return [
        [
            {"id": names[number], "property": name, "value": value}
            for number, value in values.items()
        ]
        for name, values in held
    ]


def test_what_has_changed_since_it_was_seen_is_not_decided(site: Site, analyst: Api) -> None:
    """By a derivation, which keeps the number of the recommendation."""
    first, second = listed(analyst, kind="REORDER", status="open")[:2]
    ids, seen, now = [first["id"], second["id"]], first["quantity"], 7.5
    change = text("UPDATE analytics.recommendation SET quantity = :quantity WHERE id = :id")
    browser = site.browser(ANALYST)
    shown = browser.open_page("/recommendations", "?status=open").text
    assert f'"id":{{"type":"recommendation-seen","number":{first["id"]}}}' in shown
    with site.changing() as connection:
        connection.execute(change, {"quantity": now, "id": first["id"]})
    try:
        told = decide(analyst, first["id"], status="accepted", quantity=seen)
        error = told.json()["error"]
        assert (told.status_code, error["code"]) == (422, "quantity_changed")
        assert error["fields"] == {"quantity": "has changed meanwhile: now 7.5"}
        alone = browser.callback(pressed("accepted", ids[:1], {first["id"]: seen})).text
        assert "agora é 7,5." in alone
        both = {first["id"]: seen, second["id"]: second["quantity"]}
        assert "1 de 2 quantidades mudaram" in browser.callback(pressed("done", ids, both)).text
        assert {one["id"] for one in listed(analyst, status="open")} >= set(ids)
        answer = decide(analyst, first["id"], status="accepted", quantity=now)
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "accepted")
    finally:
        decide(analyst, first["id"], status="open")
        with site.changing() as connection:
            connection.execute(change, {"quantity": seen, "id": first["id"]})


def test_those_that_are_ticked_are_offered_the_steps_that_one_of_them_allows(
    site: Site, analyst: Api, purchase: dict[str, Any]
) -> None:
    browser, number = site.browser(ANALYST), purchase["id"]
    open_one = next(one["id"] for one in listed(analyst, status="open") if one["id"] != number)

    def shown(status: str) -> set[str]:
        page = browser.open_page("/recommendations", f"?status={status}").text
        return set(re.findall(r'"status":"(\w+)","number":0}', page))

    assert shown("open") == {"accepted", "rejected", "snoozed", "done"}
    assert decide(analyst, number, status="accepted").status_code == 200
    assert shown("accepted") == {"rejected", "done", "open"}
    refused = browser.callback(pressed("snoozed", [number, open_one])).text
    assert "O status de 1 de 2 já não permite isso" in refused
    assert "O status já não permite isso" in browser.callback(pressed("snoozed", [number])).text
    wrong = decide(analyst, number, status="snoozed").json()["error"]
    assert (wrong["code"], list(wrong["fields"])) == ("step_not_allowed", ["status"])
    assert decide(analyst, number, status="rejected", reason="obra adiada").status_code == 200
    assert shown("rejected") == {"open"}
    assert shown("all") == {"accepted", "rejected", "snoozed", "done", "open"}
    assert "De novo em aberto" in browser.callback(pressed("open", [number])).text


def test_what_was_snoozed_is_open_as_soon_as_its_time_is_over(
    site: Site, analyst: Api, purchase: dict[str, Any]
) -> None:
    def told() -> dict[str, Any]:
        totals = analyst.get("/recommendations/totals").json()["data"]
        kinds = analyst.get("/recommendations/kinds").json()["data"]
        return {
            "open": listed(analyst, status="open"),
            "one": analyst.get(f"/recommendations/{purchase['id']}").json()["data"],
            "totals": {one["status"]: one["count"] for one in totals},
            "kinds": {one["kind"]: one["open"] for one in kinds},
        }

    before = told()
    assert decide(analyst, purchase["id"], status="snoozed").status_code == 200
    try:
        assert told()["one"]["snoozed_until"] and told()["kinds"] != before["kinds"]
        with site.changing() as connection:
            connection.execute(text(SOON))
        assert told()["one"]["status"] == "snoozed"
        time.sleep(5)
        assert told() == before
        assert decide(analyst, purchase["id"], status="snoozed").json()["data"]["snoozed_until"]
    finally:
        assert decide(analyst, purchase["id"], status="open").status_code == 200


def test_accepted_purchases_leave_as_files(site: Site, analyst: Api) -> None:
    found = [one for one in listed(analyst, kind="REORDER") if one["status"] == "open"]
    requests = {}
    for one in found:
        answer = decide(analyst, one["id"], status="accepted", reason="=1+1")
        assert answer.status_code == 200
        requests[one["id"]] = answer.json()["data"]["decision_id"]
    try:
        late = "UPDATE support.decision SET at = '2025-06-30 22:30-03' WHERE reason = '=1+1'"
        with site.engine.begin() as connection:
            connection.execute(text(late))
        path = "/exports/purchase-request"
        answer = analyst.get(f"{path}.csv")
        assert answer.headers["Content-Type"].startswith("text/csv")
        header, *lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";")
        assert header[:5] == ["Requisição", "Fornecedor", "Nome do fornecedor", "Código do item",
                              "Material"]  # fmt: skip
        by_number = {int(line[0]): line for line in lines}
        for one in found:
            line = by_number[requests[one["id"]]]
            assert (line[3], float(line[7].replace(",", "."))) == (one["sku"], one["quantity"])
            assert line[12:] == [ANALYST, "2025-06-30", "'=1+1"]
            quantity, price, value = (
                Decimal(line[cell].replace(",", ".") or 0) for cell in (7, 9, 10)
            )
            assert abs(quantity * price - value) <= Decimal("0.005"), line
            assert value == round(value, 2)
        suppliers = [line[1] for line in lines]
        assert suppliers == sorted(suppliers, key=lambda code: (code == "", code))
        book = load_workbook(io.BytesIO(analyst.get(f"{path}.xlsx").content))
        assert len(book.sheetnames) == len(set(suppliers)) + 1
        for sheet in book.worksheets[:-1]:
            lines_of: list[list[Any]] = [
                [cell.value for cell in row] for row in sheet.iter_rows(min_row=2)
            ]
            *rows, total = lines_of
            values = [row[10] for row in rows if row[10] is not None]
            assert total[10] == round(sum(values), 2)
            mine = [row for row in rows if int(row[0]) in requests.values()]
            assert mine and all(row[14] == "'=1+1" for row in mine)
        assert site.api(VIEWER).get(f"{path}.csv").status_code == 403
        assert analyst.get(f"{path}.csv", params={"colour": "red"}).status_code == 422
        only = analyst.get(f"{path}.csv", params={"sku": found[0]["sku"]}).text
        assert found[0]["sku"] in only and only.count("\n") <= answer.text.count("\n")
    finally:
        for one in found:
            decide(analyst, one["id"], status="open")


def test_the_purchase_request_is_offered_where_a_purchase_in_view_is_accepted(
    site: Site, analyst: Api
) -> None:
    browser = site.browser(ANALYST)
    for one in listed(analyst, kind="REORDER", status="accepted"):
        assert decide(analyst, one["id"], status="open").status_code == 200
    purchases = listed(analyst, kind="REORDER", status="open")
    first = purchases[0]

    def offered(query: str) -> list[str]:
        page = browser.open_page("/recommendations", query).text
        return re.findall(r"/exports/purchase-request\.csv\??([^\"]*)", page)

    def make(kind: str) -> None:
        change = "UPDATE analytics.recommendation SET kind = :kind WHERE id = :id"
        with site.changing() as connection:
            connection.execute(text(change), {"kind": kind, "id": first["id"]})

    assert decide(analyst, first["id"], status="accepted").status_code == 200
    try:
        make("TRANSFER")
        try:
            assert offered("") == offered("?status=accepted") == []
        finally:
            make("REORDER")
        for one in purchases[1:]:
            assert decide(analyst, one["id"], status="accepted").status_code == 200
        assert offered("?status=accepted") == offered("?kind=REDUCE") == [""]
        assert offered("?kind=REORDER") == [""], "nothing is open any more"
        assert offered(f"?search={first['sku']}") == [f"search={first['sku']}"]
        assert offered("?search=nothing-has-this-name") == []
    finally:
        for one in purchases:
            decide(analyst, one["id"], status="open")


def test_who_sees_one_uf_decides_there_alone(site: Site) -> None:
    scoped = site.api(SCOPED)
    elsewhere = next(one for one in listed(site.api(ADMIN)) if one["uf"] == "SP")
    assert scoped.get(f"/recommendations/{elsewhere['id']}").status_code == 404
    assert decide(scoped, elsewhere["id"], status="accepted").status_code == 404
    assert {one["uf"] for one in listed(scoped)} == {"BA"}
