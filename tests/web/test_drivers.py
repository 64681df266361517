"""Drivers through page, API and files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from tests import factories
from tests.factories import LAST_DAY
from tests.web.conftest import ANALYST, SCOPED, VIEWER, Site

DRIVER = "rain_mm"
MONTHLY = "selic_pct"
CONTRIBUTION = {
    "driver": "holidays",
    "country": "BR",
    "demand_class": "smooth",
    "frequency": "D",
    "series": 4,
    "delay_days": 0,
    "window_days": 1,
    "days_ahead": None,
    "error_without": 0.9,
    "error_with": 0.85,
    "error_if_known": 0.85,
    "used": True,
    "reason": None,
}
UNTRIED = dict.fromkeys(CONTRIBUTION) | {
    "driver": "expected_parts",
    "used": False,
    "reason": "read_once",
}


@pytest.fixture
def rain(site: Site) -> Iterator[None]:
    """Three years of rain in SP and RJ and a dollar for the country; a run that tried holidays."""
    first = LAST_DAY - timedelta(days=3 * 365)
    sql = """
        INSERT INTO core.driver (driver, uf, date, value, load_id)
        SELECT :driver, :uf, day::date, :base + extract(isodow FROM day) * :step, load.id
        FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') AS day,
            (SELECT max(id) AS id FROM staging.load) AS load
    """
    rows = [
        {"driver": DRIVER, "uf": "SP", "base": 10, "step": 1},
        {"driver": DRIVER, "uf": "RJ", "base": 20, "step": 2},
        {"driver": "usd_brl", "uf": "", "base": 5, "step": 0},
    ]
    untried = {name: value for name, value in UNTRIED.items() if value is not None}
    tried = json.dumps([CONTRIBUTION, untried])
    with site.changing() as connection:
        load = factories.add_load(connection, "drivers")
        for row in rows:
            connection.execute(text(sql), {**row, "first": first, "last": LAST_DAY})
        connection.execute(
            text(
                "UPDATE analytics.run SET manifest = jsonb_set(manifest, '{drivers}',"
                " CAST(:tried AS jsonb)) WHERE run_id = (SELECT run_id FROM analytics.published)"
            ),
            {"tried": tried},
        )
    yield
    with site.changing() as connection:
        connection.execute(text("DELETE FROM core.driver"))
        connection.execute(text("DELETE FROM staging.load WHERE id = :load"), {"load": load})
        connection.execute(text("UPDATE analytics.run SET manifest = manifest - 'drivers'"))


@pytest.fixture
def monthly(site: Site) -> Iterator[None]:
    """One driver of the country, read on the first day of each month: the month's number."""
    sql = """
        INSERT INTO core.driver (driver, uf, date, value, load_id)
        SELECT :driver, '', day, extract(month FROM day), (SELECT max(id) FROM staging.load)
        FROM generate_series(date '2023-01-01', date '2025-06-01', '1 month') AS day
    """
    with site.changing() as connection:
        connection.execute(text(sql), {"driver": MONTHLY})
    yield
    with site.changing() as connection:
        connection.execute(text("DELETE FROM core.driver"))


@pytest.fixture
def demand_by_month(site: Site) -> Iterator[None]:
    """A run whose trainer found that each row of demand stands for a month."""
    found = text(
        "UPDATE analytics.run SET manifest ="
        " jsonb_set(manifest, '{dataset,inferred_frequency}', to_jsonb(CAST(:period AS text)))"
    )
    for period in "MD":
        with site.changing() as connection:
            connection.execute(found, {"period": period})
        if period == "M":
            yield


