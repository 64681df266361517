"""`docs/data.md` lists each file kind with all its columns."""

from __future__ import annotations

import re
from pathlib import Path

from domain.erp import KINDS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "data.md"


def test_every_kind_is_documented_with_its_columns_and_what_is_compulsory() -> None:
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", DOCUMENT.read_text(), re.M | re.S))
    for name, kind in KINDS.items():
        listed = dict(re.findall(r"^\| `(\w+)`( •)? \|", sections[name], re.M))
        assert listed == {c.name: " •" if c.required else "" for c in kind.columns}, name
