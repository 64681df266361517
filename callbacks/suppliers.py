"""`/suppliers` and `/suppliers/<supplier>`."""

from __future__ import annotations

from functools import cache
from typing import Any

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.filters import bar_of
from callbacks.listing import listed
from callbacks.parts import later, lazily
from callbacks.screen import screen
from domain.access import Permission
from domain.records import Page
from domain.suppliers import SupplierDetail
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
    data = lazily(
        layout.SuppliersData,
        scores=lambda: suppliers.listed(**asked),
        totals=lambda: next((one for one in suppliers.totals(**asked) if one.kind == "all"), None),
        kinds=kinds,
        bar=bar,
        filters=filters,
        query=_asked_of_files(bar, kinds),
        has_orders="purchase_orders" in status.loaded(),
        run_id=status.current().run_id,
        notices=address.notices,
    )
    return layout.layout(data, viewer, later)


@screen(Permission.READ)
def detail(viewer: Viewer, address: Address) -> Component:
    """One supplier over a period."""
    code = address.text("supplier", 200)
    bar = bar_of(viewer, address, "/suppliers/<supplier>")
    filters = bar.filters
    sort = address.order(suppliers.LINE_SORTS, DEFAULT_SORT)
    current = status.current()
    found: dict[str, Any] = {"supplier": code, "scope": viewer.scope, "filters": filters}
    stock = cache(lambda: suppliers.stock_of(**found))

    def lines(**asked: Any) -> Page[Any]:
        return suppliers.lines(
            suppliers=(code,), scope=viewer.scope, filters=filters, sort=sort, **asked
        )

    data = lazily(
        detail_layout.SupplierData,
        detail=lazily(
            SupplierDetail,
            score=suppliers.score_of(**found),
            first=filters.date_from,
            last=filters.date_to,
            as_of=current.as_of,
            months=lambda: suppliers.months_of(**found),
            lead_times=lambda: suppliers.lead_times_of(**found),
            series=lambda: stock().series,
            safety_stock_brl=lambda: stock().safety_stock_brl,
            later=lambda: stock().later,
        ),
        lines=lambda: listed(address, "", lines, detail_layout.LINE_ROWS),
        sort=sort,
        bar=bar,
        query=address.only(("period", "sort", "cursor", "start")),
        run_id=current.run_id,
        notices=address.notices,
    )
    return detail_layout.layout(data, viewer, later)


def _asked_of_files(bar: Bar, kinds: tuple[str, ...]) -> dict[str, list[str]]:
    """What the API is to be asked for the same suppliers."""
    search = bar.filters.search
    asked = bar.in_files | {"kind": list(kinds), "search": [search] if search else []}
    return {name: values for name, values in asked.items() if values}
