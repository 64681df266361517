"""Saving a view, as the page's form and the API both do it."""

from __future__ import annotations

from auth.guards import check, current_viewer
from auth.session import own_id, request_actor
from domain.access import Permission
from domain.page_filters import permission_at
from domain.views import address_of, checked
from warehouse.commands import views
from warehouse.db import get_engine


def save(name: str, address: str, shared_with: str) -> str:
    """Keeps the address under a name, for oneself or for a role too; gives the address that was
    kept. Raises InvalidInput, and Forbidden for sharing without the right to."""
    said, page, query, role = checked(name, address, shared_with, _may_open)
    if role is not None:
        check(Permission.ACT)
    views.save(
        get_engine(),
        user_id=own_id(),
        name=said,
        page=page,
        query=query,
        shared_with=role,
        actor=request_actor(),
    )
    return address_of(page, query)


def _may_open(path: str) -> bool:
    permission = permission_at(path)
    return permission is not None and current_viewer().may(permission)
