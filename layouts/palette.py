"""The command palette and the keyboard's shortcuts: what assets/palette.js opens and follows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dash import html
from dash.development.base_component import Component

from domain.viewer import Viewer
from layouts.components.attributes import aria, data
from layouts.components.icons import icon

if TYPE_CHECKING:
    from layouts.shell import NavLink

KEYS = {
    "/main": "m",
    "/alerts": "a",
    "/recommendations": "r",
    "/sla": "s",
    "/regions": "b",
    "/forecasts": "f",
    "/features": "e",
    "/savings": "v",
    "/what-if": "w",
    "/inventory": "i",
    "/materials": "t",
    "/suppliers": "u",
    "/drivers": "d",
    "/projects": "p",
    "/admin/data": "l",
}
"""The letter that opens a page after `g`."""

THEMES = ("light", "dark", "system")


def open_button(viewer: Viewer) -> html.Button:
    """What opens the palette where there is no keyboard."""
    words = viewer.t("Search and commands")
    return html.Button(
        icon("search"),
        id="palette-open",
        type="button",
        className="tool-button",
        title=f"{words} (Ctrl K)",
        **aria(label=words, haspopup="dialog"),
    )


def palette(viewer: Viewer, links: Sequence[NavLink]) -> list[Component]:
    """Two dialogs, closed at first: the palette, and the list of shortcuts."""
    t = viewer.t
    close = html.Button(
        t("Close"), type="button", className="btn btn-sm btn-outline-secondary", **data(close="")
    )
    switch = html.Button(
        t("Single-key shortcuts"),
        id="keys-switch",
        type="button",
        className="btn btn-sm btn-outline-secondary",
        **aria(pressed="true"),
    )
    told: dict[str, Any] = {"entries": entries(viewer, links), "words": words_of(viewer)}
    return [
        html.Dialog(
            id="palette",
            className="palette",
            **aria(label=t("Search and commands")),
            **data(palette=json.dumps(told)),
        ),
        html.Dialog(
            [
                html.H2(t("Keyboard shortcuts")),
                _shortcuts(viewer, links),
                html.Div([switch, close], className="actions"),
            ],
            id="shortcuts",
            className="palette shortcuts",
            **aria(label=t("Keyboard shortcuts")),
        ),
    ]


def entries(viewer: Viewer, links: Sequence[NavLink]) -> list[dict[str, str]]:
    """Pages that the reader may open, and actions: name, kind, and the address or the control."""
    t = viewer.t
    page, action = t("Page"), t("Action")
    pages = [
        {"name": t(link.title), "kind": page, "href": link.path, "key": KEYS.get(link.path, "")}
        for link in links
    ]
    themes = dict(zip(THEMES, (t("Light theme"), t("Dark theme"), t("System theme")), strict=True))
    actions = [
        *(
            {"name": name, "kind": action, "click": f"button[data-theme-choice={theme}]"}
            for theme, name in themes.items()
        ),
        {"name": t("Change the language"), "kind": action, "click": "#language-switch"},
        {"name": t("Your account"), "kind": action, "leave": "/account"},
        {"name": t("Keyboard shortcuts"), "kind": action, "dialog": "shortcuts", "key": "?"},
        {"name": t("Sign out"), "kind": action, "click": "#sign-out"},
    ]
    return [*pages, *actions]


def words_of(viewer: Viewer) -> dict[str, str]:
    """What the browser's part says in the reader's language."""
    t = viewer.t
    return {
        "label": t("Search and commands"),
        "placeholder": t("Material, page or action"),
        "material": t("Material"),
        "export": t("Export"),
        "action": t("Action"),
        "none": t("Nothing found"),
        "failed": t("Materials could not be searched."),
        "count": t("{count} found"),
        "every": t("All materials with “{text}”"),
    }


def _shortcuts(viewer: Viewer, links: Sequence[NavLink]) -> html.Table:
    t = viewer.t
    rows: list[tuple[list[str], str]] = [
        (["Ctrl", "K"], t("Search and commands")),
        (["/"], t("Search and commands")),
        (["?"], t("Keyboard shortcuts")),
        *(
            (["g", KEYS[link.path]], t("Go to %(page)s", page=t(link.title)))
            for link in links
            if link.path in KEYS
        ),
    ]
    body = [
        html.Tr([html.Th([html.Kbd(key) for key in keys], scope="row"), html.Td(words)])
        for keys, words in rows
    ]
    return html.Table(html.Tbody(body), className="shortcut-table")
