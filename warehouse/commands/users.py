"""Changes to accounts. Each writes its audit row in the same transaction.

Whatever takes something away (role, account, password) raises `token_version`, which ends every
session and token of that account on all workers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from domain.access import EVERYTHING, Role, Scope
from domain.errors import InvalidInput, NotFound
from warehouse.commands import audit
from warehouse.queries.users import UserRow, everyone
from warehouse.tables.support import token, user

EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}")


@dataclass(frozen=True)
class Actor:
    """Who makes a change, as the audit log will name them."""

    name: str = audit.SYSTEM
    role: str | None = None
    address: str | None = None
    request_id: str | None = None


def create(
    engine: Engine,
    *,
    email: str,
    name: str,
    role: Role,
    password_hash: str,
    actor: Actor,
    scope: Scope = EVERYTHING,
    must_change_password: bool = False,
) -> int:
    """A new account; gives its number. Raises InvalidInput for a bad or taken address."""
    address = checked_email(email)
    values = {
        "email": address,
        "name": name,
        "role": str(role),
        "ufs": list(scope.ufs),
        "contracts": list(scope.contracts),
        "must_change_password": must_change_password,
    }
    try:
        with engine.begin() as connection:
            made = connection.execute(
                insert(user).values(**values, password_hash=password_hash).returning(user.c.user_id)
            ).scalar_one()
            _audit(connection, actor, "user.create", address, after=values)
    except IntegrityError:
        raise _invalid("email", "is already taken") from None
    return int(made)


def create_first(engine: Engine, *, email: str, password_hash: str) -> bool:
    """The first administrator, if there is no account at all; True if it was made."""
    address = checked_email(email)
    with engine.begin() as connection:
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("first administrator"))))
        if connection.execute(select(func.count()).select_from(user)).scalar_one():
            return False
        connection.execute(
            insert(user).values(
                email=address,
                name=address.partition("@")[0],
                role="ADMIN",
                password_hash=password_hash,
            )
        )
        _audit(connection, Actor(), "user.create", address, after={"role": "ADMIN"})
    return True


def set_role(engine: Engine, *, email: str, role: Role, actor: Actor) -> None:
    """Another role; ends the account's sessions. Raises NotFound, or InvalidInput for the last
    administrator."""
    _change(engine, email, actor, "user.set_role", {"role": str(role)})


def set_active(engine: Engine, *, email: str, active: bool, actor: Actor) -> None:
    """Lets an account in or shuts it out at once. Raises as `set_role` does."""
    _change(engine, email, actor, "user.enable" if active else "user.disable", {"active": active})


def set_password(
    engine: Engine, *, email: str, password_hash: str, actor: Actor, must_change: bool = False
) -> None:
    """Another password; ends the account's sessions. Raises NotFound."""
    values = {"password_hash": password_hash, "must_change_password": must_change}
    _change(engine, email, actor, "user.set_password", values)


def record_login(engine: Engine, *, user_id: int, actor: Actor, action: str) -> None:
    """Notes a successful login."""
    with engine.begin() as connection:
        connection.execute(
            update(user).where(user.c.user_id == user_id).values(last_login_at=func.now())
        )
        _audit(connection, actor, action, actor.name, status=200)


def checked_email(email: str) -> str:
    """The address without blanks around it; raises InvalidInput if it cannot be one."""
    address = email.strip()
    if not EMAIL.fullmatch(address):
        raise _invalid("email", "must look like name@place")
    return address


def _change(engine: Engine, email: str, actor: Actor, action: str, values: dict[str, Any]) -> None:
    with engine.begin() as connection:
        accounts = _locked(connection)
        account = next((a for a in accounts if a.email.lower() == email.strip().lower()), None)
        if account is None:
            raise NotFound(f"No user has the address {email!r}.")
        if _takes_last_admin(accounts, account, values):
            raise _invalid("email", "is the last active administrator")
        connection.execute(
            update(user)
            .where(user.c.user_id == account.user_id)
            .values(**values, token_version=user.c.token_version + 1)
        )
        connection.execute(
            update(token)
            .where(token.c.user_id == account.user_id, token.c.revoked_at.is_(None))
            .values(revoked_at=func.now())
        )
        shown = {key: value for key, value in values.items() if key != "password_hash"}
        before = {key: getattr(account, key) for key in shown}
        _audit(connection, actor, action, account.email, before=before, after=shown)


def _locked(connection: Connection) -> list[UserRow]:
    """All accounts; nobody else changes one until the transaction ends."""
    connection.execute(select(user.c.user_id).with_for_update())
    return everyone(connection)


def _takes_last_admin(accounts: list[UserRow], account: UserRow, values: dict[str, Any]) -> bool:
    admins = {a.user_id for a in accounts if a.role == Role.ADMIN and a.active}
    stays = values.get("role", "ADMIN") == "ADMIN" and values.get("active", True)
    return admins == {account.user_id} and not stays


def _audit(connection: Connection, actor: Actor, action: str, address: str, **more: Any) -> None:
    audit.record(
        connection,
        actor=actor.name,
        role=actor.role,
        address=actor.address,
        request_id=actor.request_id,
        action=action,
        object=f"user:{address}",
        **more,
    )


def _invalid(name: str, reason: str) -> InvalidInput:
    return InvalidInput(f"{name} {reason}.", fields={name: reason})
