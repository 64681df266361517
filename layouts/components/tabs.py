"""Tabs whose place the address keeps: links, to be opened, shared and gone back to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from dash import dcc, html

from domain.viewer import Viewer
from layouts.components.attributes import aria


def tabs(
    label: str,
    names: Mapping[str, str],
    current: str,
    viewer: Viewer,
    *,
    parameter: str = "tab",
    path: str = "",
    kept: Mapping[str, str | Sequence[str]] | None = None,
    small: bool = False,
) -> html.Nav:
    """A row of links, the current one plain. `names`: messages by the value of `parameter`; `kept`:
    what stays in the address beside it; `path`: where tabs are as pages are, to each of which the
    browser carries the filters that it takes."""
    links = [
        html.Span(viewer.t(name), className="place place-current", **aria(current="page"))
        if value == current
        else dcc.Link(
            viewer.t(name),
            href=f"{path}?{urlencode({**(kept or {}), parameter: value}, doseq=True)}",
            className="place",
        )
        for value, name in names.items()
    ]
    return html.Nav(
        links, className="places places-small" if small else "places", **aria(label=label)
    )
