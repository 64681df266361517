"""Changes to accounts. Each writes its audit row in the same transaction.

Whatever takes something away (role, scope, account, password) raises `token_version`, which ends
every session and token of that account on all workers, and forgets its links to a new password.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from domain.access import EVERYTHING, Permission, Role, Scope, may
from domain.errors import EmailTaken, InvalidEmail, InvalidInput, LastAdministrator, NotFound
from warehouse.caching import count_revision, forget_version
from warehouse.commands import audit
from warehouse.commands.owners import note_release, releasing
from warehouse.queries.users import UserRow, row_of
from warehouse.tables.support import user

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
NAME_LENGTH = 120

Who = int | str
"""An account by its number or its address."""

_UNKNOWN = ", ".join(
    f"""ARRAY(
        SELECT given FROM unnest(CAST(:{field} AS text[])) AS given
        WHERE given NOT IN (SELECT {table} FROM core.{table}) ORDER BY given
    ) AS unknown_{field}"""
    for field, table in (("ufs", "uf"), ("contracts", "contract"))
)
"""What of a scope is not there."""
_HELD = f"""
SELECT account.*, {_UNKNOWN}
FROM support."user" AS account ORDER BY user_id FOR NO KEY UPDATE OF account
"""
_PUT = f"""
WITH put AS (
    UPDATE support."user" SET {{sets}} WHERE user_id = :user_id RETURNING *
), revoked AS (
    UPDATE support.token SET revoked_at = now()
    WHERE :ends AND user_id = :user_id AND revoked_at IS NULL
), forgotten AS (
    DELETE FROM support.password_reset WHERE :ends AND user_id = :user_id
), released AS ({{releases}}), noted AS ({audit.tell()})
SELECT put.*, (SELECT count(*) FROM released WHERE is_shown) AS released FROM put
"""
_NO_ALERTS = "SELECT false AS is_shown"

_ACTIONS = {"name": "user.rename", "role": "user.set_role", "scope": "user.set_scope"}


@dataclass(frozen=True)
class Actor:
    """Who makes a change, as the audit log will name them."""

    name: str = audit.SYSTEM
    role: str | None = None
    address: str | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class Changes:
    """What to change about an account; None leaves a thing as it is."""

    name: str | None = None
    role: Role | None = None
    ufs: Collection[str] | None = None
    contracts: Collection[str] | None = None
    active: bool | None = None

    def scope_from(self, kept: Scope) -> Scope:
        """The scope of these parts, and of those `kept` that are left as they are."""
        return Scope(
            ufs=kept.ufs if self.ufs is None else tuple(sorted(set(self.ufs))),
            contracts=(
                kept.contracts if self.contracts is None else tuple(sorted(set(self.contracts)))
            ),
        )


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
    """A new account; gives its number. Raises EmailTaken, or InvalidInput for a bad address, name
    or scope."""
    address = checked_email(email)
    values = {
        "email": address,
        "name": checked_name(name),
        "role": str(role),
        **_scope_values(scope),
        "must_change_password": must_change_password,
    }
    try:
        with engine.begin() as connection:
            unknown = text(f"SELECT {_UNKNOWN}")
            _check_scope(connection.execute(unknown, _scope_values(scope)).one())
            made = connection.execute(
                insert(user).values(**values, password_hash=password_hash).returning(user.c.user_id)
            ).scalar_one()
            _audit(connection, actor, "user.create", address, after=values)
    except IntegrityError:
        raise _taken() from None
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


def change(engine: Engine, who: Who, changes: Changes, *, actor: Actor) -> UserRow:
    """All of the changes or none; what is so already counts as no change. Another role, scope or
    state ends the account's sessions, tokens and links, and alerts that it may not act on any more
    are nobody's. Gives the account as it is then.

    Raises NotFound, InvalidInput, and LastAdministrator where nobody could manage users any more.
    """
    with engine.begin() as connection:
        held = _held(connection, changes.scope_from(EVERYTHING))
        accounts = [_account(row) for row in held]
        account = _found(accounts, who)
        wanted = _differences(account, changes)
        if "scope" in wanted:
            _check_scope(held[0])
        if _takes_last_admin(accounts, account, wanted):
            raise _last_administrator(wanted)
        if not wanted:
            return account
        told = [_told(account, thing, value) for thing, value in wanted.items()]
        values = {name: value for one in told for name, value in one["after"].items()}
        ends = bool(wanted.keys() - {"name"})
        then = replace(account, **wanted) if ends else None
        changed = _put(connection, account, values, told, actor, ends=ends, then=then)
    forget_version()
    return changed


def set_role(engine: Engine, *, email: str, role: Role, actor: Actor) -> None:
    """Another role; see `change`."""
    change(engine, email, Changes(role=role), actor=actor)


def set_active(engine: Engine, *, email: str, active: bool, actor: Actor) -> None:
    """Lets an account in or shuts it out at once; see `change`."""
    change(engine, email, Changes(active=active), actor=actor)


def set_password(
    engine: Engine, *, email: Who, password_hash: str, actor: Actor, must_change: bool = False
) -> UserRow:
    """Another password; ends the account's sessions, tokens and links. Raises NotFound."""
    with engine.begin() as connection:
        account = _found(_locked(connection), email)
        return put_password(
            connection,
            account,
            password_hash=password_hash,
            actor=actor,
            must_change=must_change,
        )


