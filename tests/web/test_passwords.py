"""Passwords through HTTP: changed by their owner, made for somebody, reset by a one-time link."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import text

from tests.web.conftest import ADMIN, PASSWORD, VIEWER, Browser, Site

NEW = "telhado-azul-42"
UNKNOWN = "/reset/" + "x" * 43


def change(browser: Browser, current: str, new: str, again: str | None = None) -> int:
    fields = {"current": current, "new": new, "again": new if again is None else again}
    return browser.submit("/account", "/account/password", **fields).status_code


def link_for(site: Site, number: int) -> str:
    answer = site.api(ADMIN).call("POST", f"/users/{number}/reset")
    assert answer.status_code == 200, answer.text
    link = answer.json()["data"]["link"]
    assert link.startswith(site.url)
    return link.removeprefix(site.url)


def open_link(browser: Browser, link: str) -> str:
    """The page that the link leads to."""
    sent = browser.get(link)
    assert (sent.status_code, sent.headers["Location"]) == (303, "/reset")
    return browser.get("/reset").text


def test_changing_it_ends_every_other_session_and_token(site: Site) -> None:
    email = "changes@nova.test"
    site.add_user(email)
    here, there, api = site.browser(email), site.browser(email), site.api(email)
    assert change(here, PASSWORD, NEW) == 303
    assert here.get("/main").status_code == 200
    assert there.get("/main").status_code == 302
    assert api.get("/auth/me").status_code == 401
    assert site.browser().sign_in(email, PASSWORD).status_code == 401
    assert site.browser().sign_in(email, NEW).status_code == 303
    assert site.audit("user.set_password")[-1].actor == email


@pytest.mark.parametrize(
    ("current", "new", "again", "status", "said"),
    [
        ("not-this-one", NEW, NEW, 401, "A senha atual está errada."),
        (PASSWORD, NEW, NEW + "x", 422, "As duas senhas são diferentes."),
        (PASSWORD, PASSWORD, PASSWORD, 422, "A senha nova é a atual"),
        (PASSWORD, "seven-7", "seven-7", 422, "no mínimo 8 caracteres"),
        (PASSWORD, "é" * 37, "é" * 37, 422, "no máximo 72 bytes"),
        (PASSWORD, "Password123!", "Password123!", 422, "mais comuns"),
        (PASSWORD, "Mudar2026", "Mudar2026", 422, "mais comuns"),
        (PASSWORD, "Fulano.2026", "Fulano.2026", 422, "próprio nome"),
        (PASSWORD, "", "", 422, "no mínimo 8 caracteres"),
    ],
)
def test_what_is_refused_changes_nothing(
    site: Site, current: str, new: str, again: str, status: int, said: str
) -> None:
    email = f"fulano-{abs(hash((current, new, again))) % 10**9}@nova.test"
    site.add_user(email)
    browser = site.browser(email)
    fields = {"current": current, "new": new, "again": again}
    answer = browser.submit("/account", "/account/password", **fields)
    assert answer.status_code == status and said in answer.text
    assert browser.get("/main").status_code == 200
    assert site.browser().sign_in(email, PASSWORD).status_code == 303


def test_guessing_the_present_one_is_counted_with_the_logins(site: Site) -> None:
    email = "guessed@nova.test"
    site.add_user(email)
    browser = site.browser(email)
    codes = [change(browser, f"wrong-{number}", NEW) for number in range(10)]
    assert codes == [401] * 10
    limited = browser.submit("/account", "/account/password", current=PASSWORD, new=NEW, again=NEW)
    assert limited.status_code == 429 and int(limited.headers["Retry-After"]) > 0
    body = {"email": email, "password": PASSWORD}
    assert site.call("POST", "/api/v1/auth/login", json=body).status_code == 429


def test_a_password_made_for_somebody_opens_only_its_own_change(site: Site) -> None:
    email = "invited@nova.test"
    site.add_user(email, must_change_password=True)
    browser, api = site.browser(email), site.api(email)
    for path in ("/main", "/forecasts", "/"):
        sent = browser.get(path)
        assert (sent.status_code, sent.headers["Location"]) == (303, "/account"), path
    for answer in (browser.open_page("/main"), api.get("/kpis"), browser.get("/_dash-layout")):
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "password_change_required"
        assert "/account" in answer.json()["error"]["message"]
    assert "senha foi criada para você" in browser.get("/account").text
    assert change(browser, PASSWORD, NEW) == 303
    assert browser.get("/main").status_code == 200
    assert site.browser(ADMIN).get("/account").status_code == 200


def test_a_link_sets_a_password_once_and_ends_sessions_and_tokens(site: Site) -> None:
    email = "lost@nova.test"
    number = site.add_user(email)
    signed_in, api = site.browser(email), site.api(email)
    link, browser = link_for(site, number), site.browser()
    page = open_link(browser, link)
    assert email in page and link.rpartition("/")[2] not in page
    weak = browser.submit("/reset", "/reset", new="Password123!", again="Password123!")
    assert weak.status_code == 422
    done = browser.submit("/reset", "/reset", new=NEW, again=NEW)
    assert (done.status_code, done.headers["Location"]) == (303, "/login?done=reset")
    assert signed_in.get("/main").status_code == 302
    assert api.get("/auth/me").status_code == 401
    assert site.browser().sign_in(email, NEW).status_code == 303
    open_link(browser, link)
    assert browser.get("/reset").status_code == 404


def test_links_that_are_good_no_more_read_as_unknown_ones(site: Site) -> None:
    number = site.add_user("links@nova.test")
    replaced = link_for(site, number)
    expired = link_for(site, number)
    with site.engine.begin() as connection:
        connection.execute(
            text("UPDATE support.password_reset SET expires_at = now() WHERE user_id = :id"),
            {"id": number},
        )
    other = site.add_user("links-off@nova.test")
    admin, path = site.api(ADMIN), f"/users/{other}"
    signed_out = link_for(site, other)
    admin.call("DELETE", f"{path}/sessions")
    enabled_again = link_for(site, other)
    for active in (False, True):
        admin.call("PATCH", path, json={"active": active})
    third = site.add_user("links-gone@nova.test")
    disabled = link_for(site, third)
    admin.call("PATCH", f"/users/{third}", json={"active": False})
    pages = set()
    for link in (UNKNOWN, replaced, expired, disabled, signed_out, enabled_again):
        browser = site.browser()
        pages.add(open_link(browser, link))
        assert browser.get("/reset").status_code == 404
        form = {"new": NEW, "again": NEW, "csrf_token": browser.csrf_token()}
        assert browser.call("POST", "/reset", data=form).status_code == 404
    assert len(pages) == 1
    assert site.browser().sign_in("links@nova.test", PASSWORD).status_code == 303


def test_the_link_is_kept_nowhere(site: Site, home: Path) -> None:
    number = site.add_user("secret@nova.test")
    link = link_for(site, number)
    secret = link.rpartition("/")[2]
    open_link(site.browser(), link)
    reader = site.browser(VIEWER)
    for mangled in (f"{link}/", f"/{link}", f"/reset/%0A{secret}", f"{link}/more"):
        for method in ("GET", "POST"):
            reader.call(method, mangled)
    log = (home / f"server-{site.url.rpartition(':')[2]}.log").read_text()
    assert "/reset/<secret>" in log and secret not in log
    with site.engine.connect() as connection:
        kept = connection.execute(
            text(
                "SELECT string_agg(row::text, ' ') FROM ("
                " SELECT a::text AS row FROM support.audit_log a"
                " UNION ALL SELECT r::text FROM support.password_reset r) AS rows"
            )
        ).scalar_one()
    assert "user.make_reset_link" in kept and secret not in kept


def test_trying_links_is_limited(site: Site, valkey_url: str) -> None:
    browser = site.browser()
    open_link(browser, UNKNOWN)
    codes = [browser.get("/reset").status_code for _ in range(70)]
    assert codes[0] == 404 and codes[-1] == 429
    assert re.fullmatch(r"\d+", browser.get("/reset").headers["Retry-After"])
    assert site.browser().sign_in(VIEWER, PASSWORD).status_code == 303
    Redis.from_url(valkey_url).flushall()  # the other tests come from this address too
