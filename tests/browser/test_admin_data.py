"""A file from the form to the pages, and another run shown, as an administrator does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from domain.access import Role
from tests import factories
from tests.browser.conftest import Watched
from warehouse.pipeline import publish

WAIT_MS = 60_000
STOCK = "date;sku;site;on_hand\n2025-06-30;CABO-01;DEP-SP;123\n"


@pytest.fixture(scope="module", autouse=True)
def newer_run(published: Engine, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A second run, published after the first."""
    folder = tmp_path_factory.mktemp("newer")
    bundle = factories.make_bundle(folder, published, name="newer", scale=1.5)
    publish.publish_bundle(bundle, engine=published, published_by="tests")


def pick(page: Page, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.click("[data-pick=file]")
    chooser.value.set_files(path)


def test_an_older_run_is_published(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.ADMIN, locale="en-GB")
    page = watched.open("/admin/data")
    page.locator("#runs").get_by_text("Roll back").click()
    page.wait_for_url("**publish=1")
    page.click("#publish-run")
    expect(page.locator(".verdict")).to_contain_text("published", timeout=WAIT_MS)
    shown = page.locator("#runs [row-id='1'] [col-id=state]")
    expect(shown).to_have_text("Published")
    assert watched.complaints == []


def test_a_file_is_checked_loaded_and_listed(watch: Callable[..., Watched], tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_text(STOCK)
    watched = watch(role=Role.ADMIN)
    page = watched.open("/admin/data")
    page.click("#upload-send")
    expect(page.locator(".upload-error")).to_have_text("Escolha um arquivo primeiro.")
    pick(page, path)
    page.click("#upload-send")
    page.wait_for_url("**/admin/data?job=*")
    expect(page.locator(".verdict")).to_contain_text("em ordem", timeout=WAIT_MS)
    expect(page.locator("#job-panel")).to_contain_text("stock.csv")
    page.click("#load-previewed")
    expect(page.locator(".verdict")).to_contain_text("foi carregado", timeout=WAIT_MS)
    first = page.locator("#loads [row-index='0']")
    expect(first.locator("[col-id=file]")).to_have_text("stock.csv")
    expect(first.locator("[col-id=by]")).to_have_text("admin@nova.example")
    first.locator("[col-id=file] a").click()
    page.wait_for_url("**load=*")
    expect(page.locator("h1")).to_have_text("stock.csv")
    assert watched.complaints == []


def test_a_wrong_file_shows_its_rows(watch: Callable[..., Watched], tmp_path: Path) -> None:
    path = tmp_path / "demand.csv"
    path.write_text("date;sku;quantity\n2024-01-01;<img src=x onerror=alert(1)>;dez\n")
    watched = watch(role=Role.ANALYST, locale="en-GB", width=390)
    page = watched.open("/admin/data")
    pick(page, path)
    page.click("#upload-send")
    expect(page.locator(".verdict")).to_contain_text("refused", timeout=WAIT_MS)
    watched.settle()
    reject = page.locator(".job [row-index='0']")
    expect(reject.locator("[col-id=value]")).to_have_text("dez")
    expect(page.locator("#load-previewed")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert watched.complaints == []


def test_a_page_that_may_not_be_opened_says_so(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.VIEWER)
    page = watched.open("/main")
    expect(page.locator(".side-bar")).not_to_contain_text("Dados e rodadas")
    page.evaluate(
        "history.pushState({}, '', '/admin/data');"
        "window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'))"
    )
    expect(page.locator("h1")).to_have_text("Sem permissão")
