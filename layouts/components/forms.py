"""What is filled in and sent: labelled fields, buttons that ask back, secrets shown once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from domain.records import Option
from domain.viewer import Viewer
from layouts.components.attributes import aria
from layouts.components.filters import dropdown, label_of
from layouts.components.icons import icon


def text_field(name: str, label: str, value: str = "", **more: Any) -> html.Div:
    """A labelled line of text."""
    control = dcc.Input(id=name, type="text", value=value, className="search-input", **more)
    return _labelled(label, control)


def choice_field(
    name: Any,
    label: str,
    options: Sequence[Option],
    value: str | list[str] | None,
    viewer: Viewer,
    *,
    placeholder: str = "",
    **more: Any,
) -> html.Div:
    """A labelled drop-down; with a list as its value it takes several."""
    multi = isinstance(value, list)
    more |= {"multi": multi, "clearable": multi, "placeholder": placeholder}
    control = dropdown(name, options, value, viewer, **more)
    return _labelled(label, control)


def action_button(name: Any, label: str, kind: str = "outline-secondary") -> html.Button:
    """A button whose id is `name`; `kind` is one of Bootstrap's."""
    return html.Button(label, id=name, type="button", className=f"btn btn-sm btn-{kind}")


def confirmed(label: str, question: str, answer: html.Button | html.Form) -> html.Details:
    """A button that first says what it would do; `answer` does it (closing: assets/nova.js)."""
    return html.Details(
        [
            html.Summary(label, className="btn btn-sm btn-outline-secondary"),
            html.Div([html.P(question), answer], className="popover-body"),
        ],
        className="confirm",
    )


def shown_once(text: str, label: str, note: str, viewer: Viewer) -> html.Div:
    """A secret with a button that copies it, and the warning that it is not shown again."""
    copy = dcc.Clipboard(content=text, title=viewer.t("Copy"), className="copy")
    return html.Div(
        [
            html.P(label, className="field-label"),
            html.Div([html.Code(text), copy], className="secret-text"),
            html.P([icon("alert"), note], className="warn-line"),
        ],
        className="secret",
        role="status",
    )


def _labelled(label: str, control: Component) -> html.Div:
    return html.Div(
        [label_of(control, label), control],
        className="form-field field",
        role="group",
        **aria(label=label),
    )
