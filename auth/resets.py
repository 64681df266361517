"""One-time links to a new password. The link itself is shown once and kept nowhere."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from auth.passwords import digest, hash_password
from warehouse.commands import resets as store
from warehouse.commands.users import Actor, Who
from warehouse.queries import users
from warehouse.queries.users import UserRow

LIFE = timedelta(hours=24)
PREFIX = "/reset/"
SECRET_IN_PATH = re.compile(f"{PREFIX}.+", re.DOTALL)


@dataclass(frozen=True)
class Link:
    """Where a new password of the account can be chosen, once, until when (UTC)."""

    path: str
    expires_at: datetime
    account: UserRow


def masked(path: str) -> str:
    """What logs may hold of a path: all but a link's secret, whether or not the path is right."""
    return SECRET_IN_PATH.sub(f"{PREFIX}<secret>", path)


def make(engine: Engine, who: Who, *, actor: Actor) -> Link:
    """A link in place of the account's earlier ones. Raises NotFound, InvalidInput."""
    secret = secrets.token_urlsafe(32)
    account, expires_at = store.make(engine, who, link_hash=digest(secret), life=LIFE, actor=actor)
    return Link(f"{PREFIX}{secret}", expires_at, account)


def owner(secret: str) -> UserRow | None:
    """Whose link this is; None for one that is unknown, expired or used. Raises Unavailable."""
    return users.by_link(digest(secret))


def redeem(engine: Engine, secret: str, password: str, *, actor: Actor) -> UserRow | None:
    """Sets the password and spends the link; None where `owner` would give None.

    Raises WeakPassword, and then the link stays good.
    """
    row = owner(secret)
    if row is None:
        return None
    password_hash = hash_password(password, (row.name, row.email))
    return store.redeem(
        engine, row.user_id, link_hash=digest(secret), password_hash=password_hash, actor=actor
    )
