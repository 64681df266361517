"""JWT for machines: a short access token and a refresh token that is used once.

Algorithm, issuer, audience, type and expiry are pinned, and every claim is required (RFC 8725).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID, uuid4

import jwt
from flask import current_app
from sqlalchemy import Engine

from domain.errors import NotAuthenticated
from warehouse.commands import tokens as store
from warehouse.commands.users import Actor
from warehouse.queries import users
from warehouse.queries.users import UserRow

ALGORITHM = "HS256"
ISSUER = "nova-corrente"
AUDIENCE = "nova-corrente-api"
ACCESS, REFRESH = "access", "refresh"
ACCESS_LIFE = timedelta(minutes=15)
REFRESH_LIFE = timedelta(days=14)
LARGEST = 2**31 - 1
"""Of the numbers that the database takes for an account and its token version."""
LIVES = {ACCESS: ACCESS_LIFE.total_seconds(), REFRESH: REFRESH_LIFE.total_seconds()}
"""No token of ours lives longer, in seconds, whatever its expiry says."""

REQUIRED = ("iss", "aud", "sub", "iat", "exp", "jti", "typ", "ver", "fam")


@dataclass(frozen=True)
class Claims:
    """What a valid token says: whose it is, at which token version, its own number, and the family
    of tokens that descend from the same login."""

    user_id: int
    version: int
    token_id: UUID
    family: UUID


@dataclass(frozen=True)
class Pair:
    """What a login or a refresh hands out; `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    user: UserRow


def issue(engine: Engine, row: UserRow) -> Pair:
    """The first pair of a login."""
    expires_at = datetime.now(UTC) + REFRESH_LIFE
    return _pair(row, store.start(engine, user_id=row.user_id, expires_at=expires_at), expires_at)


def owner(token: str) -> UserRow:
    """Whose refresh token it is. Raises NotAuthenticated if it is not one of ours."""
    row = users.by_id(read(token, REFRESH).user_id)
    if row is None:
        raise _refused()
    return row


def refresh(engine: Engine, token: str, row: UserRow, *, actor: Actor) -> Pair:
    """The next pair for the token's owner. Raises NotAuthenticated if the token is not valid, used
    or revoked; using a token again revokes every token of its login."""
    claims = read(token, REFRESH)
    if not row.active or row.token_version != claims.version:
        raise _refused()
    expires_at = datetime.now(UTC) + REFRESH_LIFE
    held = store.rotate(
        engine,
        token_id=claims.token_id,
        user_id=row.user_id,
        expires_at=expires_at,
        actor=actor,
    )
    if held is None:
        raise _refused()
    return _pair(row, held, expires_at)


def revoke(engine: Engine, token: str) -> Claims:
    """Ends the login of a refresh token, its access tokens included. Raises NotAuthenticated if it
    is not one of ours."""
    claims = read(token, REFRESH)
    store.revoke_family(engine, token_id=claims.token_id, user_id=claims.user_id)
    return claims


def read(token: str, kind: str) -> Claims:
    """The claims of a valid token of this kind. Raises NotAuthenticated for anything else."""
    claims, ends_at = _verified(token, kind, _key())
    if time.time() >= ends_at:
        raise _refused()
    return claims


@lru_cache(maxsize=1024)
def _verified(token: str, kind: str, key: bytes) -> tuple[Claims, float]:
    """The claims and when the token expires, in seconds since 1970. What was found good once is
    good until then: signature and claims do not change."""
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": list(REQUIRED), "strict_aud": True},
        )
        if claims["typ"] != kind or claims["exp"] - claims["iat"] > LIVES[kind]:
            raise _refused()
        numbers = int(claims["sub"]), int(claims["ver"])
        if not all(0 <= number <= LARGEST for number in numbers):
            raise _refused()
        ends_at = float(claims["exp"])
        return Claims(*numbers, UUID(claims["jti"]), UUID(claims["fam"])), ends_at
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError):
        raise _refused() from None


def _pair(row: UserRow, held: store.Refresh, expires_at: datetime) -> Pair:
    fresh = store.Refresh(uuid4(), held.family)
    access = _sign(row, ACCESS, fresh, datetime.now(UTC) + ACCESS_LIFE)
    return Pair(
        access_token=access,
        refresh_token=_sign(row, REFRESH, held, expires_at),
        expires_in=int(ACCESS_LIFE.total_seconds()),
        user=row,
    )


def _sign(row: UserRow, kind: str, numbers: store.Refresh, expires_at: datetime) -> str:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(row.user_id),
        "iat": datetime.now(UTC),
        "exp": expires_at,
        "jti": str(numbers.token_id),
        "fam": str(numbers.family),
        "typ": kind,
        "ver": row.token_version,
    }
    return jwt.encode(claims, _key(), algorithm=ALGORITHM)


def _key() -> bytes:
    """Tokens are signed with the product's key, sessions with one derived from it by Flask."""
    return f"jwt:{current_app.secret_key!s}".encode()


def _refused() -> NotAuthenticated:
    return NotAuthenticated("The token is not valid.")
