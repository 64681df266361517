"""`/features` in the browser: which model is how good, and why."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched


def test_the_reasons_stand_beside_the_weights(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/features")
    board = page.locator("#leaderboard")
    expect(board.locator("[row-id=ensemble] [col-id=series]")).to_have_text("12")
    dropped = page.locator("#choices [row-id='smooth seasonal_naive'] [col-id=reason]")
    expect(dropped).to_have_text("Fora: seu erro é 1,33 vezes o do melhor; o limite é 1,15.")
    kept = page.locator("#choices [row-id='smooth naive']")
    expect(kept.locator("[col-id=weight]")).to_have_text("100,0%")
    assert watched.complaints == []


def test_a_series_leads_to_its_models(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/forecasts?sku=CABO-01&site=DEP-SP")
    page.get_by_text("Por que estes pesos").click()
    page.wait_for_url("**/features?sku=CABO-01&site=DEP-SP")
    watched.settle()
    expect(page.locator("h1")).to_have_text("Modelos de uma série")
    expect(page.get_by_text("menor erro no backtest, 0,800")).to_be_visible()
    page.get_by_label("Ingênuo", exact=True).first.check()
    page.wait_for_url("**models=naive**")
    watched.settle()
    names = page.locator("#backtest .annotation-text")
    expect(names.filter(has_text="Ingênuo").first).to_be_visible()
    page.get_by_role("link", name="Fórmulas").click()
    page.wait_for_url("**/features?tab=formulas&sku=CABO-01&site=DEP-SP&v=1")
    watched.settle()
    expect(page.get_by_text("do material").first).to_be_visible()
    assert watched.complaints == []


def test_a_series_shows_what_its_errors_hold_and_what_it_is_made_of(
    watch: Callable[..., Watched],
) -> None:
    watched = watch()
    page = watched.open("/features?sku=CABO-01&site=DEP-SP")
    verdict = page.get_by_text("Não resta padrão: o teste de Ljung–Box")
    expect(verdict).to_contain_text("com 10 defasagens não vê nenhum (gl = 7, p = 0,940)")
    expect(page.locator("#acf .bars .point")).to_have_count(14)
    expect(page.get_by_text("Tendência: clara (0,70); sazonalidade: nenhuma")).to_be_visible()
    expect(page.get_by_text("Valores atípicos: 1, circulados")).to_be_visible()
    expect(page.locator("#decomposition .annotation-text")).to_have_text(
        ["Demanda", "Tendência", "Sazonalidade", "Resto"]
    )
    assert watched.complaints == []


def test_tabs_lead_to_clusters_of_machines_and_towers(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/features?tab=map&uf=RJ&uf=SP&v=1")
    page.get_by_role("link", name="Grupos").click()
    page.wait_for_url("**/features?tab=clusters&uf=RJ&uf=SP&v=1")
    watched.settle()
    first = page.locator("#machine-risks [row-index='0'][role=row]").first
    expect(first.locator("[col-id=reasons]")).to_contain_text("temperatura")
    expect(page.locator("#risk-calibration .main-svg").first).to_be_visible()
    page.get_by_role("link", name="Torres").click()
    page.wait_for_url("**?tab=clusters&uf=RJ&uf=SP&of=towers")
    watched.settle()
    expect(page.locator("#tower-breaks [col-id=metric]").nth(1)).to_have_text("Latência")
    expect(page.locator("#cluster-profiles .main-svg").first).to_be_visible()
    assert watched.complaints == []


def test_a_formula_is_tried_and_sent(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/features?tab=formulas")
    value = page.locator(".formula-value")
    expect(value).to_have_text("= 132 unidades")
    page.get_by_label("Prazo de entrega (L)").locator("input").fill("21,5")
    page.wait_for_url("**lead=21%2C5**")
    watched.settle()
    expect(value).to_have_text("= 192 unidades")
    expect(page.locator(".formula-result mjx-container").first).to_be_visible()
    page.get_by_label("Prazo de entrega (L)").locator("input").fill("9999")
    page.wait_for_url("**lead=9999**")
    watched.settle()
    expect(page.get_by_text("prazo de entrega: escreva um número de 0 a 730.")).to_be_visible()
    expect(value).to_have_text("= 132 unidades")
    watched.open("/features?tab=formulas&formula=wape&sku=CABO-01&site=DEP-SP")
    expect(page.get_by_text("do material").first).to_be_visible()
    told = value.inner_text()
    page.get_by_role("link", name="Link com estes números").click()
    page.wait_for_url("**actual=**")
    watched.settle()
    expect(value).to_have_text(told)
    assert watched.complaints == []


def test_a_chart_is_saved_as_png_and_svg(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/main?uf=SP&risk_cursor=WyJ4Il0&job=12")
    page.clock.set_fixed_time("2025-07-01T00:30:00Z")
    page.locator("#totals").hover()
    for kind, begins in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        button = page.locator("#totals").get_by_role("button", name=f"como {kind}:")
        with page.expect_download() as waiting:
            button.click()
        saved = waiting.value
        assert saved.suggested_filename == f"nova-main-totals-2025-06-30.{kind.lower()}"
        content = saved.path().read_bytes()
        assert content.startswith(begins)
    words = content.decode()
    assert (
        "Realizado e previsto" in words and "UF: SP – São Paulo" in words and "Dados até" in words
    )
    assert "risk_cursor" not in words and "job: 12" not in words
    assert watched.complaints == []


@pytest.mark.parametrize(
    ("path", "chart"),
    [
        ("/main", "demand-by-uf"),
        ("/inventory?item=CABO-01&depot=DEP-SP&tab=plan", "projection"),
    ],
)
def test_a_narrow_chart_writes_less_below_it_and_saves_all(
    watch: Callable[..., Watched], path: str, chart: str
) -> None:
    watched = watch()
    page = watched.open(path)
    ticks = page.locator(f"#{chart} .xtick text")
    told = ticks.all_text_contents()
    page.set_viewport_size({"width": 390, "height": 900})
    watched.until(f"document.querySelectorAll('#{chart} .xtick text').length < {len(told)}")
    page.locator(f"#{chart}").hover()
    with page.expect_download() as waiting:
        page.locator(f"#{chart}").get_by_role("button", name="como SVG:").click()
    saved = waiting.value.path().read_text()
    assert [one for one in told if f">{one}<" not in saved] == []
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(ticks).to_have_text(told)
    assert watched.complaints == []
