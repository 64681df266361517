"""What a first visit costs in bytes over the wire, and what browsers keep of it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser
from plotly.offline import get_plotlyjs_version

from domain.access import Role
from tests import services
from tests.browser.conftest import Watched

FIRST_VISIT_BYTES = 1_500_000
FOREVER = "public, max-age=31536000, immutable"


def test_a_first_visit_weighs_little_and_is_kept(browser: Browser, site: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    answers: dict[str, dict[str, Any]] = {}
    bytes_of: dict[str, float] = {}
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on(
        "Network.responseReceived", lambda e: answers.update({e["requestId"]: e["response"]})
    )
    session.on(
        "Network.loadingFinished",
        lambda e: bytes_of.update({e["requestId"]: e["encodedDataLength"]}),
    )
    Watched(page, site).sign_in(Role.ADMIN)
    total = sum(bytes_of.values())
    heaviest = sorted((size, answers[one]["url"]) for one, size in bytes_of.items())[-5:]
    assert 500_000 < total <= FIRST_VISIT_BYTES, heaviest
    context.close()

    ours = [one for one in answers.values() if one["url"].startswith(site)]
    named = [one for one in ours if re.search(r"\.v\d\w*m\d|[?]m=|plotly-basic", one["url"])]
    assert len(named) > 15
    for one in named:
        headers = {name.lower(): value for name, value in one["headers"].items()}
        assert headers["cache-control"] == FOREVER, one["url"]
        assert "content-encoding" in headers, one["url"]
    assert not [one["url"] for one in ours if "plotly.min.js" in one["url"]]


def test_the_browser_draws_with_the_plotly_that_python_speaks_to() -> None:
    name = f"plotly-basic-{get_plotlyjs_version()}.min.js"
    assert (services.ROOT / "assets" / name).is_file()
    assert name in (services.ROOT / "assets" / "nova.js").read_text()
