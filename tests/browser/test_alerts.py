"""The inbox of alerts, worked through with mouse and thumb; thresholds changed by hand."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from sqlalchemy import Engine, text

from domain.access import Role
from tests.browser.conftest import Watched

CARD = "article.recommendation"


def statuses(engine: Engine) -> dict[str, int]:
    sql = "SELECT status, count(*) FROM analytics.alert GROUP BY status"
    with engine.connect() as connection:
        return {status: count for status, count in connection.execute(text(sql))}


def test_alerts_are_taken_snoozed_and_resolved(
    watch: Callable[..., Watched], published: Engine
) -> None:
    before = statuses(published)["open"]
    watched = watch(role=Role.ANALYST, locale="en-GB", width=390)
    page = watched.open("/alerts")
    cards = page.locator(CARD)
    expect(cards).to_have_count(min(before, 20))
    first = cards.first
    box = first.locator(".actions button").first.bounding_box()
    assert box and box["height"] >= 44
    first.get_by_role("button", name="Take it").click()
    expect(cards.first.get_by_role("button", name="Let go")).to_be_visible()
    page = watched.open("/alerts?owner=me")
    expect(cards).to_have_count(1)
    cards.first.get_by_role("button", name="Snooze a week").click()
    expect(page.locator(".status-total", has_text="Snoozed")).to_contain_text("1 alert")
    page = watched.open("/alerts")
    page.get_by_label("All on this page").check()
    page.locator(".recommendation-tools").get_by_role("button", name="Resolve").click()
    left = min(before - 1, 20)
    expect(page.locator(".status-total", has_text="Resolved")).to_contain_text(f"{left} alert")
    assert (statuses(published)["snoozed"], statuses(published)["resolved"]) == (1, left)
    assert watched.complaints == []


def test_a_threshold_is_refused_with_its_reason_and_saved(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.ADMIN, locale="en-GB")
    page = watched.open("/admin/settings")
    field = page.get_by_role("spinbutton", name="Warning: stockout within")
    for typed, reason in (("3", "critical days"), ("9999", "must be 0 to"), ("", "a number")):
        field.fill(typed)
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".threshold .error")).to_contain_text(reason)
        expect(field).to_have_value(typed)
    field.fill("21")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("job")
    assert watched.complaints == []


def test_the_method_is_chosen_beside_the_thresholds(
    watch: Callable[..., Watched], published: Engine
) -> None:
    watched = watch(role=Role.ADMIN, locale="en-GB")
    page = watched.open("/admin/settings")
    choice = page.get_by_role("group", name="Safety stock from")
    expect(choice).to_contain_text("quantile")
    expect(page.locator(".page-settings")).to_contain_text("usually quantile (simulated).")
    choice.locator(".dash-dropdown").click()
    page.get_by_role("option", name="textbook").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("job")
    expect(page.get_by_role("group", name="Safety stock from")).to_contain_text("textbook")
    sql = "SELECT value ->> 'method' FROM support.setting WHERE key = 'policy'"
    with published.connect() as connection:
        assert connection.execute(text(sql)).scalar_one() == "textbook"
    assert watched.complaints == []
