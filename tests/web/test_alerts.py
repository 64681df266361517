"""Alerts through the front door: filters, totals, owners, several at once, thresholds."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from sqlalchemy import text

from domain.access import Role, Scope
from layouts.components.queue import SELECTED
from layouts.inbox import GIVE_TO, action_id, pick_id
from tests.web.conftest import ADMIN, ANALYST, SCOPED, VIEWER, Api, Site
from tests.web.test_overrides import done
from tests.web.test_same_numbers import components, stored

SOON = """
WITH last AS (
    UPDATE support.decision SET until = now() + interval '5 s'
    WHERE decision_id = (SELECT max(decision_id) FROM support.decision)
    RETURNING fingerprint, until
), alerts AS (
    UPDATE analytics.alert SET snoozed_until = until FROM last
    WHERE alert.fingerprint = last.fingerprint
)
UPDATE analytics.recommendation SET snoozed_until = until FROM last
WHERE recommendation.fingerprint = last.fingerprint
"""
"""Lets the last snooze end in 5 s."""

WARNING = """
INSERT INTO support.setting (key, value, changed_by)
VALUES ('policy', jsonb_build_object('warning_days', :days), 'boss@nova.test')
ON CONFLICT (key) DO UPDATE SET value = setting.value || excluded.value
"""


@pytest.fixture(scope="module")
def analyst(site: Site) -> Api:
    return site.api(ANALYST)


def listed(api: Api, **params: Any) -> list[dict[str, Any]]:
    answer = api.get("/alerts", params={"limit": 500} | params)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def change(api: Api, number: int, **body: Any) -> Any:
    return api.call("PATCH", f"/alerts/{number}", json=body)


@pytest.fixture
def alert(analyst: Api) -> dict[str, Any]:
    return listed(analyst, status="open")[0]


def test_the_list_is_ranked_by_what_is_at_risk_net_of_acting(analyst: Api) -> None:
    rows = listed(analyst)
    values = [row["net_brl"] for row in rows if row["net_brl"] is not None]
    assert values == sorted(values, reverse=True)
    for row in rows:
        if row["net_brl"] is not None:
            assert row["net_brl"] == pytest.approx(row["risk_brl"] - row["acting_brl"])
    late = listed(analyst, kind="late_order")
    assert late == [row for row in rows if row["kind"] == "late_order"] != []
    totals = {one["status"]: one for one in analyst.get("/alerts/totals").json()["data"]}
    mine = [row for row in rows if row["status"] == "open"]
    assert totals["open"]["count"] == len(mine)
    assert analyst.get("/alerts?kind=moon").status_code == 422


def test_a_late_order_of_what_runs_out_adds_no_risk_to_the_sums(analyst: Api) -> None:
    rows = listed(analyst, status="open")
    stock = {
        (row["sku"], row["site"]): row["net_brl"]
        for row in rows
        if row["kind"] in ("stockout_imminent", "below_reorder_point")
    }
    late = [row for row in rows if row["kind"] == "late_order"]
    both = [row for row in late if (row["sku"], row["site"]) in stock]
    assert both and all(row["net_brl"] for row in both)
    added = sum(row["net_brl"] or 0 for row in rows if row not in both)
    (total, *_) = analyst.get("/alerts/totals").json()["data"]
    assert total["net_brl"] == pytest.approx(added)
    alone = analyst.get("/alerts/totals?kind=late_order").json()["data"][0]
    assert alone["net_brl"] == pytest.approx(sum(row["net_brl"] for row in late))
    places = analyst.get("/geographic/data").json()["data"]
    assert sum(place["risk_brl"] or 0 for place in places) == pytest.approx(added)


def test_open_pages_hear_of_what_others_decide(
    site: Site, analyst: Api, alert: dict[str, Any]
) -> None:
    def heard(api: Api) -> list[Any]:
        told = api.get("/status").json()["data"]
        return [told["shown_version"], told["decided_version"]]

    admin = site.api(ADMIN)
    mine, others = heard(analyst), heard(admin)
    assert change(analyst, alert["id"], status="acknowledged").status_code == 200
    assert heard(analyst) == mine
    assert heard(admin)[0] == others[0] and heard(admin)[1] > others[1]
    assert change(admin, alert["id"], status="open").status_code == 200
    assert heard(analyst)[1] > mine[1]


def test_an_alert_is_given_to_somebody_who_may_act(
    site: Site, analyst: Api, alert: dict[str, Any]
) -> None:
    number = alert["id"]
    given = change(analyst, number, owner=ADMIN)
    assert given.status_code == 200 and given.json()["data"]["owner"] == ADMIN
    assert number in [row["id"] for row in listed(analyst, owner=ADMIN)]
    for nobody in (VIEWER, "who@nova.test"):
        refused = change(analyst, number, owner=nobody)
        assert refused.status_code == 422 and "owner" in refused.json()["error"]["fields"]
    row = site.audit("alert.assign")[-1]
    assert row.actor == ANALYST and row.object.startswith(alert["kind"])
    assert change(analyst, number, owner=None).json()["data"]["owner"] is None


def test_an_alert_is_given_to_nobody_who_may_not_see_it(site: Site, analyst: Api) -> None:
    away, near = (listed(analyst, uf=uf)[0]["id"] for uf in ("SP", "BA"))
    refused = change(analyst, away, owner=SCOPED)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "owner_cannot_see")
    assert "owner" in refused.json()["error"]["fields"]
    assert away not in [row["id"] for row in listed(analyst, owner=SCOPED)]
    assert change(analyst, near, owner=SCOPED).status_code == 200
    assert [row["id"] for row in listed(site.api(SCOPED), owner=SCOPED)] == [near]
    assert change(analyst, near, owner=None).status_code == 200
    site.add_user("rio@nova.test", Role.ANALYST, Scope(ufs=("RJ",)))
    name = {"change": "given", "number": 0, "type": "alert-action"}
    ticks = [{"id": {"type": "alert-pick", "number": away}, "property": "value", "value": [away]}]
    body = {
        "output": "alerts-decided.data",
        "outputs": {"id": "alerts-decided", "property": "data"},
        "inputs": [[{"id": name, "property": "n_clicks", "value": 1}]],
        "state": [ticks, {"id": "alert-give-to", "property": "value", "value": "rio@nova.test"}],
        "changedPropIds": [f"{json.dumps(name, separators=(',', ':'))}.n_clicks"],
    }
    browser = site.browser(ANALYST)
    assert "não pode ver 1 destes alertas" in browser.callback(body).text
    assert "rio@nova.test" in browser.open_page("/alerts").text
    page = site.browser(SCOPED).open_page("/alerts").text
    assert ADMIN in page and "rio@nova.test" not in page


def test_those_that_are_ticked_are_offered_what_changes_one_of_them(
    site: Site, analyst: Api, alert: dict[str, Any]
) -> None:
    browser = site.browser(ANALYST)

    def shown(status: str) -> set[str]:
        page = browser.open_page("/alerts", f"?status={status}").text
        return set(re.findall(r'"change":"(\w+)","number":0}', page))

    page = browser.open_page("/alerts").json()
    told = json.dumps(page, ensure_ascii=False)
    assert "Selecionar tudo nesta página" in told and "Com os itens selecionados" in told
    placeholders = {
        one["props"]["id"]["name"]: one["props"]["placeholder"]
        for one in components(page)
        if one["type"] == "Dropdown" and "name" in one["props"]["id"]
    }
    assert {placeholders[name] for name in ("kind", "level", "status", "owner")} == {"Todos"}
    assert shown("open") == {"acknowledged", "snoozed", "resolved", "given"}
    assert change(analyst, alert["id"], status="resolved").status_code == 200
    assert shown("resolved") == {"open", "given"}
    assert change(analyst, alert["id"], status="open").status_code == 200


def test_a_snooze_says_until_when(analyst: Api, alert: dict[str, Any]) -> None:
    snoozed = change(analyst, alert["id"], status="snoozed", days=30).json()["data"]
    assert snoozed["status"] == "snoozed" and snoozed["snoozed_until"] > alert["raised_at"]
    assert change(analyst, alert["id"], status="snoozed", days=400).status_code == 422
    assert change(analyst, alert["id"], status="open").json()["data"]["snoozed_until"] is None


def test_what_was_snoozed_is_open_as_soon_as_its_time_is_over(site: Site, analyst: Api) -> None:
    """Nothing is loaded or derived meanwhile, and every answer has been given before."""
    first = listed(analyst, status="open", level="critical")[0]
    about = {"sku": first["sku"], "site": first["site"]}

    def told() -> dict[str, Any]:
        def data(path: str) -> Any:
            return analyst.get(path, params=about).json()["data"]

        kpis = {one["key"]: one["value"] for one in data("/kpis")}
        (stock,) = data("/inventory")
        return {
            "listed": first["id"] in [row["id"] for row in listed(analyst, status="open")],
            "snoozed": first["id"] in [row["id"] for row in listed(analyst, status="snoozed")],
            "one": analyst.get(f"/alerts/{first['id']}").json()["data"],
            "totals": {one["status"]: one["count"] for one in data("/alerts/totals")},
            "critical": kpis["open_critical_alerts"],
            "stock": stock["open_alerts"],
            "material": data("/materials")[0]["open_alerts"],
            "regions": sum(one["alerts"] for one in data("/geographic/data")),
        }

    before = told()
    assert change(analyst, first["id"], status="snoozed", days=1).status_code == 200
    try:
        assert told()["snoozed"] and told()["critical"] == before["critical"] - 1
        with site.changing() as connection:
            connection.execute(text(SOON))
        asleep = told()
        assert asleep["snoozed"] and not asleep["listed"]
        time.sleep(5)
        assert told() == before
    finally:
        assert change(analyst, first["id"], status="acknowledged").status_code == 200
        assert change(analyst, first["id"], status="open").status_code == 200


def test_what_is_resolved_can_be_reopened_and_nothing_else(
    site: Site, analyst: Api, alert: dict[str, Any]
) -> None:
    number, browser = alert["id"], site.browser(ANALYST)
    assert change(analyst, number, status="resolved").status_code == 200
    refused = change(analyst, number, status="acknowledged", owner=ANALYST)
    assert refused.status_code == 422 and refused.json()["error"]["code"] == "step_not_allowed"
    one = analyst.get(f"/alerts/{number}").json()["data"]
    assert (one["status"], one["owner"]) == ("resolved", None)
    told = browser.callback(pressed("snoozed", [number, listed(analyst, status="open")[0]["id"]]))
    words = told.json()["sideUpdate"]["toasts"]["children"]["props"]["children"]
    assert "O status de 1 de 2" in words
    assert change(analyst, number, status="open", owner=ANALYST).status_code == 200
    assert analyst.get(f"/alerts/{number}").json()["data"]["owner"] == ANALYST
    assert change(analyst, number, owner=None).status_code == 200


def pressed(step: str, ticked: list[int]) -> dict[str, Any]:
    """What the button for those that are ticked sends."""
    button = action_id(step, SELECTED)
    known = json.dumps(button, sort_keys=True, separators=(",", ":"))
    picks = [{"id": pick_id(one), "property": "value", "value": [one]} for one in ticked]
    return {
        "output": "alerts-decided.data",
        "outputs": {"id": "alerts-decided", "property": "data"},
        "inputs": [[{"id": button, "property": "n_clicks", "value": 1}]],
        "changedPropIds": [f"{known}.n_clicks"],
        "state": [picks, {"id": GIVE_TO, "property": "value", "value": None}],
    }


def test_nothing_to_change_is_a_mistake(analyst: Api, alert: dict[str, Any]) -> None:
    assert change(analyst, alert["id"]).status_code == 422
    assert change(analyst, alert["id"], reason="why not").status_code == 422


def test_thresholds_are_for_administrators_of_everything(site: Site, analyst: Api) -> None:
    admin = site.api(ADMIN)
    for other in (analyst, site.api(VIEWER), site.api(SCOPED)):
        assert other.get("/settings/thresholds").status_code == 403
    before = {one["name"]: one for one in admin.get("/settings/thresholds").json()["data"]}
    assert before["warning_days"]["value"] == before["warning_days"]["default"] == 14
    path = "/settings/thresholds"
    both = {"warning_days": 15, "emergency_premium": 0.5}
    told = admin.call("PATCH", path, json=both).json()["data"]
    assert done(admin, told["job_id"])
    after = {one["name"]: one for one in told["thresholds"]}
    assert after["warning_days"]["value"] == 15 and after["warning_days"]["changed_by"] == ADMIN
    assert after["emergency_premium"]["value"] == 0.5
    policy, rates = site.audit("setting.change")[-2:]
    assert (policy.object, policy.after) == ("policy", {"warning_days": 15.0})
    assert (rates.object, rates.before) == ("recommendations", {"emergency_premium": 0.3})
    with site.engine.connect() as connection:
        sql = "SELECT value FROM support.setting WHERE key = 'recommendations'"
        assert connection.execute(text(sql)).scalar_one() == {"emergency_premium": 0.5}
    for body in (
        {},
        {"warning_days": -1},
        {"warning_days": "15"},
        {"moon": 1},
        {"dead_days": 30.5},
    ):
        assert admin.call("PATCH", path, json=body).status_code == 422, body
    for body in ({"emergency_premium": 0.3}, {"warning_days": 14}):
        assert done(admin, admin.call("PATCH", path, json=body).json()["data"]["job_id"])
    row = site.audit("setting.change")[-1]
    assert (row.actor, row.before, row.after) == (
        ADMIN,
        {"warning_days": 15.0},
        {"warning_days": 14.0},
    )


def save(shown: dict[str, Any], **typed: float) -> dict[str, Any]:
    """The body that Save on `/admin/settings` sends: what was shown, and what was typed into it."""
    fields = [({"type": "threshold", "name": name}, value) for name, value in shown.items()]

    def state(name: str, values: list[Any]) -> list[dict[str, Any]]:
        return [
            {"id": one, "property": name, "value": value}
            for (one, _), value in zip(fields, values, strict=True)
        ]

    return {
        "output": "thresholds.children",
        "outputs": {"id": "thresholds", "property": "children"},
        "inputs": [{"id": "save-thresholds", "property": "n_clicks", "value": 1}],
        "state": [
            state("value", list((shown | typed).values())),
            state("id", [one for one, _ in fields]),
            {"id": "thresholds-shown", "property": "data", "value": shown},
        ],
        "changedPropIds": ["save-thresholds.n_clicks"],
    }


def test_a_form_that_was_open_takes_no_setting_back(site: Site) -> None:
    """Somebody else changes the warning meanwhile; the form's owner types another threshold."""
    browser = site.browser(ADMIN)
    shown = stored(browser.open_page("/admin/settings"), "thresholds-shown")
    assert (shown["warning_days"], shown["method"]) == (14, "quantile")
    with site.changing() as connection:
        connection.execute(text(WARNING), {"days": 15})
    try:
        saved = browser.callback(save(shown))
        assert stored(saved, "thresholds-shown") == shown | {"warning_days": 15}
        assert "job=" not in saved.text and "Nada foi alterado." in saved.text
        beyond = {"late_days": -1, "least_value_brl": 2e6}
        refused = browser.callback(save(shown, **beyond))
        assert "de 0 a 365" in refused.text and "de 0 a 1000000" in refused.text
        typed = {
            one["props"]["id"]["name"]: one["props"]["value"]
            for one in components(refused.json())
            if isinstance(one["props"].get("id"), dict) and "value" in one["props"]
        }
        assert typed == shown | {"warning_days": 15} | beyond
    finally:
        with site.changing() as connection:
            connection.execute(text(WARNING), {"days": 14})


