"""`/regions`."""

from __future__ import annotations

from dataclasses import replace

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.filters import bar_of
from callbacks.parts import later, lazily
from callbacks.screen import screen
from config import get_settings
from domain.access import Permission
from domain.regions import MEASURES
from domain.viewer import Viewer
from layouts import regions as layout
from warehouse.queries import regions, status

FIRST = "demand_brl"
NONE = "none"


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """The map and its tables, coloured by a measure."""
    return layout.layout(_data(viewer, address, {}), viewer, later)


def content(viewer: Viewer, address: Address) -> list[Component]:
    """The same below the tabs of `/features`."""
    data = _data(viewer, address, {"tab": ["map"]})
    return [layout.filters(data, viewer), *layout.content(data, viewer, later)]


def _data(viewer: Viewer, address: Address, tab: dict[str, list[str]]) -> layout.RegionsData:
    """What the page shows; `tab` is where it stands, for its links."""
    bar = bar_of(viewer, address, "/regions")
    filters = bar.filters
    chosen = address.many("layers", (*layout.LAYERS, NONE)) or ("depots", "moves")
    layers = tuple(name for name in chosen if name != NONE)
    measure = address.one("measure", MEASURES, FIRST)
    understood = {"measure": [measure], "layers": list(chosen)}
    own = {name: values for name, values in understood.items() if name in address.query}
    scope = viewer.scope
    wide = replace(filters, uf=())
    return lazily(
        layout.RegionsData,
        rows=lambda: regions.rows(scope=scope, filters=wide),
        regions=lambda: regions.rows(scope=scope, filters=wide, by=regions.REGION),
        places=lambda: (
            regions.places(scope=scope, region=filters.region)
            if {"depots", "towers"} & set(layers)
            else []
        ),
        moves=lambda: regions.moves(scope=scope, filters=wide) if "moves" in layers else [],
        measure=measure,
        layers=layers,
        filters=filters,
        bar=bar,
        has_ufs=status.has_ufs,
        tiles=get_settings().map_tile_url,
        frequency=status.current().frequency,
        notices=address.notices,
        kept=tab | bar.kept | own,
    )
