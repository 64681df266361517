"""What addresses may say: declared once, for every page, and all that pages read of them."""

from __future__ import annotations

import re
from urllib.parse import quote

from callbacks.address import Address
from dashboard.pages import PAGES as ENTRIES
from domain.page_filters import PAGES, SHARED, of_page, permission_at, variables_at
from tests.services import ROOT

READ = re.compile(r'address\.(?:text|many|one|option|count|day|values)\(\s*"(\w+)"')


def test_every_page_says_what_it_understands() -> None:
    assert {entry.path for entry in ENTRIES} == {name.partition("?")[0] for name in PAGES}
    for entry in ENTRIES:
        path = re.sub(r"<\w+>", "A/1", entry.path)
        assert permission_at(path) == entry.permission, entry.path


def test_what_pages_read_is_declared() -> None:
    read = {
        name
        for file in (ROOT / "callbacks").glob("*.py")
        for name in READ.findall(file.read_text())
    }
    told = {name for page in PAGES.values() for name in (*page.shared, *page.own)}
    variables = set(re.findall(r"<(\w+)>", " ".join(PAGES)))
    assert len(read) > 30 and read - variables <= told | {"tab", "v"}


def test_what_takes_several_values_is_declared() -> None:
    many = re.compile(r'address\.many\(\s*"(\w+)"')
    files = (ROOT / "callbacks").glob("*.py")
    read = {name for file in files for name in many.findall(file.read_text())}
    assert read == {name for page in PAGES.values() for name in page.several}


def test_what_a_page_makes_nothing_of_is_told() -> None:
    def as_it_is(text: str, /, **values: object) -> str:
        return text % values if values else text

    def told(path: str, search: str) -> list[str]:
        address = Address.parse(search, as_it_is)
        return address.check(path)

    assert told("/main", "?uf=SP&measure=units&v=1") == []
    assert told("/main", "?v=7") == [
        "This address is of another version: what is understood of it is shown."
    ]
    assert told("/projects", "?supplier=ALFA&v=1") == ["Not applied on this page: Supplier."]
    assert told("/sla", "?uf=SP&region=Sul&contract=C-1") == []
    assert told("/sla/C-1", "?uf=SP&family=x") == ["Not applied on this page: Family."]
    (said,) = told("/sla", "?sku=A&period=90")
    assert said.startswith("Not applied on this page: Material") and said.endswith(
        "Penalties go by calendar months: choose one here."
    )
    assert "whole plan" in told("/projects/PRJ-1", "?period=90")[0]
    assert told("/main", "?colour=red") == ["“colour=red” in the address is not known: left out."]
    assert told("/forecasts", "?sku=A&sku=B") == ["“sku=B” in the address is not known: left out."]
    doubled = "?demand_change=0.2&demand_change=0.5&period=90&period=all"
    assert told("/what-if", doubled)[1:] == [
        "“demand_change=0.5” in the address is not known: left out."
    ]
    assert told("/main", doubled)[1:] == ["“period=all” in the address is not known: left out."]
    assert told("/alerts", "?kind=a&kind=b&status=c&status=d&level=e&level=f&uf=SP&uf=RJ") == []
    assert told("/materials/A%2F1", "?tab=stock&site=DEP-SP&sku=A") == []
    assert told("/materials/A%2F1", "?site=DEP-SP") == ["Not applied on this page: Depot."]
    assert told("/nowhere", "?colour=red") == []


def test_codes_are_decoded_once() -> None:
    codes = ["BAÇ-01", "A/1", "A/", "/A//B", "50%", "A%41", "A%2F", "A+B", "A?b=c;d#e&f", "a/../b"]
    for code in codes:
        for name in ("materials/<sku>", "suppliers/<supplier>", "sla/<contract>"):
            path = f"/{re.sub('<.+>', quote(code, safe=''), name)}"
            assert list(variables_at(path).values()) == [code], path
            assert variables_at(f"{path}/") == variables_at(path)
    typed = {"/materials/50%": {"sku": "50%"}, "/projects/A/B": {"project": "A/B"}}
    none: dict[str, dict[str, str]] = {
        path: {} for path in ("/materials", "/materials//", "/main", "/nowhere/A%2F1", "")
    }
    for path, told in (typed | none).items():
        assert variables_at(path) == told


def test_tabs_differ() -> None:
    narrow, wide = of_page("/features"), of_page("/features", "prescriptive")
    assert narrow and wide and set(narrow.shared) < set(wide.shared) == set(SHARED)
