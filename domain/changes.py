"""What may be different from today, and what it does to item-depots: demand, lead times, costs,
service levels, and the reorder points and lots that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from domain import scenarios
from domain.inventory import Array, lot
from domain.policy_settings import PolicySettings
from domain.what_if import Change


@dataclass(frozen=True)
class Stocked:
    """Item-depots with a policy, a value a row.

    history: recorded demand by day, (rows, days). rate: expected demand a day. lead_mean, lead_std
    in days. weight: how many item-depots a row stands for. The rest as in the facts;
    NaN or an empty text where they do not say.
    """

    history: Array
    rate: Array
    lead_mean: Array
    lead_std: Array
    service_level: Array
    reorder_point: Array
    order_up_to: Array
    minimum: Array
    pack: Array
    unit_cost: Array
    penalty_brl: Array
    weight: Array
    abc: NDArray[np.str_]
    family: NDArray[np.str_]
    uf: NDArray[np.str_]
    supplier: NDArray[np.str_]
    supplier_kind: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.rate)

    def at(self, rows: slice | Array) -> Stocked:
        """The same of some rows."""
        return Stocked(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})


def changed(stocked: Stocked, change: Change) -> Stocked:
    """The same item-depots in the changed world: demand, lead times, costs, service levels."""
    wanted = _matches(stocked.family, change.family) & _matches(stocked.uf, change.uf)
    late = _matches(stocked.supplier, change.supplier)
    abroad = stocked.supplier_kind == "import"
    level = stocked.service_level.copy()
    for name in ("a", "b", "c"):
        asked = getattr(change, f"service_{name}")
        if asked is not None:
            level[stocked.abc == name.upper()] = asked
    return replace(
        stocked,
        rate=np.where(wanted, stocked.rate * (1 + change.demand_change), stocked.rate),
        lead_mean=np.where(
            late, stocked.lead_mean * (1 + change.lead_time_change), stocked.lead_mean
        ),
        unit_cost=np.where(
            abroad, stocked.unit_cost * (1 + change.exchange_change), stocked.unit_cost
        ),
        service_level=level,
    )


def levels(
    stocked: Stocked, world: Stocked, change: Change, policy: PolicySettings
) -> tuple[Array, Array]:
    """Reorder point and order-up-to level of each row in the changed world.

    Today's, moved by as much as the quantile of the lead time's demand moves; and the lot by as
    much as EOQ does. A row that the change does not touch keeps exactly what it has.
    """
    known = (
        world
        if change.levels == "adapted"
        else replace(world, rate=stocked.rate, lead_mean=stocked.lead_mean)
    )
    moved = (
        (known.rate != stocked.rate)
        | (known.lead_mean != stocked.lead_mean)
        | (known.service_level != stocked.service_level)
    )
    point = stocked.reorder_point.copy()
    if moved.any():
        after, before = known.at(moved), stocked.at(moved)
        step = _quantile(after) - _quantile(before)
        point[moved] = np.maximum(point[moved] + step, 0.0)
    return point, point + _lot(stocked, known, change, policy)


def _quantile(stocked: Stocked) -> Array:
    return scenarios.lead_time_quantile(
        stocked.history,
        stocked.rate,
        stocked.lead_mean,
        stocked.lead_std,
        stocked.service_level,
    )


def _lot(stocked: Stocked, known: Stocked, change: Change, policy: PolicySettings) -> Array:
    """Order-up-to less reorder point: today's, times the square root of what EOQ's D·S ÷ H is
    multiplied by, rounded to packs where that changes it."""
    size = stocked.order_up_to - stocked.reorder_point
    factor = _ratio(known.rate, stocked.rate) / _ratio(known.unit_cost, stocked.unit_cost)
    if change.order_cost is not None:
        factor = factor * change.order_cost / max(policy.order_cost_brl, 1e-9)
    if change.holding_rate is not None:
        factor = factor * policy.holding_rate / change.holding_rate
    sized = lot(np.maximum(size * np.sqrt(factor), 1.0), stocked.minimum, stocked.pack)
    return np.where(np.isclose(factor, 1.0), size, sized)


def _ratio(after: Array, before: Array) -> Array:
    usable = np.nan_to_num(before) > 0
    found = np.where(usable, after, 1.0) / np.where(usable, before, 1.0)
    return np.where(found > 0, found, 1.0)


def _matches(values: NDArray[np.str_], wanted: str) -> NDArray[np.bool_]:
    return values == wanted if wanted else np.ones(len(values), bool)


def halted(world: Stocked, change: Change) -> NDArray[np.bool_]:
    if not change.strike_days:
        return np.zeros(len(world), bool)
    if change.strike == "all":
        return np.ones(len(world), bool)
    abroad = world.supplier_kind == "import"
    return abroad if change.strike == "import" else ~abroad
