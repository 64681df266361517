"""Files to download: what a spreadsheet would run is text, and numbers stay numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from urllib.parse import urlencode

import pytest
from sqlalchemy import Engine

from domain.access import Role
from domain.sheets import BYTE_ORDER_MARK, csv_lines
from tests.conftest import StartServer
from tests.hostile_names import SITES, SKUS, publish_hostile_names
from tests.web.conftest import PASSWORD, Browser, Site

ANALYST = "calc@nova.test"
FORMULAS = ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t1", "\r1", "\n1", " =1", "＝1+1", "=", "-"]


@pytest.fixture(scope="module")
def hostile(
    module_engine: Engine,
    module_database_url: str,
    start_server: StartServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    publish_hostile_names(module_engine, tmp_path_factory.mktemp("erp"))
    site = Site(start_server(module_database_url), module_engine)
    site.add_user(ANALYST, Role.ANALYST)
    yield site


def cells_of(text: Iterable[str], delimiter: str) -> list[list[str]]:
    whole = "".join(text).removeprefix(BYTE_ORDER_MARK)
    return list(csv.reader(io.StringIO(whole), delimiter=delimiter))


@pytest.mark.parametrize("text", FORMULAS, ids=repr)
@pytest.mark.parametrize(("locale", "delimiter"), [("pt_BR", ";"), ("en", ",")])
def test_words_are_no_formulas(text: str, locale: str, delimiter: str) -> None:
    (header, row) = cells_of(csv_lines([text], [[text]], locale), delimiter)
    assert header == row == [f"'{text}"]


@pytest.mark.parametrize(
    ("value", "portuguese", "english"),
    [(-1.5, "-1,5", "-1.5"), (-3, "-3", "-3"), (0, "0", "0"), (1e15, "1000000000000000", None)],
)
def test_numbers_stay_numbers(value: float, portuguese: str, english: str | None) -> None:
    assert cells_of(csv_lines(["x"], [[value]], "pt_BR"), ";")[1] == [portuguese]
    assert cells_of(csv_lines(["x"], [[value]], "en"), ",")[1] == [english or portuguese]


def test_a_cell_cannot_break_out_of_its_row() -> None:
    nasty = 'a";b\r\nc;"d'
    ((_, *_), *rows) = cells_of(csv_lines(["x"], [[nasty, "=2"]], "pt_BR"), ";")
    assert rows == [[nasty, "'=2"]]


@pytest.mark.parametrize("between", [";", ",", "\t", "\r\n", "; ", ',"', " ;\t,"])
@pytest.mark.parametrize("formula", ["=1+1", "＝1+1", "@SUM(A1)", "-1+2", "+1"])
def test_a_cell_holds_no_formula_for_who_reads_other_separators(between: str, formula: str) -> None:
    text = f"abc{between}{formula}{between}d - e, f"
    for locale, delimiter, other in (("pt_BR", ";", ","), ("en", ",", ";")):
        lines = csv_lines(["x"], [["ghi", text]], locale)
        assert cells_of(lines, delimiter)[1] == ["ghi", f"abc{between}'{formula}{between}d - e, f"]
        cells = [cell for row in cells_of(lines, other) for cell in row]
        assert not any(cell.lstrip().startswith(tuple("=@+-＝")) for cell in cells)


@pytest.mark.parametrize("sku", SKUS)
def test_a_download_of_hostile_names_holds_no_formula(hostile: Site, sku: str) -> None:
    browser = hostile.browser()
    assert browser.sign_in(ANALYST, PASSWORD).status_code == 303
    for site, _, _ in SITES:
        name, content = download(browser, sku=sku, site=site)
        assert all(letter.isalnum() or letter in "_-." for letter in name)
        rows = cells_of(content, ";")
        words, numbers = 0, 0
        assert len(rows) > 30
        for row in rows:
            for cell in row:
                number = as_number(cell)
                numbers += number
                words += not number
                assert number or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
        assert numbers and words


def as_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def download(browser: Browser, **query: str) -> tuple[str, str]:
    """Name and text of a series' file."""
    answer = browser.get(f"/api/v1/exports/series.csv?{urlencode(query)}")
    assert answer.status_code == 200, answer.text
    name = answer.headers["Content-Disposition"].partition("filename=")[2]
    return name, answer.content.decode()
