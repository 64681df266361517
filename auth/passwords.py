"""Passwords: bcrypt, checked in the same time whether the account exists or not."""

from __future__ import annotations

import secrets

import bcrypt

from domain.errors import InvalidInput

COST = 12
MIN_LENGTH = 8
MAX_BYTES = 72
NOBODYS = "$2b$12$cJiq5wnxfW5WdXZBNrUx2errLz0NTGItEElDsakQuRfsdof4GnlSO"
"""The hash of a random password that was thrown away: of COST, so that it takes as long."""


def hash_password(password: str) -> str:
    """The bcrypt hash. Raises InvalidInput for a password that bcrypt would not take whole."""
    return bcrypt.hashpw(_checked(password).encode(), bcrypt.gensalt(COST)).decode()


def matches(password: str, password_hash: str | None) -> bool:
    """True if the password is that of the hash; with no hash it takes as long and is False.

    Raises InvalidInput for more than 72 bytes: bcrypt would ignore what follows.
    """
    _check_length(password)
    known = bcrypt.checkpw(password.encode(), (password_hash or NOBODYS).encode())
    return known and password_hash is not None


def generated() -> str:
    """A password that nobody can guess, for printing once."""
    return secrets.token_urlsafe(15)


def _checked(password: str) -> str:
    if len(password) < MIN_LENGTH:
        raise _invalid(f"must have at least {MIN_LENGTH} characters")
    _check_length(password)
    return password


def _check_length(password: str) -> None:
    if len(password.encode(errors="replace")) > MAX_BYTES:
        raise _invalid(f"must have at most {MAX_BYTES} bytes")
    if "\0" in password or any("\ud800" <= letter <= "\udfff" for letter in password):
        raise _invalid("holds a character that cannot be typed")


def _invalid(reason: str) -> InvalidInput:
    return InvalidInput(f"password {reason}.", fields={"password": reason})
