"""POST /auth/login, /auth/refresh, /auth/logout; GET /auth/me."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from api.parameters import Body, clean
from api.routing import route
from auth import tokens
from auth.guards import PUBLIC
from auth.routes import authenticate
from auth.session import request_actor, signed_in, vouch
from domain.access import Permission, may
from domain.errors import NotAuthenticated
from domain.viewer import DEFAULT_LOCALE
from warehouse.commands import users as commands
from warehouse.db import get_engine
from warehouse.queries.users import UserRow


class Credentials(Body):
    """What a login brings."""

    email: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(clean)]
    password: Annotated[str, Field(min_length=1, max_length=1000)]


class RefreshToken(Body):
    """What a refresh or a logout brings."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(clean)]


class UserAnswer(BaseModel):
    """Who is signed in, and what they may do. No UF and no contract means: all of them."""

    id: int
    email: str
    name: str
    role: str
    ufs: list[str]
    contracts: list[str]
    language: str
    permissions: list[str]


class TokensAnswer(BaseModel):
    """A pair of tokens; `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"
    expires_in: int
    user: UserAnswer


class Done(BaseModel):
    """Nothing more to say."""

    done: bool = True


@route(
    "POST",
    "/auth/login",
    permission=PUBLIC,
    body=Credentials,
    data=TokensAnswer,
    credentials_in_body=True,
)
def login(body: Credentials) -> TokensAnswer:
    """An access token and a refresh token for e-mail and password."""
    row = authenticate(body.email, body.password, action="api.login")
    if row is None:
        raise NotAuthenticated("E-mail or password is wrong.")
    vouch(row)
    pair = tokens.issue(get_engine(), row)
    actor = request_actor()
    commands.record_login(get_engine(), user_id=row.user_id, actor=actor, action="api.login")
    return _handed_out(pair)


@route(
    "POST",
    "/auth/refresh",
    permission=PUBLIC,
    body=RefreshToken,
    data=TokensAnswer,
    credentials_in_body=True,
)
def refresh(body: RefreshToken) -> TokensAnswer:
    """The next pair; each refresh token is good once."""
    row = _vouched(body.refresh_token)
    return _handed_out(tokens.refresh(get_engine(), body.refresh_token, row, actor=request_actor()))


@route(
    "POST",
    "/auth/logout",
    permission=PUBLIC,
    body=RefreshToken,
    data=Done,
    credentials_in_body=True,
)
def logout(body: RefreshToken) -> Done:
    """Revokes every token of this login, refresh and access."""
    _vouched(body.refresh_token)
    tokens.revoke(get_engine(), body.refresh_token)
    return Done()


@route("GET", "/auth/me", data=UserAnswer, personal=True)
def me() -> UserAnswer:
    """The signed-in user."""
    row = signed_in()
    if row is None:
        raise NotAuthenticated("Sign in first.")
    return _shown(row)


def _vouched(refresh_token: str) -> UserRow:
    row = tokens.owner(refresh_token)
    vouch(row)
    return row


def _handed_out(pair: tokens.Pair) -> TokensAnswer:
    return TokensAnswer(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in=pair.expires_in,
        user=_shown(pair.user),
    )


def _shown(row: UserRow) -> UserAnswer:
    return UserAnswer(
        id=row.user_id,
        email=row.email,
        name=row.name,
        role=str(row.role),
        ufs=list(row.scope.ufs),
        contracts=list(row.scope.contracts),
        language=row.language or DEFAULT_LOCALE,
        permissions=sorted(str(one) for one in Permission if may(row.role, one, row.scope)),
    )
