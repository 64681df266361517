"""The depots' stock and purchase orders, simulated day by day, and their files.

A day begins with what arrives; then requests are served as far as stock goes, the oldest first.
A request that must wait is issued when stock comes in; beyond a few days' worth the crews help
themselves elsewhere, and the request never becomes an issue. On Mondays and Thursdays a planner
orders up to a level, at a point that is too low for some items and far too high for others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from warehouse.demo_catalogue import SUPPLIERS, Supplier
from warehouse.demo_world import BEGAN, WARM_UP_DAYS, Array, Rng, World

REVIEW_WEEKDAYS = (0, 3)
REVIEW_DAYS = 4
PATIENCE_DAYS = 2
DAILY_STOCK_DAYS = 120
LONGEST_WAIT_DAYS = 400
COVER_DAYS = 25
SHORT_SHARE = 0.06
SKILLS = {"too low": (0.75, 0.4, 0.12), "right": (1.05, 2.0, 0.70), "too high": (1.9, 2.5, 0.18)}
"""How planners set the reorder point: factor of the lead-time demand, safety factor, share."""

BY_CODE = {supplier.code: supplier for supplier in SUPPLIERS}


@dataclass(frozen=True)
class Ledger:
    """days x series: stock at the end of the day, issues, requests that wait; and a row a line of
    purchase order (`day`, `promised`, `received` are places in the days, also after the last)."""

    on_hand: Array
    issued: Array
    waiting: Array
    orders: pd.DataFrame


@dataclass(frozen=True)
class Policy:
    """Of each series: when and how far to order (position), from which day, in which packs, and
    how much may wait."""

    point: Array
    up_to: Array
    begins: NDArray[np.int_]
    pack: Array
    patience: Array


def run_stock(rng: Rng, world: World, wanted: Array) -> Ledger:
    """Plays the requests of every day against stock, planners and suppliers."""
    policy = _policy(rng, world, wanted)
    shape = (len(world.days) + LONGEST_WAIT_DAYS, len(world.series))
    arriving, closing = np.zeros(shape), np.zeros(shape)
    on_hand, issued, waiting = (np.zeros(wanted.shape) for _ in range(3))
    stock = np.where(policy.begins == 0, np.ceil(policy.up_to), 0.0)
    queue, on_order = np.zeros(shape[1]), np.zeros(shape[1])
    clock = _Clock(world)
    lines: list[tuple[int, int, int, int, float, float]] = []
    for day in range(len(wanted)):
        stock, on_order = stock + arriving[day], on_order - closing[day]
        queue = queue + wanted[day]
        issued[day] = np.minimum(stock, queue)
        stock = stock - issued[day]
        queue = np.minimum(queue - issued[day], policy.patience)
        on_hand[day], waiting[day] = stock, queue
        if world.days[day].dayofweek in REVIEW_WEEKDAYS:
            placed = _place(rng, world, policy, clock, day, stock + on_order - queue)
            for _, index, _, received, quantity, delivered in placed:
                arriving[received, index] += delivered
                closing[received, index] += quantity
                on_order[index] += quantity
            lines += placed
    columns = ["day", "series", "promised", "received", "quantity", "received_qty"]
    return Ledger(on_hand, issued, waiting, pd.DataFrame(lines, columns=columns))


def _policy(rng: Rng, world: World, wanted: Array) -> Policy:
    daily, spread = _of_active_days(wanted)
    lead = np.array([_supplier(world, index).contract for index in range(len(world.series))])
    factor, safety, share = np.array(list(SKILLS.values())).T
    skill = rng.choice(len(SKILLS), size=len(lead), p=share)
    window = lead + REVIEW_DAYS
    point = factor[skill] * daily * window + safety[skill] * spread * np.sqrt(window)
    cover = np.maximum(daily * COVER_DAYS, 2.0)
    is_new = np.array([series.life == "new" for series in world.series])
    begins = np.where(is_new, int(BEGAN * len(wanted)) - lead - 2 * REVIEW_DAYS, 0)
    pack = np.array([series.material.pack for series in world.series], dtype=float)
    patience = np.ceil(np.maximum(daily * PATIENCE_DAYS, 1.0))
    return Policy(point, point + cover, begins, pack, patience)


def _of_active_days(wanted: Array) -> tuple[Array, Array]:
    """Mean and σ of a day's requests, between the first request and the last."""
    asked = wanted > 0
    first, after = asked.argmax(axis=0), len(asked) - asked[::-1].argmax(axis=0)
    spans = [slice(start, stop) for start, stop in zip(first, after, strict=True)]
    means = [wanted[span, index].mean() for index, span in enumerate(spans)]
    return np.array(means), np.array([wanted[s, index].std() for index, s in enumerate(spans)])


