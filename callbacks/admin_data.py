"""`/admin/data`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.screen import screen
from domain.access import Permission
from domain.errors import InvalidInput
from domain.records import Page
from domain.viewer import Viewer
from layouts import admin_data as layout
from layouts.admin_data import Listed
from warehouse.queries import loads, runs


@screen(Permission.LOAD_DRY_RUN)
def page(viewer: Viewer, address: Address) -> Component:
    """Loads and runs; or one load, if the address names it."""
    load_id = address.count("load")
    if load_id:
        return layout.detail(_detail(address, load_id), viewer)
    data = layout.AdminData(
        loads=_listed(address, layout.LOADS, loads.page),
        runs=_listed(address, layout.RUNS, runs.page),
        query=address.query,
        notices=address.notices,
    )
    return layout.layout(data, viewer)


def _detail(address: Address, load_id: int) -> layout.LoadDetail:
    def rejects(**asked: Any) -> Page[Any]:
        return loads.rejects(load_id=load_id, **asked)

    return layout.LoadDetail(
        load=loads.one(load_id),
        rejects=_listed(address, "", rejects, layout.REJECT_ROWS),
        query=address.query,
        notices=address.notices,
    )


def _listed(
    address: Address, prefix: str, query: Callable[..., Page[Any]], limit: int = layout.PAGE_ROWS
) -> Listed:
    """The page at the address's cursor; the first one if the cursor is not good (any more)."""
    name = f"{prefix}cursor"
    cursor = address.text(name, 500) or None
    try:
        found = query(limit=limit, cursor=cursor)
        return Listed(found, address.count(f"{prefix}start") if cursor else 0)
    except InvalidInput:
        address.ignored(name, cursor or "")
        return Listed(query(limit=limit, cursor=None), 0)
