"""From the projects that are behind to the material that one of them lacks."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Watched


def test_a_late_project_leads_to_what_it_lacks(watch: Callable[..., Watched]) -> None:
    watched = watch(locale="pt-BR")
    page = watched.open("/projects")
    page.locator("input[type=search]").fill("rede sp")
    page.wait_for_url("**search=rede*")
    page.locator("#projects a", has_text="PRJ-1").click()
    page.wait_for_url("**/projects/PRJ-1")
    watched.settle()
    expect(page.locator("h1")).to_have_text("PRJ-1")
    expect(page.locator(".kpi-row")).to_contain_text("dias de atraso")
    points = page.evaluate(
        "document.querySelector('#project-curve .js-plotly-plot').data"
        ".filter((one) => one.mode === 'lines+markers').map((one) => one.y.length)"
    )
    assert points == [2]
    lacking = page.locator("#project-stock .ag-row", has_text="BAT-02")
    expect(lacking).to_contain_text("DEP-SP")
    lacking.locator("a").first.click()
    page.wait_for_url("**/materials/BAT-02?tab=stock&site=DEP-SP")
    assert watched.complaints == []


def test_on_a_phone_projects_are_cards(watch: Callable[..., Watched]) -> None:
    watched = watch(locale="pt-BR", width=390)
    page = watched.open("/projects?state=behind")
    expect(page.locator(".project-card")).to_have_count(1)
    expect(page.locator("#projects")).to_be_hidden()
    page.locator(".project-card a").click()
    page.wait_for_url("**/projects/PRJ-1")
    assert watched.complaints == []
