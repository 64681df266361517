"""One number, one value: on the page, in its chart and table, in the file, on paper, by API."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook

from layouts.format import UNKNOWN, by_unit, number
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
    return drawn, [one for one in told if one and one != UNKNOWN]


def with_dates(query: str, page: str) -> str:
    """What the API is to be asked: a period's dates, as the page's link to paper has them."""
    if "period" not in query:
        return query
    day = r"=(\d{4}-\d\d-\d\d)"
    first, last = (re.search(f"[?&]{name}{day}", page) for name in ("from", "to"))
    assert first and last
    return re.sub(r"period=\d+", f"from={first[1]}&to={last[1]}", query)


@pytest.mark.parametrize("query", FILTERS)
def test_a_number_is_the_same_wherever_it_stands(site: Site, query: str) -> None:
    api, page = site.api(ANALYST), site.browser(ANALYST).open_page("/main", query).json()
    asked = with_dates(query.replace("&v=1", ""), json.dumps(page))
    kpis = api.get(f"/kpis{asked}").json()["data"]
    cards = {str(one["props"].get("id")): one for one in components(page)}
    paper = words_of(api.get(f"/exports/board.pdf{asked}").content)
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
    drawn, listed = charted(page)
    assert len(drawn) > 90 and drawn == listed
    narrowed = {one["key"] for one in kpis if one["of_period"]}
    assert narrowed == (OF_PERIOD if "period" in query else set())
