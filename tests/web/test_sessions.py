"""Sessions through HTTP: kept on the server, so that they end at once and everywhere."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from flask.sessions import SecureCookieSessionInterface
from openpyxl import load_workbook
from sqlalchemy import Engine, event, text

from config import get_settings
from dashboard.app import create_app
from domain.access import Role
from tests.web.conftest import ADMIN, ANALYST, CSRF, PASSWORD, VIEWER, Browser, Site
from warehouse import db
from warehouse.commands import users
from warehouse.db import get_engine

WORKERS_REACHED = 12
SEEN = re.compile(r"Desde \d\d/\d\d/20\d\d \d\d:\d\d, visto por último em \d\d/\d\d/20\d\d")
CHANGES: list[dict[str, Any]] = [
    {"active": False},
    {"role": "ANALYST"},
    {"ufs": ["SP"]},
    {"contracts": ["C-SUL"]},
]


def statuses(browser: Browser) -> set[int]:
    """What every worker says to this browser."""
    return {browser.get("/main").status_code for _ in range(WORKERS_REACHED)}


def in_cookie(browser: Browser) -> dict[str, Any]:
    """What the signed cookie of this browser holds."""
    app = create_app(get_settings())
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    return signer.loads(str(browser.jar.cookies["nova"]))


def row(site: Site, email: str) -> Any:
    sql = text(
        'SELECT s.* FROM support.session s JOIN support."user" u USING (user_id)'
        " WHERE u.email = :email ORDER BY s.created_at DESC LIMIT 1"
    )
    with site.engine.connect() as connection:
        return connection.execute(sql, {"email": email}).one()


def set_session(site: Site, session_hash: str, what: str) -> None:
    with site.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE support.session SET {what} WHERE session_hash = :hash"),
            {"hash": session_hash},
        )


def test_a_login_makes_a_new_id_and_the_table_holds_only_its_hash(site: Site) -> None:
    site.add_user("fresh@nova.test")
    browser = site.browser("fresh@nova.test")
    first = in_cookie(browser)["_user_id"]
    held = row(site, "fresh@nova.test")
    assert held.session_hash == hashlib.sha256(first.encode()).hexdigest()
    assert (held.address, held.agent[:15]) == ("127.0.0.1", "python-requests")
    browser.submit("/account", "/logout")
    browser.sign_in("fresh@nova.test", PASSWORD)
    assert in_cookie(browser)["_user_id"] != first


def test_a_planted_cookie_is_not_the_session_that_follows(site: Site) -> None:
    thief = site.browser()
    thief.get("/login")
    victim = site.browser()
    victim.jar.cookies.update(thief.jar.cookies)
    assert victim.sign_in(VIEWER, PASSWORD).status_code == 303
    assert victim.get("/main").status_code == 200
    assert statuses(thief) == {302}


def test_signing_in_again_ends_the_session_before(site: Site) -> None:
    browser, copy = site.browser(VIEWER), site.browser()
    copy.jar.cookies.update(browser.jar.cookies)
    assert statuses(copy) == {200}
    form = {"email": ANALYST, "password": PASSWORD, "csrf_token": browser.csrf_token_of_page()}
    assert browser.call("POST", "/login", data=form).status_code == 303
    assert statuses(copy) == {302} and statuses(browser) == {200}


def test_signing_out_ends_copies_of_the_cookie_too(site: Site) -> None:
    browser, copy = site.browser(VIEWER), site.browser()
    copy.jar.cookies.update(browser.jar.cookies)
    assert statuses(copy) == {200}
    assert browser.submit("/account", "/logout").status_code == 303
    assert statuses(copy) == {302}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_what_is_taken_away_is_gone_on_every_worker(site: Site, change: dict[str, Any]) -> None:
    email = f"less-{next(iter(change))}@nova.test"
    number = site.add_user(email)
    browser, api = site.browser(email), site.api(email)
    assert statuses(browser) == {200} and api.get("/auth/me").status_code == 200
    refresh = site.tokens(email)["refresh_token"]
    changed = site.api(ADMIN).call("PATCH", f"/users/{number}", json=change)
    assert changed.status_code == 200, changed.text
    assert statuses(browser) == {302}
    assert {api.get("/auth/me").status_code for _ in range(WORKERS_REACHED)} == {401}
    assert browser.open_page("/main").status_code == 401
    renewed = site.call("POST", "/api/v1/auth/refresh", json={"refresh_token": refresh})
    assert renewed.status_code == 401


def test_another_name_takes_nothing_away(site: Site) -> None:
    number = site.add_user("renamed@nova.test")
    browser = site.browser("renamed@nova.test")
    site.api(ADMIN).call("PATCH", f"/users/{number}", json={"name": "Nova Pessoa"})
    assert statuses(browser) == {200}


@pytest.mark.parametrize(
    "past", ["seen_at = now() - interval '61 minutes'", "expires_at = now() - interval '1 second'"]
)
def test_a_session_ends_when_it_rests_or_has_lasted_too_long(site: Site, past: str) -> None:
    email = f"{past.partition(' ')[0]}@nova.test"
    site.add_user(email)
    browser = site.browser(email)
    assert statuses(browser) == {200}
    set_session(site, row(site, email).session_hash, past)
    assert statuses(browser) == {302}


def test_being_used_is_noted_once_a_minute(site: Site) -> None:
    site.add_user("seen@nova.test")
    browser = site.browser("seen@nova.test")
    session_hash = row(site, "seen@nova.test").session_hash
    set_session(site, session_hash, "seen_at = now() - interval '50 seconds'")
    before = row(site, "seen@nova.test").seen_at
    browser.get("/main")
    assert row(site, "seen@nova.test").seen_at == before
    set_session(site, session_hash, "seen_at = now() - interval '70 seconds'")
    browser.get("/main")
    assert row(site, "seen@nova.test").seen_at > before


def test_what_has_expired_is_cleared_at_the_next_login(site: Site) -> None:
    site.add_user("cleared@nova.test")
    site.browser("cleared@nova.test")
    old = row(site, "cleared@nova.test").session_hash
    set_session(site, old, "expires_at = now() - interval '1 day'")
    site.tokens("cleared@nova.test")
    with site.engine.connect() as connection:
        sql = text("SELECT count(*) FROM support.session WHERE session_hash = :hash")
        assert connection.execute(sql, {"hash": old}).scalar() == 0


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Site) -> None:
    cookie = site.browser().sign_in(VIEWER, PASSWORD).headers["Set-Cookie"]
    assert cookie.startswith("nova=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_ending_ones_other_sessions_leaves_this_one(site: Site) -> None:
    site.add_user("many@nova.test")
    here, there = site.browser("many@nova.test"), site.browser("many@nova.test")
    api = site.api("many@nova.test")
    told = here.get("/account").text
    assert told.count("<li>") == len(SEEN.findall(told)) == 2
    done = here.submit("/account", "/account/sessions/end")
    assert done.status_code == 303
    assert (statuses(here), statuses(there)) == ({200}, {302})
    assert api.get("/auth/me").status_code == 401
    assert site.audit("user.end_sessions")[-1].actor == "many@nova.test"


def test_who_is_signed_in_where_is_a_file_for_oneself_and_for_administrators(site: Site) -> None:
    number = site.add_user("filed@nova.test")
    one, other = site.browser("filed@nova.test"), site.browser("filed@nova.test")
    theirs = f"/admin/users/{number}/sessions"
    for reader, path, status in (
        (one, "/account/sessions", 200),
        (site.browser(ADMIN), theirs, 200),
        (site.browser(ADMIN), "/admin/users/999999/sessions", 404),
        (other, theirs, 403),
        (site.browser(ANALYST), theirs, 403),
    ):
        for ending in ("csv", "xlsx"):
            answer = reader.get(f"{path}.{ending}")
            assert answer.status_code == status, (path, answer.text)
        if status == 200:
            book = load_workbook(io.BytesIO(answer.content))
            header, *rows = book.worksheets[0].iter_rows(values_only=True)
            assert header[:2] == ("address", "browser") and "session_hash" not in header
            assert len(rows) == 2 and all(row[0] == "127.0.0.1" for row in rows)
            told = {row[0].value: row[1].value for row in book.worksheets[1].iter_rows()}
            assert all(told[column] for column in header)
    said = [row.object for row in site.audit("export")[-4:]]
    assert said == [*["account:sessions"] * 2, *[f"user:{number}:sessions"] * 2]
    assert "/account/sessions.csv" in one.get("/account").text


def test_the_language_goes_with_the_account(site: Site) -> None:
    site.add_user("english@nova.test")
    browser = site.browser("english@nova.test")
    assert '<html lang="pt-BR"' in browser.get("/main").text
    browser.submit("/account", "/language/en")
    page = browser.get("/account").text
    assert "Data until" in page and 'data-theme-choice="dark"' in page
    assert browser.get("/account/password").headers["Location"] == "/account"
    elsewhere = site.browser("english@nova.test")
    assert '<html lang="en"' in elsewhere.get("/main").text
    assert site.audit("user.set_language")[-1].after == {"language": "en"}


@pytest.fixture
def asked(nova: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement of this process, in order."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    def prepared(self: db.Prepared, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        statements.append(str(self.statement))
        return sent(self, params)

    sent = db.Prepared.rows
    monkeypatch.setattr(db.Prepared, "rows", prepared)
    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)
    get_engine().dispose()


def test_who_asks_takes_one_statement(asked: list[str]) -> None:
    users.create(
        get_engine(),
        email=VIEWER,
        name="",
        role=Role.VIEWER,
        password_hash="$2b$04$oqDQuoxcJVVQ0SbG7RNDZ.xuzwc.H3DrJACN71nrgjegZuLiCs80C",
        actor=users.Actor(),
    )
    app = create_app(get_settings())
    client = app.test_client()
    form = CSRF.search(client.get("/login").text)
    assert form is not None
    credentials = {"email": VIEWER, "password": PASSWORD}
    signed_in = client.post("/login", data=credentials | {"csrf_token": form.group(1)})
    assert signed_in.status_code == 303
    asked.clear()
    assert client.get("/api/v1/auth/me").status_code == 200
    pair = client.post("/api/v1/auth/login", json=credentials)
    by_cookie = [line for line in asked if "support.session" in line and "SELECT" in line]
    asked.clear()
    bearer = {"Authorization": f"Bearer {pair.get_json()['data']['access_token']}"}
    assert app.test_client().get("/api/v1/auth/me", headers=bearer).status_code == 200
    by_token = [line for line in asked if 'support."user"' in line]
    assert (len(by_cookie), len(by_token)) == (1, 1)
