"""One number, one value: on the page, in its chart and table, in the file, on paper, by API."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from openpyxl import load_workbook
from sqlalchemy import text

from layouts.format import UNKNOWN, brl, by_unit, number
from tests.web.conftest import ANALYST, Site
from tests.web.test_board_pack import words_of

FILTERS = ("", "?uf=SP&v=1", "?family=fibra&supplier=ALFA&v=1", "?period=90&uf=SP&v=1")
OF_PERIOD = {"annual_savings", "stockout_rate", "demand_value", "otif", "sla_availability"}


def components(one: Any) -> Iterator[dict[str, Any]]:
    """Every component of a page, from the outside in."""
    if isinstance(one, list):
        for each in one:
            yield from components(each)
    elif isinstance(one, dict):
        if "type" in one and "props" in one:
            yield one
        for value in one.values():
            yield from components(value)


def stored(answer: requests.Response, name: str) -> Any:
    """What a page or a callback's answer keeps in the browser under this name."""
    found = components(answer.json())
    return next(one["props"]["data"] for one in found if one["props"].get("id") == name)


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


def test_the_dates_of_its_own_span_leave_a_number_as_it_is(site: Site) -> None:
    api = site.api(ANALYST)

    def numbers(query: str) -> dict[str, Any]:
        return {one["key"]: one for one in api.get(f"/kpis{query}").json()["data"]}

    usual = numbers("")
    for key, days in (("demand_value", 30), ("stockout_rate", 30), ("otif", 90)):
        one = usual[key]
        last = date.fromisoformat(one["as_of"])
        told = numbers(f"?from={last - timedelta(days=days - 1)}&to={last}")[key]
        for name in ("value", "previous", "as_of"):
            assert told[name] == one[name], (key, name)
        whole = numbers("?from=0001-01-01&to=9999-12-31")[key]
        if key == "demand_value":
            assert whole["value"] > one["value"]
        assert whole["receipt"]["filter"] == "from=0001-01-01; to=9999-12-31"
        assert whole["previous"] is None and whole["of_period"]


def shown(card: dict[str, Any]) -> str:
    """A KPI's exact number as its card has it."""
    value = next(
        one["props"] for one in components(card) if one["props"].get("className") == "kpi-value"
    )
    return plain(value.get("title") or value["children"])


def charted(page: Any) -> tuple[list[str], list[str]]:
    """The numbers of the totals chart's lines, and those of the table below it, in one order."""
    chart = next(one for one in components(page) if one["props"].get("id") == "totals")
    drawn = [
        number(value, "pt_BR", 2)
        for trace in chart["props"]["figure"]["data"]
        if trace.get("name") in ("Realizado", "Previsto", "Previsão")
        for value in trace["y"]
    ]
    card = next(
        one
        for one in components(page)
        if one["type"] == "Section" and any(each is chart for each in components(one))
    )
    (words,) = filter(None, (one["props"].get("data-table") for one in components(card)))
    told = [row[column] for column in (1, 2) for row in json.loads(words)["rows"]]
    return drawn, [_short(one) for one in told if one and one != UNKNOWN]


def _short(told: str) -> str:
    """A number without the zeros that its column gives it."""
    return told.rstrip("0").rstrip(",") if "," in told else told


def link_to_paper(page: Any) -> str:
    """Where the page's button leads to."""
    (link,) = (
        one["props"]["href"]
        for one in components(page)
        if "board.pdf" in str(one["props"].get("href"))
    )
    return str(link)


