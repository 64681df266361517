"""The login page and the API's documentation in a browser: narrow, dark, by keyboard, quiet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from domain.access import Role
from tests.browser.conftest import EMAILS, PASSWORD

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
INK = "getComputedStyle(document.body).color"


@pytest.fixture(params=["light", "dark"])
def phone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A narrow, signed-out page in each colour scheme, in English."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, locale="en", color_scheme=request.param
    )
    yield context.new_page()
    context.close()


def test_signing_in_by_keyboard_on_a_phone(phone: Page, site: str) -> None:
    complaints: list[str] = []
    phone.on("console", lambda message: complaints.append(message.text))
    phone.goto(f"{site}/materials?family=fibra")
    assert phone.get_attribute("html", "lang") == "en"
    assert phone.evaluate(OVERFLOW) == 0
    phone.keyboard.type(EMAILS[Role.VIEWER])
    phone.keyboard.press("Tab")
    phone.keyboard.type(PASSWORD)
    phone.keyboard.press("Enter")
    phone.wait_for_url("**/materials?family=fibra")
    assert complaints == []


def test_what_is_wrong_stands_beside_the_field(phone: Page, site: str) -> None:
    phone.goto(f"{site}/login")
    phone.fill("#email", "nobody@nova.example")
    phone.fill("#password", "wrong-password")
    phone.click("#sign-in")
    phone.wait_for_selector("#login-error:visible")
    assert phone.inner_text("#login-error") == "E-mail or password is wrong."
    assert phone.get_attribute("#password", "aria-describedby") == "login-error"
    assert phone.input_value("#email") == "nobody@nova.example"
    assert phone.input_value("#password") == ""
    assert phone.evaluate("document.activeElement.id") == "password"


def test_it_follows_the_systems_colours(phone: Page, site: str) -> None:
    phone.goto(f"{site}/login")
    dark = phone.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    light_ink = [int(part) > 128 for part in phone.evaluate(INK)[4:-1].split(", ")]
    assert light_ink == [dark] * 3
    assert phone.is_visible(".login-notice"), "demo data must be labelled here too"


def test_the_apis_documentation_is_quiet_and_fits(phone: Page, site: str) -> None:
    complaints: list[str] = []
    phone.on("console", lambda message: complaints.append(message.text))
    phone.goto(f"{site}/api/v1/docs")
    assert phone.inner_text("h1") == "Nova Corrente API"
    assert phone.evaluate(OVERFLOW) == 0
    assert complaints == []