class _Clock:
    """Moves deliveries off weekends."""

    def __init__(self, world: World) -> None:
        days = pd.date_range(world.days[0], periods=len(world.days) + LONGEST_WAIT_DAYS)
        weekday = days.dayofweek.to_numpy()
        self._delivery = np.arange(len(days)) + np.where(weekday >= 5, 7 - weekday, 0)

    def delivery(self, day: int) -> int:
        return int(self._delivery[day])


def _place(
    rng: Rng, world: World, policy: Policy, clock: _Clock, day: int, position: Array
) -> list[tuple[int, int, int, int, float, float]]:
    """Order lines of one review: day, series, promised, received, quantity, what will come."""
    due = (position <= policy.point) & (day >= policy.begins)
    lines = []
    for index in np.flatnonzero(due).tolist():
        packs = np.ceil((policy.up_to[index] - position[index]) / policy.pack[index])
        quantity = float(packs * policy.pack[index])
        promised, actual = _lead_time(rng, _supplier(world, index))
        come = _delivered(rng, quantity, policy.pack[index])
        promised, received = clock.delivery(day + promised), clock.delivery(day + actual)
        lines.append((day, index, promised, received, quantity, come))
    return lines


def _supplier(world: World, index: int) -> Supplier:
    return BY_CODE[world.series[index].material.supplier]


def _lead_time(rng: Rng, supplier: Supplier) -> tuple[int, int]:
    """(promised, actual) days: most lines come early or on time, the supplier's share late."""
    if rng.random() < supplier.late_share:
        delay = 2 + int(rng.gamma(1.6, supplier.contract / 6))
        return supplier.contract, supplier.contract + delay
    early = int(rng.gamma(1.4, supplier.contract / 14))
    return supplier.contract, max(1, supplier.contract - early)


def _delivered(rng: Rng, quantity: float, pack: float) -> float:
    """Now and then a line comes some packs short, and the rest is cancelled."""
    packs = quantity / pack
    if packs >= 3 and rng.random() < SHORT_SHARE:
        return float(np.floor(packs * rng.uniform(0.5, 0.95)) * pack)
    return quantity


# Files


def demand_rows(world: World, ledger: Ledger) -> pd.DataFrame:
    """What was issued, a row a day and series."""
    issued = ledger.issued[WARM_UP_DAYS:]
    day, index = np.nonzero(issued)
    return pd.DataFrame(
        {
            "date": world.shown[day].strftime("%Y-%m-%d"),
            "sku": _skus(world)[index],
            "site": _depots(world)[index],
            "quantity": issued[day, index],
        }
    )


def stock_rows(world: World, ledger: Ledger) -> pd.DataFrame:
    """Every day of the last months; before, every Sunday and each month's last day. An item is
    listed from its first receipt on."""
    kept = _counted_days(world)
    day, index = np.nonzero(_known(ledger)[kept])
    day = kept[day]
    in_transit = _in_transit(world, ledger)
    return pd.DataFrame(
        {
            "date": world.days[day].strftime("%Y-%m-%d"),
            "sku": _skus(world)[index],
            "site": _depots(world)[index],
            "on_hand": ledger.on_hand[day, index],
            "reserved": ledger.waiting[day, index],
            "in_transit": in_transit[day, index],
        }
    )


