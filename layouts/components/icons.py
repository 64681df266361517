"""Icons: drawn by CSS masks (assets/icons.css), so they take the colour of the text."""

from __future__ import annotations

from dash import html

from layouts.components.attributes import aria


def icon(name: str) -> html.Span:
    """A decorative icon; the words beside it carry the meaning."""
    return html.Span(className=f"icon icon-{name}", **aria(hidden="true"))
