"""Pages that others have opened before: made once, noted each time, new with every version."""

from __future__ import annotations

import re

from sqlalchemy import text

from domain.access import Role
from tests.web.conftest import ADMIN, ANALYST, SCOPED, SCRAPER, VIEWER, Site

COUNTED = re.compile(r'nova_cache_reads_total\{result="(\w+)"\} (\d+)')


READ_MODELS = 6
"""Fewer than /main is made of, more than a scrape asks for."""


def reads(site: Site) -> int:
    """How often anything was asked of the cache so far."""
    answer = site.get("/metrics", headers={"Authorization": f"Bearer {SCRAPER}"})
    return sum(int(float(number)) for _, number in COUNTED.findall(answer.text))


def opened(site: Site, who: str, path: str) -> str:
    answer = site.browser(who).open_page("/main", path)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_page_is_made_once_for_readers_of_one_role_and_noted_each_time(site: Site) -> None:
    site.add_user("second.analyst@nova.test", Role.ANALYST)
    opened(site, ANALYST, "?made=before")
    start = reads(site)
    first = opened(site, ANALYST, "?made=once")
    made = reads(site)
    assert opened(site, "second.analyst@nova.test", "?made=once") == first
    assert reads(site) - made < READ_MODELS < made - start
    rows = [row for row in site.audit("page.view") if row.object == "/main?made=once"]
    assert [row.actor for row in rows] == [ANALYST, "second.analyst@nova.test"]


def test_each_scope_role_and_language_sees_its_own(site: Site) -> None:
    pages = [opened(site, who, "?made=for") for who in (ADMIN, VIEWER, SCOPED)]
    english = site.browser(ADMIN)
    english.jar.cookies.set("nova_locale", "en")
    pages.append(english.open_page("/main", "?made=for").text)
    assert len(set(pages)) == len(pages)


def test_a_write_shows_at_once(site: Site) -> None:
    first = opened(site, ANALYST, "?made=before")
    assert opened(site, ANALYST, "?made=before") == first
    analyst = site.api(ANALYST)
    alert = analyst.get("/alerts?status=open").json()["data"][0]["id"]
    for status in ("acknowledged", "open"):
        answer = analyst.call("PATCH", f"/alerts/{alert}", json={"status": status})
        assert answer.status_code == 200, answer.text
        shown = opened(site, ANALYST, "?made=before")
        assert (shown == first) == (status == "open")


def test_a_page_that_failed_is_made_again(site: Site) -> None:
    with site.engine.begin() as connection:
        connection.execute(text("ALTER TABLE analytics.recommendation RENAME TO mislaid"))
    try:
        broken = opened(site, ANALYST, "?uf=BA&family=Energia&measure=units")
    finally:
        with site.engine.begin() as connection:
            connection.execute(text("ALTER TABLE analytics.mislaid RENAME TO recommendation"))
    assert "state-failed" in broken
    assert "state-failed" not in opened(site, ANALYST, "?uf=BA&family=Energia&measure=units")
