"""The period of the bar: what it narrows on page, by API and in files, and where links take it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.factories import LAST_DAY
from tests.web.conftest import ANALYST, Api, Site
from tests.web.test_old_data import NATIVE

QUEUES = {"alerts": "alert", "recommendations": "recommendation"}
SINCE = LAST_DAY - timedelta(days=89)
DATES = f"from={SINCE}&to={LAST_DAY}"


@pytest.fixture(scope="module")
def analyst(site: Site) -> Api:
    return site.api(ANALYST)


@pytest.fixture
def raised_long_ago(site: Site) -> Iterator[None]:
    """One alert and one recommendation of the run were first raised the day before the period."""
    before: dict[str, Any] = {}
    evening = f"{SINCE - timedelta(days=1)} 23:59-03:00"
    move = "UPDATE analytics.{} SET raised_at = :at WHERE id = :id"
    with site.changing() as connection:
        for table in QUEUES.values():
            one = f"SELECT id, raised_at FROM analytics.{table} WHERE status = 'open' LIMIT 1"
            row = connection.execute(text(one)).one()
            before[table] = {"id": row.id, "at": row.raised_at}
            connection.execute(text(move.format(table)), {"id": row.id, "at": evening})
    yield
    with site.changing() as connection:
        for table, kept in before.items():
            connection.execute(text(move.format(table)), kept)


def _count(api: Api, path: str) -> int:
    return sum(one["count"] for one in api.get(path).json()["data"])


def _kinds(api: Api, query: str = "") -> int:
    return sum(one["count"] for one in api.get(f"/recommendations/kinds{query}").json()["data"])


def _told(site: Site, path: str, search: str) -> str:
    return json.dumps(site.browser(ANALYST).open_page(path, search).json(), ensure_ascii=False)


def test_queues_are_narrowed_by_when_their_rows_were_first_raised(
    site: Site, analyst: Api, raised_long_ago: None
) -> None:
    for name in QUEUES:
        whole, since = _count(analyst, f"/{name}/totals"), f"from={SINCE}"
        within = _count(analyst, f"/{name}/totals?{since}")
        assert within == whole - 1
        assert _count(analyst, f"/{name}/totals?to={SINCE - timedelta(days=1)}") == 1
        assert _count(analyst, f"/{name}/totals?from={SINCE - timedelta(days=1)}") == whole
        rows = csv.reader(
            io.StringIO(analyst.get(f"/exports/{name}.csv?{since}").text), delimiter=";"
        )
        assert len(list(rows)) == within + 1
        page = _told(site, f"/{name}", "?period=90&status=all")
        assert f"/exports/{name}.csv?{since}" in page and "to=" not in page
        count = analyst.get(f"/{name}?{since}&limit=1").json()["meta"]["count"]
        assert count == within and re.search(rf"\b{within}\b", page)
    assert _kinds(analyst, f"?from={SINCE}") == _kinds(analyst) - 1
    tab = _told(site, "/features", "?tab=prescriptive&period=90")
    assert f"/exports/recommendation-kinds.csv?from={SINCE}" in tab
    assert "/recommendations?period=90&kind=REORDER&status=all" in tab


def test_recommendations_are_narrowed_by_the_day_to_act_by_too(analyst: Api) -> None:
    days = sorted(row["act_by"] for row in analyst.get("/recommendations?limit=500").json()["data"])
    after = date.fromisoformat(days[-1]) + timedelta(days=1)
    assert _count(analyst, f"/recommendations/totals?act_from={days[0]}&act_to={days[-1]}") == len(
        days
    )
    assert _count(analyst, f"/recommendations/totals?act_from={after}") == 0


def test_the_map_adds_up_the_days_of_the_period(site: Site, analyst: Api) -> None:
    kpis = {one["key"]: one for one in analyst.get(f"/kpis?{DATES}").json()["data"]}
    rows = analyst.get(f"/geographic/data?{DATES}").json()["data"]
    usual = {row["uf"]: row for row in analyst.get("/geographic/data").json()["data"]}
    assert sum(row["demand_brl"] or 0 for row in rows) == pytest.approx(
        kpis["demand_value"]["value"]
    )
    for row in rows:
        now = usual[row["uf"]]
        assert (row["stock_brl"], row["alerts"]) == (now["stock_brl"], now["alerts"])
    (south,) = (row for row in rows if row["uf"] == "SP")
    of_sp = analyst.get(f"/kpis?{DATES}&uf=SP").json()["data"]
    assert south["stockout_rate"] == next(
        one["value"] for one in of_sp if one["key"] == "stockout_rate"
    )
    page = _told(site, "/regions", "?period=90&uf=SP&measure=demand_brl")
    assert f"/exports/ufs.csv?{DATES}" in page and "Demanda no período" in page
    assert "?uf=BA&period=90&measure=demand_brl" in page
    assert "/alerts?uf=SP&period=all" in page and "/savings?uf=SP&period=90" in page
    assert "Demanda, 30 dias" in _told(site, "/regions", "")


@pytest.fixture
def monthly(site: Site) -> Iterator[None]:
    """Each row of demand stands for the month that it lies in."""
    with site.changing() as connection:
        connection.execute(NATIVE, {"native": "M"})
    yield
    with site.changing() as connection:
        connection.execute(NATIVE, {"native": "D"})


def _demand(api: Api, since: str, until: str) -> dict[str, Any]:
    told = api.get(f"/kpis?from={since}&to={until}").json()["data"]
    return next(one for one in told if one["key"] == "demand_value")


def _as_before(api: Api, asked: tuple[str, str], before: tuple[str, str]) -> bool:
    """Whether demand of what is asked for is compared with just that of the dates before."""
    value = _demand(api, *before)["value"]
    assert value
    return bool(_demand(api, *asked)["previous"] == pytest.approx(value))


MAY, APRIL = ("2025-05-01", "2025-05-31"), ("2025-04-01", "2025-04-30")
AS_MANY_DAYS = ("2025-03-31", "2025-04-30")


def test_months_of_monthly_files_are_compared_with_as_many_months(
    analyst: Api, monthly: None
) -> None:
    assert _as_before(analyst, MAY, APRIL)
    autumn, before = ("2025-05-01", "2025-06-30"), ("2025-03-01", "2025-04-30")
    assert _as_before(analyst, autumn, before)
    part, as_long = ("2025-05-02", "2025-05-31"), ("2025-04-02", "2025-05-01")
    assert _as_before(analyst, part, as_long)
    for since in ("0001-01-01", "0001-02-01", "1013-01-01"):
        assert _demand(analyst, since, "2025-05-31")["previous"] is None


def test_months_of_daily_files_are_compared_with_as_many_days(analyst: Api) -> None:
    assert _as_before(analyst, MAY, AS_MANY_DAYS)


def test_the_rows_of_a_number_are_of_its_period(site: Site) -> None:
    page = _told(site, "/main", "?period=90&uf=SP")
    for address in (
        "/inventory?uf=SP&period=90&flag=out",
        "/materials?uf=SP&sort=-demand_90d",
        "/alerts?uf=SP&period=all&level=critical&status=open",
        "/alerts?uf=SP&period=all",
        "/recommendations?uf=SP&period=all",
        "/api/v1/exports/alerts.xlsx?uf=SP&status=open",
    ):
        assert f'"{address}"' in page, address
    assert '"/alerts?uf=SP&level=critical&status=open"' in _told(site, "/main", "?uf=SP")
