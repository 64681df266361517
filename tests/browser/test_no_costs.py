"""Demand alone, without unit costs: quantities are drawn, and money says which file it needs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, text

from tests import factories
from tests.browser.conftest import Watched, add_accounts
from warehouse.pipeline import publish


@pytest.fixture(scope="module")
def site(
    module_engine: Engine,
    module_database_url: str,
    start_server: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """The product with demand, stock, forecasts and accounts, but no unit cost."""
    network = factories.make_network(module_engine)
    factories.add_demand(module_engine, network)
    stock = {
        ("CABO-01", "DEP-SP"): 2000.0,
        ("CABO-01", "DEP-RJ"): 10.0,
        ("BAT-02", "DEP-SP"): 900.0,
    }
    factories.add_stock(module_engine, network, stock)
    with module_engine.begin() as connection:
        connection.execute(text("UPDATE core.item SET unit_cost_brl = NULL"))
    factories.refresh_views(module_engine)
    bundle = factories.make_bundle(tmp_path_factory.mktemp("bundles"), module_engine)
    publish.publish_bundle(bundle, engine=module_engine, published_by="tests")
    add_accounts(module_engine)
    return start_server(module_database_url)


def test_the_overview_draws_quantities(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/main")
    expect(page.locator("#totals .scatterlayer .trace").first).to_be_visible()
    expect(page.locator("#totals")).to_contain_text("Unidades por período")
    in_money = watched.open("/main?measure=brl")
    expect(in_money.locator("#content")).to_contain_text("flask ingest items.csv")
    assert watched.complaints == []


@pytest.mark.parametrize("address", ["/alerts", "/recommendations"])
def test_what_is_to_be_decided_has_no_value_made_up(
    watch: Callable[..., Watched], address: str
) -> None:
    watched = watch()
    page = watched.open(address)
    expect(page.locator("#content")).to_contain_text("flask ingest items.csv")
    expect(page.locator(".status-shown strong")).to_have_text("—")
    expect(page.locator("article").first).to_be_visible()
    assert watched.complaints == []
