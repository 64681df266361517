"""Names that are attacks, on every page, in both schemes: text is shown as text, nothing runs, the
policy is never broken, and the console stays empty. Codes of any letters have their pages."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Dialog, expect
from sqlalchemy import Engine

from dashboard.pages import PAGES
from domain.access import Role
from tests.browser.conftest import Watched, add_accounts
from tests.hostile_names import (
    CONTRACT,
    IMAGE,
    NAMES,
    PROJECT,
    SKUS,
    SUPPLIERS,
    UNIT,
    publish_hostile_names,
)

VARIABLES = {
    "<sku>": quote(SKUS[1], safe=""),
    "<user_id>": "1",
    "<supplier>": quote(SUPPLIERS[0][0], safe=""),
    "<contract>": quote(CONTRACT, safe=""),
    "<project>": quote(PROJECT, safe=""),
}
"""What to put for a variable in a page's path; a new kind needs a line here."""

MORE = (
    *("/forecasts?sku=" + quote(SKUS[0]),),
    *(f"/materials/{quote(sku, safe='')}" for sku in SKUS[3:]),
    *(f"/materials/{quote(SKUS[1], safe='')}?tab={tab}" for tab in ("stock", "decisions")),
)
PATHS = [*(entry.path for entry in PAGES), *MORE]
VIOLATIONS = """
    document.addEventListener("securitypolicyviolation", (event) =>
        console.error("policy:", event.violatedDirective, event.blockedURI, event.sample));
"""
PLANTED = """
    [...document.querySelectorAll("*")].filter((one) =>
        one.hasAttribute("onerror") || one.hasAttribute("onload")
        || (one.localName === "script" && /alert\\(/.test(one.textContent))
        || (one.localName === "img" && one.getAttribute("src") === "x")
    ).map((one) => one.outerHTML)
"""
LINKS = """
    [...document.querySelectorAll("a[href], form[action]")]
        .map((one) => one.getAttribute("href") || one.getAttribute("action"))
        .filter((address) => !/^([/?#](?![/\\\\])|[?#]?$)/.test(address))
"""
HOVERED = ".js-plotly-plot .nsewdrag"
NOT_FOUND = "Página não encontrada"
LISTED = (
    ("/materials", SKUS[-1], NAMES[-1]),
    ("/suppliers", *SUPPLIERS[0]),
    ("/sla", CONTRACT, CONTRACT),
    ("/projects", PROJECT, PROJECT),
)
"""Of codes with letters that addresses write in another way: the list, the code, the heading."""
UNFOLD = "document.querySelectorAll('details.twin').forEach((one) => (one.open = true))"


@pytest.fixture(scope="module")
def published(module_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    add_accounts(module_engine)
    publish_hostile_names(module_engine, tmp_path_factory.mktemp("erp"))
    return module_engine


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def watched(watch: Callable[..., Watched], scheme: str) -> Watched:
    return watch(role=Role.ADMIN, scheme=scheme)


def test_every_page_shows_hostile_names_as_text(watched: Watched, scheme: str) -> None:
    """Light, each page is read from its address; dark, it is reached from the one before."""
    dialogs: list[str] = []
    watched.page.on("dialog", lambda dialog: _note(dialogs, dialog))
    watched.page.add_init_script(VIOLATIONS)
    watched.open("/main")
    seen = ""
    for path in PATHS:
        for variable, value in VARIABLES.items():
            path = path.replace(variable, value)
        assert "<" not in path, f"say what to put into {path}"
        page = watched.go(path) if scheme == "dark" else watched.open(path)
        for index in range(page.locator(HOVERED).count()):
            page.locator(HOVERED).nth(index).hover()
        page.evaluate(UNFOLD)
        assert page.evaluate(PLANTED) == [], path
        assert page.evaluate(LINKS) == [], path
        assert NOT_FOUND not in page.locator("#_pages_content").inner_text(), path
        seen += page.locator("body").inner_text()
    assert (dialogs, watched.complaints) == ([], [])
    for name in (*NAMES, IMAGE):
        assert name in seen, f"{name} is not shown as it is written"


def test_a_row_leads_to_the_page_of_its_code(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.ADMIN)
    for path, code, heading in LISTED:
        page = watched.open(path)
        page.locator(f'#content a[href^="{path}/{quote(code, safe="")}"]').first.click()
        expect(page.locator("h1")).to_have_text(heading)
        watched.settle()
        assert page.title().startswith(f"{code} · "), page.url
    assert watched.complaints == []


def test_a_chart_shows_a_unit_letter_by_letter(watched: Watched) -> None:
    page = watched.open("/forecasts?sku=" + quote(SKUS[0]))
    title = page.locator("#series .ytitle").text_content() or ""
    assert title.startswith(UNIT)


def _note(dialogs: list[str], dialog: Dialog) -> None:
    dialogs.append(dialog.message)
    dialog.dismiss()