def _counted_days(world: World) -> NDArray[np.int_]:
    places, days = np.arange(len(world.days)), world.days
    recent = places >= len(places) - DAILY_STOCK_DAYS
    counted = recent | days.is_month_end | (days.dayofweek == 6)
    return np.flatnonzero(counted & (places >= WARM_UP_DAYS))


def _known(ledger: Ledger) -> NDArray[np.bool_]:
    """days x series: whether the item has been stocked there by that day."""
    return np.maximum.accumulate((ledger.on_hand + ledger.issued) > 0, axis=0)


def _in_transit(world: World, ledger: Ledger) -> Array:
    """What is ordered and has not come, at the end of each day."""
    orders, after = ledger.orders, len(world.days)
    change = np.zeros((after + 1, len(world.series)))
    for when, sign in (("day", 1.0), ("received", -1.0)):
        place = np.minimum(orders[when].to_numpy(), after)
        np.add.at(change, (place, orders["series"].to_numpy()), sign * orders["quantity"])
    return np.cumsum(change[:after], axis=0)


def order_rows(rng: Rng, world: World, ledger: Ledger) -> pd.DataFrame:
    """Lines under way in the shown days; what is still to come has no receipt.

    What a depot orders from a supplier on one day is one order. Prices follow what the supplier
    raises and, for imports, the exchange rate.
    """
    shown = ledger.orders["received"] >= WARM_UP_DAYS
    lines = ledger.orders[shown].reset_index(drop=True)
    index, quantity = lines["series"].to_numpy(), lines["quantity"].to_numpy()
    supplier = np.array([series.material.supplier for series in world.series])[index]
    arrived = lines["received"].to_numpy() < len(world.days)
    received_qty = np.where(arrived, lines["received_qty"], np.nan)
    group = lines.assign(supplier=supplier, depot=_depots(world)[index]).groupby(
        ["day", "supplier", "depot"]
    )
    status = np.where(received_qty < quantity, "recebido parcial", "recebido")
    return pd.DataFrame(
        {
            "order": [f"PC-{number + 1:06d}" for number in group.ngroup()],
            "line": group.cumcount() + 1,
            "sku": _skus(world)[index],
            "supplier": supplier,
            "ordered_on": _dates(world, lines["day"]),
            "quantity": quantity,
            "site": _depots(world)[index],
            "requested_on": _dates(world, lines["day"] - rng.integers(0, 4, len(lines))),
            "promised_on": _dates(world, lines["promised"]),
            "received_on": np.where(arrived, _dates(world, lines["received"]), ""),
            "received_qty": received_qty,
            "unit_price_brl": _prices(rng, world, lines),
            "status": np.where(arrived, status, "aberto"),
        }
    ).sort_values(["order", "line"], ignore_index=True)


def _dates(world: World, places: pd.Series) -> NDArray[np.object_]:
    days = world.days[0] + pd.to_timedelta(places, unit="D")
    return days.dt.strftime("%Y-%m-%d").to_numpy(dtype=object)


def _prices(rng: Rng, world: World, lines: pd.DataFrame) -> Array:
    """BRL a unit: today's cost, brought back to the day of the order."""
    day, index = lines["day"].to_numpy(), lines["series"].to_numpy()
    cost = np.array([series.material.cost for series in world.series])[index]
    suppliers = [_supplier(world, n) for n in range(len(world.series))]
    imported = np.array([supplier.kind == "import" for supplier in suppliers])[index]
    growth = 1 + np.array([supplier.raises for supplier in suppliers])[index]
    exchange = np.where(imported, world.usd_brl[day] / world.usd_brl[-1], 1.0)
    years = (day - len(world.days) + 1) / 365.25
    return np.round(cost * growth**years * exchange * rng.normal(1, 0.015, len(day)), 2)


def _skus(world: World) -> NDArray[np.object_]:
    return np.array([series.material.sku for series in world.series], dtype=object)


def _depots(world: World) -> NDArray[np.object_]:
    return np.array([series.depot for series in world.series], dtype=object)
