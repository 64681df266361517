"""Fields of pages that are made anew while somebody is at them: by keyboard, and slowly."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched

SEARCH = "input[type=search]"


def test_who_pauses_while_typing_goes_on_in_the_field(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/materials")
    page.locator(SEARCH).click()
    for letters, told in (("ca", "ca"), ("bo ", "cabo"), ("opt", "cabo+opt")):
        page.keyboard.type(letters)
        page.wait_for_url(f"**search={told}&**")
        watched.settle()
    expect(page.locator(SEARCH)).to_be_focused()
    expect(page.locator(SEARCH)).to_have_value("cabo opt")
    assert watched.complaints == []


def test_letters_typed_while_the_page_is_on_its_way_are_not_lost(
    watch: Callable[..., Watched],
) -> None:
    watched = watch()
    page = watched.open("/inventory")
    page.locator(SEARCH).click()
    with page.expect_request(lambda request: "search=ca" in (request.post_data or "")):
        page.keyboard.type("ca")
    page.keyboard.type("bo")
    page.wait_for_url("**search=cabo&**")
    watched.settle()
    expect(page.locator(SEARCH)).to_have_value("cabo")
    expect(page.locator(SEARCH)).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("bat")
    page.keyboard.press("Enter")
    page.wait_for_url("**search=bat&**")
    watched.settle()
    assert watched.complaints == []


def test_values_picked_by_keys_are_said_together_and_the_focus_stays(
    watch: Callable[..., Watched],
) -> None:
    watched = watch()
    page = watched.open("/materials")
    field = page.get_by_role("button", name="Classe de demanda")
    field.focus()
    page.keyboard.press("Enter")
    options = page.locator(".dash-dropdown-content")
    expect(options.locator("input[type=search]")).to_be_focused()
    for number in range(2):
        page.keyboard.press("ArrowDown")
        expect(options.locator("input[type=checkbox]").nth(number)).to_be_focused()
        page.keyboard.press("Space")
    page.keyboard.press("Escape")
    page.wait_for_url("**class=smooth&class=erratic**")
    watched.settle()
    expect(field).to_be_focused()
    assert watched.complaints == []


@pytest.mark.parametrize(("later_ms", "focused"), [(0, 1), (10_000, 0)])
def test_what_comes_much_later_does_not_take_the_focus(
    watch: Callable[..., Watched], later_ms: int, focused: int
) -> None:
    watched = watch()
    page = watched.open("/materials")
    page.evaluate(
        """later => {
            const add = () => {
                const button = document.createElement("button");
                button.textContent = "Aceitar";
                document.getElementById("_pages_content").append(button);
                return button;
            };
            const [first, now] = [add(), Date.now];
            first.focus();
            first.remove();
            setTimeout(() => {
                Date.now = () => now() + later;
                add();
            }, 100);
        }""",
        later_ms,
    )
    button = page.locator("#_pages_content button", has_text="Aceitar")
    expect(button).to_have_count(1)
    watched.settle()
    assert page.locator("#_pages_content button:focus", has_text="Aceitar").count() == focused