@pytest.mark.parametrize("query", FILTERS)
def test_a_number_is_the_same_wherever_it_stands(site: Site, query: str) -> None:
    api, browser = site.api(ANALYST), site.browser(ANALYST)
    page = browser.open_page("/main", query).json()
    link = link_to_paper(page)
    asked = "?" + "&".join(
        one for one in urlsplit(link).query.split("&") if not one.startswith("measure=")
    )
    assert ("from=" in asked) == ("period" in query)
    kpis = api.get(f"/kpis{asked}").json()["data"]
    cards = {str(one["props"].get("id")): one for one in components(page)}
    drawn_in = [one["props"] for one in components(page) if "figure" in one["props"]]
    charts = {one["id"]: one["figure"] for one in drawn_in}
    paper = words_of(browser.get(link).content)
    file = api.get(f"/exports/kpis.xlsx{asked}").content
    header, *rows = load_workbook(io.BytesIO(file)).worksheets[0].values
    filed = {row[0]: row[1] for row in rows}
    assert len(kpis) == 10 and sum(one["value"] is not None for one in kpis) >= 7
    for one in kpis:
        key, value = one["key"], one["value"]
        assert filed[key] == (None if value is None else pytest.approx(value)), (key, header)
        if value is None:
            continue
        told = plain(by_unit(value, one["unit"], "pt_BR"))
        assert told in paper, (key, told)
        assert shown(cards[f"kpi-{key}"]) == told, key
    for title in ("Demanda por família", "Demanda por UF"):
        assert title in paper
    for kind in ("family", "uf"):
        (trace,) = charts[f"demand-by-{kind}"]["data"]
        for value in trace["x"]:
            assert plain(brl(value, "pt_BR")) in paper, (kind, value)
    drawn, listed = charted(page)
    assert len(drawn) > 90 and drawn == listed
    narrowed = {one["key"] for one in kpis if one["of_period"]}
    assert narrowed == (OF_PERIOD if "period" in query else set())


def test_models_are_judged_within_the_filters(site: Site) -> None:
    api, browser = site.api(ANALYST), site.browser(ANALYST)

    def told(query: str) -> dict[str, int]:
        rows = api.get(f"/models/performance{query}").json()["data"]
        return {row["model"]: row["series"] for row in rows if row["demand_class"] is None}

    narrow = "?uf=SP&sku=CABO-01"
    page = browser.open_page("/features", narrow).json()
    (board,) = [one for one in components(page) if one["props"].get("id") == "leaderboard"]
    shown = {row["code"]: row["series"] for row in board["props"]["rowData"]}
    assert shown == told(narrow) != told("")
    assert "Não filtrado por: Material." in json.dumps(page, ensure_ascii=False)
    every, here = (api.get(f"/models/steps{query}").json()["data"] for query in ("", "?uf=SP"))
    assert 0 < here[0]["points"] < every[0]["points"]
    one = browser.open_page("/features", f"{narrow}&site=DEP-RJ").text
    assert "Não se aplica a esta página: UF." in one


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"negative_periods": 1234}, "tomados por sem demanda: 1.234."),
        (
            {"empty_periods": 1234, "last_empty_periods": ["2024-02-01", "2024-04-01"]},
            "nenhuma linha de demanda, tomados por sem demanda: 1.234 (… 01/02/2024, 01/04/2024).",
        ),
        (
            {"empty_periods": 1, "last_empty_periods": ["2024-02-01"]},
            "nenhuma linha de demanda, tomados por sem demanda: 1 (01/02/2024).",
        ),
    ],
)
def test_it_is_told_which_periods_are_taken_for_none(
    site: Site, facts: dict[str, Any], words: str
) -> None:
    tell = "UPDATE analytics.run SET manifest = jsonb_set(manifest, '{dataset}', :facts)"
    assert words not in site.browser(ANALYST).open_page("/features").text
    with site.changing() as connection:
        was = connection.execute(
            text("SELECT manifest -> 'dataset' FROM analytics.run")
        ).scalar_one()
    try:
        with site.changing() as connection:
            connection.execute(text(tell), {"facts": json.dumps(was | facts)})
        assert words in site.browser(ANALYST).open_page("/features").text
        told = site.api(ANALYST).get("/status").json()["data"]
        assert told == told | facts
    finally:
        with site.changing() as connection:
            connection.execute(text(tell), {"facts": json.dumps(was)})
