"""`/admin/users`, `/admin/new-user` and `/admin/users/<id>`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update, set_props
from dash.development.base_component import Component
from flask import request

from auth import passwords, resets, session
from auth.guards import current_viewer, requires
from auth.session import request_actor
from callbacks.address import Address
from callbacks.screen import screen
from domain.access import EVERYTHING, Permission, Role
from domain.errors import InvalidInput, NotFound
from domain.viewer import Viewer
from layouts import admin_users as layout
from layouts.shell import toast
from warehouse.commands import users as commands
from warehouse.db import get_engine
from warehouse.queries import sessions, users
from warehouse.queries.users import UserRow

USERS = Permission.MANAGE_USERS
NAMES = ("name", "role", "ufs", "contracts")
FIELDS = [State(f"user-{name}", "value") for name in NAMES]


@screen(USERS, personal=True)
def page(viewer: Viewer, address: Address) -> Component:
    """All accounts."""
    return layout.users_page([_account(row) for row in users.listed()], viewer)


@screen(USERS, personal=True)
def new(viewer: Viewer, address: Address) -> Component:
    """The form for a new account."""
    return layout.new_page(users.scope_choices(), viewer)


@screen(USERS, personal=True)
def detail(viewer: Viewer, address: Address) -> Component:
    """One account."""
    return layout.detail_page(_data(users.known(address.count("user_id"))), viewer)


def register(app: Dash) -> None:
    """Making an account, and everything that is done to one."""

    @app.callback(
        Output("new-user", "children"),
        Input(layout.CREATE, "n_clicks"),
        State("user-email", "value"),
        *FIELDS,
        prevent_initial_call=True,
    )
    @requires(USERS)
    def create(clicks: int | None, email: Any, *values: Any) -> Any:
        return _created(_text(email), _fields(*values)) if clicks else no_update

    @app.callback(
        Output(layout.PAGE, "children"),
        Input(layout.action_id(ALL), "n_clicks"),
        State("user-id", "data"),
        State(layout.SHOWN, "data"),
        *FIELDS,
        prevent_initial_call=True,
    )
    @requires(USERS)
    def act(_clicks: Any, user_id: Any, shown: Any, *values: Any) -> Any:
        if not ctx.triggered or not ctx.triggered[0]["value"] or not ctx.triggered_id:
            return no_update
        action = str(ctx.triggered_id["name"])
        fields = _changed(_fields(*values), shown)
        return _done(action, _number(user_id), fields, current_viewer())


def _created(email: str, fields: commands.Changes) -> Component:
    password, name = passwords.generated(), fields.name or ""
    user_id = commands.create(
        get_engine(),
        email=email,
        name=name,
        role=fields.role or Role.VIEWER,
        password_hash=passwords.hash_password(password, (name, email)),
        actor=request_actor(),
        scope=fields.scope_from(EVERYTHING),
        must_change_password=True,
    )
    return layout.created(_account(users.known(user_id)), password, current_viewer())


def _done(action: str, user_id: int, fields: commands.Changes, viewer: Viewer) -> list[Component]:
    """Does it, says so, and shows the account as it is then."""
    engine, actor, link = get_engine(), request_actor(), None
    if action == layout.RESET:
        made = resets.make(engine, user_id, actor=actor)
        row, link = made.account, request.host_url.rstrip("/") + made.path
    elif action == layout.END:
        row = commands.end_sessions(engine, user_id, actor=actor)
    else:
        row = commands.change(engine, user_id, _changes(action, fields), actor=actor)
    said = viewer.t(layout.DONE[action])
    set_props("toasts", {"children": toast(said, viewer, "success")})
    return layout.detail(_data(row, link), viewer)


def _changes(action: str, fields: commands.Changes) -> commands.Changes:
    if action == layout.SAVE:
        return fields
    if action in (layout.ENABLE, layout.DISABLE):
        return commands.Changes(active=action == layout.ENABLE)
    raise InvalidInput(f"There is no action {action!r}.")


def _data(row: UserRow, link: str | None = None) -> layout.AccountData:
    found = sessions.of_user(row.user_id, idle=session.idle_limit())
    return layout.AccountData(
        account=_account(row),
        sessions=[
            layout.SignedIn(one.address, one.agent, one.created_at, one.seen_at) for one in found
        ],
        choices=users.scope_choices(),
        link=link,
    )


def _account(row: UserRow) -> layout.Account:
    return layout.Account(
        user_id=row.user_id,
        email=row.email,
        name=row.name,
        role=row.role,
        active=row.active,
        must_change_password=row.must_change_password,
        scope=row.scope,
        created_at=row.created_at,
        last_login_at=row.last_login_at,
    )


# Whatever the browser sends: a form can be forged, so nothing is taken for what it should be


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**31:
        raise NotFound("There is no such user.")
    return value


def _role(value: Any) -> Role:
    try:
        return Role(value)
    except ValueError:
        raise InvalidInput("role is not known.", fields={"role": "is not known"}) from None


def _fields(name: Any, role: Any, ufs: Any, contracts: Any) -> commands.Changes:
    return commands.Changes(
        name=_text(name),
        role=_role(role),
        ufs=_codes("ufs", ufs),
        contracts=_codes("contracts", contracts),
    )


def _changed(fields: commands.Changes, shown: Any) -> commands.Changes:
    """What differs from what was shown: the rest may have been changed by others meanwhile."""
    told = shown if isinstance(shown, dict) else {}
    before = _fields(*(told.get(name) for name in NAMES))
    kept = {name: None for name in NAMES if getattr(fields, name) == getattr(before, name)}
    return replace(fields, **kept)


def _codes(field: str, values: Any) -> set[str]:
    """Nothing chosen means everything; what is no list of codes must not come to mean that."""
    given = [] if values is None else values
    codes = {_text(value) for value in given} if isinstance(given, list) else {""}
    if "" in codes:
        raise InvalidInput(f"{field} must be a list of codes.", fields={field: "must be a list"})
    return codes