def put_password(
    connection: Connection,
    account: UserRow,
    *,
    password_hash: str,
    actor: Actor,
    must_change: bool = False,
    action: str = "user.set_password",
) -> UserRow:
    """`set_password` within the caller's transaction."""
    after = {"must_change_password": must_change}
    before = {"must_change_password": account.must_change_password}
    told = {"action": action, "before": before, "after": after}
    return put(connection, account, {"password_hash": password_hash, **after}, told, actor=actor)


def put_email(connection: Connection, account: UserRow, email: str, *, actor: Actor) -> UserRow:
    """Another address, in the caller's transaction. Raises EmailTaken, and InvalidInput for what is
    no address."""
    address = checked_email(email)
    before = {"user_id": account.user_id, "email": account.email}
    told = {"action": "user.set_email", "before": before, "after": {"email": address}}
    try:
        return put(connection, account, {"email": address}, told, actor=actor)
    except IntegrityError:
        raise _taken() from None


def put(
    connection: Connection,
    account: UserRow,
    values: Mapping[str, Any],
    *told: Mapping[str, Any],
    actor: Actor,
) -> UserRow:
    """Other values of columns, with audit rows (`action`, `before`, `after`) and in the caller's
    transaction; ends the account's sessions, tokens and links."""
    rows = [{"object": f"user:{account.email}", **row} for row in told]
    return _put(connection, account, values, rows, actor, ends=True)


def end_sessions(engine: Engine, who: Who, *, actor: Actor) -> UserRow:
    """Ends all sessions, tokens and links of an account. Raises NotFound."""
    with engine.begin() as connection:
        account = _found(_locked(connection), who)
        return put(connection, account, {}, {"action": "user.end_sessions"}, actor=actor)


def set_language(engine: Engine, *, row: UserRow, language: str, actor: Actor) -> None:
    """The language that the account's owner has chosen."""
    if row.language == language:
        return
    with engine.begin() as connection:
        connection.execute(
            update(user).where(user.c.user_id == row.user_id).values(language=language)
        )
        before, after = {"language": row.language}, {"language": language}
        _audit(connection, actor, "user.set_language", row.email, before=before, after=after)


def record_login(engine: Engine, *, user_id: int, actor: Actor, action: str) -> None:
    """Notes a successful login."""
    with engine.begin() as connection:
        connection.execute(
            update(user).where(user.c.user_id == user_id).values(last_login_at=func.now())
        )
        _audit(connection, actor, action, actor.name, status=200)


def checked_email(email: str) -> str:
    """The address without blanks around it; raises InvalidEmail if it cannot be one, or be shown
    as it is."""
    address = email.strip()
    if not EMAIL.fullmatch(address) or not address.isprintable():
        reason = "must look like name@place, without characters that cannot be seen"
        raise _invalid("email", reason, InvalidEmail)
    return address


def checked_name(name: str) -> str:
    """The name without blanks around it; raises InvalidInput if it cannot be shown."""
    plain = name.strip()
    if len(plain) > NAME_LENGTH or not plain.isprintable():
        raise _invalid("name", f"must have at most {NAME_LENGTH} characters that can be read")
    return plain


def find(connection: Connection, who: Who) -> UserRow:
    """The account, held until the transaction ends. Raises NotFound."""
    return _found(_locked(connection), who)


def note(
    connection: Connection, account: UserRow, *, actor: Actor, action: str, **more: Any
) -> None:
    """One audit row about an account, in the caller's transaction."""
    _audit(connection, actor, action, account.email, **more)


def _locked(connection: Connection) -> list[UserRow]:
    """All accounts; nobody else changes one until the transaction ends."""
    return [_account(row) for row in _held(connection, EVERYTHING)]


