"""What-ifs through the API and the page: the same numbers, scope, and addresses that are forged."""

from __future__ import annotations

import csv
import io
import json
import re
from math import sqrt
from typing import Any
from urllib.parse import parse_qs

import pytest

from layouts import format as fmt
from tests.web.conftest import ANALYST, SCOPED, VIEWER, Site

ONE = "sku=CABO-01&site=DEP-SP"


def compared(site: Site, query: str = "", who: str = VIEWER) -> dict[str, Any]:
    response = site.api(who).get(f"/what-if?{query}")
    assert response.status_code == 200, response.text
    return response.json()["data"]


def test_without_a_change_both_sides_are_the_same(site: Site):
    found = compared(site)
    assert found["today"] == found["changed"]
    assert found["items"] <= found["items_in_view"]
    assert found["today"]["orders"] > 0
    costs = ("holding_brl", "stockout_brl", "expediting_brl", "ordering_brl")
    total = sum(found["today"][name] for name in costs)
    assert found["today"]["annual_cost_brl"] == pytest.approx(total)


def test_more_service_holds_more_stock_and_misses_less(site: Site):
    query = "service_a=0.999&service_b=0.999&service_c=0.999"
    found = compared(site, query)
    assert found["changed"]["stock_value_brl"] > found["today"]["stock_value_brl"]
    assert found["changed"]["requests_missed"] <= found["today"]["requests_missed"]
    assert compared(site, query) == found


def test_shocks_hurt_and_knowing_of_them_helps(site: Site):
    surprised = compared(site, "demand_change=1&levels=kept")
    adapted = compared(site, "demand_change=1")
    assert surprised["changed"]["fill_units"] < surprised["today"]["fill_units"]
    assert adapted["changed"]["fill_units"] > surprised["changed"]["fill_units"]
    strike = compared(site, "strike_days=120&strike=all")
    assert strike["changed"]["requests_missed"] > strike["today"]["requests_missed"]


def test_only_what_is_named_changes(site: Site):
    today = compared(site)["today"]
    bahia = compared(site, "demand_change=0.5&uf=BA&levels=kept")["changed"]
    whole = compared(site, "demand_change=0.5&levels=kept")["changed"]
    assert today["orders"] < bahia["orders"] < whole["orders"]


def test_dearer_orders_are_fewer(site: Site):
    """EOQ goes with the square root of the cost of an order."""
    found = compared(site, f"{ONE}&order_cost=600")
    share = found["changed"]["orders"] / found["today"]["orders"]
    assert share == pytest.approx(1 / sqrt(4), rel=0.15)


def test_one_item_depot_is_played_for_itself_and_in_many_years(site: Site):
    found = compared(site, ONE)
    assert (found["items"], found["played"], found["scenarios"]) == (1, 1, 64)
    curve = site.api(VIEWER).get(f"/what-if/curve?{ONE}").json()["data"]
    assert curve[0]["stock_value_brl"] == pytest.approx(found["today"]["stock_value_brl"])
    values = [point["stock_value_brl"] for point in curve[1:]]
    assert values == sorted(values)


def test_the_stored_curve_rises(site: Site):
    api = site.api(VIEWER)
    curve = api.get("/what-if/curve").json()["data"]
    assert curve[0]["service_level"] is None
    levels = [point["service_level"] for point in curve[1:]]
    assert levels == sorted(levels) and levels[0] == 0.5
    assert curve[-1]["fill_lines"] > curve[1]["fill_lines"]
    parts = [api.get(f"/what-if/curve?abc={name}").json()["data"] for name in "ABC"]
    total = sum(part[0]["stock_value_brl"] for part in parts if part)
    assert total == pytest.approx(curve[0]["stock_value_brl"])


def test_a_scope_hides_the_others_stock(site: Site):
    assert compared(site, who=SCOPED)["items"] < compared(site)["items"]
    hidden = compared(site, ONE, SCOPED)
    assert (hidden["items"], hidden["items_in_view"]) == (0, 0)
    assert hidden["today"]["stock_value_brl"] == 0
    assert site.api(SCOPED).get(f"/what-if/curve?{ONE}").json()["data"] == []
    mine, all_ = (site.api(who).get("/what-if/curve").json()["data"] for who in (SCOPED, VIEWER))
    assert mine[0]["stock_value_brl"] < all_[0]["stock_value_brl"]


