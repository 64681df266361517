"""Before the first run: every page says what to do, none fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from tests.browser.conftest import Watched, add_accounts


@pytest.fixture(scope="module")
def site(module_engine: Engine, module_database_url: str, start_server: Callable[..., str]) -> str:
    """The product on an empty database with accounts."""
    add_accounts(module_engine)
    return start_server(module_database_url)


def test_pages_say_which_commands_to_run(watch: Callable[..., Watched]) -> None:
    watched = watch()
    for path in ("/main", "/forecasts"):
        page = watched.open(path)
        expect(page.locator(".state")).to_contain_text("flask ingest FOLDER")
        expect(page.locator(".freshness")).to_have_text("Nenhuma previsão publicada")
    expect(watched.open("/materials").locator(".state")).to_be_visible()
    expect(watched.open("/materials/ANY").locator(".state-error")).to_be_visible()
    assert watched.complaints == []


def test_a_failed_callback_tells_the_reader_and_changes_nothing(
    watch: Callable[..., Watched],
) -> None:
    watched = watch()
    asked = {
        "output": "override-preview.children",
        "outputs": {"id": "override-preview", "property": "children"},
        "inputs": [{"id": "override-preview-button", "property": "n_clicks", "value": 1}],
        "changedPropIds": ["override-preview-button.n_clicks"],
        "state": [
            {"id": "_pages_location", "property": "search", "value": ""},
            {"id": "override-of", "property": "data", "value": {"sku": "A", "site": "B"}},
            {"id": "override-amount", "property": "value", "value": 1},
        ],
    }
    answer = watched.page.request.post(f"{watched.site}/_dash-update-component", data=asked)
    assert answer.status == 200, answer.text()
    toast = answer.json()["sideUpdate"]["toasts"]["children"]["props"]
    assert toast["children"] == "Nenhuma previsão foi publicada ainda"
    assert "override-preview" not in answer.json().get("response", {})
