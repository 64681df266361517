"""The levels above item × depot that forecasts are summed to.

A level is what is demanded (one item, an item family, everything) in an area (a UF, a region, the
country). Quantities are only ever summed in one unit of issue.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from domain.access import Scope

What = Literal["item", "family", "all"]
AreaKind = Literal["uf", "region", "country"]


class Level(NamedTuple):
    """What is summed, and over which kind of area."""

    what: What
    area: AreaKind


LEVELS: dict[str, Level] = {
    "item_uf": Level("item", "uf"),
    "item_region": Level("item", "region"),
    "item_country": Level("item", "country"),
    "family_uf": Level("family", "uf"),
    "family_region": Level("family", "region"),
    "family_country": Level("family", "country"),
    "all_country": Level("all", "country"),
}
DEPOTS = "item_depot"
"""The level that all others are sums of."""
COUNTRY = "BR"
"""The area of a country level; a UF's and a region's is its code."""


def visible_levels(scope: Scope) -> tuple[str, ...]:
    """The levels that a viewer may see, as far as `scope.ufs` are their areas: a sum over more, or
    over other contracts' sites, would tell what the scope hides."""
    if scope.contracts:
        return ()
    return tuple(name for name, level in LEVELS.items() if not scope.ufs or level.area == "uf")
