"""The accounts, a new one, and one with its browsers: `/admin/users`, `/admin/new-user`, …"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from domain.access import Role, Scope
from domain.browsers import browser_of
from domain.records import Option
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.cards import card
from layouts.components.downloads import downloads, file_links
from layouts.components.forms import (
    action_button,
    choice_field,
    confirmed,
    shown_once,
    text_field,
)
from layouts.components.grid import badge_column, grid, link_column, moment_column, text_column
from layouts.components.icons import icon
from layouts.text import N_, ROLES, named

PAGE = "user-page"
SHOWN = "user-shown"
SAVE, DISABLE, ENABLE, RESET, END = "save", "disable", "enable", "reset", "end"
CREATE = "user-create"
DONE = {
    SAVE: N_("Saved."),
    DISABLE: N_("The user is shut out."),
    ENABLE: N_("The user can sign in again."),
    RESET: N_("The link is ready."),
    END: N_("All sessions have ended."),
}


@dataclass(frozen=True)
class Account:
    """A user as the administrator sees them; moments are UTC."""

    user_id: int
    email: str
    name: str
    role: Role
    active: bool
    must_change_password: bool
    scope: Scope
    created_at: datetime
    last_login_at: datetime | None


@dataclass(frozen=True)
class SignedIn:
    """A browser that the user is signed in with."""

    address: str | None
    agent: str | None
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class AccountData:
    """One user, their browsers, and what a scope can be made of; a link that was just made."""

    account: Account
    sessions: Sequence[SignedIn]
    choices: dict[str, list[Option]]
    link: str | None = None


def action_id(name: Any) -> dict[str, Any]:
    """The id of a button that does something to the user of the page."""
    return {"type": "user-action", "name": name}


# All users


def users_page(accounts: Sequence[Account], viewer: Viewer) -> html.Div:
    """The list."""
    t = viewer.t
    new = dcc.Link(t("New user"), href="/admin/new-user", className="btn btn-sm btn-primary")
    return html.Div(
        [
            html.Div(
                [
                    html.Div(html.H1(t("Users")), className="page-head"),
                    html.Div([*downloads("users", {}, viewer), new], className="tools"),
                ],
                className="page-head-wrap",
            ),
            html.Section(users_table(accounts, viewer), className="surface surface-flush"),
        ],
        className="page page-users",
    )


def users_table(accounts: Sequence[Account], viewer: Viewer) -> Component:
    """One row a user; the address leads to their page."""
    t = viewer.t
    columns = [
        link_column("email", t("E-mail"), "href", flex=3, minWidth=190),
        text_column("name", t("Name"), flex=2, minWidth=140),
        text_column("role", t("Role"), minWidth=120),
        text_column("scope", t("Sees"), flex=2, minWidth=150),
        badge_column("state", t("State"), minWidth=170),
        moment_column("last_login", t("Last login"), minWidth=150),
    ]
    rows = [_user_row(account, viewer) for account in accounts]
    sortable = [{**column, "sortable": True} for column in columns]
    return grid("users", sortable, rows, viewer, row_id="id")


def _user_row(account: Account, viewer: Viewer) -> dict[str, Any]:
    login = account.last_login_at
    word, kind = state_of(account, viewer)
    return {
        "id": str(account.user_id),
        "email": account.email,
        "href": f"/admin/users/{account.user_id}",
        "name": account.name or fmt.UNKNOWN,
        "role": named(ROLES, str(account.role), viewer.t),
        "scope": scope_of(account.scope, viewer),
        "state": word,
        "state_kind": kind,
        "last_login": login.isoformat() if login else None,
    }


def state_of(account: Account, viewer: Viewer) -> tuple[str, str]:
    """A word and the kind of badge for it."""
    t = viewer.t
    if not account.active:
        return t("Disabled"), "critical"
    if account.must_change_password:
        return t("Must change password"), "warning"
    return t("Active"), "good"


def scope_of(scope: Scope, viewer: Viewer) -> str:
    """What of the network an account sees, in words."""
    if scope.everything:
        return viewer.t("Everything")
    return " · ".join(", ".join(part) for part in (scope.ufs, scope.contracts) if part)


# A new user


def new_page(choices: dict[str, list[Option]], viewer: Viewer) -> html.Div:
    """The form, and where the answer to it appears."""
    t = viewer.t
    form = card(
        t("Account"),
        html.Div(
            [
                text_field("user-email", t("E-mail"), autoComplete="off", maxLength=255),
                *_fields("", Role.VIEWER, Scope(), choices, viewer),
            ],
            className="form-grid",
        ),
        html.P(
            t("A password is made and shown once; it must be changed at the first login."),
            className="card-note",
        ),
        html.Div(action_button(CREATE, t("Create user"), "primary"), className="actions"),
    )
    return html.Div(
        [_head(t("New user"), viewer), html.Div(form, id="new-user")], className="page page-user"
    )


def created(account: Account, password: str, viewer: Viewer) -> html.Section:
    """What to hand over to the new user."""
    t = viewer.t
    links = [
        dcc.Link(
            t("Open this user"),
            href=f"/admin/users/{account.user_id}",
            className="btn btn-sm btn-outline-secondary",
        ),
        dcc.Link(t("All users"), href="/admin/users", className="btn btn-sm btn-outline-secondary"),
    ]
    return card(
        t("User created"),
        html.P(account.email),
        shown_once(
            password,
            t("One-time password"),
            t("Hand it over safely: it is not shown again."),
            viewer,
        ),
        html.Div(links, className="actions"),
    )


# One user


def detail_page(data: AccountData, viewer: Viewer) -> html.Div:
    """Everything about one user, and what can be done."""
    account = data.account
    return html.Div(
        [
            _head(account.name or account.email, viewer, account.email),
            dcc.Store(id="user-id", data=account.user_id),
            html.Div(detail(data, viewer), id=PAGE, className="page"),
        ],
        className="page page-user",
    )


def detail(data: AccountData, viewer: Viewer) -> list[Component]:
    """What is shown anew after every change."""
    return [
        account_card(data, viewer),
        access_card(data, viewer),
        sessions_card(data, viewer),
    ]


def account_card(data: AccountData, viewer: Viewer) -> html.Section:
    """Name, role and scope, and what of them is shown."""
    t, account = viewer.t, data.account
    shown = {
        "name": account.name,
        "role": str(account.role),
        "ufs": list(account.scope.ufs),
        "contracts": list(account.scope.contracts),
    }
    return card(
        t("Account"),
        dcc.Store(id=SHOWN, data=shown),
        html.Div(
            _fields(account.name, account.role, account.scope, data.choices, viewer),
            className="form-grid",
        ),
        html.P(
            t("Another role or scope signs the user out everywhere."),
            className="card-note",
        ),
        html.Div(action_button(action_id(SAVE), t("Save"), "primary"), className="actions"),
    )


def access_card(data: AccountData, viewer: Viewer) -> html.Section:
    """In or out, and the way to a new password."""
    t, account = viewer.t, data.account
    word, kind = state_of(account, viewer)
    badge = html.Span(
        [icon(f"level-{kind}"), word], className=f"badge-level badge-level-{kind}", id="user-state"
    )
    since = t("Created %(moment)s", moment=fmt.moment(account.created_at, viewer.locale))
    login = t("Last login: %(moment)s", moment=fmt.moment(account.last_login_at, viewer.locale))
    made = []
    if data.link is not None:
        note = t("Good once, for 24 hours. Hand it over safely: it is not shown again.")
        made = [shown_once(data.link, t("Link to a new password"), note, viewer)]
    return card(
        t("Access"),
        html.P([badge, html.Span(f"{since} · {login}", className="weak")], className="state-line"),
        html.Div(_access_buttons(account, viewer), className="actions"),
        *made,
    )


def _access_buttons(account: Account, viewer: Viewer) -> list[Component]:
    t = viewer.t
    if not account.active:
        return [action_button(action_id(ENABLE), t("Enable"), "primary")]
    return [
        confirmed(
            t("Make a reset link…"),
            t("Whoever has the link can set a new password. Earlier links stop working."),
            action_button(action_id(RESET), t("Make the link"), "primary"),
        ),
        confirmed(
            t("Disable…"),
            t("The user is signed out everywhere at once and cannot sign in any more."),
            action_button(action_id(DISABLE), t("Disable this user"), "danger"),
        ),
    ]


def sessions_card(data: AccountData, viewer: Viewer) -> html.Section:
    """Where the user is signed in, and an end to all of it."""
    t = viewer.t
    end = confirmed(
        t("End all…"),
        t("The user must sign in again in every browser and program."),
        action_button(action_id(END), t("End all sessions"), "danger"),
    )
    table: Component = html.P(t("Not signed in anywhere."), className="quiet")
    if data.sessions:
        header = (t("Address"), t("Browser"), t("Since"), t("Last seen"))
        head = html.Thead(html.Tr([html.Th(name, scope="col") for name in header]))
        body = html.Tbody([_session_row(one, viewer) for one in data.sessions])
        words = html.Table([head, body], className="plain-table plain-words", id="user-sessions")
        table = html.Div(words, className="table-scroll", tabIndex=0)
    files = file_links(f"/admin/users/{data.account.user_id}/sessions", {}, viewer)
    return card(t("Sessions"), table, tools=[*files, end])


def _session_row(one: SignedIn, viewer: Viewer) -> html.Tr:
    cells = (
        one.address or fmt.UNKNOWN,
        browser_of(one.agent) or viewer.t("Unknown browser"),
        fmt.moment(one.created_at, viewer.locale),
        fmt.moment(one.seen_at, viewer.locale),
    )
    return html.Tr([html.Td(cell) for cell in cells])


def _fields(
    name: str, role: Role, scope: Scope, choices: dict[str, list[Option]], viewer: Viewer
) -> list[Component]:
    t = viewer.t
    roles = [Option(str(one), named(ROLES, str(one), t)) for one in Role]
    every = t("Everything")
    return [
        text_field("user-name", t("Name"), name, autoComplete="off", maxLength=120),
        choice_field("user-role", t("Role"), roles, str(role), viewer),
        choice_field(
            "user-ufs",
            t("Only these UFs"),
            choices["ufs"],
            list(scope.ufs),
            viewer,
            placeholder=every,
        ),
        choice_field(
            "user-contracts",
            t("Only these contracts"),
            choices["contracts"],
            list(scope.contracts),
            viewer,
            placeholder=every,
        ),
    ]


def _head(title: str, viewer: Viewer, more: str = "") -> html.Div:
    back = dcc.Link(viewer.t("Users"), href="/admin/users")
    trail = html.P([back, f" / {more}" if more else ""], className="trail")
    return html.Div([trail, html.H1(title)], className="page-head")
