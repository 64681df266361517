"""The buttons that give a table as files: every row that the filters let through, by the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from domain.access import Permission
from domain.records import Filters
from domain.viewer import Viewer
from layouts.components.attributes import aria
from layouts.components.icons import icon

EXPORTS = "/api/v1/exports"
NAMES = {"demand_class": "class", "date_from": "from", "date_to": "to"}
"""What the API calls a filter, where that is another name."""

Query = Mapping[str, Sequence[str]]


def downloads(name: str, query: Query, viewer: Viewer, *, of: str = "") -> list[Component]:
    """The table as CSV and as a workbook, for whom exports are allowed; `of` says which table it is
    where a page has several."""
    return file_links(f"{EXPORTS}/{name}", query, viewer, of=of)


def file_links(address: str, query: Query, viewer: Viewer, *, of: str = "") -> list[Component]:
    """The same of an address of its own."""
    if not viewer.may(Permission.EXPORT):
        return []
    asked = urlencode(query, doseq=True)
    return [
        html.A(
            [icon("download"), ending.upper()],
            href=f"{address}.{ending}" + (f"?{asked}" if asked else ""),
            className="btn btn-sm btn-outline-secondary",
            download="",
            **(aria(label=f"{of}: {ending.upper()}") if of else {}),
        )
        for ending in ("csv", "xlsx")
    ]


def query_of(filters: Filters, *names: str) -> dict[str, list[str]]:
    """The filters of these names (all of them, if none is given) as the API takes them."""
    found: dict[str, list[str]] = {}
    for name in names or Filters.__dataclass_fields__:
        value = getattr(filters, name)
        values = [str(one) for one in value] if isinstance(value, tuple) else [str(value)]
        if value:
            found[NAMES.get(name, name)] = values
    return found