def _held(connection: Connection, scope: Scope) -> Sequence[Row[Any]]:
    """The same as rows, each with what of this scope is not there."""
    return connection.execute(text(_HELD), _scope_values(scope)).all()


def _account(row: Row[Any]) -> UserRow:
    return row_of({column.name: row._mapping[column.name] for column in user.columns})


def _found(accounts: list[UserRow], who: Who) -> UserRow:
    if isinstance(who, int):
        account = next((a for a in accounts if a.user_id == who), None)
    else:
        account = next((a for a in accounts if a.email.lower() == who.strip().lower()), None)
    if account is None:
        named = f"number {who}" if isinstance(who, int) else f"address {who!r}"
        raise NotFound(f"No user has the {named}.")
    return account


def _differences(account: UserRow, changes: Changes) -> dict[str, Any]:
    name = None if changes.name is None else checked_name(changes.name)
    wanted = {
        "name": name,
        "role": changes.role,
        "scope": changes.scope_from(account.scope),
        "active": changes.active,
    }
    return {
        thing: value
        for thing, value in wanted.items()
        if value is not None and value != getattr(account, thing)
    }


def _takes_last_admin(accounts: list[UserRow], account: UserRow, wanted: dict[str, Any]) -> bool:
    """True if nobody could manage users after this; an administrator with a scope may not."""
    admins = {a.user_id for a in accounts if a.active and _manages(a.role, a.scope)}
    stays = wanted.get("active", True) and _manages(
        wanted.get("role", account.role), wanted.get("scope", account.scope)
    )
    return admins == {account.user_id} and not stays


def _manages(role: Role, scope: Scope) -> bool:
    return may(role, Permission.MANAGE_USERS, scope)


def _last_administrator(wanted: dict[str, Any]) -> InvalidInput:
    field = next(thing for thing in ("active", "role", "scope") if thing in wanted)
    return _invalid(
        field, "cannot change: this is the last active administrator", LastAdministrator
    )


def _told(account: UserRow, thing: str, value: Any) -> dict[str, Any]:
    """The audit row of one change."""
    return {
        "action": _ACTIONS.get(thing) or ("user.enable" if value else "user.disable"),
        "object": f"user:{account.email}",
        "before": _shown(thing, getattr(account, thing)),
        "after": _shown(thing, value),
    }


def _put(
    connection: Connection,
    account: UserRow,
    values: Mapping[str, Any],
    told: Sequence[Mapping[str, Any]],
    actor: Actor,
    *,
    ends: bool,
    then: UserRow | None = None,
) -> UserRow:
    """Other values of columns, with audit rows; `ends` the sessions, tokens and links. As it is
    `then`, the account keeps no alert that it may not act on. Gives it as it is then."""
    sets = [f"{name} = :{name}" for name in values]
    releases, params = (_NO_ALERTS, {}) if then is None else releasing(then)
    sets += ["token_version = token_version + 1"] * ends
    sql = _PUT.format(sets=", ".join(sets), releases=releases)
    params |= {**values, "user_id": account.user_id, "ends": ends}
    params["audit"] = audit.told(connection, actor, told)
    found = dict(connection.execute(text(sql), params).one()._mapping)
    if released := found.pop("released"):
        note_release(connection, actor, account.email, released)
        count_revision(connection)
    return row_of(found)


def _shown(thing: str, value: Any) -> dict[str, Any]:
    """The columns of a thing, which are also what the audit log says of it."""
    if isinstance(value, Scope):
        return _scope_values(value)
    return {thing: str(value) if isinstance(value, Role) else value}


def _scope_values(scope: Scope) -> dict[str, Any]:
    return {"ufs": list(scope.ufs), "contracts": list(scope.contracts)}


def _check_scope(row: Row[Any]) -> None:
    """Raises InvalidInput for a UF or a contract that is not there: it would hide everything."""
    for field in ("ufs", "contracts"):
        if unknown := row._mapping[f"unknown_{field}"]:
            raise _invalid(field, f"does not know {', '.join(unknown)}")


def _audit(connection: Connection, actor: Actor, action: str, address: str, **more: Any) -> None:
    audit.note(
        connection,
        actor,
        action=action,
        object=f"user:{address}",
        **more,
    )


def _taken() -> InvalidInput:
    return _invalid("email", "is already taken", EmailTaken)


def _invalid(name: str, reason: str, kind: type[InvalidInput] = InvalidInput) -> InvalidInput:
    return kind(f"{name} {reason}.", fields={name: reason})
