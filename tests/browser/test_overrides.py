"""Adjusting a forecast as a person does: preview, save, see policy and chart follow, end it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from domain.access import Role
from tests.browser.conftest import Watched

ONE = "/forecasts?sku=CABO-01&site=DEP-SP"
BATTERY = "/forecasts?sku=BAT-02&site=DEP-SP&adjust=item&from=2025-06-30&to=2025-07-09"
FOLLOWED = 60_000
CUT_OFF = """
    [...document.querySelectorAll(".adjust .confirm .btn")].map(it => it.getBoundingClientRect())
        .filter(it => it.right > document.querySelector(".adjust").getBoundingClientRect().right)
        .length
"""
"""The buttons that end an adjustment and reach beyond the card's edge."""


def choose(page: Page, field: str, option: str) -> None:
    page.locator(f"#{field}").click()
    page.get_by_role("option", name=option, exact=True).click()
    page.keyboard.press("Escape")


def filled(page: Page, amount: str, reason: str = "Projeto") -> None:
    page.fill("#override-amount", amount)
    page.keyboard.press("Tab")
    choose(page, "override-reason", reason)


def ensemble(watched: Watched, sku: str) -> list[dict[str, Any]]:
    params: dict[str, Any] = {"sku": sku, "site": "DEP-SP", "limit": "500"}
    answer = watched.page.request.get(f"{watched.site}/api/v1/forecasts", params=params)
    return list(answer.json()["data"])


def test_an_adjustment_is_previewed_saved_followed_and_ended(
    watch: Callable[..., Watched],
) -> None:
    watched = watch(role=Role.ANALYST)
    page = watched.open(ONE)
    expect(page.locator("#override-reason")).to_have_text("Escolha um motivo")
    expect(page.locator("#override-expires")).to_have_value(re.compile(r"\d\d/\d\d/\d{4}"))
    filled(page, "500")
    page.fill("#override-note", "novo anel óptico")
    page.click("#override-preview-button")
    preview = page.locator(".preview")
    expect(preview).to_contain_text("500 m")
    expect(preview).to_contain_text("ainda não há ajuste anterior")
    expect(preview).to_contain_text("Períodos já passados pelo calendário: 1 de 1.")
    save = page.locator("#override-save")
    save.evaluate("it => { it.click(); setTimeout(() => it.click(), 50); }")
    expect(page.locator(".adjust")).to_contain_text("Vale agora", timeout=FOLLOWED)
    expect(page.locator(".adjust")).to_contain_text("Projeto: novo anel óptico")
    assert "job=" not in page.url
    first, second = ensemble(watched, "CABO-01")[:2]
    assert first["override_mean"] == 500 and second["override_mean"] is None
    expect(page.locator("#override-amount")).to_have_value("")
    expect(page.locator("#override-note")).to_have_value("")
    expect(page.locator("#override-reason")).not_to_contain_text("Projeto")
    expect(page.locator("#series .js-plotly-plot .main-svg").first).to_be_visible()
    names = page.evaluate(
        "document.querySelector('#series .js-plotly-plot').data.map(t => [t.name, t.line.dash])"
    )
    assert ["Ajustado à mão", "solid"] in names and ["Ensemble", "dash"] in names
    page.locator(".adjust .confirm summary").first.click()
    watched.until_nothing(CUT_OFF)
    page.locator(".adjust .confirm .btn-danger").first.click()
    expect(page.locator(".adjust")).to_contain_text("Histórico (1)", timeout=FOLLOWED)
    page.wait_for_url(lambda url: "job=" not in url, timeout=FOLLOWED)
    watched.settle()
    assert ensemble(watched, "CABO-01")[0]["override_mean"] is None
    assert watched.complaints == []


def test_an_adjustment_is_of_the_series_that_is_shown(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.ANALYST)
    for address, series in (
        ("/forecasts?sku=BAT-02&adjust=depot", "1"),
        ("/forecasts?site=DEP-SP&adjust=depot", "1"),
        ("/forecasts", "1"),
        ("/forecasts?sku=BAT-02&adjust=uf", "4"),
    ):
        page = watched.go(address)
        page.fill("#override-amount", "20")
        page.click("#override-preview-button")
        expect(page.locator(".preview .facts dd").first).to_have_text(series)
    assert watched.complaints == []


def test_what_is_typed_stays_while_what_it_is_of_is_chosen(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.ANALYST)
    page = watched.open("/forecasts?sku=BAT-02&site=DEP-SP")
    filled(page, "20")
    page.fill("#override-note", "novo anel óptico")
    page.fill("#override-expires", "2031-01-31")
    page.keyboard.press("Tab")
    page.get_by_role("group", name="O quê").get_by_role("button").click()
    page.get_by_role("option", name="Percentual, este material neste depósito").click()
    page.wait_for_url("**adjust=depot**")
    watched.settle()
    expect(page.locator("#override-amount")).to_have_value("20")
    expect(page.locator("#override-note")).to_have_value("novo anel óptico")
    expect(page.locator("#override-expires")).to_have_value("2031-01-31")
    expect(page.locator("#override-reason")).to_contain_text("Projeto")
    watched.go("/forecasts?sku=CABO-01&site=DEP-SP")
    expect(page.locator("#override-amount")).to_have_value("")
    assert watched.complaints == []


def test_the_choice_is_in_the_address_and_mistakes_are_named(
    watch: Callable[..., Watched],
) -> None:
    watched = watch(role=Role.ANALYST, width=390)
    page = watched.open(BATTERY)
    page.click("#override-preview-button")
    expect(page.locator(".problems")).to_contain_text("Valor: informe um número.")
    page.fill("#override-amount", "900")
    page.click("#override-preview-button")
    expect(page.locator(".problems")).to_contain_text("de −100 a 500")
    page.fill("#override-amount", "20")
    page.click("#override-preview-button")
    expect(page.locator(".preview .facts")).to_contain_text("10")
    page.fill("#override-expires", "ontem")
    page.click("#override-save")
    expect(page.locator(".preview .problems")).to_contain_text("Vale até")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390


def test_a_viewer_sees_adjustments_and_no_form(watch: Callable[..., Watched]) -> None:
    page = watch(role=Role.VIEWER).open(ONE)
    expect(page.locator(".adjust")).to_be_visible()
    expect(page.locator("#override-preview-button")).to_have_count(0)


def test_a_refusal_is_told(watch: Callable[..., Watched]) -> None:
    page = watch(role=Role.ANALYST).open(ONE)
    page.route("**/_dash-update-component**", lambda route: route.fulfill(status=403, json={}))
    page.click("#override-preview-button")
    expect(page.locator("#toasts")).to_contain_text("Você não pode fazer isto")
