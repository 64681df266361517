"""The product as it would be without revocation and audit: who holds a token is looked up once, and
nothing is noted. Served beside the product, to tell what these two cost."""

from __future__ import annotations

from functools import cache
from typing import Any

from auth import trail
from warehouse.queries import users
from wsgi import server

__all__ = ["server"]


def _not_noted(*_: Any, **__: Any) -> None:
    """In place of `trail.note`."""


users.by_token = cache(users.by_token)
trail.note = _not_noted
