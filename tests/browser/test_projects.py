"""From the projects that are behind to the material that one of them lacks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, text

from tests import factories
from tests.browser.conftest import Watched

MANY, LONG = 41, "OBRA-LONGA"
NEEDED = text("""
    INSERT INTO core.project_material (project_id, item_id, quantity, needed_on)
    SELECT project_id, (SELECT min(item_id) FROM core.item), 5, day
    FROM core.project, generate_series(:first, :first + interval '8 months', '1 month') AS day
    WHERE project = :project
""")
LEAN = """
    [...document.querySelectorAll("#project-months .xtick text")].some(one =>
        /rotate\\((?!0,)/.test(one.getAttribute("transform")))
"""
"""Whether a month below the chart is turned."""


@pytest.fixture(scope="module", autouse=True)
def many(published: Engine) -> None:
    """Projects on plan besides the one that is behind."""
    for number in range(MANY):
        factories.add_project(published, f"OBRA-{number:02}", "BA", {}, progress_pct=50.0)
    factories.add_project(published, LONG, "MG", {}, progress_pct=50.0)
    with published.begin() as connection:
        connection.execute(NEEDED, {"project": LONG, "first": factories.LAST_DAY})


def test_a_late_project_leads_to_what_it_lacks(watch: Callable[..., Watched]) -> None:
    watched = watch(locale="pt-BR")
    page = watched.open("/projects")
    page.locator("input[type=search]").fill("rede sp")
    page.wait_for_url("**search=rede*")
    watched.settle()
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


def test_on_a_phone_months_stand_upright(watch: Callable[..., Watched]) -> None:
    watched = watch(locale="pt-BR", width=390)
    page = watched.open(f"/projects/{LONG}")
    page.wait_for_selector("#project-months .xtick text")
    watched.settle()
    watched.until(f"!{LEAN}")
    assert 2 <= page.locator("#project-months .xtick text").count() <= 6
    assert watched.complaints == []


def test_on_a_phone_projects_are_cards(watch: Callable[..., Watched]) -> None:
    watched = watch(locale="pt-BR", width=390)
    page = watched.open("/projects?state=behind")
    expect(page.locator(".project-card")).to_have_count(1)
    expect(page.locator("#projects")).to_be_hidden()
    page.locator(".project-card a").click()
    page.wait_for_url("**/projects/PRJ-1")
    assert watched.complaints == []


def test_on_a_phone_cards_go_on_to_the_last_project(watch: Callable[..., Watched]) -> None:
    watched = watch(locale="pt-BR", width=390)
    page = watched.open("/projects?uf=BA")
    seen = set(page.locator(".project-card a").all_inner_texts())
    page.locator(".project-cards .pager a", has_text="Próxima página").click()
    page.wait_for_url("**start=40*")
    expect(page.locator(".project-card")).to_have_count(MANY - len(seen))
    seen.update(page.locator(".project-card a").all_inner_texts())
    assert len(seen) == MANY and "uf=BA" in page.url
    expect(page.locator("#_pages_content .notice-warning")).to_have_count(0)
    assert watched.complaints == []
