"""An administrator disables somebody who is at work: whatever they hold opens nothing any more, at
once and on every worker."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from domain.access import Role
from tests.web.conftest import ADMIN, Api, Site
from tests.web.test_hostile_exports import download_call

EMAIL = "at.work@nova.test"
REACHED = 12
Attempt = Callable[[], requests.Response]


@pytest.fixture
def attempts(site: Site) -> dict[str, tuple[Attempt, int]]:
    """What somebody at work has in hand, with the answer to expect when it is dead."""
    site.add_user(EMAIL, Role.ANALYST)
    browser, pair = site.browser(EMAIL), site.tokens(EMAIL)
    api = Api(site, pair["access_token"])
    alone = {"Connection": "close"}
    refresh = {"refresh_token": pair["refresh_token"]}
    return {
        "the page": (lambda: browser.get("/main", headers=alone), 302),
        "its layout": (lambda: browser.get("/_dash-layout", headers=alone), 401),
        "a click": (lambda: browser.open_page("/materials"), 401),
        "the download": (lambda: browser.callback(download_call(sku="CABO-01")), 401),
        "the API by cookie": (lambda: browser.get("/api/v1/kpis", headers=alone), 401),
        "the API by token": (lambda: api.get("/kpis"), 401),
        "a new token": (lambda: site.call("POST", "/api/v1/auth/refresh", json=refresh), 401),
    }


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
        codes = {attempt().status_code for _ in range(REACHED)}
        assert codes == {dead}, name
