"""Who exists, and what each may see. Never cached: disabling somebody must bite at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, Row, bindparam, exists, func, select, text

from domain.access import Permission, Role, Scope, may
from domain.errors import NotFound
from domain.records import Option, Page
from warehouse.caching import VERSION
from warehouse.db import Prepared, primary
from warehouse.queries.paging import fetch_page
from warehouse.tables.support import password_reset, token, user
from warehouse.tables.support import subject as subjects

SORTS = {
    "email": "text",
    "name": "text",
    "role": "text",
    "created_at": "timestamptz",
    "last_login_at": "timestamptz",
}


@dataclass(frozen=True)
class UserRow:
    """One account. `token_version` is part of every session and token: a new one ends them all.

    `language` is None until its owner has chosen one.
    """

    user_id: int
    email: str
    name: str
    role: Role
    active: bool
    must_change_password: bool
    scope: Scope
    language: str | None
    token_version: int
    password_hash: str
    created_at: datetime
    last_login_at: datetime | None

    @property
    def may_act(self) -> bool:
        """True if the account decides about what its scope shows."""
        return self.active and may(self.role, Permission.ACT)


def by_email(email: str) -> UserRow | None:
    """The account with this address, whatever its capitals. Raises Unavailable."""
    with primary() as connection:
        return one(connection, func.lower(user.c.email) == email.strip().lower())


def who_may_act(scope: Scope) -> list[str]:
    """E-mails of the active analysts and administrators whose scope has something in common with
    this one. Raises Unavailable."""
    return [row.email for row in listed() if row.may_act and row.scope.meets(scope)]


def by_id(user_id: int) -> UserRow | None:
    """The account with this number. Raises Unavailable."""
    with primary() as connection:
        return one(connection, user.c.user_id == user_id)


def known(user_id: int) -> UserRow:
    """The account with this number. Raises NotFound."""
    row = by_id(user_id)
    if row is None:
        raise NotFound(f"There is no user {user_id}.")
    return row


_BY_TOKEN = Prepared(
    select(user, VERSION).where(
        user.c.user_id == bindparam("user_id"),
        user.c.token_version == bindparam("version"),
        user.c.active,
        exists().where(
            token.c.family == bindparam("family"),
            token.c.user_id == user.c.user_id,
            token.c.used_at.is_(None),
            token.c.revoked_at.is_(None),
        ),
    ),
)


def by_token(*, user_id: int, version: int, family: UUID) -> tuple[UserRow, str] | None:
    """The active account of an access token, unless its login has ended, and the data version. One
    statement.

    A login lives as long as it holds a refresh token that is neither used nor revoked. Raises
    Unavailable.
    """
    asked = {"user_id": user_id, "version": version, "family": str(family)}
    for values in _BY_TOKEN.rows(asked):
        data_version = str(values.pop("data_version"))
        return row_of(values), data_version
    return None


def by_subject(*, issuer: str, subject: str) -> UserRow | None:
    """The account that the sign-in service knows as `subject`. Raises Unavailable."""
    linked = exists().where(
        subjects.c.issuer == issuer,
        subjects.c.subject == subject,
        subjects.c.user_id == user.c.user_id,
    )
    with primary() as connection:
        return one(connection, linked)


def by_link(link_hash: str) -> UserRow | None:
    """The active account that a one-time link is for, unless the link has expired or was used.
    Raises Unavailable."""
    live = exists().where(
        password_reset.c.link_hash == link_hash,
        password_reset.c.user_id == user.c.user_id,
        password_reset.c.expires_at > func.now(),
    )
    with primary() as connection:
        return one(connection, live & user.c.active)


def page(*, limit: int = 50, cursor: str | None = None, sort: str = "email") -> Page[UserRow]:
    """Accounts in order, a page at a time. Raises InvalidInput, Unavailable."""
    with primary() as connection:
        return fetch_page(
            connection,
            'SELECT * FROM support."user"',
            {},
            _row,
            sort=sort,
            sorts=SORTS,
            tie={"user_id": "bigint"},
            limit=limit,
            cursor=cursor,
        )


def scope_choices() -> dict[str, list[Option]]:
    """What a scope can be made of: every UF, and the contracts that are loaded."""
    sql = text(
        """
        SELECT 'ufs', uf, uf || ' – ' || name FROM core.uf
        UNION ALL
        SELECT 'contracts', contract, concat_ws(' – ', contract, customer) FROM core.contract
        ORDER BY 1, 2
        """
    )
    choices: dict[str, list[Option]] = {"ufs": [], "contracts": []}
    with primary() as connection:
        for name, value, label in connection.execute(sql):
            choices[name].append(Option(value, label))
    return choices


def listed() -> list[UserRow]:
    """All accounts by address. Raises Unavailable."""
    with primary() as connection:
        return everyone(connection)


def everyone(connection: Connection) -> list[UserRow]:
    """All accounts by address."""
    return [_row(found) for found in connection.execute(select(user).order_by(user.c.email))]


def exist(engine: Engine) -> bool:
    """True if there is any account."""
    with engine.connect() as connection:
        return connection.execute(select(user.c.user_id).limit(1)).first() is not None


def one(
    connection: Connection, condition: ColumnElement[bool], *, held: bool = False
) -> UserRow | None:
    """The account that meets the condition, or None; `held`, nobody changes it until the
    transaction ends."""
    query = select(user).where(condition)
    found = connection.execute(query.with_for_update(read=True) if held else query).one_or_none()
    return None if found is None else _row(found)


def row_of(values: dict[str, Any]) -> UserRow:
    """The account of a row of the table, by column names."""
    scope = Scope(ufs=tuple(values.pop("ufs")), contracts=tuple(values.pop("contracts")))
    return UserRow(**{**values, "role": Role(values["role"]), "scope": scope})


def _row(found: Row[Any]) -> UserRow:
    return row_of(dict(found._mapping))
