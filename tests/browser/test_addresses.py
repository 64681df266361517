"""An address holds what its page shows: read again, in another browser, and on the way back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from playwright.sync_api import expect

from domain.access import Role
from domain.page_filters import PAGES
from tests.browser.conftest import PATIENT_MS, Watched

STATES = {
    "/main": "?uf=SP&measure=units&period=180&v=1",
    "/alerts": "?status=all&sort=-severity&uf=SP&period=365&v=1",
    "/recommendations": "?status=all&sort=act_by&uf=SP&v=1",
    "/sla": "?search=sul&v=1",
    "/sla/<contract>": "?month=2025-05&sort=hours&v=1",
    "/regions": "?uf=SP&measure=stockout_rate&period=90&v=1",
    "/forecasts": "?sku=CABO-01&site=DEP-RJ&period=90&v=1",
    "/features": "?sku=CABO-01&site=DEP-RJ&v=1",
    "/features?tab=map": "&uf=SP&v=1",
    "/features?tab=clusters": "&uf=SP&v=1",
    "/features?tab=prescriptive": "&uf=RJ&period=180&v=1",
    "/features?tab=formulas": "&formula=eoq&v=1",
    "/savings": "?uf=SP&sort=sku&period=365&v=1",
    "/what-if": "?sku=CABO-01&site=DEP-SP&lead_time_change=0.5&v=1",
    "/drivers": "?measure=units&uf=SP&v=1",
    "/inventory": "?item=CABO-01&depot=DEP-RJ&tab=history&period=90&sort=sku&v=1",
    "/materials": "?sort=-name&uf=RJ&v=1",
    "/materials/<sku>": "",
    "/materials/<sku>?tab=demand": "&site=DEP-RJ&period=90&v=1",
    "/materials/<sku>?tab=stock": "&site=DEP-RJ&v=1",
    "/materials/<sku>?tab=forecast": "&site=DEP-RJ&period=180&v=1",
    "/materials/<sku>?tab=drivers": "&site=DEP-RJ&period=365&v=1",
    "/suppliers": "?period=90&uf=SP&v=1",
    "/suppliers/<supplier>": "?period=90&sort=ordered_on&v=1",
    "/projects": "?period=365&state=behind&v=1",
    "/projects/<project>": "",
    "/admin/data": "",
    "/admin/settings": "",
    "/admin/reports": "",
    "/admin/users": "",
    "/admin/users/<user_id>": "",
    "/admin/new-user": "",
    "/admin/audit": "?row=1",
}
"""Of each page a state that it does not start with, where it has several."""

NAMED = {
    **{"<sku>": "CABO-01", "<supplier>": "ALFA", "<contract>": "C-SUL", "<project>": "PRJ-1"},
    "<user_id>": "1",
}

PRESSED_MS = 60
"""A press about as long as Plotly waits until it looks again what is under the pointer."""

SHOWN = """
    (() => {
        const page = document.getElementById("_pages_content");
        const texts = (selector) =>
            [...(page?.querySelectorAll(selector) || [])].map((one) => one.innerText);
        const typed = [...(page?.querySelectorAll("input") || [])].map(
            (one) => one.type === "checkbox" ? one.checked : one.value);
        const sorted = [...(page?.querySelectorAll("[aria-sort]") || [])].map(
            (one) => [one.getAttribute("col-id"), one.getAttribute("aria-sort")]);
        return JSON.stringify([
            location.pathname + location.search, document.title, texts("h1, h2, .state"),
            texts(".filter-bar .dash-dropdown, .place-current, .status-shown"), typed, sorted,
            texts(".kpi-value, .ag-row[row-index='0'], .queue-row, .notice, .card-note"),
        ]);
    })()
"""


def address_of(name: str) -> str:
    for variable, value in NAMED.items():
        name = name.replace(variable, value)
    return name


def same(shown: str) -> str:
    return f"{SHOWN.strip()} === {json.dumps(shown)}"


def test_reloading_sharing_and_going_back_keep_every_page(watch: Callable[..., Watched]) -> None:
    assert STATES.keys() == PAGES.keys()
    mine, other = watch(role=Role.ADMIN), watch(role=Role.ADMIN)
    addresses = [address_of(name) + state for name, state in STATES.items()]
    other.open("/main")
    seen = []
    for address in addresses:
        shown = mine.go(address).evaluate(SHOWN)
        assert address in shown and "não é conhecido" not in shown, shown
        mine.page.reload(wait_until="commit")
        other.page.evaluate(f"window.nova.go('{address}')")
        mine.until(same(shown))
        other.until(same(shown))
        seen.append(shown)
    for shown in reversed(seen[:-1]):
        other.page.go_back(wait_until="commit")
        other.until(same(shown))
    for shown in seen[1:4]:
        other.page.go_forward(wait_until="commit")
        other.until(same(shown))
    assert mine.complaints == other.complaints == []


def test_a_mark_narrows_the_page_and_its_row_widens_it_again(
    watch: Callable[..., Watched],
) -> None:
    watched = watch()
    page = watched.open("/main")
    marks = page.locator("#demand-by-uf .point path")
    every = marks.count()
    assert every > 1
    expect(page.locator("#demand-by-uf.chart-narrows")).to_be_visible()
    marks.last.scroll_into_view_if_needed()
    box = marks.last.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 2, y)
    page.mouse.move(x, y)
    page.mouse.down()
    page.wait_for_timeout(PRESSED_MS)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"/main\?uf=\w\w&v=1$"))
    expect(marks).to_have_count(1, timeout=PATIENT_MS)
    watched.settle()
    card = page.locator("section:has(#demand-by-uf)")
    card.locator("details.twin summary").focus()
    page.keyboard.press("Enter")
    row = card.locator("button[data-narrow=uf]")
    assert f"uf={row.inner_text()}&" in page.url
    row.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/main$"))
    expect(marks).to_have_count(every, timeout=PATIENT_MS)
    assert watched.complaints == []
