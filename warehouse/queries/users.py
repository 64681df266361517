"""Who exists, and what each may see. Never cached: disabling somebody must bite at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, func, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.access import Role, Scope
from domain.errors import Unavailable
from warehouse.db import get_engine
from warehouse.tables.support import user


@dataclass(frozen=True)
class UserRow:
    """One account. `token_version` is part of every session and token: a new one ends them all."""

    user_id: int
    email: str
    name: str
    role: Role
    active: bool
    must_change_password: bool
    scope: Scope
    language: str
    token_version: int
    password_hash: str
    created_at: datetime
    last_login_at: datetime | None


def by_email(email: str) -> UserRow | None:
    """The account with this address, whatever its capitals. Raises Unavailable."""
    with _connected() as connection:
        return one(connection, func.lower(user.c.email) == email.strip().lower())


def by_id(user_id: int) -> UserRow | None:
    """The account with this number. Raises Unavailable."""
    with _connected() as connection:
        return one(connection, user.c.user_id == user_id)


def everyone(connection: Connection) -> list[UserRow]:
    """All accounts by address."""
    return [_row(found) for found in connection.execute(select(user).order_by(user.c.email))]


def exist(engine: Engine) -> bool:
    """True if there is any account."""
    with engine.connect() as connection:
        return connection.execute(select(user.c.user_id).limit(1)).first() is not None


def one(connection: Connection, condition: ColumnElement[bool]) -> UserRow | None:
    """The account that meets the condition, or None."""
    found = connection.execute(select(user).where(condition)).one_or_none()
    return None if found is None else _row(found)


def _row(found: Row[Any]) -> UserRow:
    values = dict(found._mapping)
    scope = Scope(ufs=tuple(values.pop("ufs")), contracts=tuple(values.pop("contracts")))
    return UserRow(**{**values, "role": Role(values["role"]), "scope": scope})


@contextmanager
def _connected() -> Iterator[Connection]:
    try:
        with get_engine().connect() as connection:
            yield connection
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise Unavailable("The database does not answer.") from error
