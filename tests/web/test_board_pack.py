"""The board pack: the same numbers on paper, for whom exports are allowed."""

from __future__ import annotations

import re
import zlib
from base64 import a85decode
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text

from tests.factories import LAST_DAY
from tests.web.conftest import ADMIN, ANALYST, SCOPED, VIEWER, Site, run_of_data_to

API = "/exports/board.pdf"
STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
SHOWN = re.compile(rb"\(((?:\\.|[^\\()])*)\) Tj")
LINE = rb" RG\n(?:.*\n){4}n (.*)"
CONSUMPTION, FORECAST = rb"\.109804 \.152941 \.2", rb"\.058824 \.560784 \.521569"
ESCAPED = re.compile(rb"\\(\d{3}|.)")


def words_of(pdf: bytes) -> str:
    """What the sheet says, line after line."""
    shown = SHOWN.findall(b"\n".join(streams_of(pdf)))
    lines = [ESCAPED.sub(_letter, line).decode("cp1252") for line in shown]
    return " ".join(lines).replace("\xa0", " ")


def streams_of(pdf: bytes) -> Iterator[bytes]:
    """What draws its pages."""
    for packed in STREAM.findall(pdf):
        data = packed.strip()
        if data.endswith(b"~>"):
            data = a85decode(data, adobe=False) if data[:2] == b"<~" else a85decode(data[:-2])
        with suppress(zlib.error):
            yield zlib.decompress(data)


def across(pdf: bytes, colour: bytes) -> list[float]:
    """How far to the right the points of its chart's line in a colour are."""
    (path,) = re.findall(colour + LINE, b"\n".join(streams_of(pdf)))
    return [float(x) for x in re.findall(rb"([\d.]+) [\d.]+ [ml]", path)]


def _letter(found: re.Match[bytes]) -> bytes:
    code = found.group(1)
    return bytes([int(code, 8)]) if len(code) == 3 else code


def test_exports_alone_may_have_it_and_each_leaves_its_row(site: Site) -> None:
    path = f"/api/v1{API}"
    assert site.get(path).status_code == 401
    assert site.browser(VIEWER).get(path).status_code == 403
    answer = site.browser(ANALYST).get(f"{path}?uf=SP")
    assert answer.status_code == 200 and answer.content.startswith(b"%PDF-")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert "nova-board-pack-run1.pdf" in answer.headers["Content-Disposition"]
    row = site.audit("export")[-1]
    assert (row.object, row.actor, row.after) == ("board_pack", ANALYST, {"uf": ["SP"]})


def test_a_scoped_reader_gets_the_own_part(site: Site) -> None:
    for answer in (site.browser(SCOPED).get(f"/api/v1{API}"), site.api(SCOPED).get(API)):
        paper = words_of(answer.content)
        assert "DEP-BA" in paper and "DEP-SP" not in paper and "DEP-RJ" not in paper


def test_programs_get_the_same_pack_in_the_language_that_they_ask_for(site: Site) -> None:
    assert site.api(VIEWER).get(API).status_code == 403
    api = site.api(ANALYST)
    answer = api.get(f"{API}?uf=RJ&measure=units")
    assert answer.headers["Content-Type"] == "application/pdf"
    page = site.browser(ANALYST).get(f"/api/v1{API}?uf=RJ&measure=units")
    assert words_of(answer.content) == words_of(page.content)
    english = words_of(api.get(API, headers={"Accept-Language": "en"}).content)
    assert "Board pack" in english and "Filters: none" in english
    assert re.search(r"horizon: \d+ days", english)
    assert "Not narrowed by" not in english
    narrowed = api.get(f"{API}?family=energia", headers={"Accept-Language": "en"})
    assert "Not narrowed by: Family." in words_of(narrowed.content)
    for uf in ("rj", "ZZ"):
        assert api.get(f"{API}?uf={uf}").status_code == 422
    unknown = words_of(api.get(f"{API}?family=nenhuma").content)
    assert "nenhuma" in unknown and "DEP-" not in unknown


def test_an_items_name_may_be_as_long_as_files_allow(site: Site) -> None:
    named = text("UPDATE core.item SET name = :name WHERE sku = 'BAT-02' RETURNING name")
    before = text("SELECT name FROM core.item WHERE sku = 'BAT-02'")
    with site.changing() as connection:
        usual = connection.execute(before).scalar_one()
        connection.execute(named, {"name": "W" * 2_000})
    answer = site.api(ANALYST).get(API)
    with site.changing() as connection:
        connection.execute(named, {"name": usual})
    assert answer.status_code == 200 and words_of(answer.content).count("W") >= 2_000


def test_the_day_of_the_data_is_not_that_of_an_older_run(site: Site) -> None:
    api, day = site.api(ADMIN), LAST_DAY - timedelta(days=9)
    with run_of_data_to(site, day):
        paper, health = words_of(api.get(API).content), api.get("/health").json()
    assert "Relatório da diretoria, dados até 29/06/2025" in paper
    assert "previsões com dados até 20/06/2025" in paper
    meta = health["meta"]
    assert (meta["as_of"], meta["data_as_of"]) == (str(LAST_DAY), str(day))


def test_data_reach_to_the_end_of_the_last_week_of_a_weekly_run(site: Site) -> None:
    """The run of days that the site has, told as one of weeks: 29 June is a Sunday. Its forecast
    stays by days: a week of consumption is as wide as seven of them."""
    monday, api = LAST_DAY - timedelta(days=6), site.api(ADMIN)
    with run_of_data_to(site, monday, "W"):
        paper, health, runs = (api.get(path) for path in (API, "/health", "/runs"))
    words = words_of(paper.content)
    assert "dados até 29/06/2025" in words and "previsões com dados até" not in words
    assert health.json()["data"]["data_as_of"] == health.json()["meta"]["data_as_of"]
    assert health.json()["data"]["data_as_of"] == str(LAST_DAY)
    assert runs.json()["data"][0]["data_to"] == str(LAST_DAY)
    weeks, days = across(paper.content, CONSUMPTION), across(paper.content, FORECAST)
    width = days[1] - days[0]
    assert [b - a for a, b in pairwise(weeks)] == pytest.approx(
        [7 * width] * (len(weeks) - 1), rel=0.01
    )
