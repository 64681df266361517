"""The command palette and the shortcuts: by keyboard, by finger, in both languages, in scope."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from domain.access import Role
from layouts.palette import KEYS
from tests.browser.conftest import Watched

OPTIONS = "#palette-list [role=option]"


def test_keys_find_a_material_a_page_and_an_action(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/main")
    page.keyboard.press("Control+k")
    text = page.get_by_role("combobox", name="Buscar e comandos")
    expect(text).to_be_focused()
    page.keyboard.type("fibra optica")
    expect(page.locator(OPTIONS).first).to_contain_text("CABO-01")
    expect(text).to_have_attribute("aria-activedescendant", "palette-0")
    page.keyboard.press("ArrowDown")
    expect(page.locator(OPTIONS).nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/materials/CABO-01")
    watched.settle()
    page.keyboard.press("/")
    page.keyboard.type("previsoes")
    page.keyboard.press("Enter")
    page.wait_for_url("**/forecasts")
    watched.settle()
    page.keyboard.press("Control+k")
    page.keyboard.type("tema escuro")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    assert watched.complaints == []


def test_letters_lead_to_pages_but_not_while_typing(watch: Callable[..., Watched]) -> None:
    watched = watch(locale="en-GB")
    page = watched.open("/main")
    page.keyboard.press("g")
    page.keyboard.press(KEYS["/materials"])
    page.wait_for_url("**/materials")
    watched.settle()
    page.locator("input[type=search]").press_sequentially("ga?/")
    page.wait_for_url("**search=ga**")
    watched.settle()
    assert "/materials" in page.url
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_contain_text("Go to Alerts")
    page.click("#keys-switch")
    page.locator("#shortcuts [data-close]").click()
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    assert watched.complaints == []


def test_a_finger_opens_it_and_a_viewer_sees_no_door_that_is_shut(
    watch: Callable[..., Watched],
) -> None:
    watched = watch(role=Role.VIEWER, width=390)
    page = watched.open("/main")
    page.click("#palette-open")
    expect(page.locator(OPTIONS).first).to_be_visible()
    assert not page.locator(OPTIONS, has_text="Usuários").count()
    page.fill("#palette-text", "nada que exista")
    expect(page.locator("#palette-state")).to_have_text("Nada encontrado")
    page.fill("#palette-text", "alertas")
    page.locator(OPTIONS, has_text="Alertas").click()
    page.wait_for_url("**/alerts")
    assert watched.complaints == []


def test_no_letter_opens_two_pages() -> None:
    assert len(set(KEYS.values())) == len(KEYS) and "g" not in KEYS.values()