def test_the_method_is_chosen_by_administrators_audited_and_done(site: Site, analyst: Api) -> None:
    admin, path = site.api(ADMIN), "/settings/method"
    for other in (analyst, site.api(VIEWER), site.api(SCOPED)):
        assert other.get(path).status_code == 403
        assert other.call("PATCH", path, json={"method": "textbook"}).status_code == 403

    def choose(method: str) -> dict[str, Any]:
        told = dict(admin.call("PATCH", path, json={"method": method}).json()["data"])
        assert done(admin, told["job_id"])
        return dict(told["method"])

    def levels() -> dict[str, Any]:
        place = {"sku": "CABO-01", "site": "DEP-SP"}
        return dict(admin.get("/inventory/policy", params=place).json()["data"][0])

    before = admin.get(path).json()["data"]
    assert before["value"] == before["default"] == "quantile"
    assert before["options"] == ["quantile", "textbook"]
    chosen = choose("textbook")
    assert (chosen["value"], chosen["changed_by"]) == ("textbook", ADMIN)
    made = levels()
    assert made["method"] == "textbook" and made["ours"] == made["textbook"]
    row = site.audit("setting.change")[-1]
    assert (row.actor, row.object) == (ADMIN, "policy")
    assert (row.before, row.after) == ({"method": "quantile"}, {"method": "textbook"})
    again = admin.call("PATCH", path, json={"method": "textbook"}).json()["data"]
    assert again["job_id"] is None
    for body in ({}, {"method": "model"}, {"method": 1}, {"moon": 1}):
        assert admin.call("PATCH", path, json=body).status_code == 422, body
    assert choose("quantile")["value"] == "quantile"
    assert levels()["ours"] != levels()["textbook"]


def test_what_service_levels_are_made_of_is_set_too(site: Site) -> None:
    admin, path = site.api(ADMIN), "/settings/thresholds"
    usual = {"default_service_level": 0.95, "risk_high": 0.5, "risk_medium": 1.0, "risk_low": 1.5}

    def found() -> dict[str, Any]:
        rows = admin.get(path).json()["data"]
        return {one["name"]: one["value"] for one in rows if one["name"] in usual}

    assert found() == usual
    for wrong in ({"default_service_level": 0.2}, {"risk_high": 0}):
        assert admin.call("PATCH", path, json=wrong).status_code == 422, wrong
    asked = {"default_service_level": 0.9, "risk_high": 0.25}
    assert done(admin, admin.call("PATCH", path, json=asked).json()["data"]["job_id"])
    assert found() == usual | asked
    with site.engine.connect() as connection:
        sql = "SELECT value FROM support.setting WHERE key = 'policy'"
        kept = connection.execute(text(sql)).scalar_one()
    assert kept["default_service_level"] == 0.9
    assert kept["criticality_risk"] == {"high": 0.25, "medium": 1.0, "low": 1.5}
    assert done(admin, admin.call("PATCH", path, json=usual).json()["data"]["job_id"])
    assert found() == usual
