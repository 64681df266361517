"""Saved views as their reader finds them. Never cached: whoever saves one looks for it next."""

from __future__ import annotations

from sqlalchemy import text

from domain.access import Role, Scope, may
from domain.page_filters import permission_at
from domain.views import SavedView, address_of
from warehouse.db import quick

_LISTED = text("""
    SELECT view.view_id, view.name, view.page, view.state ->> 'query' AS query,
        view.user_id = :user_id AS mine, owner.name AS owner, view.shared_with,
        own.view_id IS NOT NULL AS is_start, view.is_default AS is_role_start
    FROM support.saved_view AS view JOIN support."user" AS owner USING (user_id)
    LEFT JOIN support.start_view AS own
        ON own.view_id = view.view_id AND own.user_id = :user_id
    WHERE view.user_id = :user_id OR view.shared_with = :role
    ORDER BY mine DESC, view.name, view.view_id
""")
_STARTS = text("""
    SELECT view.page, view.state ->> 'query' AS query
    FROM support.saved_view AS view
    LEFT JOIN support.start_view AS own
        ON own.view_id = view.view_id AND own.user_id = :user_id
    WHERE view.shared_with = :role AND (view.is_default OR own.view_id IS NOT NULL)
        OR view.user_id = :user_id AND own.view_id IS NOT NULL
    ORDER BY own.view_id IS NULL
""")


def listed(*, user_id: int, role: Role, scope: Scope) -> list[SavedView]:
    """One's own, then those shared with one's role that this person may open. Raises
    Unavailable."""
    rows = quick(_LISTED, {"user_id": user_id, "role": str(role)})
    return [
        SavedView(**row._mapping) for row in rows if row.mine or _may_open(row.page, role, scope)
    ]


def start(*, user_id: int, role: Role, scope: Scope) -> str | None:
    """The address that this person begins with: the own choice, else the role's; None where there
    is neither, or none that this person may open. Raises Unavailable."""
    found = quick(_STARTS, {"user_id": user_id, "role": str(role)})
    opened = (view for view in found if _may_open(view.page, role, scope))
    return next((address_of(view.page, view.query) for view in opened), None)


def _may_open(page: str, role: Role, scope: Scope) -> bool:
    permission = permission_at(page)
    return permission is not None and may(role, permission, scope)
