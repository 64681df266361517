"""The tab *Clusters* of `/features`: machines and towers."""

from __future__ import annotations

from typing import Any

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.filters import bar_of
from callbacks.listing import listed
from callbacks.parts import later, lazily
from domain.clusters import EQUIPMENT, TOWERS, Family
from domain.records import Page
from domain.viewer import Viewer
from layouts import clusters as layout
from warehouse.queries import clustering

FAMILIES: dict[str, Family] = {"equipment": EQUIPMENT, "towers": TOWERS}
MOST_MOVED = 200


def content(viewer: Viewer, address: Address) -> list[Component]:
    """What stands below the tabs: machines unless the address says towers."""
    of = address.one("of", FAMILIES, "equipment")
    return _towers(viewer, address) if of == "towers" else _equipment(viewer, address)


def _equipment(viewer: Viewer, address: Address) -> list[Component]:
    common = _common(viewer, address, "equipment")
    asked: dict[str, Any] = {"scope": viewer.scope, "filters": common.filters}

    def risks(**place: Any) -> Page[Any]:
        return clustering.risks(**asked, **place)

    data = lazily(
        layout.EquipmentData,
        common=common,
        risk=lambda: clustering.risk_summary(**asked),
        risks=lambda: listed(address, "risk_", risks, layout.RISK_ROWS),
        parts=lambda: clustering.parts(**asked),
    )
    return layout.equipment(data, viewer, later)


def _towers(viewer: Viewer, address: Address) -> list[Component]:
    common = _common(viewer, address, "towers")
    asked: dict[str, Any] = {"scope": viewer.scope, "filters": common.filters}
    moved: dict[str, Any] = {
        "family": TOWERS,
        "moved": True,
        "locale": viewer.locale,
        "limit": MOST_MOVED,
    }
    data = lazily(
        layout.TowersData,
        common=common,
        moved=lambda: clustering.members(**moved, **asked),
        trends=lambda: clustering.trends(changed=not common.filters.search, **asked),
    )
    return layout.towers(data, viewer, later)


def _common(viewer: Viewer, address: Address, of: str) -> layout.Common:
    family = FAMILIES[of]
    bar = bar_of(viewer, address, "/features", "clusters", search=address.text("search"))
    filters = bar.filters
    asked: dict[str, Any] = {
        "family": family,
        "locale": viewer.locale,
        "scope": viewer.scope,
        "filters": filters,
    }
    clusters = clustering.clusters(**asked)
    number = address.one("cluster", [str(one.number) for one in clusters], "") or None

    def members(**place: Any) -> Page[Any]:
        return clustering.members(**asked, number=int(number) if number else None, **place)

    in_file = bar.asked | ({"search": [filters.search]} if filters.search else {})
    return lazily(
        layout.Common,
        of=of,
        summary=clustering.summary(family=family),
        clusters=clusters,
        members=lambda: listed(address, "", members, layout.MEMBER_ROWS),
        cluster=number,
        bar=bar,
        filters=filters,
        query=address.query,
        asked=in_file,
        notices=address.notices,
    )
