"""Addresses of the files that the product gives."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from api.exporting import EXPORTS

OF_ONE_DEPOT = {"sku": "CABO-01", "site": "DEP-SP"}


def address(path: str) -> str:
    """The path of a file with what it cannot do without: the names of one item-depot."""
    queries = {one.name: one.query.model_json_schema() for one in EXPORTS}
    needed = queries.get(Path(path).stem, {}).get("required", [])
    named = urlencode({name: OF_ONE_DEPOT[name] for name in needed})
    return f"{path}?{named}" if named else path
