"""The map of Brazil under a mouse and under keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Route, expect
from sqlalchemy import Engine, text

from domain.access import Role
from tests.browser.conftest import PATIENT_MS, Watched


def test_a_unit_is_chosen_by_click_and_by_key(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.VIEWER, locale="en-GB")
    page = watched.open("/regions?layers=none")
    expect(page.locator("path.map-uf")).to_have_count(27)
    bahia = page.locator("path.map-uf[aria-label^='Bahia']")
    bahia.click()
    page.wait_for_url("**uf=BA*")
    expect(page.locator("path.map-uf[aria-pressed=true]")).to_have_count(1)
    expect(page.locator(".map-links a").first).to_have_attribute("href", "/alerts?uf=BA")
    expect(page.locator("#table-ufs .ag-center-cols-container .row-marked")).to_have_count(1)
    page.locator("path.map-uf[aria-label^='Bahia']").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "uf=" not in url)
    expect(page.locator("path.map-uf[aria-pressed=true]")).to_have_count(0)
    watched.settle()
    page.locator("path.map-uf[aria-label^='Distrito Federal']").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**uf=DF*")
    assert watched.complaints == []


TRANSFER = text("""
    UPDATE analytics.recommendation SET kind = 'TRANSFER',
        from_site_id = (SELECT site_id FROM core.site WHERE site = 'DEP-BA')
    WHERE id = (SELECT min(id) FROM analytics.recommendation WHERE status = 'open')
""")


TOWER = text("""
    INSERT INTO core.site (site, name, uf, kind, depot_id, latitude, longitude, load_id)
    SELECT 'TWR-9', 'Torre 9', uf, 'tower', site_id, -11, -41, load_id
    FROM core.site WHERE site = 'DEP-BA'
""")


def test_places_and_transfers_are_drawn_where_asked_for(
    published: Engine, watch: Callable[..., Watched]
) -> None:
    with published.begin() as connection:
        assert connection.execute(TRANSFER).rowcount == 1
        assert connection.execute(TOWER).rowcount == 1
    watched = watch(role=Role.VIEWER, width=390, scheme="dark")
    page = watched.page
    outlines: list[Route] = []
    page.route("**/brazil.geojson*", lambda route: outlines.append(route))
    page.goto(f"{watched.site}/regions?layers=depots&layers=moves")
    expect(page.locator("path.map-depot")).to_have_count(3, timeout=PATIENT_MS)
    outlines[0].continue_()
    expect(page.locator("path.map-uf")).to_have_count(27, timeout=PATIENT_MS)
    for depot in page.locator("path.map-depot").all():
        depot.hover(trial=True, timeout=PATIENT_MS)
    watched.settle()
    page.unroute("**/brazil.geojson*")
    for ending in ("svg", "png"):
        with page.expect_download() as taken:
            page.locator(".map-frame > .chart-tools button", has_text=ending.upper()).click()
        assert taken.value.suggested_filename.endswith(f".{ending}")
        saved = Path(taken.value.path()).read_bytes()
        if ending == "svg":
            assert saved.count(b"<path") == page.locator(".map-frame path").count() == 27 + 3 + 2
            assert "Mostrar também: Depósitos, Transferências".encode() in saved
    page.locator("path.map-move[aria-label*='DEP-BA →']").focus()
    told = page.locator(".leaflet-tooltip", has_text="DEP-BA →")
    expect(told).to_have_count(1)  # another may be where the pointer rests
    expect(page.locator(".twin summary", has_text="Transferências: 1")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/recommendations?kind=TRANSFER&sku=*&site=DEP-*")
    expect(page.locator(".recommendation-list .recommendation")).to_have_count(
        1, timeout=PATIENT_MS
    )
    page.goto(f"{watched.site}/regions?layers=depots&layers=towers")
    tower = page.locator("path.map-tower")
    expect(tower).to_have_attribute("aria-label", "Torre 9, de DEP-BA", timeout=PATIENT_MS)
    watched.settle()
    tower.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**site=DEP-BA*")
    expect(tower).to_have_attribute("aria-pressed", "true", timeout=PATIENT_MS)
    tower.focus()
    page.keyboard.press(" ")
    page.wait_for_url(lambda url: "site=" not in url)
    watched.settle()
    page.locator("path.map-depot").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**site=DEP-*")
    expect(page.locator("path.map-depot[aria-pressed=true]")).to_have_count(1, timeout=PATIENT_MS)
    watched.settle()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert watched.complaints == []
