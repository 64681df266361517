"""Controls whose state lives in the address: a change rewrites the query string, nothing else.

The browser does it (assets/nova.js, `writeFilters`): every control has an id
`{"type": "filter", "name": <parameter>}`; the memory store holds what the page was made from, so
only the reader's own changes count, and which parameters a change makes meaningless.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from domain.records import Option
from domain.viewer import Viewer
from layouts.components.attributes import aria

Value = str | list[str] | None


def control_id(name: Any) -> dict[str, Any]:
    """The id of the control that keeps one parameter of the address."""
    return {"type": "filter", "name": name}


def filter_bar(
    *controls: Component,
    initial: Mapping[str, Value],
    resets: Mapping[str, Sequence[str]] | None = None,
    empty: Mapping[str, str] | None = None,
) -> html.Div:
    """A row of controls with the memory of what the page was made from.

    `resets` lists the parameters that a change of another one makes meaningless; `empty` is what
    the address says where nothing is chosen, if that is not the same as saying nothing.
    """
    memory = {
        "initial": dict(initial),
        "resets": {name: list(others) for name, others in (resets or {}).items()},
        "empty": dict(empty or {}),
    }
    return html.Div(
        [*controls, dcc.Store(id={"type": "filter-memory", "page": "here"}, data=memory)],
        className="filter-bar",
        role="search",
    )


def choice(
    name: str,
    label: str,
    options: Sequence[Option],
    value: Value,
    viewer: Viewer,
    *,
    multi: bool = True,
    clearable: bool = True,
    placeholder: str | None = None,
    class_name: str = "",
    wide: bool = False,
) -> html.Div:
    """A labelled drop-down over `options`; its value is the parameter `name`."""
    control = dropdown(
        control_id(name),
        options,
        value,
        viewer,
        multi=multi,
        clearable=clearable,
        placeholder=placeholder or viewer.t("All"),
    )
    width = "field field-wide" if wide else "field"
    return _field(label, control, f"{width} {class_name}".strip())


def dropdown(
    identity: Any,
    options: Sequence[Option],
    value: Value,
    viewer: Viewer,
    *,
    multi: bool,
    clearable: bool,
    placeholder: str,
) -> dcc.Dropdown:
    """A drop-down in the reader's language."""
    return dcc.Dropdown(
        id=identity,
        options=[{"value": option.value, "label": option.label} for option in options],
        value=value if value or not multi else [],
        multi=multi,
        clearable=clearable,
        placeholder=placeholder,
        search_order="original",
        labels=_labels(viewer),
        closeOnSelect=True,
    )


def label_of(control: Component, text: str) -> html.Label:
    """What names a control to everybody (assets/nova.js names Dash's drop-downs by it)."""
    identity = control.id  # type: ignore[attr-defined]
    if isinstance(identity, dict):
        identity = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return html.Label(text, htmlFor=identity, className="field-label")


def _labels(viewer: Viewer) -> Any:
    t = viewer.t
    return {
        "select_all": t("Select all"),
        "deselect_all": t("Deselect all"),
        "selected_count": t("{num_selected} selected"),
        "search": t("Search"),
        "clear_search": t("Clear search"),
        "clear_selection": t("Clear selection"),
        "no_options_found": t("Nothing found"),
    }


def search_box(
    name: str, label: str, value: str, placeholder: str, *, wide: bool = True
) -> html.Div:
    """A text field that searches when the reader stops typing."""
    control = dcc.Input(
        id=control_id(name),
        type="search",
        value=value,
        debounce=0.4,
        placeholder=placeholder,
        className="search-input",
    )
    return _field(label, control, "field field-wide" if wide else "field")


def entry(name: str, label: str, value: str, note: str, *, wide: bool = False) -> html.Div:
    """A text field for numbers; the note below says unit and limits."""
    control = dcc.Input(
        id=control_id(name),
        type="text",
        value=value,
        debounce=0.6,
        className="search-input",
    )
    field = _field(label, control, "field field-wide" if wide else "field")
    field.children = [*field.children, html.Span(note, className="field-note")]
    return field


def toggles(
    name: str, label: str, options: Sequence[dict[str, Any]], value: list[str]
) -> html.Fieldset:
    """Switches side by side, each on or off."""
    control = dbc.Checklist(
        id=control_id(name), options=list(options), value=value, inline=True, class_name="toggles"
    )
    return html.Fieldset(
        [html.Legend(label, className="field-label"), control], className="field-set"
    )


def _field(label: str, control: Component, class_name: str) -> html.Div:
    return html.Div(
        [label_of(control, label), control],
        className=class_name,
        role="group",
        **aria(label=label),
    )
