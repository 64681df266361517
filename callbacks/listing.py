"""Pages of a table whose place the address keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callbacks.address import Address
from domain.errors import InvalidInput
from domain.records import Page
from layouts.components.pager import Listed


def listed(address: Address, prefix: str, query: Callable[..., Page[Any]], limit: int) -> Listed:
    """The page at the address's cursor; the first one if the cursor is not good (any more)."""
    name = f"{prefix}cursor"
    cursor = address.text(name, 500) or None
    try:
        found = query(limit=limit, cursor=cursor)
        return Listed(found, address.count(f"{prefix}start") if cursor else 0)
    except InvalidInput:
        address.ignored(name, cursor or "")
        return Listed(query(limit=limit, cursor=None), 0)
