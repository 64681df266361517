"""GET, POST /users; GET, PATCH /users/{id}; POST /users/{id}/reset; GET, DELETE …/sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from flask import request
from pydantic import AfterValidator, BaseModel, Field

from api.exporting import exported
from api.parameters import Body, Paged, Text, Uf, clean, one_of
from api.routing import route
from auth import passwords, resets, session
from auth.session import request_actor
from domain.access import EVERYTHING, Permission, Role
from domain.errors import InvalidInput
from domain.records import Page
from warehouse.commands import users as commands
from warehouse.db import get_engine
from warehouse.queries import sessions, users
from warehouse.queries.users import UserRow

USERS = Permission.MANAGE_USERS
A_USER = "/users/<int(max=2147483647):user_id>"

RoleName = Literal["ADMIN", "ANALYST", "VIEWER"]
Email = Annotated[str, Field(min_length=3, max_length=255), AfterValidator(clean)]
Name = Annotated[str, Field(max_length=commands.NAME_LENGTH), AfterValidator(clean)]
UfList = Annotated[list[Uf], Field(max_length=27)]
ContractList = Annotated[list[Text], Field(max_length=200)]


@dataclass(frozen=True)
class AccountAnswer:
    """An account. No UF and no contract means: all of them; `language` null: none chosen yet."""

    id: int
    email: str
    name: str
    role: str
    active: bool
    must_change_password: bool
    ufs: list[str]
    contracts: list[str]
    language: str | None
    created_at: datetime
    last_login_at: datetime | None


@dataclass(frozen=True)
class MadeAnswer(AccountAnswer):
    """A new account with the password that it must change; it is told only here."""

    one_time_password: str


class LinkAnswer(BaseModel):
    """Where the owner sets a new password, once; told only here."""

    link: str
    expires_at: datetime


class SessionAnswer(BaseModel):
    """A signed-in browser."""

    address: str | None
    agent: str | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class Ended(BaseModel):
    """Nothing more to say."""

    done: bool = True


class UsersQuery(Paged):
    """Order of the list."""

    sort: Annotated[Text, one_of(users.SORTS)] = "email"


class NewUser(Body):
    """What an account is made of."""

    email: Email
    name: Name = ""
    role: RoleName = "VIEWER"
    ufs: UfList = []
    contracts: ContractList = []


class UserChange(Body):
    """What to change about an account; what is left out stays as it is."""

    name: Name | None = None
    role: RoleName | None = None
    ufs: UfList | None = None
    contracts: ContractList | None = None
    active: bool | None = None


@route("GET", "/users", permission=USERS, query=UsersQuery, data=list[AccountAnswer], paged=True)
def listed(query: UsersQuery) -> Page[AccountAnswer]:
    """All accounts."""
    page = users.page(limit=query.limit, cursor=query.cursor, sort=query.sort)
    return Page(rows=[_shown(row) for row in page.rows], count=page.count, next=page.next)


@exported("users", record=AccountAnswer, permission=USERS)
def users_file() -> list[AccountAnswer]:
    """All accounts."""
    return [_shown(row) for row in users.listed()]


@route("POST", "/users", permission=USERS, body=NewUser, data=MadeAnswer)
def made(body: NewUser) -> MadeAnswer:
    """A new account, with a password that works until its owner has chosen another one."""
    password = passwords.generated()
    user_id = commands.create(
        get_engine(),
        email=body.email,
        name=body.name,
        role=Role(body.role),
        password_hash=passwords.hash_password(password, (body.name, body.email)),
        actor=request_actor(),
        scope=commands.Changes(ufs=body.ufs, contracts=body.contracts).scope_from(EVERYTHING),
        must_change_password=True,
    )
    return MadeAnswer(**vars(_shown(users.known(user_id))), one_time_password=password)


@route("GET", A_USER, permission=USERS, data=AccountAnswer)
def one(user_id: int) -> AccountAnswer:
    """One account."""
    return _shown(users.known(user_id))


@route("PATCH", A_USER, permission=USERS, body=UserChange, data=AccountAnswer)
def changed(user_id: int, body: UserChange) -> AccountAnswer:
    """Changes name, role, scope or state; all but a name sign the user out everywhere."""
    if not body.model_fields_set:
        raise InvalidInput("Say what to change.", fields={"body": "is empty"})
    changes = commands.Changes(
        name=body.name,
        role=Role(body.role) if body.role else None,
        ufs=body.ufs,
        contracts=body.contracts,
        active=body.active,
    )
    return _shown(commands.change(get_engine(), user_id, changes, actor=request_actor()))


@route("POST", f"{A_USER}/reset", permission=USERS, data=LinkAnswer)
def reset(user_id: int) -> LinkAnswer:
    """A one-time link to a new password, good for 24 hours, in place of earlier ones."""
    link = resets.make(get_engine(), user_id, actor=request_actor())
    return LinkAnswer(link=request.host_url.rstrip("/") + link.path, expires_at=link.expires_at)


@route("GET", f"{A_USER}/sessions", permission=USERS, data=list[SessionAnswer])
def open_sessions(user_id: int) -> list[SessionAnswer]:
    """The browsers that the user is signed in with."""
    users.known(user_id)
    found = sessions.of_user(user_id, idle=session.idle_limit())
    return [SessionAnswer.model_validate(row, from_attributes=True) for row in found]


@route("DELETE", f"{A_USER}/sessions", permission=USERS, data=Ended)
def ended_sessions(user_id: int) -> Ended:
    """Signs the user out of every browser and program."""
    commands.end_sessions(get_engine(), user_id, actor=request_actor())
    return Ended()


def _shown(row: UserRow) -> AccountAnswer:
    return AccountAnswer(
        id=row.user_id,
        email=row.email,
        name=row.name,
        role=str(row.role),
        active=row.active,
        must_change_password=row.must_change_password,
        ufs=list(row.scope.ufs),
        contracts=list(row.scope.contracts),
        language=row.language,
        created_at=row.created_at,
        last_login_at=row.last_login_at,
    )
