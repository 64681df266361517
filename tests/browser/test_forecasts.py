"""Reading a forecast as a person does: signing in, choosing, switching models, taking the CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from domain.access import Role
from tests.browser.conftest import EMAILS, PASSWORD, Watched

ONE = "/forecasts?sku=CABO-01&site=DEP-SP"


def number(text: str) -> float:
    """What a pt-BR number says."""
    return float(text.replace(".", "").replace(",", "."))


def api_forecasts(watched: Watched, **query: str) -> list[dict[str, Any]]:
    """The same series from the API, asked by the same browser."""
    params: dict[str, Any] = {"sku": "CABO-01", "site": "DEP-SP", "limit": "500", **query}
    answer = watched.page.request.get(f"{watched.site}/api/v1/forecasts", params=params)
    assert answer.status == 200, answer.text()
    return list(answer.json()["data"])


def table(page: Page) -> list[dict[str, str]]:
    """The numbers under the chart, row by row."""
    page.locator(".twin summary").first.click()
    page.wait_for_selector(".twin[open] tr")
    cells = page.eval_on_selector_all(
        ".twin tr", "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    )
    return [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]


def trace_names(page: Page) -> list[str]:
    return list(
        page.evaluate("document.querySelector('#series .js-plotly-plot').data.map(t => t.name)")
    )


def test_sign_in_and_read_a_forecast(dash_duo: Any, site: str) -> None:
    driver = dash_duo.driver
    driver.get(f"{site}/login")
    driver.add_cookie({"name": "nova_locale", "value": "pt_BR"})
    driver.get(f"{site}/forecasts?sku=BAT-02&site=DEP-RJ")
    dash_duo.find_element("#email").send_keys(EMAILS[Role.VIEWER])
    dash_duo.find_element("#password").send_keys(PASSWORD)
    dash_duo.find_element("#sign-in").click()
    dash_duo.wait_for_text_to_equal("#_pages_content h1", "Previsões")
    dash_duo.wait_for_element("#series .main-svg")
    assert "sku=BAT-02" in driver.current_url
    assert "Suave" in dash_duo.find_element("#profile").text
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_page_says_what_the_api_says(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open(ONE)
    expected = api_forecasts(watched)
    assert len(expected) == 30
    ahead = [row for row in table(page) if row["Ensemble mean"] != "—"]
    assert len(ahead) == len(expected)
    for row, point in zip(ahead, expected, strict=True):
        day, month, year = row["Data"].split("/")
        assert f"{year}-{month}-{day}" == point["date"]
        for name in ("mean", "p10", "p50", "p90"):
            assert number(row[f"Ensemble {name}"]) == pytest.approx(point[name], abs=0.005)
        assert point["p10"] <= point["p50"] <= point["p90"]


def test_models_are_switched_on_and_off(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open(ONE)
    assert "Ingênuo" not in trace_names(page)
    page.get_by_label("Ingênuo", exact=True).check()
    page.wait_for_url("**models=naive**")
    watched.until(
        "document.querySelector('#series .js-plotly-plot').data.some(t => t.name === 'Ingênuo')"
    )
    page.get_by_label("Ensemble", exact=True).uncheck()
    watched.until(
        "!document.querySelector('#series .js-plotly-plot').data.some(t => t.name === 'Ensemble')"
    )
    page.reload()
    page.wait_for_selector("#series .main-svg")
    assert trace_names(page) == ["Realizado", "Ingênuo"]


def test_item_is_found_by_typing(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open(ONE)
    page.locator(".field-wide .dash-dropdown").first.click()
    expect(page.locator(".dash-dropdown-content :focus")).to_be_visible()
    page.keyboard.type("luva")
    page.get_by_text("EPI-04 – Luva isolante").click()
    page.wait_for_url("**sku=EPI-04**")
    assert "site=" not in page.url, "the depot of another item must not stay"
    watched.settle()
    expect(page.locator("#_pages_content")).to_contain_text("par por dia")
    page.go_back()
    page.wait_for_url("**sku=CABO-01**")
    expect(page.locator("#_pages_content")).to_contain_text("m por dia")
    assert watched.complaints == []


def test_csv_is_what_is_shown(watch: Callable[..., Watched], tmp_path: Path) -> None:
    watched = watch()
    page = watched.open(f"{ONE}&models=ensemble&models=naive")
    shown = table(page)
    with page.expect_download() as download:
        page.locator("a[href*='exports/series.csv']").click()
    assert download.value.suggested_filename == "nova-series-run1_demo.csv"
    file = tmp_path / "series.csv"
    download.value.save_as(file)
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig")), delimiter=";"))
    told = {(row["model"], "/".join(reversed(row["date"].split("-")))): row for row in rows}
    columns = (
        ("Realizado", "", "actual"),
        ("Ensemble p10", "ensemble", "p10"),
        ("Ensemble p90", "ensemble", "p90"),
        ("Ingênuo mean", "naive", "mean"),
    )
    for line in shown:
        for name, model, field in columns:
            row = told.get((model, line["Data"]))
            if row is None:
                assert line[name] == "—"
            else:
                value = float(row[field].replace(",", "."))
                assert value == pytest.approx(number(line[name]), abs=0.005)
    assert {row["model"] for row in rows} == {"", "ensemble", "naive"}
    assert sum(row["model"] == "" for row in rows) == sum(
        line["Realizado"] != "—" for line in shown
    )


def test_viewer_has_no_download(watch: Callable[..., Watched]) -> None:
    page = watch(role=Role.VIEWER).open(ONE)
    assert page.locator("a[href*='/exports/']").count() == 0


def test_unknown_item_falls_back_with_a_notice(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/forecasts?sku=NO-SUCH&site=DEP-SP&period=century")
    expect(page.locator("#_pages_content .notice-warning")).to_have_count(2)
    expect(page.locator("#_pages_content .notice-warning").first).to_contain_text("sku=NO-SUCH")
    assert page.locator("#series .main-svg").count() > 0
    assert "sku=NO-SUCH" in page.url


def points_of(watched: Watched, level: str, **query: str) -> list[dict[str, Any]]:
    """A level's forecast from the API."""
    params: dict[str, Any] = {"level": level, "limit": "500", **query}
    answer = watched.page.request.get(f"{watched.site}/api/v1/forecasts/levels", params=params)
    assert answer.status == 200, answer.text()
    return list(answer.json()["data"])


