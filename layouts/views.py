"""The menu of saved views, and the link to the page as it is."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from domain.access import Permission, Role
from domain.viewer import Viewer
from domain.views import MOST_LETTERS, SavedView
from layouts.components.attributes import aria, data
from layouts.components.icons import icon
from layouts.text import ROLES, named


def views_menu(viewer: Viewer, views: Sequence[SavedView], csrf_token: str) -> html.Details:
    """Copy the link, open a view, keep this one (assets/nova.js fills in the address)."""
    t = viewer.t
    listed: list[Component] = (
        [html.Ul([_view(one, viewer, csrf_token) for one in views], className="view-list")]
        if views
        else [html.P(t("Nothing saved yet."), className="weak")]
    )
    copy = html.Button(
        [icon("link"), t("Copy the link to this page")],
        type="button",
        className="menu-item",
        id="copy-link",
        **data(done=t("Copied")),
    )
    return html.Details(
        [
            html.Summary(
                icon("bookmark"),
                className="tool-button",
                title=t("Saved views"),
                **aria(label=t("Saved views")),
            ),
            html.Div(
                [
                    copy,
                    html.P(t("Saved views"), className="menu-name"),
                    *listed,
                    _form(viewer, csrf_token),
                ],
                className="popover-body menu views-body",
            ),
        ],
        className="user-menu views-menu",
        id="views-menu",
    )


def _view(one: SavedView, viewer: Viewer, csrf_token: str) -> html.Li:
    t = viewer.t
    said = [one.name]
    if one.shared_with:
        said.append(f"({named(ROLES, one.shared_with, t)})")
    link = html.A(" ".join(said), href=one.address, className="view-link")
    begin = _begin(
        f"/views/{one.view_id}/start",
        "home",
        t("Begin with it no longer") if one.is_start else t("Begin with it"),
        one.is_start,
        csrf_token,
    )
    if not one.mine:
        return html.Li([link, html.Span(one.owner, className="weak"), begin])
    return html.Li(
        [
            link,
            begin,
            *_role_start(one, viewer, csrf_token),
            _rename(one, viewer, csrf_token),
            _delete(one, viewer, csrf_token),
        ]
    )


def _role_start(one: SavedView, viewer: Viewer, csrf_token: str) -> list[html.Form]:
    t = viewer.t
    if not one.shared_with or not viewer.may(Permission.ACT):
        return []
    role = named(ROLES, one.shared_with, t)
    said = t("%(role)s: begin with it", role=role)
    if one.is_role_start:
        said = t("%(role)s: begin with it no longer", role=role)
    action = f"/views/{one.view_id}/role-start"
    return [_begin(action, "users", said, one.is_role_start, csrf_token)]


def _begin(action: str, drawing: str, label: str, is_on: bool, csrf_token: str) -> html.Form:
    style = "tool-button is-on" if is_on else "tool-button"
    return _button(action, drawing, label, csrf_token, style)


def _rename(one: SavedView, viewer: Viewer, csrf_token: str) -> html.Details:
    t = viewer.t
    label = t("Rename")
    field = f"view-name-{one.view_id}"
    form = html.Form(
        [
            html.Label(t("New name"), htmlFor=field, className="field-label"),
            dcc.Input(
                id=field,
                name="name",
                type="text",
                value=one.name,
                maxLength=MOST_LETTERS,
                required=True,
                className="search-input",
            ),
            html.Button(
                label,
                type="submit",
                name="csrf_token",
                value=csrf_token,
                className="btn btn-sm btn-primary",
            ),
        ],
        method="post",
        action=f"/views/{one.view_id}/rename",
        className="view-form",
    )
    return _opened("pencil", label, form)


def _delete(one: SavedView, viewer: Viewer, csrf_token: str) -> html.Details:
    t = viewer.t
    question = t("The view is gone at once.")
    if one.shared_with:
        role = named(ROLES, one.shared_with, t)
        question = t("The view is gone at once, for %(role)s too.", role=role)
    answer = html.Button(
        t("Delete the view"),
        type="submit",
        name="csrf_token",
        value=csrf_token,
        className="btn btn-sm btn-danger",
    )
    form = html.Form(
        [html.P(question), answer],
        method="post",
        action=f"/views/{one.view_id}/delete",
        className="view-form",
    )
    return _opened("trash", t("Delete"), form)


def _opened(drawing: str, label: str, inside: Component) -> html.Details:
    """What a button of the list opens below its view."""
    summary = html.Summary(icon(drawing), className="tool-button", title=label, **aria(label=label))
    return html.Details([summary, inside], className="view-opened")


def _button(
    action: str,
    drawing: str,
    label: str,
    csrf_token: str,
    style: str = "tool-button",
    **state: str,
) -> html.Form:
    return html.Form(
        html.Button(
            icon(drawing),
            type="submit",
            name="csrf_token",
            value=csrf_token,
            className=style,
            title=label,
            **aria(label=label, **state),
        ),
        method="post",
        action=action,
    )


def _form(viewer: Viewer, csrf_token: str) -> html.Form:
    t = viewer.t
    roles = [html.Option(t("only for me"), value="")] + [
        html.Option(named(ROLES, str(role), t), value=str(role)) for role in Role
    ]
    shared = (
        [
            html.Label(t("For whom"), htmlFor="view-role", className="field-label"),
            html.Select(roles, name="shared_with", id="view-role", className="form-select"),
        ]
        if viewer.may(Permission.ACT)
        else []
    )
    return html.Form(
        [
            html.Label(t("Save this page as"), htmlFor="view-name", className="field-label"),
            dcc.Input(
                id="view-name",
                name="name",
                type="text",
                value="",
                maxLength=MOST_LETTERS,
                required=True,
                className="search-input",
            ),
            dcc.Input(id="view-address", name="address", type="hidden", value=""),
            *shared,
            html.Button(
                t("Save"),
                type="submit",
                name="csrf_token",
                value=csrf_token,
                className="btn btn-sm btn-primary",
            ),
        ],
        method="post",
        action="/views",
        className="view-form",
        id="view-form",
    )
