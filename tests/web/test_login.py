"""The login page through HTTP: in, out, and every way of not getting in."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from redis import Redis

from auth.routes import destination
from domain.access import Role
from tests.web.conftest import PASSWORD, VIEWER, Site
from warehouse.commands import users

WORKERS_REACHED = 12
ELSEWHERE = [
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "/ok\r\nLocation: https://evil.example",
]
OTHER_SPELLINGS = [
    "https://evil.example",
    "http:/evil.example",
    "\\/evil.example",
    "///evil.example",
    "/%0a/evil.example\x00",
    "evil.example",
    "/logout",
    "",
    None,
]


def test_a_page_sends_nobody_to_the_login_and_back(site: Site) -> None:
    sent = site.get("/forecasts?sku=CABO-01")
    assert sent.status_code == 302
    assert sent.headers["Location"] == "/login?next=/forecasts?sku%3DCABO-01"
    browser = site.browser()
    page = browser.get(sent.headers["Location"]).text
    wanted = re.search(r'name="next" value="([^"]+)"', page)
    assert wanted is not None
    signed_in = browser.sign_in(VIEWER, PASSWORD, next=wanted.group(1))
    assert signed_in.headers["Location"] == "/forecasts?sku=CABO-01"
    assert browser.get("/forecasts?sku=CABO-01").status_code == 200


def test_the_login_leads_back_to_a_code_of_any_letters(site: Site) -> None:
    asked = "/materials/A%C3%87O%201%2F2%22%2050%2541%23%3F%2F..%2FB?tab=stock"
    sent = site.get(asked)
    wanted = parse_qs(urlsplit(sent.headers["Location"]).query)["next"]
    signed_in = site.browser().sign_in(VIEWER, PASSWORD, next=wanted[0])
    assert signed_in.headers["Location"] == asked


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_next_never_leads_to_another_site(site: Site, wanted: str) -> None:
    answer = site.browser().sign_in(VIEWER, PASSWORD, next=wanted)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/main")


@pytest.mark.parametrize("wanted", [*ELSEWHERE, *OTHER_SPELLINGS])
def test_only_a_path_of_this_site_is_a_destination(wanted: str | None) -> None:
    assert destination(wanted) == "/main"
    assert destination("/materials/A%2FB?uf=SP") == "/materials/A%2FB?uf=SP"


def test_the_start_leads_to_the_overview(site: Site) -> None:
    browser = site.browser(VIEWER)
    assert browser.get("/").headers["Location"] == "/main"
    assert browser.get("/login").headers["Location"] == "/main"


def test_without_its_token_the_form_is_refused(site: Site) -> None:
    browser = site.browser()
    form = {"email": VIEWER, "password": PASSWORD}
    assert browser.call("POST", "/login", data=form).status_code == 400
    form["csrf_token"] = site.browser().csrf_token()
    assert browser.call("POST", "/login", data=form).status_code == 400
    assert browser.get("/main").status_code == 302


def test_a_form_sent_by_another_site_is_refused(site: Site) -> None:
    browser = site.browser()
    form = {"email": VIEWER, "password": PASSWORD, "csrf_token": browser.csrf_token()}
    foreign = {"Origin": "https://evil.example"}
    assert browser.call("POST", "/login", data=form, headers=foreign).status_code == 400


def test_an_unknown_user_and_a_wrong_password_read_the_same(site: Site) -> None:
    site.add_user("known@nova.test")
    unknown = site.browser().sign_in("nobody@nova.test", "wrong-password")
    wrong = site.browser().sign_in("known@nova.test", "wrong-password")
    assert unknown.status_code == wrong.status_code == 401
    assert _without_what_varies(unknown.text) == _without_what_varies(wrong.text)
    refused = [row.actor for row in site.audit("login.refused")]
    assert {"nobody@nova.test", "known@nova.test"} <= set(refused)


def test_a_disabled_account_does_not_get_in(site: Site) -> None:
    site.add_user("gone@nova.test")
    users.set_active(site.engine, email="gone@nova.test", active=False, actor=users.Actor())
    assert site.browser().sign_in("gone@nova.test", PASSWORD).status_code == 401


def test_a_password_that_bcrypt_would_cut_is_refused(site: Site) -> None:
    assert site.browser().sign_in(VIEWER, PASSWORD + "é" * 40).status_code == 422
    assert site.browser().sign_in(VIEWER, "").status_code == 422


def test_failures_of_one_account_are_limited_for_form_and_api_together(
    site: Site, valkey_url: str
) -> None:
    email = "brute@nova.test"
    site.add_user(email)
    body = {"email": email, "password": "wrong-password"}
    codes = [site.call("POST", "/api/v1/auth/login", json=body).status_code for _ in range(10)]
    assert codes == [401] * 10
    limited = site.call("POST", "/api/v1/auth/login", json=body | {"password": PASSWORD})
    assert limited.status_code == 429
    assert limited.json()["error"]["code"] == "too_many_attempts"
    assert 0 < int(limited.headers["Retry-After"]) <= 300
    counters = Redis.from_url(valkey_url)
    for key in counters.scan_iter("*login*"):
        counters.expire(key, 100)
    later = site.call("POST", "/api/v1/auth/login", json=body)
    assert 90 < int(later.headers["Retry-After"]) <= 101
    form = site.browser().sign_in(email, PASSWORD)
    assert form.status_code == 429 and int(form.headers["Retry-After"]) > 0
    assert site.browser().sign_in(VIEWER, PASSWORD).status_code == 303


def test_signing_out_forgets_the_user(site: Site) -> None:
    browser = site.browser(VIEWER)
    assert browser.call("POST", "/logout").status_code == 400
    layout = browser.get("/_dash-layout").text
    token = re.search(r'"name":"csrf_token","type":"submit","value":"([^"]+)"', layout)
    assert token is not None
    out = browser.call("POST", "/logout", data={"csrf_token": token.group(1)})
    assert (out.status_code, out.headers["Location"]) == (303, "/login")
    assert browser.get("/main").status_code == 302


def test_another_role_ends_the_sessions_on_every_worker(site: Site) -> None:
    site.add_user("moved@nova.test", Role.ADMIN)
    browser, api = site.browser("moved@nova.test"), site.api("moved@nova.test")
    assert browser.get("/main").status_code == 200
    users.set_role(site.engine, email="moved@nova.test", role=Role.VIEWER, actor=users.Actor())
    pages = {browser.get("/main").status_code for _ in range(WORKERS_REACHED)}
    calls = {api.get("/auth/me").status_code for _ in range(WORKERS_REACHED)}
    assert (pages, calls) == ({302}, {401})


def test_what_is_too_large_is_told_its_limit(site: Site) -> None:
    refused = site.call("POST", "/login", data={"email": "x" * 3_000_000})
    assert refused.status_code == 413 and "tem mais de 2 MB" in refused.text


def test_the_form_is_labelled_and_speaks_two_languages(site: Site) -> None:
    page = site.get("/login", headers={"Accept-Language": "en"}).text
    assert '<html lang="en"' in page
    for name in ("email", "password"):
        assert f'<label for="{name}">' in page and f'id="{name}"' in page
    assert '<html lang="pt-BR"' in site.get("/login").text


def test_the_session_cookie_is_out_of_reach_of_scripts(site: Site) -> None:
    cookie = site.browser().sign_in(VIEWER, PASSWORD).headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def _without_what_varies(page: str) -> str:
    page = re.sub(r'name="csrf_token" value="[^"]+"', "", page)
    return re.sub(r"(nobody|known)@nova\.test", "", page)
