"""The queue of recommendations, decided about as people do it: with a mouse, and with one thumb."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from playwright.sync_api import Page, Request, Route, expect
from sqlalchemy import Engine, text

from domain.access import Role
from tests.browser.conftest import PATIENT_MS, Watched

CARD = "article.recommendation"
CALLBACKS = "**/_dash-update-component**"


def statuses(engine: Engine) -> dict[str, int]:
    sql = "SELECT status, count(*) FROM analytics.recommendation GROUP BY status"
    with engine.connect() as connection:
        return {status: count for status, count in connection.execute(text(sql))}


def tile(page: Page, name: str) -> str:
    """Number of items of a status, as the page says it."""
    return page.locator(".status-total", has_text=name).locator(".weak").inner_text()


def test_who_decides_by_keys_goes_on_with_the_next_one(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/recommendations")
    cards = page.locator(CARD)
    first, second = (cards.nth(place).get_attribute("id") for place in (0, 1))
    page.locator(f"#{first}").get_by_role("button", name="Aceitar").press("Enter")
    expect(page.locator(f"#{first}")).to_have_count(0)
    expect(page.locator(f"#{second}").get_by_role("button", name="Aceitar")).to_be_focused()
    watched.open("/recommendations?status=accepted")
    page.locator(f"#{first}").get_by_role("button", name="Reabrir").click()
    expect(page.locator(f"#{first}")).to_have_count(0)
    assert watched.complaints == []


def test_one_is_rejected_with_a_reason_and_the_rest_accepted_and_exported(
    watch: Callable[..., Watched], published: Engine
) -> None:
    before = statuses(published)["open"]
    watched = watch(role=Role.ANALYST, locale="en-GB")
    page = watched.open("/recommendations")
    cards = page.locator(CARD)
    expect(cards).to_have_count(min(before, 20))

    first = cards.first
    number = first.get_attribute("id")
    first.get_by_text("Reject…").click()
    first.get_by_role("button", name="Reject", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("needs its reason")
    assert statuses(published)["open"] == before
    first.get_by_label("Reason").fill("the works were put off")
    first.get_by_role("button", name="Reject", exact=True).click()
    expect(page.locator(f"#{number}")).to_have_count(0)
    assert tile(page, "Rejected") == "1 item"

    page.get_by_label("All on this page").check()
    page.locator(".recommendation-tools").get_by_role("button", name="Accept").click()
    expect(page.locator(".status-total", has_text="Accepted")).to_contain_text(f"{before - 1} item")
    assert statuses(published) == {"accepted": before - 1, "rejected": 1}

    page = watched.open("/recommendations?status=accepted")
    card = page.locator(CARD).first
    expect(card.locator(".recommendation-decided")).to_contain_text("analyst@nova.example")
    card.get_by_text("How this is computed").click()
    expect(card.locator(".working-result").last).to_contain_text("R$")
    with page.expect_download() as started:
        page.locator("a[href*='purchase-request.csv']").click()
    lines = list(
        csv.reader(io.StringIO(started.value.path().read_text("utf-8-sig")), delimiter=",")
    )
    bought = page.locator(".kind-badge", has_text="Buy").count()
    assert len(lines) - 1 >= bought > 0
    assert lines[0][:4] == ["Request", "Supplier", "Supplier's name", "Item code"]
    assert watched.complaints == []


def test_a_viewer_reads_and_decides_nothing(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.VIEWER)
    page = watched.open("/recommendations?status=all")
    assert page.locator(CARD).count()
    for label in ("Aceitar", "Rejeitar…", "Adiar", "CSV"):
        expect(page.get_by_text(label, exact=True)).to_have_count(0)


def test_how_one_is_computed_comes_once_it_is_unfolded(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.VIEWER, width=390)
    page = watched.open("/recommendations?status=all")
    asked: list[Request] = []
    page.on("request", lambda one: asked.append(one) if CALLBACKS[3:-2] in one.url else None)
    fold = page.locator(CARD).first.locator("details.twin")
    summary, receipt = fold.locator("summary"), fold.locator(".workings")
    expect(page.locator(".workings")).to_have_count(0)
    summary.focus()
    page.keyboard.press("Enter")
    expect(receipt.locator(".formula mjx-container").first).to_be_visible(timeout=PATIENT_MS)
    expect(receipt.locator(".working-sources")).to_contain_text("rodada")
    expect(fold.locator("[aria-busy]")).to_have_count(0)
    summary.click()
    expect(receipt).to_be_hidden()
    summary.click()
    expect(receipt).to_be_visible()
    assert len(asked) == 1 and page.locator(".workings").count() == 1
    assert watched.complaints == []


def test_everything_is_in_reach_of_a_thumb(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.ANALYST, width=390)
    page = watched.open("/recommendations?status=all&sort=act_by")
    card = page.locator(CARD).last
    box = card.locator(".actions button").first.bounding_box()
    assert box and box["height"] >= 44
    if card.get_by_text("Reabrir").count():
        card.get_by_text("Reabrir").click()
        expect(page.locator("#toasts")).to_contain_text("De novo em aberto")
    page.locator(".status-total", has_text="Em aberto").click()
    page.wait_for_url("**status=open*")
    watched.settle()
    page.locator(CARD).first.get_by_text("Adiar", exact=True).click()
    expect(page.locator(".status-total", has_text="Adiadas")).to_contain_text("1 item")
    assert watched.complaints == []


def test_a_list_made_anew_comes_to_no_page_opened_meanwhile(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.ANALYST, locale="en-GB")
    page = watched.open("/recommendations?status=all&sort=act_by")
    held: list[Route] = []
    page.route(
        CALLBACKS,
        lambda route: held.append(route) if _is_list(route.request) else route.continue_(),
    )
    assert page.locator(CARD).count() > 1
    with page.expect_request(_is_list):
        page.locator(CARD, has_text="Snoozed ·").get_by_role("button", name="Reopen").click()
    page.locator(".status-total", has_text="Rejected").click()
    page.wait_for_url("**status=rejected*")
    expect(page.locator(CARD)).to_have_count(1)
    with page.expect_response(CALLBACKS):
        held[0].continue_()
    watched.settle()
    expect(page.locator(CARD)).to_have_count(1)
    assert watched.complaints == []


def _is_list(request: Request) -> bool:
    """Whether it asks for the list after a decision."""
    return "recommendations-list" in str((request.post_data_json or {}).get("output"))


def test_a_material_lists_what_to_do_about_it(watch: Callable[..., Watched]) -> None:
    page = watch(role=Role.VIEWER, locale="en-GB").open("/materials/CABO-01?tab=decisions")
    expect(page.get_by_role("heading", name="Recommendations")).to_be_visible()
