"""Filters live in the address: the browser writes them there (assets/nova.js), pages read those
that they can apply (domain/page_filters.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State

from callbacks.address import Address
from domain.page_filters import PERIODS, of_page, within
from domain.records import NO_FILTERS, Filters, Option
from domain.viewer import Viewer
from layouts.components.filters import Bar, control_id
from warehouse.queries import kpis, materials, status


def bar_of(viewer: Viewer, address: Address, path: str, tab: str = "", **more: Any) -> Bar:
    """The shared filters of the page at `path` as the address sets them; `more` goes into the
    filters as it is."""
    page = of_page(path, tab)
    assert page is not None
    choices = kpis.filter_choices(scope=viewer.scope)
    if "sku" in page.shared:
        named = address.values("sku")
        choices["sku"] = materials.with_items(choices["sku"], named, scope=viewer.scope)
    offered = {name: choices[name] for name in page.shared if name in choices}
    period, filters = over_period(address, path, tab, address.filters(offered, **more))
    return Bar(offered, filters, period)


def over_period(
    address: Address,
    path: str,
    tab: str = "",
    filters: Filters = NO_FILTERS,
) -> tuple[str | None, Filters]:
    """The period of the page at `path` as the address sets it, and the filters with its dates; None
    of a page that has none."""
    page = of_page(path, tab)
    assert page is not None
    if "period" not in page.shared:
        return None, filters
    period = address.one("period", PERIODS, page.period)
    dated = within(period, filters, status.current().as_of if period else None)
    return period, replace(dated, date_to=None) if page.raised else dated


def series_bar(
    viewer: Viewer,
    address: Address,
    path: str,
    tab: str = "",
    *,
    start: Mapping[str, str] | None = None,
) -> Bar:
    """The bar of a page that is about one item at one depot, or may be. With `start` there always
    is one: what it names, or the first that is offered, where the address names none."""
    page = of_page(path, tab)
    assert page is not None
    wanted = address.text("sku") or (start or {}).get("sku", "")
    others = [name for name in page.shared if name not in (*page.single, "period")]
    choices = kpis.filter_choices(scope=viewer.scope) if others else {}
    offered = choices["sku"] if others else materials.item_options(scope=viewer.scope)
    skus = materials.with_items(offered, [wanted], scope=viewer.scope)
    sku = _picked(address, "sku", skus, start)
    sites = materials.site_options(sku=sku, scope=viewer.scope) if sku else []
    site = _picked(address, "site", sites, start)
    rest = {name: choices[name] for name in others}
    chosen = {"sku": (sku,) if sku else (), "site": (site,) if site else ()}
    period, filters = over_period(address, path, tab, address.filters(rest, **chosen))
    offers = {**rest, "sku": skus, "site": sites}
    return Bar(offers, filters, period, page.single, start is not None)


def _picked(
    address: Address, name: str, options: Sequence[Option], start: Mapping[str, str] | None
) -> str:
    if start is None:
        return address.one(name, [one.value for one in options], "")
    return address.option(name, options, start.get(name)) or ""


def register(app: Dash) -> None:
    """One rule for the controls of every page, one for the headers of sorted tables."""
    app.clientside_callback(
        ClientsideFunction("nova", "writeFilters"),
        Output("_pages_location", "search"),
        Input(control_id(ALL), "value"),
        State(control_id(ALL), "id"),
        State({"type": "filter-memory", "page": ALL}, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("nova", "writeSort"),
        Output("_pages_location", "search", allow_duplicate=True),
        Input({"type": "sorted-grid", "name": ALL}, "columnState"),
        State({"type": "sorted-grid", "name": ALL}, "columnDefs"),
        prevent_initial_call=True,
    )
