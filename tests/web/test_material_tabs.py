"""`/materials/<sku>`: each tab shows its own, the address keeps tab and depot."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from layouts.material import TABS
from tests.web.conftest import SCOPED, VIEWER, Site

SKU = "/materials/BAT-02"
SHOWS = {
    "overview": ('"depots"', "Custo unitário"),
    "demand": ('"consumption"', "CV² (variação das quantidades)"),
    "stock": ('"positions"', '"projection"', "PO-1 / 1"),
    "forecast": ('"demand"', '"accuracy"'),
    "decisions": ("Recomendações", '"item-alerts"', "Ajustes da previsão"),
}


def test_every_tab_is_described() -> None:
    assert set(TABS) == set(SHOWS)


@pytest.mark.parametrize("tab", SHOWS)
def test_a_tab_shows_its_own_alone(site: Site, tab: str) -> None:
    page = _page(site, tab=tab)
    assert "state-error" not in page
    for other, words in SHOWS.items():
        assert [word in page for word in words] == [other == tab] * len(words), (other, words)


def test_the_depot_stays_chosen_on_other_tabs(site: Site) -> None:
    page = _page(site, tab="demand", site="DEP-RJ")
    assert '"?site=DEP-RJ&tab=stock"' in page
    forged = _page(site, tab="moon", site="DEP-RJ")
    assert "tab=moon" in forged and '"depots"' in forged
    hidden = _page(site, SCOPED, tab="demand", site="DEP-SP")
    assert "site=DEP-SP” no endereço" in hidden and '"DEP-BA"' in hidden


def test_the_receipt_of_an_alert_opens_among_decisions(site: Site) -> None:
    api = site.api(VIEWER)
    alert = api.get("/alerts", params={"sku": "BAT-02"}).json()["data"][0]
    page = _page(site, alert=alert["id"])
    assert '"item-alerts"' in page and "Como “" in page
    other = _page(site, alert=987654)
    assert "alert=987654" in other and "Como “" not in other


def _page(served: Site, who: str = VIEWER, **query: object) -> str:
    answer = served.browser(who).open_page(SKU, f"?{urlencode(query)}")
    assert answer.status_code == 200
    return json.dumps(answer.json(), ensure_ascii=False, separators=(",", ":"))
