"""The audit log through HTTP: what leaves a row, what never stands in one, who reads it and how."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pages import opening
from domain.access import Role
from tests.web.conftest import ADMIN, ANALYST, PASSWORD, PEOPLE, SCOPED, VIEWER, Site, log_of
from warehouse.queries import chain

OF_BAHIA = "admin.of.ba@nova.test"
PRINTABLE = '{"level": "FORGED"}'
FORGED = f'x"}}\r\n{PRINTABLE}\n\x1b[31m\u2028'
LEVELS = {"INFO", "WARNING", "ERROR"}


def newest(site: Site, action: str) -> Any:
    return site.audit(action)[-1]


def test_an_opened_page_leaves_a_row(site: Site) -> None:
    browser = site.browser(VIEWER)
    asked = datetime.now(UTC) - timedelta(minutes=1)
    answer = browser.open_page("/materials", "?abc=A")
    row = newest(site, "page.view")
    assert (row.actor, row.role, row.object) == (VIEWER, "VIEWER", "/materials?abc=A")
    assert row.address == "127.0.0.1" and row.at > asked
    assert row.request_id == answer.headers["X-Request-ID"]


def test_an_api_call_leaves_a_row(site: Site) -> None:
    answer = site.api(ANALYST).get("/kpis")
    number = answer.headers["X-Request-ID"]
    row = next(one for one in site.audit("api.kpis_listed") if one.request_id == number)
    assert (row.actor, row.role, row.status) == (ANALYST, "ANALYST", 200)
    assert row.object == "GET /api/v1/kpis"


def test_signing_in_and_out_and_being_held_off_leave_rows(site: Site) -> None:
    email = "in.and.out@nova.test"
    site.add_user(email, Role.ANALYST)
    browser = site.browser(email)
    came = newest(site, "login")
    assert (came.actor, came.role, came.address) == (email, "ANALYST", "127.0.0.1")
    site.tokens(email)
    came = newest(site, "api.login")
    assert (came.actor, came.role) == (email, "ANALYST")
    browser.call("POST", "/logout", data={"csrf_token": browser.csrf_token_of_page()})
    assert newest(site, "logout").actor == email
    tries = [site.browser().sign_in(email, f"wrong-{n}").status_code for n in range(11)]
    assert tries == [401] * 10 + [429]
    refused = [row for row in site.audit("login.refused") if row.actor == email]
    assert [row.status for row in refused] == [401] * 10
    held_off = newest(site, "refused")
    assert (held_off.object, held_off.status) == ("POST /login", 429)


def test_a_denial_leaves_a_row(site: Site) -> None:
    browser = site.browser(VIEWER)
    assert browser.open_page("/admin/audit").status_code == 403
    row = newest(site, "denied")
    assert (row.actor, row.status) == (VIEWER, 403) and "/admin/audit" in row.object
    assert browser.get("/admin/audit.csv").status_code == 403
    assert newest(site, "denied").object == "GET /admin/audit.csv"
    token = {"Authorization": "Bearer not.a.token"}
    before = len(site.audit("denied"))
    assert site.get("/main", headers=token).status_code == 401
    assert len(site.audit("denied")) == before + 1


def test_a_visitor_who_must_sign_in_first_leaves_none(site: Site) -> None:
    before = len(site.audit("denied"))
    assert site.get("/main").status_code == 302
    assert site.browser().open_page("/main").status_code == 401
    assert len(site.audit("denied")) == before


def test_an_export_leaves_a_row(site: Site) -> None:
    browser = site.browser(ANALYST)
    answer = browser.get("/api/v1/exports/series.xlsx?sku=CABO-01&site=DEP-SP")
    assert answer.status_code == 200
    row = newest(site, "export")
    assert (row.actor, row.object, row.after["sku"]) == (ANALYST, "series", "CABO-01")


def test_no_secret_is_written_down(site: Site, home: Path) -> None:
    secret = "a-secret-of-ours-41"
    site.add_user("secretive@nova.test", Role.ADMIN)
    browser = site.browser("secretive@nova.test")
    site.browser().sign_in("secretive@nova.test", secret)
    tokens = site.tokens("secretive@nova.test")
    held = {secret, PASSWORD, *(tokens[name] for name in ("access_token", "refresh_token"))}
    held |= {str(value) for value in browser.jar.cookies.values()}
    for path in (f"/main?password={secret}", "/api/v1/kpis", f"/api/v1/kpis?x={secret}"):
        site.get(path, headers={"Authorization": f"Bearer {tokens['access_token']}"})
    body = {"refresh_token": tokens["refresh_token"]}
    assert site.call("POST", "/api/v1/auth/refresh", json=body).status_code == 200
    assert site.call("POST", "/api/v1/auth/refresh", json=body).status_code == 401
    with site.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT coalesce(string_agg(log::text, ' '), '') FROM support.audit_log AS log"
        ).scalar_one()
    log = log_of(site, home).read_text()
    assert "/api/v1/kpis" in rows and "/api/v1/kpis" in log
    for value in held:
        assert value not in rows and value not in log


def test_nobody_forges_a_line(site: Site, home: Path) -> None:
    browser = site.browser(ADMIN)
    browser.open_page(f"/main{FORGED}", f"?uf={FORGED}")
    site.call("POST", "/api/v1/auth/login", json={"email": "a@b", "password": FORGED})
    site.browser().sign_in(f"forger@nova.test{FORGED}", "wrong-password")
    for header in ("User-Agent", "Referer", "X-Request-ID"):
        site.get("/login", headers={header: f'x"}} {PRINTABLE}'})
    site.get("/api/v1/kpis%0d%0a%7b%22level%22:%22FORGED%22%7d%1b%5b31m")
    log = log_of(site, home).read_text()
    assert "/api/v1/kpis" in log and "\x1b" not in log
    assert {json.loads(line)["level"] for line in log.splitlines()} <= LEVELS
    with site.engine.connect() as connection:
        odd = connection.exec_driver_sql(
            "SELECT count(*) FROM support.audit_log"
            " WHERE concat_ws(' ', actor, request_id, action, object) ~ '[\\x01-\\x1f\\x7f]'"
            " OR length(object) > 300 OR length(actor) > 200"
        ).scalar_one()
    assert odd == 0


def test_the_log_that_the_product_wrote_is_whole(site: Site) -> None:
    with site.engine.connect() as connection:
        found = chain.verify(connection)
    assert found.is_whole and found.rows > 0


def test_who_may_read_it(site: Site) -> None:
    assert site.api(ADMIN).get("/audit").status_code == 200
    site.add_user(OF_BAHIA, Role.ADMIN, PEOPLE[SCOPED][1])
    for email in (VIEWER, ANALYST, SCOPED, OF_BAHIA):
        assert site.api(email).get("/audit").status_code == 403
        assert site.browser(email).open_page("/admin/audit").status_code == 403


def test_the_api_filters_and_pages(site: Site) -> None:
    api = site.api(ADMIN)
    for _ in range(3):
        site.browser(VIEWER).open_page("/main", "?region=Sul")
    asked = f"/audit?actor={VIEWER.upper()}&action=page&object=region&limit=2"
    first = api.get(asked).json()
    assert len(first["data"]) == 2 and first["meta"]["count"] >= 3
    assert all(one["actor"] == VIEWER and one["action"] == "page.view" for one in first["data"])
    second = api.get(f"{asked}&cursor={first['meta']['next']}").json()
    numbers = [one["audit_id"] for one in first["data"] + second["data"]]
    assert numbers == sorted(set(numbers), reverse=True)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    assert api.get(f"/audit?from={tomorrow}").json()["data"] == []
    assert api.get(f"/audit?to={tomorrow - timedelta(days=9)}").json()["data"] == []
    assert api.get("/audit?action=pag").json()["data"] == [], "a part of a word is no action"


@pytest.mark.parametrize(
    "query", ["from=yesterday", "limit=0", "cursor=x", "nobody=1", "actor=%00"]
)
def test_the_api_refuses_bad_filters(site: Site, query: str) -> None:
    answer = site.api(ADMIN).get(f"/audit?{query}")
    assert answer.status_code == 422 and answer.json()["error"]["fields"]


def test_the_page_shows_rows_and_says_what_it_cannot_use(site: Site) -> None:
    browser = site.browser(ADMIN)
    browser.open_page("/main", "?family=marked")
    shown = browser.open_page("/admin/audit", "?object=marked&from=soon").json()
    assert "/main?family=marked" in str(shown)
    assert "“soon” não é uma data" in str(shown)
    row = next(one for one in site.audit("page.view") if one.object == "/main?family=marked")
    detail = browser.open_page("/admin/audit", f"?row={row.audit_id}").text
    assert row.request_id in detail
    assert "ntegr" in browser.open_page("/admin/audit", "?verify=1").text
    assert browser.callback(opening("/admin/audit", "?row=999999999")).status_code == 200


def test_the_csv_holds_every_row_of_the_filter(site: Site) -> None:
    browser = site.browser(ADMIN)
    answer = browser.get(f"/admin/audit.csv?actor={SCOPED}")
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    text = answer.content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    with site.engine.connect() as connection:
        counted = connection.exec_driver_sql(
            "SELECT count(*) FROM support.audit_log WHERE actor = %s", (SCOPED,)
        ).scalar_one()
    assert len(rows) == counted + 1 and rows[0][:3] == ["number", "at_utc", "actor"]
    assert newest(site, "export").object == "audit_log"