def choose(page: Page, label: str, option: str) -> None:
    """Picks an entry of the drop-down with this label."""
    page.get_by_role("group", name=label).locator(".dash-dropdown").click()
    page.locator(".dash-dropdown-content").get_by_text(option, exact=True).click()


def test_a_level_is_chosen_and_shows_the_sum_of_its_depots(
    watch: Callable[..., Watched],
) -> None:
    watched = watch()
    page = watched.open(ONE)
    choose(page, "Nível", "Material por região")
    page.wait_for_url("**level=item_region**")
    watched.settle()
    assert "site=" not in page.url
    choose(page, "Região", "Sudeste")
    page.wait_for_url("**area=SE**")
    watched.settle()
    page.wait_for_selector("#series .main-svg")
    assert {"p10–p90", "Realizado", "Ensemble"} <= set(trace_names(page))
    expected = points_of(watched, "item_region", sku="CABO-01", area="SE")
    ahead = [row for row in table(page) if row["Ensemble mean"] != "—"]
    assert len(ahead) == len(expected) == 30
    for row, point in zip(ahead, expected, strict=True):
        for name in ("mean", "p025", "p10", "p90", "p975"):
            assert number(row[f"Ensemble {name}"]) == pytest.approx(point[name], abs=0.005)
    expect(page.locator("#level-accuracy")).to_contain_text("Material no Brasil")
    assert watched.complaints == []


def test_a_familys_csv_says_what_it_is_of(watch: Callable[..., Watched], tmp_path: Path) -> None:
    watched = watch()
    page = watched.open("/forecasts?level=family_country&family=energia (un)")
    shown = table(page)
    with page.expect_download() as download:
        page.locator("a[href*='exports/level-series.csv']").click()
    assert download.value.suggested_filename == "nova-level-series-run1_demo.csv"
    file = tmp_path / "levels.csv"
    download.value.save_as(file)
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig")), delimiter=";"))
    assert len(rows) == len(shown)
    assert {(row["level"], row["family"], row["area"], row["unit"]) for row in rows} == {
        ("family_country", "energia", "BR", "un")
    }
