"""What is around every page: language, theme, filters in the address, the way out."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Route, expect
from sqlalchemy import Engine

from domain.access import Role
from tests.browser.conftest import EMAILS, Watched
from warehouse.commands import users

CALLBACKS = "**/_dash-update-component**"


def test_language_is_switched_and_kept(watch: Callable[..., Watched]) -> None:
    watched = watch(Role.VIEWER)
    page = watched.open("/materials?family=fibra")
    expect(page.locator("h1")).to_have_text("Materiais")
    page.click("#language-switch")
    expect(page.locator("h1")).to_have_text("Materials")
    assert "family=fibra" in page.url
    watched.open("/main")
    expect(page.locator("h1")).to_have_text("Overview")
    assert page.get_attribute("html", "lang") == "en"
    elsewhere = watch(Role.VIEWER)
    assert elsewhere.open("/main").get_attribute("html", "lang") == "en", "the account remembers it"
    assert watched.complaints == elsewhere.complaints == []


def test_a_page_under_way_shows_its_outline(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page, released = watched.page, False
    held: list[Route] = []
    page.route(CALLBACKS, lambda route: route.continue_() if released else held.append(route))
    with page.expect_request(CALLBACKS):
        page.goto(f"{watched.site}/materials")
    expect(page.locator("#_pages_content:empty")).to_be_visible()
    released = True
    for route in held:
        route.continue_()
    expect(page.locator("#_pages_content h1")).to_have_text("Materiais")
    watched.settle()
    assert watched.complaints == []


def test_theme_is_switched_and_kept(watch: Callable[..., Watched]) -> None:
    watched = watch(scheme="light")
    page = watched.open("/main")
    ink = "getComputedStyle(document.querySelector('#totals .xtick text')).fill"
    page.wait_for_selector("#totals .xtick text")
    light = page.evaluate(ink)
    page.click("[data-theme-choice=dark]")
    assert page.get_attribute("html", "data-bs-theme") == "dark"
    watched.until(f"{ink} !== '{light}'")
    dark = page.evaluate(ink)
    watched.open("/main")
    page.wait_for_selector("#totals .xtick text")
    assert page.get_attribute("html", "data-bs-theme") == "dark"
    assert page.evaluate(ink) == dark
    assert watched.complaints == []


def test_a_chart_made_for_the_other_theme_is_painted_once_it_comes(
    watch: Callable[..., Watched],
) -> None:
    watched = watch(scheme="light")
    page = watched.open("/main")
    page.wait_for_selector("#totals .xtick text")
    watched.settle()
    ink = "getComputedStyle(document.querySelector('#totals .xtick text')).fill"
    light = page.evaluate(ink)
    page.evaluate("""() => {
        const made = JSON.parse(document.getElementById("chart-templates").dataset.templates).dark;
        const chart = document.querySelector("#totals .js-plotly-plot");
        return Plotly.relayout(chart, { template: made });
    }""")
    watched.until(f"{ink} === '{light}'")
    assert watched.complaints == []


def test_paper_is_light_and_has_nothing_to_press(watch: Callable[..., Watched]) -> None:
    watched = watch(scheme="dark")
    page = watched.open("/main")
    ink = "getComputedStyle(document.querySelector('#totals .xtick text')).fill"
    page.wait_for_selector("#totals .xtick text")
    dark = page.evaluate(ink)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.get_attribute("html", "data-bs-theme") == "light"
    watched.until(f"{ink} !== '{dark}'")
    for pressed in (".side-bar", ".top-tools", ".filter-bar", ".btn"):
        expect(page.locator(pressed).first).to_be_hidden()
    expect(page.locator("#kpi-demand_value .kpi-value")).to_be_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.get_attribute("html", "data-bs-theme") == "dark"
    watched.until(f"{ink} === '{dark}'")
    assert watched.complaints == []


def test_buttons_of_numbers_say_what_they_do_to_which_field(
    watch: Callable[..., Watched],
) -> None:
    watched = watch(role=Role.ADMIN)
    page = watched.open("/admin/settings")
    steppers = page.locator(".dash-input-stepper")
    expect(steppers.first).to_have_attribute("tabindex", "-1")
    names = steppers.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    fields = page.locator("label .field-label").all_inner_texts()
    expected = {f"{does}: {field}" for field in fields for does in ("Diminuir", "Aumentar")}
    assert names and set(names) <= expected
    assert watched.complaints == []


def test_filters_live_in_the_address(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/main")
    everything = page.locator("#kpi-demand_value .kpi-value").inner_text()
    page.locator(".field", has_text="UF").locator(".dash-dropdown").click()
    page.get_by_text("BA – Bahia").click()
    page.keyboard.press("Escape")
    page.wait_for_url("**uf=BA**")
    watched.settle()
    narrowed = page.locator("#kpi-demand_value .kpi-value").inner_text()
    assert narrowed != everything
    page.reload()
    watched.settle()
    expect(page.locator("#kpi-demand_value .kpi-value")).to_have_text(narrowed)
    page.go_back()
    expect(page.locator("#kpi-demand_value .kpi-value")).to_have_text(everything)
    assert watched.complaints == []


def test_on_a_phone_what_is_chosen_is_in_sight(watch: Callable[..., Watched]) -> None:
    watched = watch(width=390)
    page = watched.open("/features?tab=prescriptive")
    tab, entry = page.locator(".place-current").first, page.locator(".side-links .active")
    expect(tab).to_be_in_viewport(ratio=1)
    expect(entry).to_be_in_viewport(ratio=1)
    assert page.evaluate("window.scrollX + window.scrollY") == 0
    watched.go("/main")
    expect(entry).to_have_attribute("href", "/main")
    expect(entry).to_be_in_viewport(ratio=1)
    assert watched.complaints == []


def test_a_table_has_a_shadow_where_it_has_more_columns(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/materials")
    shaded = page.locator(".table-grid[data-more]")
    expect(shaded).to_have_count(1)
    page.evaluate("document.querySelector('.ag-center-cols-viewport').scrollLeft = 9999")
    expect(shaded).to_have_count(0)
    assert watched.complaints == []


def test_a_table_that_shows_all_has_no_shadow(watch: Callable[..., Watched]) -> None:
    watched = watch()
    watched.page.emulate_media(reduced_motion="no-preference")
    page = watched.open("/main")
    fits = "document.querySelector('#top-alerts .ag-center-cols-viewport')"
    watched.until(f"{fits}.scrollWidth === {fits}.clientWidth")
    expect(page.locator("#top-alerts[data-more]")).to_have_count(0)
    assert watched.complaints == []


def test_kpis_are_the_api_s(watch: Callable[..., Watched]) -> None:
    watched = watch(locale="en-GB")
    page = watched.open("/main?uf=SP")
    answer = page.request.get(f"{watched.site}/api/v1/kpis", params={"uf": "SP"})
    told = {kpi["key"]: kpi for kpi in answer.json()["data"]}
    for key in ("demand_value", "inventory_value"):
        exact = page.locator(f"#kpi-{key} .kpi-value").get_attribute("title") or ""
        assert float(exact.replace("R$", "").replace(",", "")) == round(told[key]["value"], 2)


def test_receipt_shows_formula_and_inputs(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/main")
    page.click("#kpi-wape summary")
    receipt = page.locator("#kpi-wape .popover-body")
    expect(receipt.locator("mjx-container").first).to_be_visible()
    expect(receipt).to_contain_text("soma dos erros absolutos")
    page.keyboard.press("Escape")
    expect(receipt).to_be_hidden()
    assert watched.complaints == []


def test_on_a_phone_a_receipt_opens_above_the_navigation(watch: Callable[..., Watched]) -> None:
    watched = watch(width=390)
    page = watched.open("/main")
    for name in ("wape", "sla_availability"):
        page.click(f"#kpi-{name} summary")
        receipt = page.locator(f"#kpi-{name} .popover-body")
        expect(receipt.locator("mjx-container").first).to_be_visible()
        shown, below = receipt.bounding_box(), page.locator(".side-bar").bounding_box()
        assert shown and below and shown["y"] >= 0 <= shown["x"]
        assert shown["y"] + shown["height"] <= below["y"]
        assert shown["x"] + shown["width"] <= 390
        page.keyboard.press("Escape")
    assert watched.complaints == []


def test_table_is_sorted_by_the_server_and_leads_to_the_material(
    watch: Callable[..., Watched],
) -> None:
    watched = watch()
    page = watched.open("/materials")
    page.get_by_role("columnheader", name="Nome").click()
    page.wait_for_url("**sort=-name**")
    watched.settle()
    codes = page.locator(".ag-pinned-left-cols-container [col-id=sku]")
    expect(codes.first).to_have_text("PAR-03")
    codes.first.locator("a").click()
    page.wait_for_url("**/materials/PAR-03")
    expect(page.locator("h1")).to_have_text("Parafuso galvanizado")
    page.go_back()
    watched.settle()
    assert "sort=-name" in page.url
    expect(codes.first).to_have_text("PAR-03")
    assert watched.complaints == []


def test_search_finds_without_accents(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/materials")
    page.fill("input[type=search]", "fibra optica")
    page.wait_for_url("**search=fibra+optica**")
    watched.settle()
    expect(page.locator(".pager")).to_contain_text("1–1 de 1")
    page.fill("input[type=search]", "nada disso")
    page.wait_for_url("**search=nada+disso**")
    expect(page.locator("#_pages_content .state")).to_be_visible()


def test_hostile_addresses_do_no_harm(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/main?uf=%3Cscript%3Ealert(1)%3C/script%3E&measure=x&region=')--")
    expect(page.locator("#_pages_content .notice-warning")).to_have_count(3)
    watched.open("/materials?cursor=forged&start=-3&sort=sku;drop")
    expect(page.locator("#_pages_content .notice-warning").first).to_be_visible()
    watched.open("/materials/NO-SUCH")
    expect(page.locator("#_pages_content .state")).to_contain_text("Página não encontrada")
    assert watched.complaints == []


def test_sign_out(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/main")
    page.click("#user-menu summary")
    page.click("#sign-out")
    page.wait_for_url("**/login")
    page.goto(f"{watched.site}/main")
    page.wait_for_url("**/login**")


def test_an_open_page_of_somebody_shut_out_leads_to_the_login(
    watch: Callable[..., Watched], published: Engine
) -> None:
    watched = watch(role=Role.VIEWER)
    page = watched.open("/main")
    users.set_active(published, email=EMAILS[Role.VIEWER], active=False, actor=users.Actor())
    try:
        page.click("nav a[href='/materials']")
        page.wait_for_url("**/login**")
        expect(page.locator("#sign-in")).to_be_visible()
    finally:
        users.set_active(published, email=EMAILS[Role.VIEWER], active=True, actor=users.Actor())
