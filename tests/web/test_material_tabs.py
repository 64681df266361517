"""`/materials/<sku>`: each tab shows its own, the address keeps tab and depot."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from domain.correlation import correlation
from layouts.material import TABS
from tests.web.conftest import ANALYST, SCOPED, VIEWER, Site

SKU = "/materials/BAT-02"
SHOWS = {
    "overview": ('"depots"', "Custo unitário"),
    "demand": ('"consumption"', "CV² (variação das quantidades)"),
    "stock": ('"positions"', '"projection"', "PO-1 / 1"),
    "forecast": ('"demand"', '"accuracy"'),
    "drivers": ("flask ingest drivers.csv",),
    "decisions": ("Recomendações", '"item-alerts"', "Ajustes da previsão"),
}


def test_every_tab_is_described() -> None:
    assert set(TABS) == set(SHOWS)


@pytest.mark.parametrize("tab", SHOWS)
def test_a_tab_shows_its_own_alone(site: Site, tab: str) -> None:
    page = _page(site, tab=tab)
    assert "state-failed" not in page
    for other, words in SHOWS.items():
        assert [word in page for word in words] == [other == tab] * len(words), (other, words)


def test_a_tiny_unit_cost_is_not_told_as_nothing(site: Site) -> None:
    cost = text("UPDATE core.item SET unit_cost_brl = :cost WHERE sku = 'BAT-02'")
    known = text("SELECT unit_cost_brl FROM core.item WHERE sku = 'BAT-02'")
    with site.changing() as connection:
        before = connection.scalar(known)
        connection.execute(cost, {"cost": 0.0042})
    try:
        assert "R$\xa00,0042" in _page(site)
    finally:
        with site.changing() as connection:
            connection.execute(cost, {"cost": before})


def test_a_tab_takes_its_own_filters(site: Site) -> None:
    page = _page(site, tab="demand", site="DEP-RJ")
    assert '"/materials/BAT-02?tab=stock"' in page and "Não se aplica" not in page
    forged = _page(site, tab="moon", site="DEP-RJ")
    assert "tab=moon" in forged and '"depots"' in forged
    hidden = _page(site, SCOPED, tab="demand", site="DEP-SP")
    assert "site=DEP-SP” no endereço" in hidden and '"DEP-BA"' in hidden
    assert "Não se aplica a esta página: Período." in _page(site, tab="stock", period="90")


def test_the_receipt_of_an_alert_opens_among_decisions(site: Site) -> None:
    api = site.api(VIEWER)
    alert = api.get("/alerts", params={"sku": "BAT-02"}).json()["data"][0]
    page = _page(site, alert=alert["id"])
    assert '"item-alerts"' in page and "Como se calcula “" in page
    other = _page(site, alert=987654)
    assert "alert=987654" in other and "Como se calcula “" not in other


def test_a_depot_that_the_run_does_not_know_has_its_history(site: Site) -> None:
    away = text("""
        UPDATE analytics.series_profile SET site_id = -site_id
        WHERE item_id = (SELECT item_id FROM core.item WHERE sku = 'BAT-02')
            AND abs(site_id) = (SELECT site_id FROM core.site WHERE site = 'DEP-RJ')
    """)
    with site.changing() as connection:
        connection.execute(away)
    try:
        page = _page(site, tab="forecast", site="DEP-RJ")
        assert '"name":"Realizado"' in page and '"accuracy"' not in page
    finally:
        with site.changing() as connection:
            connection.execute(away)


def test_only_who_may_act_is_shown_the_way_to_act(site: Site) -> None:
    reader, analyst = (_page(site, who, tab="decisions") for who in (VIEWER, ANALYST))
    assert reader.count("Ver na fila") == 2 and analyst.count("Decidir") == 2
    for words in ("Decidir", "Ajustar a previsão"):
        assert words in analyst and words not in reader


def test_drivers_stand_beside_the_demand_of_their_month(site: Site) -> None:
    sql = """
        INSERT INTO core.driver (driver, uf, date, value, load_id)
        SELECT 'rain_mm', uf, day, 10 * extract(month FROM day) + length(uf), 1
        FROM generate_series(date '2024-12-01', date '2025-06-29', '1 day') AS day,
            unnest(ARRAY['', 'SP']) AS uf
    """
    with site.changing() as connection:
        connection.execute(text(sql))
    try:
        page = _page(site, tab="drivers", site="DEP-SP")
        assert '"driver-chart"' in page and '"rain_mm"' in page
        for name in ("Demanda", "Chuva, mm por dia"):
            assert f"<extra>{name}</extra>" in page, name
        assert (
            '"name":"Chuva, mm por dia","where":"SP","months":5,"last":"2025-05-01","value":52.0'
            in page
        )
        elsewhere = _page(site, tab="drivers", site="DEP-RJ")
        assert '"where":"Brasil","months":5,"last":"2025-05-01","value":50.0' in elsewhere
        lately = _page(site, tab="drivers", site="DEP-SP", period="90")
        assert '"where":"SP","months":2,"last":"2025-05-01","value":52.0' in lately
    finally:
        with site.changing() as connection:
            connection.execute(text("DELETE FROM core.driver"))


def test_a_correlation_needs_enough_months_that_differ() -> None:
    assert correlation([(1.0, 2.0)] * 30) is None
    assert correlation([(float(n), float(-n)) for n in range(11)]) is None
    assert correlation([(float(n), float(-n)) for n in range(12)]) == -1.0


def _page(served: Site, who: str = VIEWER, **query: object) -> str:
    answer = served.browser(who).open_page(SKU, f"?{urlencode(query)}")
    assert answer.status_code == 200
    return json.dumps(answer.json(), ensure_ascii=False, separators=(",", ":"))
