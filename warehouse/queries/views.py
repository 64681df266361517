"""Saved views as their reader finds them. Never cached: whoever saves one looks for it next."""

from __future__ import annotations

from sqlalchemy import text

from domain.access import Role
from domain.views import SavedView, address_of
from warehouse.db import quick

_LISTED = text("""
    SELECT view.view_id, view.name, view.page, view.state ->> 'query' AS query,
        view.user_id = :user_id AS mine, owner.name AS owner, view.shared_with,
        view.is_default AND view.user_id = :user_id AS is_start
    FROM support.saved_view AS view JOIN support."user" AS owner USING (user_id)
    WHERE view.user_id = :user_id OR view.shared_with = :role
    ORDER BY mine DESC, view.name, view.view_id
""")
_START = text(
    "SELECT page, state ->> 'query' AS query FROM support.saved_view"
    " WHERE user_id = :user_id AND is_default"
)


def listed(*, user_id: int, role: Role) -> list[SavedView]:
    """One's own, then those that are shared with one's role. Raises Unavailable."""
    rows = quick(_LISTED, {"user_id": user_id, "role": str(role)})
    return [SavedView(**row._mapping) for row in rows]


def start(user_id: int) -> str | None:
    """The address that this person begins with; None where none was chosen. Raises Unavailable."""
    found = quick(_START, {"user_id": user_id})
    return address_of(found[0].page, found[0].query) if found else None
