"""`/sla` and `/sla/<contract>`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
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
from domain.sla import STATES, ContractScore, month_after, wanted
from domain.viewer import Viewer
from layouts import contract as detail_layout
from layouts import sla as layout
from warehouse.queries import sla, status

NEEDS = ("contracts", "outages")
DEFAULT_SORT = "-started_at"


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """The contracts of a month, narrowed to places, states and a search."""
    months = sla.months()
    month = _month(address, months)
    states = address.many("state", STATES)
    search = address.text("search")
    bar = bar_of(viewer, address, "/sla")
    places = bar.filters.at_places()
    found = cache(lambda: sla.listed(scope=viewer.scope, month=month, filters=places))

    def shown() -> list[ContractScore]:
        return sorted(wanted(found(), bar.filters.contract, states, search), key=_urgency)

    loaded = status.loaded()
    data = lazily(
        layout.SlaData,
        scores=shown,
        count=lambda: len(found()),
        bar=bar,
        months=months,
        month=month,
        states=states,
        search=search,
        missing=next((kind for kind in NEEDS if kind not in loaded), None),
        run_id=status.current().run_id,
        notices=address.notices,
    )
    return layout.layout(data, viewer, later)


def _urgency(one: ContractScore) -> tuple[int, float, str]:
    return STATES.index(one.state), -(one.chance_of_more or 0.0), one.contract


@screen(Permission.READ)
def detail(viewer: Viewer, address: Address) -> Component:
    """One contract in a month."""
    code = address.text("contract", 200)
    months = sla.months()
    month = _month(address, months)
    sort = address.order(sla.OUTAGE_SORTS, DEFAULT_SORT)
    waited = address.one("outages", ("all", "waited"), "all") == "waited"
    bar = bar_of(viewer, address, "/sla/<contract>")
    found = sla.detail(contract=code, scope=viewer.scope, month=month, filters=bar.filters)
    start = found.score.now.month

    def outages(**asked: Any) -> Page[Any]:
        return sla.outages(
            scope=viewer.scope,
            filters=replace(bar.filters, contract=(code,)),
            since=start,
            to=month_after(start) - timedelta(days=1),
            waited=waited,
            sort=sort,
            **asked,
        )

    data = lazily(
        detail_layout.ContractData,
        detail=found,
        outages=lambda: listed(address, "", outages, detail_layout.OUTAGE_ROWS),
        sort=sort,
        waited=waited,
        bar=bar,
        months=months,
        query=address.only(("month", "outages", "region", "uf", "sort", "cursor", "start")),
        run_id=lambda: status.current().run_id,
        may_export=viewer.may(Permission.EXPORT),
        notices=address.notices,
    )
    return detail_layout.layout(data, viewer, later)


def _month(address: Address, months: list[date]) -> date | None:
    """The month of the address, the last one unless it names another."""
    by_value = {layout.month_value(month): month for month in months}
    if not months:
        return None
    return by_value[address.one("month", by_value, layout.month_value(months[0]))]
