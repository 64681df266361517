"""`/forecasts` above the depots: an item or a family in a UF, a region or Brazil."""

from __future__ import annotations

from datetime import date
from typing import Any

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.filters import over_period
from callbacks.parts import later, lazily
from domain.levels import LEVELS
from domain.records import DataStatus, Filters, Option
from domain.viewer import Viewer
from layouts import levels as layout
from layouts.components.filters import Bar
from warehouse.queries import levels, materials, overrides


def page(viewer: Viewer, address: Address, current: DataStatus, level: str) -> Component:
    """One sum; without a choice, the first one there is. Sums are the model's own."""
    return layout.layout(data_of(viewer, address, current, level), viewer, later)


def data_of(viewer: Viewer, address: Address, current: DataStatus, level: str) -> layout.LevelsData:
    """What the address asks for at a level that the viewer may see."""
    what = LEVELS[level].what
    whats = _whats(viewer, address, level)
    chosen = address.option("sku" if what == "item" else "family", whats)
    one = _keys(viewer, level, chosen)
    areas = levels.areas(level=level, scope=viewer.scope, **one) if chosen else []
    area = address.option("area", areas)
    bar = _bar(address, whats if what == "item" else None, chosen)
    return lazily(
        layout.LevelsData,
        level=level,
        whats=whats,
        areas=areas,
        what=chosen,
        area=area,
        bar=bar,
        sum=lambda: _sum(viewer, level, one, area, bar.filters.date_from) if area else None,
        accuracy=lambda: levels.accuracy(scope=viewer.scope),
        adjusted=lambda: overrides.page(scope=viewer.scope, state=("in_force",), limit=1).count,
        status=current,
        notices=address.notices,
    )


def _bar(address: Address, items: list[Option] | None, chosen: str | None) -> Bar:
    """The shared filters of a level: the period, and the material where it is about one."""
    item = Filters(sku=(chosen,) if chosen and items else ())
    period, filters = over_period(address, "/forecasts", filters=item)
    return Bar({} if items is None else {"sku": items}, filters, period, ("sku",), True)


def _whats(viewer: Viewer, address: Address, level: str) -> list[Option]:
    if LEVELS[level].what == "all":
        return [Option("all", "all")]
    if LEVELS[level].what == "family":
        found = levels.families(level=level, scope=viewer.scope)
        return [Option(_name(*pair), _name(*pair)) for pair in found]
    offered = materials.item_options(scope=viewer.scope)
    return materials.with_items(offered, [address.text("sku")], scope=viewer.scope)


def _name(family: str, unit: str) -> str:
    return f"{family} ({unit})"


def _keys(viewer: Viewer, level: str, chosen: str | None) -> dict[str, str]:
    """The chosen sum as the queries' arguments."""
    what = LEVELS[level].what
    if chosen is None or what == "all":
        return {}
    if what == "item":
        return {"sku": chosen}
    found = levels.families(level=level, scope=viewer.scope)
    family, unit = next(pair for pair in found if _name(*pair) == chosen)
    return {"family": family, "unit": unit}


def _sum(
    viewer: Viewer, level: str, keys: dict[str, str], area: str, since: date | None
) -> layout.Sum | None:
    asked: dict[str, Any] = {"level": level, "area": area, "scope": viewer.scope, **keys}
    points = levels.series(**asked)
    if not points:
        return None
    return layout.Sum(
        what=keys.get("sku") or keys.get("family") or "",
        area=area,
        unit=points[0].unit,
        history=levels.history(**asked, since=since),
        points=points,
    )
