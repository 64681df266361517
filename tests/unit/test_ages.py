"""Nothing that is shown is older than it may be, whichever read model it comes from."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.services import ROOT
from warehouse import ages

HOUR = 3600
PROMISED = {"kpis": 30, "kpi_rows": 30, "clustering": 300, "forecasts": HOUR, "levels": HOUR}
PROMISED |= {"recommendations": HOUR, "policies": HOUR}
CHOICES = {("kpis", "filter_choices")}
"""What the filters offer: no KPI."""


def read_models() -> Iterator[tuple[str, str, ast.expr]]:
    """Slug and name of each, and what it says about its age."""
    for path in sorted((ROOT / "warehouse" / "queries").glob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            made = getattr(node, "decorator_list", ())
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                made = [node.value.func]
            for call in made:
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "read_model":
                    (age,) = call.keywords
                    yield path.stem, getattr(node, "name", path.stem), age.value


def test_every_read_model_is_as_young_as_it_was_promised() -> None:
    found = [*read_models()]
    assert len(found) > 80 and {slug for slug, _, _ in found} >= PROMISED.keys()
    for slug, name, age in found:
        table, _, entry = ast.unparse(age).partition(".")
        assert table == "ages", f"{slug}.{name}: not of the table of warehouse/ages.py"
        promised = HOUR if (slug, name) in CHOICES else PROMISED.get(slug, HOUR)
        assert ages.ENCODED_SECONDS < getattr(ages, entry) <= promised, f"{slug}.{name}"
