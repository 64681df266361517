"""Open pages notice what was published and show it in place; what is being filled in stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import expect
from sqlalchemy import Engine, text

from domain.access import EVERYTHING
from tests import factories
from tests.browser.conftest import Watched
from warehouse.commands.alerts import set_status
from warehouse.commands.users import Actor
from warehouse.pipeline import publish

NOTICED_MS = 30_000
LOOKED_AT_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
"""A page asks what is new as it comes to the front, and every few seconds."""
SCROLLED = 240


def publish_another(engine: Engine, folder: Path, scale: float) -> None:
    bundle = factories.make_bundle(folder, engine, name=f"times-{scale}", scale=scale)
    publish.publish_bundle(bundle, engine=engine, published_by="tests")


def test_a_page_shows_a_new_run_where_its_reader_is(
    watch: Callable[..., Watched], published: Engine, tmp_path: Path
) -> None:
    watched = watch()
    page = watched.open("/inventory?sort=sku&item=CABO-01&depot=DEP-SP&tab=plan")
    page.locator(".inventory-detail .twin summary").first.click()
    table = page.locator(".inventory-detail .twin[open] table")
    expect(table.locator("caption")).not_to_be_empty()
    numbers = table.inner_text()
    page.evaluate(f"scrollTo(0, {SCROLLED})")
    facts = page.locator(".detail-head .facts")
    before, address = facts.inner_text(), page.url
    publish_another(published, tmp_path, 2.0)
    expect(page.locator("#toasts")).to_contain_text("Dados novos", timeout=NOTICED_MS)
    watched.settle()
    expect(table).to_have_count(1)
    expect(table).not_to_have_text(numbers, use_inner_text=True)
    watched.until(f"Math.round(scrollY) === {SCROLLED}")
    expect(page.locator(".detail-head .weak")).to_contain_text("CABO-01")
    assert page.url == address
    assert facts.inner_text() != before
    assert watched.complaints == []


def test_a_queue_shows_what_somebody_else_decides(
    watch: Callable[..., Watched], published: Engine
) -> None:
    watched = watch()
    page = watched.open("/alerts")
    resolved = page.locator(".status-total", has_text="Resolvid")
    expect(resolved).to_contain_text("0 alertas")
    with published.connect() as connection:
        sql = "SELECT min(id) FROM analytics.alert JOIN analytics.published USING (run_id)"
        number = connection.execute(text(sql)).scalar_one()
    bia: dict[str, Any] = {"actor": Actor("bia"), "user_id": None, "scope": EVERYTHING}
    set_status(published, alert_ids=[number], status="resolved", **bia)
    page.evaluate(LOOKED_AT_AGAIN)
    expect(page.locator("#toasts")).to_contain_text("Outra pessoa", timeout=NOTICED_MS)
    expect(resolved).to_contain_text("1 alerta")
    set_status(published, alert_ids=[number], status="open", **bia)
    assert watched.complaints == []


def test_a_form_that_is_being_filled_in_is_left_alone(
    watch: Callable[..., Watched], published: Engine, tmp_path: Path
) -> None:
    watched = watch()
    page = watched.open("/forecasts?sku=CABO-01&site=DEP-SP")
    page.fill("#override-note", "obra na serra")
    publish_another(published, tmp_path, 3.0)
    page.evaluate(LOOKED_AT_AGAIN)
    offer = page.locator("#data-offer")
    expect(offer).to_be_visible(timeout=NOTICED_MS)
    expect(page.locator("#override-note")).to_have_value("obra na serra")
    offer.get_by_role("button").click()
    expect(page.locator("#toasts")).to_contain_text("Dados novos")
    expect(offer).to_be_hidden()
    expect(page.locator("#override-note")).to_have_value("obra na serra")
    assert watched.complaints == []


def test_a_page_that_nobody_looks_at_asks_nothing_and_keeps_no_session_alive(
    watch: Callable[..., Watched], published: Engine
) -> None:
    watched = watch()
    page = watched.open("/main")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hidden = "Object.defineProperty(document, 'hidden', { value: true, configurable: true })"
    page.evaluate(f"{hidden}; {LOOKED_AT_AGAIN}")
    page.wait_for_timeout(500)
    assert asked == []
    seen = "UPDATE support.session SET seen_at = seen_at - interval '5 minutes' RETURNING seen_at"
    with published.begin() as connection:
        then = set(connection.execute(text(seen)).scalars())
    page.evaluate(f"delete document.hidden; {LOOKED_AT_AGAIN}")
    expect(page.locator("#shell")).to_be_visible()
    page.wait_for_timeout(500)
    assert [url.removeprefix(watched.site) for url in asked] == ["/api/v1/status"]
    with published.begin() as connection:
        now = set(connection.execute(text("SELECT seen_at FROM support.session")).scalars())
    assert now == then


def test_a_page_that_stays_open_tells_ages_anew_each_day(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/main")
    expect(page.locator("#banners")).to_contain_text("A demanda termina em 29/06/2025, há")
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=1))
    with page.expect_response(lambda one: "day-turned" in (one.request.post_data or "")) as waiting:
        page.evaluate(LOOKED_AT_AGAIN)
    assert {"freshness", "banners"} == waiting.value.json()["response"].keys()
    page.evaluate(LOOKED_AT_AGAIN)
    watched.settle()
    expect(page.locator("#toasts")).to_be_empty()
    assert watched.complaints == []
