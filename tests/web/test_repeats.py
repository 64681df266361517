"""Requests that say what others said before: answered from what went out, but for each reader."""

from __future__ import annotations

import re

from sqlalchemy import text

from domain.access import Role
from tests.web.conftest import ANALYST, SCOPED, SCRAPER, VIEWER, Site

PATH = "/kpis?family=Energia"
ASKED = re.compile(
    r'nova_requests_total\{endpoint="api.kpis_listed",method="GET",status="200"\} (\d+)'
)
OWN = {"X-Request-ID", "Date"}


def asked(site: Site) -> int:
    answer = site.get("/metrics", headers={"Authorization": f"Bearer {SCRAPER}"})
    return sum(int(number) for number in ASKED.findall(answer.text))


def test_a_repeat_differs_in_its_number_alone_and_is_noted_and_counted(site: Site) -> None:
    reader, counted = site.api(VIEWER), asked(site)
    answers = [reader.get(PATH) for _ in range(6)]
    plain = [
        {name: value for name, value in one.headers.items() if name not in OWN} for one in answers
    ]
    assert all(one.status_code == 200 and one.content == answers[0].content for one in answers)
    assert all(one == plain[0] for one in plain) and "Content-Security-Policy" in plain[0]
    numbers = [one.headers["X-Request-ID"] for one in answers]
    assert len(set(numbers)) == len(numbers)
    rows = [row for row in site.audit("api.kpis_listed") if row.request_id in numbers]
    assert {row.request_id for row in rows} == set(numbers) and len(rows) == len(numbers)
    assert {(row.actor, row.status) for row in rows} == {(VIEWER, 200)}
    assert asked(site) - counted == len(answers)
    known = {"If-None-Match": plain[0]["ETag"], "X-Request-ID": "trace-0123456789"}
    for _ in range(3):
        same = reader.get(PATH, headers=known)
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["X-Request-ID"] == known["X-Request-ID"]


def test_each_scope_and_language_is_given_its_own(site: Site) -> None:
    whole, part = site.api(ANALYST), site.api(SCOPED)
    for _ in range(3):
        assert whole.get("/geographic/data").text != part.get("/geographic/data").text
    told = [{"Accept-Language": tag} for tag in ("pt-BR", "en")]
    for _ in range(3):
        answers = {whole.get("/alerts", headers=one).text for one in told}
        assert len(answers) == 2


def test_who_may_no_longer_ask_is_given_nothing_again(site: Site) -> None:
    email = "leaves.soon@nova.test"
    number = site.add_user(email, Role.ANALYST)
    pair, admin = site.tokens(email), site.engine
    own = {"Authorization": f"Bearer {pair['access_token']}"}

    def status() -> int:
        return site.get(f"/api/v1{PATH}", headers=own).status_code

    assert {status() for _ in range(4)} == {200}
    change = 'UPDATE support."user" SET {} WHERE user_id = :number'
    with admin.begin() as connection:
        connection.execute(text(change.format("must_change_password = true")), {"number": number})
    assert {status() for _ in range(2)} == {403}
    with admin.begin() as connection:
        connection.execute(text(change.format("must_change_password = false")), {"number": number})
    assert status() == 200
    body = {"refresh_token": pair["refresh_token"]}
    assert site.call("POST", "/api/v1/auth/logout", json=body, headers=own).status_code == 200
    assert {status() for _ in range(2)} == {401}


def test_a_write_shows_at_once(site: Site) -> None:
    analyst = site.api(ANALYST)
    path = "/alerts?status=open"
    before = [analyst.get(path).json()["data"] for _ in range(4)][-1]
    number = before[0]["id"]
    for status in ("acknowledged", "open"):
        answer = analyst.call("PATCH", f"/alerts/{number}", json={"status": status})
        assert answer.status_code == 200, answer.text
        shown = [one["id"] for one in analyst.get(path).json()["data"]]
        assert (number in shown) == (status == "open")
