"""Data that ended long ago are not shown as the present: every page says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from sqlalchemy import text

from domain.clock import days_since, today
from tests.factories import LAST_DAY, ensure_months
from tests.web.conftest import ADMIN, ANALYST, SCRAPER, VIEWER, Site
from warehouse.partitions import month_table

NATIVE = text("""
    UPDATE analytics.run SET manifest =
        jsonb_set(manifest, '{dataset,inferred_frequency}', to_jsonb(CAST(:native AS text)))
""")
REFRESH = text("REFRESH MATERIALIZED VIEW analytics.demand_by_day")


def said(site: Site, who: str, locale: str = "pt_BR") -> str:
    """The frame around this reader's pages."""
    browser = site.browser(who)
    browser.jar.cookies.set("nova_locale", locale)
    answer = browser.get("/_dash-layout")
    assert answer.status_code == 200, answer.text
    return json.dumps(answer.json(), ensure_ascii=False, separators=(",", ":"))


def metrics(site: Site) -> dict[str, float]:
    told = site.get("/metrics", headers={"Authorization": f"Bearer {SCRAPER}"}).text
    lines = [line.split(" ") for line in told.splitlines() if line.startswith("nova_data_age")]
    return {name: float(value) for name, value in lines}


@contextmanager
def demand_of_month(site: Site, day: date) -> Iterator[None]:
    """One more row of demand, each row of which stands for the month that begins on its day."""
    part = month_table("core.demand", day)
    with site.changing() as connection:
        ensure_months(connection, "core.demand", day, day)
        connection.execute(
            text(
                "INSERT INTO core.demand (date, item_id, site_id, quantity, load_id)"
                " SELECT :day, item_id, site_id, 1, load_id FROM core.demand LIMIT 1"
            ),
            {"day": day},
        )
        connection.execute(NATIVE, {"native": "M"})
        connection.execute(REFRESH)
    try:
        yield
    finally:
        with site.changing() as connection:
            connection.execute(text(f"DROP TABLE {part}"))
            connection.execute(NATIVE, {"native": "D"})
            connection.execute(REFRESH)


def test_every_page_says_where_demand_ended_long_ago(site: Site) -> None:
    age = days_since(LAST_DAY)
    words = f"A demanda termina em 29/06/2025, há {age} dias: nestas páginas, “hoje” é 29/06/2025."
    links = {}
    for who in (ADMIN, ANALYST, VIEWER):
        frame = said(site, who)
        assert words in frame and "previsões com dados até" not in frame
        links[who] = '"href":"/admin/data"},"type":"Link"' in frame.partition(words)[2][:120]
        assert words in site.browser(who).get("/account").text
    assert links == {ADMIN: True, ANALYST: False, VIEWER: False}
    assert f"Demand ends on Jun 29, 2025, {age} days ago" in said(site, VIEWER, "en")


def test_demand_of_a_month_is_not_old_until_the_next_one_should_be_there(site: Site) -> None:
    """The metrics that the alarm compares, and health, tell the same."""
    assert metrics(site) == {
        "nova_data_age_days": days_since(LAST_DAY),
        "nova_data_age_limit_days": 3,
    }
    last_day = today().replace(day=1) - timedelta(days=1)
    with demand_of_month(site, last_day.replace(day=1)):
        frame = said(site, VIEWER)
        assert "A demanda termina em" not in frame
        assert f"Dados até {last_day:%d/%m/%Y}" in frame
        assert "previsões com dados até 29/06/2025" in frame
        told, ready = metrics(site), site.get("/api/v1/health").json()["data"]
    age = days_since(last_day)
    assert told["nova_data_age_days"] == age < told["nova_data_age_limit_days"]
    assert (ready["demand_to"], ready["data_age_days"]) == (str(last_day), age)
    assert ready["data_as_of"] == str(LAST_DAY)
