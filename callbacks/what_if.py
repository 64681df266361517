"""`/what-if`: a changed world beside today's."""

from __future__ import annotations

from typing import Any

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.filters import series_bar
from callbacks.parts import later, lazily
from callbacks.screen import screen
from domain.access import Permission
from domain.records import Option
from domain.viewer import Viewer
from domain.what_if import LEVELS, LIMITS, NOTHING, STRIKES, Change
from layouts import what_if as layout
from layouts.components import states
from warehouse.queries import status, what_if


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """All that is in view, an item or an item-depot, as the address asks."""
    current = status.current()
    if current.run_id is None:
        return states.nothing_published(viewer)
    return layout.layout(_data(viewer, address), viewer, later)


def _data(viewer: Viewer, address: Address) -> layout.WhatIfData:
    choices = what_if.choices(scope=viewer.scope)
    bar = series_bar(viewer, address, "/what-if")
    change = change_of(address, choices)
    asked: dict[str, Any] = {"scope": viewer.scope, "sku": bar.one("sku"), "site": bar.one("site")}
    return lazily(
        layout.WhatIfData,
        change=change,
        bar=bar,
        measure=address.one("measure", layout.MEASURES, layout.MEASURES[0]),
        choices=choices,
        found=lambda: what_if.compare(change=change, **asked),
        curve=lambda: what_if.curve(**asked),
        recorded=lambda: what_if.recorded(**asked),
        notices=address.notices,
    )


def change_of(address: Address, choices: dict[str, list[Option]]) -> Change:
    """What the address asks to change; what it says wrongly is left out and noticed."""
    told: dict[str, Any] = {name: address.number(name, *limits) for name, limits in LIMITS.items()}
    told["strike_days"] = _whole(address, "strike_days", told["strike_days"] or 0.0)
    for name in ("supplier", "family", "uf"):
        told[name] = address.one(name, [option.value for option in choices[name]], "")
    told["strike"] = address.one("strike", STRIKES, NOTHING.strike)
    told["levels"] = address.one("levels", LEVELS, NOTHING.levels)
    for name in ("lead_time_change", "demand_change", "exchange_change"):
        told[name] = told[name] or 0.0
    return Change(**told)


def _whole(address: Address, name: str, value: float) -> int:
    """The value of a parameter of whole days; 0 for a fraction, which is noticed."""
    if value.is_integer():
        return int(value)
    address.ignored(name, address.text(name))
    return 0
