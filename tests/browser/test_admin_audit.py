"""The audit log as an administrator reads it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from domain.access import Role
from tests.browser.conftest import Watched


def test_a_row_is_found_and_read(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.ADMIN)
    watched.open("/materials?abc=A")
    page = watched.open("/admin/audit")
    page.get_by_placeholder("Parte de um nome").fill("abc=A")
    page.wait_for_url("**object=abc**")
    first = page.locator("#audit .ag-row").first
    expect(first.locator("[col-id=object]")).to_have_text("/materials?abc=A")
    expect(first.locator("[col-id=action]")).to_have_text("Página aberta")
    first.locator("a").first.click()
    expect(page.locator("h1")).to_have_text("Página aberta")
    expect(page.locator(".facts").first).to_contain_text("Administrador")
    assert watched.complaints == []


def test_the_log_is_verified_and_exported(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.ADMIN)
    page = watched.open("/admin/audit")
    page.click("#verify-chain")
    expect(page.locator(".facts")).to_contain_text("Íntegro")
    assert watched.complaints == []
    with page.expect_download() as download:
        page.click("a[href*='audit.csv']")
    assert download.value.suggested_filename == "nova-audit-log-run1_demo.csv"
    assert download.value.path().read_text("utf-8-sig").startswith("number;at_utc;actor")
