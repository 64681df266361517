"""What operators rely on: health in two sizes, headers on everything, request ids, logs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.conftest import StartServer
from tests.services import execute
from tests.waiting import waiting
from tests.web.conftest import ANALYST, PASSWORD, VIEWER, Site

POLICY = "default-src 'none'; script-src 'self' 'sha256-"


def test_live_and_ready(site: Site) -> None:
    assert site.get("/health").json()["data"] == {"status": "live"}
    ready = site.get("/api/v1/health").json()["data"]
    assert (ready["status"], ready["database"], ready["run_id"]) == ("ready", "up", 1)
    assert re.fullmatch(r"\d{4}", ready["schema_revision"])
    assert ready["data_as_of"] == "2025-06-29" and ready["data_age_days"] > 0
    assert re.fullmatch(r"[0-9a-f]{40}", ready["commit"])


def test_without_a_database_it_says_so(start_server: StartServer) -> None:
    url = start_server("postgresql://nova:none@127.0.0.1:1/nova")
    down = Site(url, engine=None)  # type: ignore[arg-type]
    assert down.get("/health").status_code == 200
    ready = down.get("/api/v1/health")
    assert ready.status_code == 503
    error = ready.json()["error"]
    assert (error["code"], error["fields"]["database"]) == ("unavailable", "down")
    assert down.get("/login").status_code == 200
    page = down.browser().sign_in(VIEWER, PASSWORD)
    assert page.status_code == 503 and page.headers["Content-Type"].startswith("text/html")
    body = {"email": VIEWER, "password": PASSWORD}
    refused = down.call("POST", "/api/v1/auth/login", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "unavailable")


def test_until_the_schema_is_migrated_it_is_alive_but_not_ready(site: Site) -> None:
    url = site.engine.url.render_as_string(hide_password=False)
    newest = site.get("/api/v1/health").json()["data"]["schema_revision"]
    answers = {}
    try:
        for revision in ("0001", "9999"):
            execute(url, f"UPDATE alembic_version SET version_num = '{revision}'")
            assert site.get("/health").status_code == 200
            answers[revision] = site.get("/api/v1/health")
    finally:
        execute(url, f"UPDATE alembic_version SET version_num = '{newest}'")
    older, newer = answers.values()
    assert (older.status_code, newer.status_code) == (503, 200)
    error = older.json()["error"]
    assert error["code"] == "unavailable" and newest in error["message"]
    assert error["fields"] == {"database": "up", "schema_revision": "0001"}
    assert int(older.headers["Retry-After"]) > 0


def test_without_its_cache_it_serves_from_the_database(
    site: Site, start_server: StartServer
) -> None:
    database = site.engine.url.render_as_string(hide_password=False)
    alone = Site(start_server(database, REDIS_URL="redis://127.0.0.1:1/0"), site.engine)
    api = alone.api(VIEWER)
    served, cached = (
        {kpi["key"]: kpi["value"] for kpi in one.get("/kpis").json()["data"]}
        for one in (api, site.api(VIEWER))
    )
    assert served == pytest.approx(cached)  # sums of doubles: the order is the database's
    assert alone.get("/api/v1/health").json()["data"]["cache"] == "down"
    wrong = {"email": "limited@nova.test", "password": "wrong-password"}
    codes = [alone.call("POST", "/api/v1/auth/login", json=wrong).status_code for _ in range(21)]
    assert set(codes) == {401, 429}


def test_every_response_carries_the_policy(site: Site) -> None:
    browser = site.browser(VIEWER)
    answers = [
        browser.get(path)
        for path in (
            "/main",
            "/nothing",
            "/login",
            "/_dash-layout",
            "/assets/nova.css",
            "/assets/nothing.css",
            "/_dash-component-suites/nothing/x.js",
            "/api/v1/nothing",
            "/api/v1/docs",
            "/health",
        )
    ]
    answers += [site.get("/main"), browser.call("POST", "/login"), browser.callback({})]
    assert answers[6].status_code == 404
    for answer in answers:
        headers = answer.headers
        assert headers["Content-Security-Policy"].startswith(POLICY), answer.url
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Referrer-Policy" in headers and "Permissions-Policy" in headers
        assert "X-Request-ID" in headers


@pytest.fixture
def broken(site: Site) -> Iterator[Site]:
    """A database in which something that a request needs is missing."""
    url = site.engine.url.render_as_string(hide_password=False)
    execute(url, "ALTER TABLE core.item RENAME COLUMN name TO title")
    yield site
    execute(url, "ALTER TABLE core.item RENAME COLUMN title TO name")


def test_an_error_of_ours_shows_no_trace(broken: Site) -> None:
    answer = broken.api(ANALYST).get("/items?search=nothing-cached")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "title" not in answer.text and "SELECT" not in answer.text
    assert answer.headers["Content-Security-Policy"].startswith(POLICY)


def test_a_sane_request_id_is_kept_and_logged(site: Site, home: Path) -> None:
    kept = site.get("/login", headers={"X-Request-ID": "trace-0123456789"})
    assert kept.headers["X-Request-ID"] == "trace-0123456789"
    forged = site.get("/login", headers={"X-Request-ID": 'x", "level": "forged'})
    assert re.fullmatch(r"[0-9a-f]{32}", forged.headers["X-Request-ID"])
    port = site.url.rpartition(":")[2]
    lines = (home / f"server-{port}.log").read_text().splitlines()
    logged = [json.loads(line) for line in lines]
    mine = [line for line in logged if line.get("request_id") == "trace-0123456789"]
    assert [(line["path"], line["status"]) for line in mine] == [("/login", 200)]


def test_the_rows_of_a_slow_file_are_logged_under_its_request(site: Site, home: Path) -> None:
    api, number = site.api(ANALYST), "slow-0123456789"
    seeing = site.engine.execution_options(isolation_level="AUTOCOMMIT")
    with ThreadPoolExecutor(1) as threads, site.engine.connect() as other, seeing.connect() as eye:
        other.execute(text("LOCK analytics.alert IN ACCESS EXCLUSIVE MODE"))
        asked = threads.submit(api.get, "/exports/alerts.csv", headers={"X-Request-ID": number})
        while not waiting(eye, "%analytics.alert%"):
            assert not asked.done()
        other.execute(text("SELECT pg_sleep(0.6)"))
        other.rollback()
        rows = asked.result().text.count("\n") - 1
    log = (home / f"server-{site.url.rpartition(':')[2]}.log").read_text()
    mine = [one for one in map(json.loads, log.splitlines()) if one.get("request_id") == number]
    slow = [one["message"] for one in mine if one["message"].startswith("slow query: ")]
    assert len(slow) == 1 and "ms to the first rows" in slow[0]
    assert rows and f" ms to all {rows}: SELECT * FROM (" in slow[0]


def test_no_password_and_no_token_is_logged(site: Site, home: Path) -> None:
    site.browser(VIEWER)
    tokens = site.tokens(VIEWER)
    log = (home / f"server-{site.url.rpartition(':')[2]}.log").read_text()
    for secret in (PASSWORD, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in log
