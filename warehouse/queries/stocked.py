"""Item-depots with a policy as arrays for `domain.what_if`, and the settings they are valued at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from domain.changes import Stocked
from domain.costs import DAYS_A_YEAR, SavingsSettings
from domain.inventory import Array
from domain.policy_settings import PolicySettings
from domain.recommending.settings import RecommendationSettings
from domain.years import Terms
from warehouse.caching import once

SettingsOf = TypeVar("SettingsOf", PolicySettings, SavingsSettings, RecommendationSettings)

IN_TERMS = "key IN ('policy', 'recommendations', 'savings')"
"""SQL: which rows of support.setting everything derived is valued at."""

_ROWS = """
SELECT policy.item_id, policy.site_id, item.sku, site.site, coalesce(site.uf, '') AS uf,
    coalesce(item.family, '') AS family, coalesce(profile.abc, '') AS abc,
    coalesce(supplier.supplier, '') AS supplier, coalesce(supplier.kind, '') AS supplier_kind,
    policy.lead_time_days, policy.service_level, policy.reorder_point, policy.order_up_to,
    (policy.facts ->> 'annual_quantity')::double precision AS annual_quantity,
    (policy.facts ->> 'lead_time_std')::double precision AS lead_time_std,
    item.unit_cost_brl, item.min_order_qty, item.pack_size, input.penalty_brl,
    input.run_id IS NOT NULL AND profile.run_id IS NOT NULL AND policy.lead_time_days IS NOT NULL
        AND policy.reorder_point IS NOT NULL AND policy.order_up_to IS NOT NULL
        AND policy.facts ->> 'annual_quantity' IS NOT NULL AS has_levels{more}
FROM analytics.policy AS policy
LEFT JOIN analytics.replay_input AS input USING (run_id, item_id, site_id)
LEFT JOIN analytics.series_profile AS profile USING (run_id, item_id, site_id)
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
LEFT JOIN core.supplier ON supplier.supplier_id = item.supplier_id
WHERE policy.run_id = :run_id AND {where}
ORDER BY policy.item_id, policy.site_id
"""

_HISTORIES = """
SELECT history FROM analytics.replay_input
WHERE run_id = :run_id AND (item_id, site_id) IN
    (SELECT * FROM unnest(CAST(:items AS integer[]), CAST(:sites AS integer[])))
ORDER BY item_id, site_id
"""


@dataclass(frozen=True)
class Rows:
    """Item-depots in the order of their keys; see `_ROWS`."""

    columns: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.columns["item_id"])

    @property
    def with_levels(self) -> Rows:
        """Those of them that have a lead time and levels."""
        return self.at(np.flatnonzero(self.columns["has_levels"]))

    def at(self, rows: NDArray[np.int64]) -> Rows:
        """The same of some rows."""
        return Rows({name: values[rows] for name, values in self.columns.items()})

    @property
    def value(self) -> Array:
        """Demand of the year ahead in BRL; in units where no cost is known."""
        cost = np.nan_to_num(self.columns["unit_cost_brl"])
        found: Array = self.columns["annual_quantity"] * np.where(cost > 0, cost, 1.0)
        return found


_WORDS = ("sku", "site", "uf", "family", "abc", "supplier", "supplier_kind")
_KEYS = ("item_id", "site_id")
_TYPES = {**dict.fromkeys(_WORDS, str), **dict.fromkeys(_KEYS, int), "has_levels": bool}


def rows(
    connection: Connection,
    run_id: int,
    where: str = "true",
    params: Mapping[str, Any] = {},
    *,
    histories: bool = False,
) -> Rows:
    """The item-depots of a run that have a policy, few ones with their `histories`. `where` speaks
    of the aliases `item` and `site`."""
    sql = _ROWS.format(where=where, more=", input.history" if histories else "")
    found = connection.execute(text(sql), {**params, "run_id": run_id})
    names, lines = list(found.keys()), found.all()
    columns = list(zip(*lines, strict=True)) or [()] * len(names)
    return Rows({name: _array(name, values) for name, values in zip(names, columns, strict=True)})


def _array(name: str, values: Sequence[Any]) -> NDArray[Any]:
    if name == "history":
        return np.array([bytes(one or b"") for one in values], dtype=object)
    return np.array(values, dtype=_TYPES.get(name, float))


def stocked(connection: Connection, run_id: int, found: Rows, weight: Array) -> Stocked:
    """The rows with their histories; rates and lead times in days."""
    columns = found.columns
    if "history" in columns:
        histories = columns["history"].tolist()
    else:
        asked = {"run_id": run_id, **{f"{n[:4]}s": columns[n].tolist() for n in _KEYS}}
        histories = list(connection.execute(text(_HISTORIES), asked).scalars())
    return Stocked(
        history=unpacked(histories),
        rate=columns["annual_quantity"] / DAYS_A_YEAR,
        lead_mean=columns["lead_time_days"],
        lead_std=np.nan_to_num(columns["lead_time_std"]),
        service_level=columns["service_level"],
        reorder_point=columns["reorder_point"],
        order_up_to=columns["order_up_to"],
        minimum=columns["min_order_qty"],
        pack=columns["pack_size"],
        unit_cost=columns["unit_cost_brl"],
        penalty_brl=columns["penalty_brl"],
        weight=weight,
        abc=columns["abc"],
        family=columns["family"],
        uf=columns["uf"],
        supplier=columns["supplier"],
        supplier_kind=columns["supplier_kind"],
    )


def packed(history: Array) -> list[bytes]:
    """Rows of demand as `analytics.replay_input.history` keeps them."""
    return [row.tobytes() for row in history.astype("<f4")]


def unpacked(histories: Sequence[bytes]) -> Array:
    """The same as rows of numbers again."""
    if not histories:
        return np.zeros((0, 1))
    return np.frombuffer(b"".join(histories), "<f4").reshape(len(histories), -1).astype(float)


def terms(connection: Connection, frequency: str) -> Terms:
    """What years are valued at: the defaults with what the company set."""
    sql = f"SELECT key, value FROM support.setting WHERE {IN_TERMS}"
    rows = once(connection, sql, lambda: connection.execute(text(sql)).all())
    told: dict[str, Any] = {key: value for key, value in rows}
    return Terms(
        frequency,
        overridden(PolicySettings(), told.get("policy", {})),
        overridden(RecommendationSettings(), told.get("recommendations", {})),
        overridden(SavingsSettings(), told.get("savings", {})),
    )


def overridden(settings: SettingsOf, told: Mapping[str, Any]) -> SettingsOf:
    """The settings with what was set; names that are not settings are left out."""
    names = {one.name for one in fields(settings)}
    return replace(settings, **{name: value for name, value in told.items() if name in names})
