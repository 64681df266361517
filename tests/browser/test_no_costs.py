"""Items without unit costs: quantities are drawn, and money says which column it needs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, text

from tests import factories
from tests.browser.conftest import RAIN, Watched, add_accounts
from tests.web.test_board_pack import words_of
from warehouse.pipeline import publish


@pytest.fixture(scope="module")
def site(
    module_engine: Engine,
    module_database_url: str,
    start_server: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """The product with demand, stock, rain, forecasts and accounts, but no unit cost."""
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
        load = factories.add_load(connection, "drivers")
        connection.execute(RAIN, {"load": load, "last": factories.LAST_DAY})
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
    expect(in_money.locator("#totals .scatterlayer")).to_have_count(0)
    assert watched.complaints == []


@pytest.mark.parametrize("address", ["/main", "/main?measure=brl", "/savings", "/alerts"])
def test_the_column_is_named_not_the_file_that_is_there(
    watch: Callable[..., Watched], address: str
) -> None:
    content = watch().open(address).locator("#content")
    expect(content).to_contain_text("Nenhum item tem custo unitário")
    expect(content).to_contain_text("unit_cost_brl")
    expect(content).to_contain_text("flask ingest items.csv")
    expect(content).not_to_contain_text("“itens”")


def test_the_board_pack_says_so_too(watch: Callable[..., Watched], site: str) -> None:
    answer = watch().page.request.get(f"{site}/api/v1/exports/board.pdf")
    said = words_of(answer.body())
    assert "faltam custos unitários" in said and "precisa do arquivo: itens" not in said


def test_drivers_stand_beside_quantities(watch: Callable[..., Watched]) -> None:
    page = watch().open("/drivers")
    expect(page.locator("#driver-history .ytitle")).to_contain_text("(unidades")


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
