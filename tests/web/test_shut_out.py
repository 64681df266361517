"""An administrator disables somebody who is at work: whatever they hold opens nothing any more, at
once and on every worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from flask import Flask

from domain.access import Permission, Role, may
from tests.files import address
from tests.web.conftest import ADMIN, Api, Site

EMAIL = "at.work@nova.test"
REACHED = 12
Attempt = Callable[[], requests.Response]


def permission_of(door: Any) -> Permission:
    return door.permission


@pytest.fixture
def files(app: Flask) -> list[str]:
    """The address of every file that an analyst may fetch and that is not of one thing alone; of
    those that are also workbooks the CSV."""
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.endswith((".csv", ".pdf"))
        and "<" not in rule.rule
        and may(Role.ANALYST, permission_of(app.view_functions[rule.endpoint]))
    )


@pytest.fixture
def attempts(site: Site, files: list[str]) -> dict[str, tuple[Attempt, int]]:
    """What somebody at work has in hand, with the answer to expect when it is dead."""
    site.add_user(EMAIL, Role.ANALYST)
    browser, pair = site.browser(EMAIL), site.tokens(EMAIL)
    api = Api(site, pair["access_token"])
    alone = {"Connection": "close"}

    def download(path: str) -> Attempt:
        return lambda: browser.get(address(path), headers=alone)

    refresh = {"refresh_token": pair["refresh_token"]}
    return {
        "the page": (lambda: browser.get("/main", headers=alone), 302),
        "its layout": (lambda: browser.get("/_dash-layout", headers=alone), 401),
        "a click": (lambda: browser.open_page("/materials"), 401),
        **{path: (download(path), 401 if path.startswith("/api/") else 302) for path in files},
        "the API by cookie": (lambda: browser.get("/api/v1/kpis", headers=alone), 401),
        "the API by token": (lambda: api.get("/kpis"), 401),
        "a new token": (lambda: site.call("POST", "/api/v1/auth/refresh", json=refresh), 401),
    }


def test_the_files_are_all_there(files: list[str]) -> None:
    assert {"/api/v1/exports/savings.csv", "/api/v1/exports/board.pdf"} <= set(files)
    assert len(files) > 20


def test_a_disabled_user_holds_nothing_any_more(
    site: Site, attempts: dict[str, tuple[Attempt, int]]
) -> None:
    for name, (attempt, _) in attempts.items():
        if name != "a new token":  # it would end the tokens at hand
            assert attempt().status_code == 200, name
    admin = site.api(ADMIN)
    listed = admin.get("/users", params={"limit": 500}).json()["data"]
    number = next(row["id"] for row in listed if row["email"] == EMAIL)
    done = admin.call("PATCH", f"/users/{number}", json={"active": False})
    assert done.status_code == 200, done.text
    for name, (attempt, dead) in attempts.items():
        times = 1 if name.startswith("/") else REACHED
        codes = {attempt().status_code for _ in range(times)}
        assert codes == {dead}, name