def test_page_api_and_file_say_the_same(site: Site, rain: None) -> None:
    api = site.api(ANALYST)
    rows = {row["driver"]: row for row in api.get("/drivers").json()["data"]}
    assert set(rows) == {DRIVER, "usd_brl"}
    assert (rows[DRIVER]["areas"], rows["usd_brl"]["areas"]) == (2, 0)
    assert rows[DRIVER]["period"] == "week" and rows["usd_brl"]["lag"] is None
    detail = api.get(f"/drivers/{DRIVER}").json()["data"]
    assert detail["score"] == rows[DRIVER]
    weeks = detail["history"]
    assert all(date.fromisoformat(one["start"]).weekday() == 0 for one in weeks)
    assert {one["value"] for one in weeks} == {21.0}
    demand = text(
        "SELECT sum(value) FROM analytics.demand_by_day"
        " WHERE date BETWEEN :day AND CAST(:day AS date) + 6"
    )
    with site.engine.connect() as connection:
        expected = connection.execute(demand, {"day": weeks[-1]["start"]}).scalar_one()
    assert weeks[-1]["demand"] == pytest.approx(expected) and expected > 0
    only = api.get(f"/drivers/{DRIVER}", params={"uf": "SP"}).json()["data"]
    assert only["score"]["areas"] == 1 and only["history"][0]["value"] == 14.0
    assert api.get("/drivers/moon_phase").status_code == 404
    tried = api.get("/driver-contributions").json()["data"]
    assert tried == [CONTRIBUTION, UNTRIED]
    file = api.get("/exports/driver-periods.csv", params={"uf": "SP"}).content.decode("utf-8-sig")
    assert len([line for line in file.splitlines() if line.startswith(DRIVER)]) == len(
        only["history"]
    )
    page = json.dumps(
        site.browser(VIEWER).open_page("/drivers", f"?driver={DRIVER}").json(), ensure_ascii=False
    )
    assert "Chuva, mm por dia" in page and '"driver-history"' in page and "Feriados" in page
    assert "As máquinas foram lidas uma única vez" in page
    year = json.dumps(site.browser(VIEWER).open_page("/drivers", "?period=365&uf=SP").json())
    assert f"/drivers?uf=SP&period=365&measure=brl&driver={DRIVER}" in year


def test_a_scope_hides_the_drivers_of_other_places(site: Site, rain: None) -> None:
    mine = site.api(SCOPED).get("/drivers").json()["data"]
    assert [row["driver"] for row in mine] == ["usd_brl"]
    assert site.api(SCOPED).get(f"/drivers/{DRIVER}").status_code == 404
    page = site.browser(VIEWER).open_page("/drivers", "?driver=moon&measure=tons").text
    assert "driver=moon" in page and "measure=tons" in page


def test_what_is_not_known_is_told_once_however_the_page_is_made(site: Site, rain: None) -> None:
    browser = site.browser(VIEWER)
    for _ in range(2):
        assert browser.open_page("/drivers", "?driver=moon").text.count("“driver=moon”") == 1


def test_dates_choose_values_and_leave_the_rhythm(site: Site, monthly: None) -> None:
    api, month = site.api(ANALYST), {"from": "2025-05-01", "to": "2025-05-31"}
    [listed] = api.get("/drivers", params=month).json()["data"]
    assert (listed["driver"], listed["period"], listed["value"]) == (MONTHLY, "month", 5.0)
    assert (listed["first"], listed["last"], listed["periods"]) == ("2025-05-01", "2025-05-01", 1)
    detail = api.get(f"/drivers/{MONTHLY}", params=month).json()["data"]
    assert detail["score"] == listed
    assert [one["start"] for one in detail["history"]] == ["2025-05-01"]


def test_a_driver_without_a_reading_within_the_dates_is_still_known(
    site: Site, monthly: None
) -> None:
    api = site.api(ANALYST)
    for days in ({"from": "2025-05-14", "to": "2025-05-20"}, {"from": "2035-01-01"}):
        score, history = (
            api.get(f"/drivers/{MONTHLY}", params=days).json()["data"][part]
            for part in ("score", "history")
        )
        assert (score["period"], score["periods"], history) == ("month", 0, [])
        assert (score["first"], score["last"], score["value"]) == (None, None, None)
        assert api.get("/drivers", params=days).json()["data"] == []
        assert api.get("/drivers/moon_phase", params=days).status_code == 404


def test_demand_of_months_is_held_against_months_to_the_end_of_the_last(
    site: Site, rain: None, demand_by_month: None
) -> None:
    api = site.api(ANALYST)
    assert {row["period"] for row in api.get("/drivers").json()["data"]} == {"month"}
    last = api.get(f"/drivers/{DRIVER}").json()["data"]["history"][-1]
    assert last["start"] == "2025-06-01" and last["demand"] > 0
    place = {"sku": "CABO-01", "site": "DEP-SP"}
    months = api.get("/exports/driver-months.csv", params=place).text
    assert "2025-06-01" in months


def test_a_driver_read_in_few_weeks_is_held_against_months(site: Site) -> None:
    sql = """
        INSERT INTO core.driver (driver, uf, date, value, load_id)
        SELECT :driver, '', day, 1, (SELECT max(id) FROM staging.load) FROM (
            SELECT generate_series(date '2024-07-01', date '2024-08-29', '1 day')
            UNION SELECT date '2025-06-25'
        ) AS reading (day)
    """
    with site.changing() as connection:
        connection.execute(text(sql), {"driver": DRIVER})
    try:
        [row] = site.api(ANALYST).get("/drivers").json()["data"]
        assert row["period"] == "month"
    finally:
        with site.changing() as connection:
            connection.execute(text("DELETE FROM core.driver"))
