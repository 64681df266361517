"""Passwords: bcrypt, checked in the same time whether the account exists or not.

What is asked of a new one: length, and that nobody would guess it first (NIST SP 800-63B). No rule
says which kinds of characters it must hold.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from functools import lru_cache

import bcrypt

from domain.errors import WeakPassword
from domain.spelling import plain

COST = 12
MIN_LENGTH = 8
MAX_BYTES = 72
NOBODYS = "$2b$12$cJiq5wnxfW5WdXZBNrUx2errLz0NTGItEElDsakQuRfsdof4GnlSO"
"""The hash of a random password that was thrown away: of COST, so that it takes as long."""

OURS = frozenset(
    {"novacorrente", "nova", "corrente", "senha", "mudar", "trocar", "acesso", "administrador"}
)
"""Words that are as common here as those of the published lists, alone or with figures behind."""

FIGURES = re.compile(r"[\W\d_]+$")
WORD = re.compile(r"[^\W\d_]{3,}")


def hash_password(password: str, own: Sequence[str] = ()) -> str:
    """The bcrypt hash of a new password; `own` is what the account is called: name, e-mail.

    Raises WeakPassword for one that bcrypt would not take whole, that is too short or common, or
    that is made of the account's own names.
    """
    _check_length(password)
    if len(password) < MIN_LENGTH:
        raise WeakPassword("short", f"must have at least {MIN_LENGTH} characters")
    if len(_without(own, password)) < MIN_LENGTH:
        raise WeakPassword("own", "must not be made of the account's own name or e-mail")
    if _is_common(password):
        raise WeakPassword("common", "is one of the most common passwords: choose another one")
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST)).decode()


def matches(password: str, password_hash: str | None) -> bool:
    """True if the password is that of the hash; with no hash it takes as long and is False.

    Raises WeakPassword for more than 72 bytes: bcrypt would ignore what follows.
    """
    _check_length(password)
    known = bcrypt.checkpw(password.encode(), (password_hash or NOBODYS).encode())
    return known and password_hash is not None


def generated() -> str:
    """A password that nobody can guess, for printing once."""
    return secrets.token_urlsafe(15)


def digest(secret: str) -> str:
    """What is kept of a long random secret: enough to know it again, not to make it."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _check_length(password: str) -> None:
    if len(password.encode(errors="replace")) > MAX_BYTES:
        raise WeakPassword("long", f"must have at most {MAX_BYTES} bytes")
    if "\0" in password or any("\ud800" <= letter <= "\udfff" for letter in password):
        raise WeakPassword("unreadable", "holds a character that cannot be typed")


def _without(own: Sequence[str], password: str) -> str:
    """What is left of a password where the account's own words do not count."""
    left = plain(password)
    words = {word for text in own for word in WORD.findall(plain(text))}
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word, "")
    return left


def _is_common(password: str) -> bool:
    spelt = plain(password)
    return not _common().isdisjoint({spelt, FIGURES.sub("", spelt)}) or len(set(spelt)) < 3


@lru_cache
def _common() -> frozenset[str]:
    """Read when the first password is chosen: the lists are large, and most processes need none."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return OURS.union(FREQUENCY_LISTS["passwords"])
