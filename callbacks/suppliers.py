"""`/suppliers` and `/suppliers/<supplier>`."""

from __future__ import annotations

from typing import Any

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.filters import bar_of
from callbacks.listing import listed
from callbacks.screen import screen
from domain.access import Permission
from domain.records import Page
from domain.viewer import Viewer
from layouts import supplier as detail_layout
from layouts import suppliers as layout
from layouts.components.filters import Bar
from layouts.suppliers import KINDS
from warehouse.queries import status, suppliers

DEFAULT_SORT = "-first_promised_on"


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """Every supplier, narrowed to a period, places, families and origins."""
    bar = bar_of(viewer, address, "/suppliers", search=address.text("search"))
    filters = bar.filters
    kinds = address.many("kind", KINDS)
    asked: dict[str, Any] = {"scope": viewer.scope, "filters": filters, "kinds": kinds}
    data = layout.SuppliersData(
        scores=suppliers.listed(**asked),
        totals=next((one for one in suppliers.totals(**asked) if one.kind == "all"), None),
        kinds=kinds,
        bar=bar,
        filters=filters,
        query=_asked_of_files(bar, kinds),
        has_orders=any(one.rows for one in status.files() if one.kind == "purchase_orders"),
        run_id=status.current().run_id,
        notices=address.notices,
    )
    return layout.layout(data, viewer)


@screen(Permission.READ)
def detail(viewer: Viewer, address: Address) -> Component:
    """One supplier over a period."""
    code = address.text("supplier", 200)
    bar = bar_of(viewer, address, "/suppliers/<supplier>")
    filters = bar.filters
    orders = [sign + name for name in suppliers.LINE_SORTS for sign in ("", "-")]
    sort = address.one("sort", orders, DEFAULT_SORT)
    found = suppliers.detail(supplier=code, scope=viewer.scope, filters=filters)

    def lines(**asked: Any) -> Page[Any]:
        return suppliers.lines(
            suppliers=(code,), scope=viewer.scope, filters=filters, sort=sort, **asked
        )

    data = detail_layout.SupplierData(
        detail=found,
        lines=listed(address, "", lines, detail_layout.LINE_ROWS),
        sort=sort,
        bar=bar,
        query={
            name: values
            for name, values in address.query.items()
            if name in ("period", "sort", "cursor", "start")
        },
        run_id=status.current().run_id,
        notices=address.notices,
    )
    return detail_layout.layout(data, viewer)


def _asked_of_files(bar: Bar, kinds: tuple[str, ...]) -> dict[str, list[str]]:
    """What the API is to be asked for the same suppliers."""
    search = bar.filters.search
    asked = bar.in_files | {"kind": list(kinds), "search": [search] if search else []}
    return {name: values for name, values in asked.items() if values}
