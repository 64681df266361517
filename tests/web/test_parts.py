"""Parts of pages that come after them: each behind its page's own door, and of the same address."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.web.conftest import ADMIN, SCOPED, VIEWER, Browser, Site, part_call

FORGED: list[Any] = [
    {"name": "no-such", "at": "/main"},
    {"name": "alerts", "at": "/admin/audit"},
    {"name": "alerts", "at": "/nowhere"},
    {"name": "alerts", "at": ""},
    {"name": "alerts", "at": "main\n/<sku>?" + "x" * 3000},
    {"name": ["alerts"], "at": "/main"},
    {"name": "alerts", "at": {"path": "/main"}},
]


def shown(browser: Browser, name: str, at: str) -> str:
    """One part of the page at this address."""
    answer = browser.callback(part_call({"type": "part", "name": name, "at": at}))
    assert answer.status_code == 200, answer.text
    return json.dumps(answer.json(), ensure_ascii=False)


@pytest.mark.parametrize("identity", FORGED, ids=str)
def test_a_part_that_no_page_has_shows_nothing(site: Site, identity: Any) -> None:
    answer = site.browser(ADMIN).callback(part_call({"type": "part"} | identity))
    assert answer.status_code in (200, 204), answer.text
    assert "PO-1" not in answer.text and "kpi" not in answer.text


def test_a_part_that_names_no_page_is_a_bad_request(site: Site) -> None:
    nameless: list[Any] = [{"type": "part", "name": "alerts"}, {}, "alerts"]
    for identity in nameless:
        assert site.browser(ADMIN).callback(part_call(identity)).status_code == 400


def test_a_part_asks_for_what_its_page_asks_for(site: Site) -> None:
    call = part_call({"type": "part", "name": "rows", "at": "/admin/users"})
    assert site.browser(VIEWER).callback(call).status_code == 403
    assert site.browser().callback(call).status_code == 401


def test_a_part_is_of_the_readers_scope_and_of_the_address(site: Site) -> None:
    everything, bahia = site.browser(ADMIN), site.browser(SCOPED)
    before = len(site.audit("page.view"))
    assert "DEP-SP" in shown(everything, "alerts", "/main")
    assert "DEP-SP" not in shown(bahia, "alerts", "/main")
    assert "DEP-SP" not in shown(everything, "alerts", "/main?uf=BA")
    assert len(site.audit("page.view")) == before
