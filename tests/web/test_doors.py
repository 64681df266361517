"""Every door has a lock: URL rules, pages and callbacks, walked from their registries."""

from __future__ import annotations

from typing import Any

import dash
import pytest
from flask import Flask

from auth.guards import PUBLIC
from benchmarks.pages import opening
from dashboard import doors
from dashboard.app import create_app
from dashboard.pages import PAGES
from domain.access import Permission, Role, may
from tests.web.conftest import ADMIN, ANALYST, SCOPED, SCRAPER, VIEWER, Site

DASH_ROUTER = {
    ".._pages_content.children..._pages_store.data..",
    "_pages_dummy.children",
}
"""Callbacks that Dash made; the router only calls pages' guarded functions."""

OPEN = {
    "/health",
    "/metrics",
    "/login",
    "/logout",
    "/reset",
    "/reset/<secret>",
    "/login-assets/<path:filename>",
    "/language/<any(pt_BR, en):locale>",
    "/assets/<path:filename>",
    "/_favicon.ico",
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
    "/api/<path:rest>",
    "/api/v1/health",
    "/api/v1/openapi.json",
    "/api/v1/docs",
    "/api/v1/static/<path:filename>",
    "/api/v1/auth/login",
    "/api/v1/auth/refresh",
    "/api/v1/auth/logout",
}
"""Everything that answers without a login; a new open door must be added here on purpose."""

GARBAGE: list[Any] = [
    {},
    [],
    None,
    "text",
    5,
    {"output": 5},
    {"output": "no.such"},
    {"output": "..a.b...c.d.."},
    opening("/main") | {"inputs": []},
    opening("/main") | {"inputs": [1, 2]},
    opening("/main") | {"inputs": None},
    opening("/main") | {"inputs": [{"id": {}, "property": "pathname"}] * 2},
    opening("/main") | {"outputs": None},
    opening("/main") | {"outputs": {}},
    opening("/main") | {"outputs": [{}, {}]},
    opening("/main") | {"state": 7},
    opening("/main") | {"state": [{"id": "a", "property": "b"}]},
    opening("/main") | {"changedPropIds": 3},
    opening("/main") | {"changedPropIds": [{}]},
]


@pytest.fixture(scope="module")
def app(app: Flask) -> Flask:
    """The second of two apps made in this process: nothing may be left of the first."""
    return create_app()


def test_every_url_rule_has_a_permission(app: Flask) -> None:
    asked = {
        rule.rule: doors.permission_of(app, rule.endpoint) for rule in app.url_map.iter_rules()
    }
    assert not [rule for rule, permission in asked.items() if permission is None]
    assert {rule for rule, permission in asked.items() if permission == PUBLIC} == OPEN


def test_every_page_has_its_permission(app: Flask) -> None:
    asked = {page["path_template"] or page["path"]: page for page in dash.page_registry.values()}
    for page in asked.values():
        assert isinstance(page["layout"].permission, Permission), page["module"]
    for entry in PAGES:
        assert asked[entry.path]["layout"].permission == entry.permission


def test_every_callback_has_a_permission(app: Flask) -> None:
    callbacks = app.extensions["nova-dash"].callback_map
    unmarked = {
        output
        for output, callback in callbacks.items()
        if "callback" in callback and not hasattr(callback["callback"], "permission")
    }
    assert unmarked <= DASH_ROUTER
    assert len(callbacks) > len(DASH_ROUTER)


def test_nobody_gets_through_a_guarded_rule(app: Flask, site: Site) -> None:
    for rule in app.url_map.iter_rules():
        if doors.permission_of(app, rule.endpoint) == PUBLIC:
            continue
        path = _example(rule.rule)
        for method in (rule.methods or set()) - {"OPTIONS"}:
            answer = site.call(method, path, json={} if method != "GET" else None)
            expected = 401 if path.startswith(("/api/", "/_dash-")) else 302
            assert answer.status_code == expected, (method, path, answer.text)


def test_an_address_without_a_page_is_not_found(site: Site) -> None:
    admin = site.browser(ADMIN)
    for entry in PAGES:
        for path in (_example(entry.path), _example(entry.path) + "/"):
            assert admin.get(path).status_code == 200, path
    for path in ("/nowhere", "/404", "/main/x", "/mainx", "/materials/A/..%2f", "/wp-login.php"):
        answer = admin.get(path)
        expected = 200 if path.startswith("/materials/") else 404
        assert answer.status_code == expected, path
        assert '<div id="react-entry-point">' in answer.text


def test_pages_are_guarded_behind_dashs_own_door(site: Site) -> None:
    nobody, viewer = site.browser(), site.browser(VIEWER)
    for entry in PAGES:
        path = _example(entry.path)
        expected = 200 if may(Role.VIEWER, entry.permission) else 403
        assert nobody.open_page(path).status_code == 401, path
        assert viewer.open_page(path).status_code == expected, path
        assert viewer.get(path).status_code == expected, path


