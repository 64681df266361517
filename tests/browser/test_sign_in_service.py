"""Signing in by the organisation's service in a browser: its policy for forms counts redirects."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine

from domain.access import Role
from tests.browser.conftest import EMAILS
from tests.oidc_provider import Provider, provided, settings_for


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with provided() as provider:
        provider.person = {
            "sub": "sub-ana",
            "email": EMAILS[Role.ANALYST],
            "email_verified": True,
            "groups": ["analysts"],
        }
        yield provider


@pytest.fixture(scope="module")
def site(provider: Provider, published: Engine, start_server: Callable[..., str]) -> str:
    """The product with the provider as its sign-in service."""
    database = published.url.render_as_string(hide_password=False)
    return start_server(database, **settings_for(provider, "analysts=ANALYST"))


def test_the_service_is_reached_at_another_origin_than_its_issuers(page: Page, site: str) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{site}/materials?family=fibra")
    page.click("#sign-in-service")
    page.wait_for_url(f"{site}/materials?family=fibra")
    page.wait_for_selector("#_pages_content h1")
    assert complaints == []