@pytest.mark.parametrize(
    "query",
    [
        "service_a=1",
        "service_a=nan",
        "lead_time_change=9",
        "strike=moon",
        "strike_days=-1",
        "uf=xx",
        "foo=1",
        "holding_rate=0",
    ],
)
def test_what_cannot_be_is_refused(site: Site, query: str):
    assert site.api(ANALYST).get(f"/what-if?{query}").status_code == 422


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ("uf=ZZ&demand_change=0.5", "uf", "is no Brazilian UF"),
        ("family=nope&demand_change=0.5", "family", "there is no such family in view"),
        ("supplier=nope&lead_time_change=0.5", "supplier", "there is no such supplier in view"),
    ],
)
def test_a_change_of_what_is_not_there_is_refused(
    site: Site, query: str, field: str, reason: str
) -> None:
    for path in ("/what-if", "/exports/what-if.csv"):
        refused = site.api(ANALYST).get(f"{path}?{query}")
        assert refused.status_code == 422, refused.text
        assert refused.json()["error"]["fields"] == {field: reason}
    assert compared(site, "family=fibra&supplier=ALFA")["items"] > 0


def test_the_page_says_what_the_api_says(site: Site):
    query = f"{ONE}&service_a=0.99&lead_time_change=0.5&strike_days=20&strike=all"
    found, told = compared(site, query), page(site, f"?{query}")
    for side in ("today", "changed"):
        assert fmt.brl(found[side]["stock_value_brl"], "pt_BR") in told
        assert fmt.brl(found[side]["annual_cost_brl"], "pt_BR") in told
        assert fmt.percent(found[side]["fill_lines"], "pt_BR", 2) in told


def test_the_file_of_the_page_holds_what_the_api_says(site: Site):
    query = f"{ONE}&service_a=0.99&strike_days=20&strike=all&levels=kept"
    told = json.loads(page(site, f"?{query}", ANALYST))
    (link,) = re.findall(r'/exports/what-if\.csv\?([^"]+)', json.dumps(told))
    assert parse_qs(link) == parse_qs(query)
    content = site.api(ANALYST).get(f"/exports/what-if.csv?{link}").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content.replace(",", ".")), delimiter=";"))
    found = compared(site, query)
    assert [row["figure"] for row in rows] == list(found["today"])
    for row in rows:
        today, changed = (found[side][row["figure"]] for side in ("today", "changed"))
        if today is None:
            assert (row["today"], row["difference"]) == ("", "")
        else:
            said = [float(row[name]) for name in ("today", "changed", "difference")]
            assert said == pytest.approx([today, changed, changed - today])


def test_orders_that_cost_nothing_are_said_in_their_control(site: Site):
    told = json.loads(page(site, f"?{ONE}&order_cost=0"))
    control = control_of(told, "order_cost")
    assert control["value"] == "0"
    assert {"label": "R$\xa00,00", "value": "0"}.items() <= control["options"][0].items()
    untouched = json.loads(page(site, f"?{ONE}&strike_days=0"))
    for name in ("order_cost", "strike_days"):
        control = control_of(untouched, name)
        assert control["value"] is None
        assert "0" not in [one["value"] for one in control["options"]]


def control_of(page: Any, name: str) -> dict[str, Any]:
    """The control of a parameter of the address."""
    parts = page if isinstance(page, list) else list(page.values())
    if isinstance(page, dict) and "options" in page and page["id"].get("name") == name:
        return page
    found = (control_of(one, name) for one in parts if isinstance(one, dict | list))
    return next((one for one in found if one), {})


def test_forged_values_fall_back_with_a_notice(site: Site):
    forged = "?service_a=7&strike=moon&supplier=%3Cb%3E&sku=nope&order_cost=1e999&levels=x"
    told = page(site, f"{forged}&strike_days=1.7")
    wrong = ("service_a=7", "strike=moon", "sku=nope", "order_cost=1e999", "levels=x")
    for name in (*wrong, "strike_days=1.7"):
        assert f"“{name}” no endereço" in told
    assert fmt.brl(compared(site)["today"]["stock_value_brl"], "pt_BR") in told


def page(site: Site, search: str, who: str = VIEWER) -> str:
    response = site.browser(who).open_page("/what-if", search)
    assert response.status_code == 200
    return json.dumps(response.json(), ensure_ascii=False)
