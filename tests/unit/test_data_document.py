"""`docs/data.md` lists each file kind with all its columns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domain import projects
from domain.erp import KINDS
from warehouse.queries import daily

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "data.md"


SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", DOCUMENT.read_text(), re.M | re.S))


def test_every_kind_is_documented_with_its_columns_and_what_is_compulsory() -> None:
    for name, kind in KINDS.items():
        listed = dict(re.findall(r"^\| `(\w+)`( •)? \|", SECTIONS[name], re.M))
        assert listed == {c.name: " •" if c.required else "" for c in kind.columns}, name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("purchase_orders", set(daily.CANCELLED)),
        ("projects", projects.CANCELLED | projects.DONE),
    ],
)
def test_the_words_of_a_status_that_are_read_are_told(name: str, words: set[str]) -> None:
    (limits,) = re.findall(r"^\| `status` \| text \| (.*) \|$", SECTIONS[name], re.M)
    assert set(re.findall(r"\*(\w+)\*", limits)) == words