def test_who_may_do_what_through_the_api(site: Site) -> None:
    asked = {
        VIEWER: {"/kpis": 200, "/alerts": 200, "/auth/me": 200},
        ANALYST: {"/kpis": 200, "/alerts": 200},
        ADMIN: {"/kpis": 200, "/alerts": 200},
    }
    may_act = {VIEWER: 403, ANALYST: 404, ADMIN: 404}
    for email, paths in asked.items():
        api = site.api(email)
        for path, status in paths.items():
            assert api.get(path).status_code == status, (email, path)
        denied = api.call("PATCH", "/alerts/999999", json={"status": "acknowledged"})
        assert denied.status_code == may_act[email], email


def test_an_account_is_told_what_opens_to_it(site: Site) -> None:
    mine = ["account", "act", "export", "read"]
    for email, told in {SCOPED: mine, ANALYST: sorted([*mine, "load_dry_run"])}.items():
        assert site.api(email).get("/auth/me").json()["data"]["permissions"] == told
        assert site.tokens(email)["user"]["permissions"] == told


def test_garbage_for_a_callback_is_a_bad_request(site: Site) -> None:
    browser = site.browser(VIEWER)
    for body in GARBAGE:
        answer = browser.callback(body)
        assert answer.status_code == 400, (body, answer.text)
        assert set(answer.json()) == {"error"}
    path = "/_dash-update-component"
    assert browser.call("POST", path, data="{").status_code == 415
    broken = browser.call("POST", path, data="{", headers={"Content-Type": "application/json"})
    assert broken.status_code == 400
    foreign = {"Origin": "https://evil.example"}
    refused = browser.call("POST", path, json=opening("/main"), headers=foreign)
    assert refused.status_code == 400


def test_metrics_are_for_this_machine_a_scraper_or_an_administrator(site: Site) -> None:
    assert "nova_requests_total" in site.get("/metrics").text
    through_proxy = {"X-Forwarded-For": "203.0.113.7"}
    scraper = through_proxy | {"Authorization": f"Bearer {SCRAPER}"}
    assert site.get("/metrics", headers=scraper).status_code == 200
    forged = through_proxy | {"Authorization": f"Bearer {SCRAPER}x"}
    assert site.get("/metrics", headers=forged).status_code == 401
    assert site.get("/metrics", headers=through_proxy).status_code == 401
    assert site.browser(VIEWER).get("/metrics", headers=through_proxy).status_code == 403
    assert site.browser(ADMIN).get("/metrics", headers=through_proxy).status_code == 200


def test_metrics_tell_of_all_workers_and_of_the_data(site: Site) -> None:
    """Each scrape, whichever worker answers it, counts every request before it."""
    before = _metrics(site)
    for _ in range(8):
        site.get("/health")
    for _ in range(4):
        after = _metrics(site)
        name = 'nova_requests_total{endpoint="health",method="GET",status="200"}'
        assert after[name] == before.get(name, 0) + 8
    assert after["nova_database_up"] == 1 and after["nova_published_run"] >= 1
    assert after["nova_data_age_days"] > 0 and after["nova_run_age_days"] >= 0
    site.api(VIEWER).get("/items")
    site.api(VIEWER).get("/items")
    now = _metrics(site)
    assert now['nova_cache_reads_total{result="hit"}'] > 0


def _metrics(site: Site) -> dict[str, float]:
    lines = [line for line in site.get("/metrics").text.splitlines() if line[:1] != "#"]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def _example(rule: str) -> str:
    examples = {
        "<int(max=9223372036854775807):alert_id>": "1",
        "<int(max=9223372036854775807):recommendation_id>": "1",
        "<int(max=2147483647):user_id>": "1",
        "<int(max=2147483647):load_id>": "1",
        "<int(max=2147483647):job_id>": "1",
        "<int(max=2147483647):run_id>": "1",
        "<int(max=2147483647):override_id>": "1",
        "<int(max=2147483647):view_id>": "1",
        "<int(max=2147483647):report_id>": "1",
        "<user_id>": "1",
        "<path:sku>": "CABO-01",
        "<sku>": "CABO-01",
        "<path:contract>": "C-SUL",
        "<contract>": "C-SUL",
        "<path:supplier>": "ALFA",
        "<supplier>": "ALFA",
        "<path:driver>": "selic_pct",
        "<path:project>": "PRJ-1",
        "<project>": "PRJ-1",
        "<path:path>": "anywhere",
    }
    for placeholder, example in examples.items():
        rule = rule.replace(placeholder, example)
    assert "<" not in rule, f"add an example for {rule}"
    return rule
