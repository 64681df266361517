"""The files that the tables of a page lead to hold its rows, neither more nor fewer."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.conftest import ANALYST, Browser, Site
from tests.web.test_same_numbers import components

ONE = "sku=BAT-02&site=DEP-SP"
PAGES = (
    "/main?uf=SP",
    "/main?period=90&family=fibra&measure=units",
    "/features?class=smooth",
    f"/features?{ONE}&models=ensemble",
    "/features?tab=clusters&cluster=2",
    "/features?tab=clusters&of=towers&cluster=1",
    "/features?tab=prescriptive&uf=SP",
    "/features?tab=map&uf=SP",
    f"/forecasts?{ONE}&period=90&models=ensemble",
    "/forecasts?level=family_region&period=90",
    "/inventory?uf=SP",
    *(f"/inventory?item=BAT-02&depot=DEP-SP&tab={tab}" for tab in ("demand", "plan", "orders")),
    *(f"/materials/BAT-02?site=DEP-SP&tab={tab}" for tab in ("demand", "stock", "forecast")),
    "/suppliers?supplier=ALFA",
    "/suppliers/ALFA",
    "/projects?uf=BA",
    "/projects/PRJ-1",
)
DATE = re.compile(r"\d{4}-\d\d-\d\d")
OTHER_LINES = {"equipment-profiles", "tower-profiles", "policy", "recommendation-kinds"}
"""Files whose lines are others: clusters where the table has a line a figure, the formulas of a
receipt, and kinds of advice of which none is open beside the chart's."""


ORDERED = {
    "/inventory?sort=-site": "site",
    "/materials?sort=-name": "name",
    "/alerts?status=all&sort=days_to_stockout": "days_to_stockout",
    "/recommendations?status=all&sort=act_by": "act_by",
}
"""Pages in an order, and the column that it is of."""


def rows_of(card: Any) -> list[int]:
    """How many rows each table of a card has, folded ones too."""
    found = []
    for one in components(card):
        props = one["props"]
        if one["type"] == "AgGrid":
            found.append(len(props["rowData"]))
        elif "data-table" in props:
            found.append(len(json.loads(props["data-table"])["rows"]))
        elif one["type"] == "Tbody":
            found.append(len(props["children"]))
    return found


def cards(page: Any) -> Iterator[tuple[list[int], list[str]]]:
    """Of each card: how many rows its tables have, and where its CSV files are. The newest
    adjustments beside their form have their file on the page of the material's stock."""
    for one in components(page):
        kinds = str(one["props"].get("className")).split()
        if one["type"] == "Section" and "surface" in kinds and not {"kpi", "adjust"} & {*kinds}:
            hrefs = [str(each["props"].get("href")) for each in components(one)]
            links = [href for href in hrefs if "/exports/" in href and ".csv" in href]
            yield rows_of(one), links


def name_of(link: str) -> str:
    return link.partition("/exports/")[2].partition(".")[0]


def lines_of(browser: Browser, link: str) -> int:
    answer = browser.get(link)
    assert answer.status_code == 200, (link, answer.text)
    return len(list(csv.reader(io.StringIO(answer.content.decode())))) - 1


@pytest.mark.parametrize("address", PAGES)
def test_a_file_has_the_rows_of_its_table(site: Site, address: str) -> None:
    path, _, query = address.partition("?")
    browser = site.browser(ANALYST)
    page = browser.open_page(path, f"?{query}").json()
    found = [(tables, links) for tables, links in cards(page) if tables]
    assert [tables for tables, links in found if not links] == [], "tables without a file"
    seen = [(link, lines_of(browser, link), tables) for tables, links in found for link in links]
    wrong = [
        (link, lines, tables)
        for link, lines, tables in seen
        if lines not in (*tables, sum(tables)) and not OTHER_LINES & {name_of(link)}
    ]
    assert seen and wrong == []


def test_errors_by_step_say_what_they_do_not_follow_and_have_files_of_what_is_shown(
    site: Site,
) -> None:
    page = site.browser(ANALYST).open_page("/features", "?family=fibra&models=none").text
    assert page.count("Não filtrado por: Família.") == 2
    assert "model-calibration.csv" in page and "model-steps.csv" not in page


@pytest.mark.parametrize("address", ORDERED)
def test_a_file_has_the_order_of_its_table(site: Site, address: str) -> None:
    browser, (path, _, query) = site.browser(ANALYST), address.partition("?")
    page = browser.open_page(path, f"?{query}").json()
    sort = query.rpartition("=")[2]
    hrefs = [str(one["props"].get("href")) for one in components(page)]
    links = [href for href in hrefs if ".csv" in href and f"sort={sort}" in href]
    assert len(links) == 1, hrefs
    lines = csv.DictReader(
        io.StringIO(browser.get(links[0]).content.decode("utf-8-sig")), delimiter=";"
    )
    values = [line[ORDERED[address]] for line in lines if line[ORDERED[address]]]
    is_number = ORDERED[address] == "days_to_stockout"
    told = [float(one.replace(",", ".")) if is_number else one for one in values]
    assert told == sorted(told, reverse=sort.startswith("-")) and len(set(told)) > 1


def test_every_chart_over_dates_writes_them_as_the_reader_does(site: Site) -> None:
    browser, seen = site.browser(ANALYST), set()
    for address in PAGES:
        path, _, query = address.partition("?")
        page = browser.open_page(path, f"?{query}").json()
        for one in components(page):
            if one["type"] == "Graph":
                chart = one["props"]["figure"]
                places = [str(place) for trace in chart["data"] for place in trace.get("x") or ()]
                is_over_dates = any(DATE.match(place) for place in places)
                written = chart["layout"].get("xaxis", {}).get("hoverformat")
                assert written == ("%d/%m/%Y" if is_over_dates else None), one["props"]["id"]
                seen.add(one["props"]["id"])
    assert "consumption" in seen
