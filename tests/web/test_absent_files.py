"""Screens of the network on a company that has loaded items, sites and demand alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from domain.access import Role
from tests import factories
from tests.conftest import StartServer
from tests.web.conftest import VIEWER, Site
from warehouse.pipeline import derive
from warehouse.pipeline.publish import publish_bundle

PAGES = {
    "/features?tab=clusters": "equipment",
    "/features?tab=clusters&of=towers": "tower_kpis",
    "/suppliers": "purchase_orders",
    "/sla": "contracts",
    "/projects": "projects",
    "/drivers": "drivers",
}
LISTS = (
    "/clustering/equipment-failure",
    "/clustering/tower-performance",
    "/clustering/tower-performance/trends",
    "/failure-risk",
    "/failure-risk/parts",
    "/sla",
    "/outages",
    "/projects",
    "/drivers",
)
TILES = "https://tiles.example.com/{z}/{x}/{y}.png"
OUTLINES_KB = 200
OF_OTHER_FILES = ("stock_brl", "days_of_supply", "exposure_brl", "availability", "stations")


@pytest.fixture(scope="module")
def bare(
    start_server: StartServer,
    module_engine: Engine,
    module_database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    network = factories.make_network(module_engine)
    factories.add_demand(module_engine, network)
    derive.refresh_after_load(module_engine)
    bundle = factories.make_bundle(tmp_path_factory.mktemp("bundle"), module_engine)
    publish_bundle(bundle, engine=module_engine, published_by="tests")
    site = Site(start_server(module_database_url, MAP_TILE_URL=TILES), module_engine)
    site.add_user(VIEWER, Role.VIEWER)
    yield site


@pytest.mark.parametrize(("address", "file"), PAGES.items())
def test_each_screen_says_which_file_is_missing_and_makes_nothing_up(
    bare: Site, address: str, file: str
) -> None:
    path, _, search = address.partition("?")
    page = bare.browser(VIEWER).open_page(path, f"?{search}" if search else "").text
    assert f"flask ingest {file}.csv" in page
    assert "kpi-value" not in page and '"Graph"' not in page


def test_without_stock_the_overview_and_the_inventory_ask_for_it(bare: Site) -> None:
    browser = bare.browser(VIEWER)
    overview, inventory = (browser.open_page(path).text for path in ("/main", "/inventory"))
    assert "Mostraria o que comprar" in overview and "Nada a recomendar" not in overview
    assert "flask ingest stock.csv" in inventory and "CABO-01" in inventory
    assert "status-total" not in inventory


def test_lists_are_empty_and_figures_of_the_map_unknown(bare: Site) -> None:
    api = bare.api(VIEWER)
    assert {path: api.get(path).json()["data"] for path in LISTS} == dict.fromkeys(LISTS, [])
    of_items = api.get("/suppliers").json()["data"]
    assert {(one["lines"], one["otif"], one["lead_time_mean"]) for one in of_items} == {
        (0, None, None)
    }
    rows = api.get("/geographic/data").json()["data"]
    assert len(rows) == 27 and any(row["demand_brl"] for row in rows)
    assert {row[name] for row in rows for name in OF_OTHER_FILES} == {None}


def test_the_map_takes_tiles_from_the_server_that_is_named_and_outlines_from_its_own(
    bare: Site,
) -> None:
    answer = bare.browser(VIEWER).open_page("/regions")
    assert f'"url":"{TILES}"' in answer.text
    images = answer.headers["Content-Security-Policy"].split("img-src ")[1].split(";")[0]
    assert images == "'self' data: blob: https://tiles.example.com"
    assert 0 < len(bare.get("/assets/brazil.geojson").content) < 1024 * OUTLINES_KB
