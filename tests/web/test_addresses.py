"""A forged or old address: the page is there, and says what it made nothing of."""

from __future__ import annotations

import re

import pytest

from dashboard.pages import PAGES
from tests.web.conftest import ADMIN, Site

FORGED = "?v=0&colour=red&uf=XX&period=never&abc=Q"
KNOWN = {"sku": "CABO-01", "supplier": "ALFA", "contract": "C-SUL", "user_id": "1"}


@pytest.fixture(scope="module")
def opened(site: Site) -> dict[str, str]:
    """What each page shows of a forged address."""
    browser = site.browser(ADMIN)
    found = {}
    for entry in PAGES:
        path = re.sub(r"<(\w+)>", lambda name: KNOWN.get(name[1], "PRJ-1"), entry.path)
        answer = browser.open_page(path, FORGED)
        assert answer.status_code == 200, path
        found[path] = answer.text.encode().decode("unicode_escape").encode("latin-1").decode()
    return found


def test_every_page_says_what_it_made_nothing_of(opened: dict[str, str]) -> None:
    for path, text in opened.items():
        assert "Este endereço é de outra versão" in text, path
        assert "colour=red” no endereço não é conhecido" in text, path


def test_a_code_is_the_same_however_its_letters_are_encoded(site: Site) -> None:
    """With the parts that come later, and whatever the query calls by the same name."""
    browser = site.browser(ADMIN)
    for address, spelt in (
        ("/materials/CABO-01?tab=stock", "/materials/CABO%2D01?tab=stock"),
        ("/materials/CABO-01?tab=demand", "/materials/CABO%2d%301/?tab=demand&sku=BAT-02"),
        ("/suppliers/ALFA", "/suppliers/%41LFA"),
        ("/sla/C-SUL", "/sla/C%2DSUL"),
        ("/projects/PRJ-1", "/projects/PRJ%2D1"),
        ("/admin/users/1", "/admin/users/%31"),
    ):
        wanted, shown = (
            browser.open_page(path, mark + search).text
            for path, mark, search in (one.partition("?") for one in (address, spelt))
        )
        assert shown.replace(spelt, address) == wanted, spelt


def test_limits_are_told_as_the_reader_writes_numbers(site: Site) -> None:
    asked = "?tab=formulas&formula=safety_stock&level=2"
    told = site.browser(ADMIN).open_page("/features", asked).text
    assert "escreva um número de 0,5 a 0,9999." in told
