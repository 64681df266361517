"""The foot of a table whose pages the server makes: which rows these are, and where to go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from dash import dcc, html

from domain.records import Page
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.attributes import aria


@dataclass(frozen=True)
class Listed:
    """One page of a table and the number of rows before it."""

    page: Page[Any]
    start: int


def pager(
    page: Page[Any], start: int, query: dict[str, list[str]], viewer: Viewer, prefix: str = ""
) -> html.Div:
    """The first page and the next one; back is the browser's own. `start` rows come before these;
    the address keeps the place in `<prefix>cursor` and `<prefix>start`."""
    t, locale = viewer.t, viewer.locale
    last = start + len(page.rows)
    text = t(
        "%(first)s–%(last)s of %(count)s",
        first=fmt.number(start + 1, locale),
        last=fmt.number(last, locale),
        count=fmt.number(page.count, locale),
    )
    links = []
    if start:
        links.append(_link(t("First page"), query, prefix, {}))
    if page.next:
        more = {f"{prefix}cursor": page.next, f"{prefix}start": str(last)}
        links.append(_link(t("Next page"), query, prefix, more))
    return html.Div(
        [html.Span(text, className="number"), *links],
        className="pager",
        role="group",
        **aria(label=t("Pages of the table")),
    )


def _link(text: str, query: dict[str, list[str]], prefix: str, more: dict[str, str]) -> dcc.Link:
    place = (f"{prefix}cursor", f"{prefix}start")
    kept = {name: values for name, values in query.items() if name not in place}
    return dcc.Link(
        text,
        href=f"?{urlencode({**kept, **more}, doseq=True)}",
        className="btn btn-sm btn-outline-secondary",
    )
