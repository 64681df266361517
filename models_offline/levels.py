"""Which series add up to which node of which level.

A node is one sum: an item or a family in a UF, a region or the country. Families and "all" are
kept apart by unit of issue, and what has no known unit is in none of them. A depot without a UF
counts in the country alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.levels import COUNTRY, LEVELS, Level

KEYS = ("level", "sku", "family", "unit", "area")
PLACES = ("family", "unit", "uf", "region")
_OF: dict[str, tuple[str, ...]] = {"item": ("sku",), "family": ("family", "unit"), "all": ("unit",)}


@dataclass(frozen=True)
class Tree:
    """`nodes`: level, sku, family, unit and area by node number, '' where a level has no such key.
    `members[n]`: the unique_ids of the series that node n is the sum of, ascending."""

    nodes: pd.DataFrame
    members: list[NDArray[np.int_]]

    def level(self, node: int) -> str:
        """The name of a node's level."""
        return str(self.nodes.at[node, "level"])


def with_places(series: pd.DataFrame, items: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    """Series with the family and unit of their item, UF and region of their site; None where
    unknown."""
    item = items.set_index("sku").reindex(columns=["family", "unit"])
    site = sites.set_index("site").reindex(columns=["uf", "region"])
    joined = series.join(item[~item.index.duplicated()], on="sku")
    joined = joined.join(site[~site.index.duplicated()], on="site")
    known = joined[list(PLACES)].astype(object)
    return joined.assign(**known.where(known.notna() & (known != ""), None))


def tree(series: pd.DataFrame) -> Tree:
    """All nodes of all levels over `series` (sku and PLACES by unique_id)."""
    frame = series.assign(country=COUNTRY)
    nodes, members = [], []
    for name, level in LEVELS.items():
        known = _summable(frame, level)
        keys = [*_OF[level.what], level.area]
        for values, group in known.groupby(keys, sort=True):
            node = dict(zip(keys, values, strict=True))
            node |= {"level": name, "area": node[level.area], "unit": group["unit"].iloc[0]}
            nodes.append([node.get(key) or "" for key in KEYS])
            members.append(np.sort(group.index.to_numpy()))
    return Tree(pd.DataFrame(nodes, columns=list(KEYS)), members)


def _summable(frame: pd.DataFrame, level: Level) -> pd.DataFrame:
    if level.what == "all" and frame["unit"].nunique(dropna=False) != 1:
        return frame.iloc[:0]
    return frame.dropna(subset=[*_OF[level.what], level.area])
