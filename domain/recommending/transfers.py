"""TRANSFER: the cheapest moves between depots that lift receivers without starving givers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from domain.recommending.frames import (
    DAYS_A_YEAR,
    EPSILON,
    STOCK,
    TRANSFER,
    Array,
    Context,
    as_frame,
    day_after,
    facts,
    holding_brl,
    priority,
    unmet_in_lead_time,
    usual_rate,
)
from domain.recommending.settings import RecommendationSettings
from domain.transport import SECONDS, best_moves, kilometres
from domain.transport import Units as Places

Flags = NDArray[np.bool_]

ALL_SECONDS = 600.0
"""What the problems of all items together may take: a derivation keeps loads and runs waiting."""


def transfers(
    stock: pd.DataFrame, context: Context, rejected: Collection[str] = ()
) -> pd.DataFrame:
    """Moves of every item, one row each with the rows (places in `stock`) of giver and receiver.
    None of those of which the fingerprint is `rejected`: as long as it is worth its price, each of
    these follows as it would be alone, `is_rejected`.

    A giver gives what it has above its reorder point, the demand of the giver-cover days (of the
    review days where these are more) and all that projects will take; a receiver takes what lifts
    its position to its reorder point, or what it lacks between running out and the next arrival,
    never above its order-up-to level. Columns: giver, receiver, quantity, km, move_days,
    freight_brl, avoided_quantity, postponed_brl, value_brl, is_rejected, from_given (by all of the
    giver's moves, those that were decided too).
    """
    surplus, need = surpluses(stock, context), needs(stock)
    groups = stock.assign(place=range(len(stock)), gives=surplus > 0, takes=need > 0)
    pairs = [
        (item.loc[item["gives"], "place"].to_numpy(), item.loc[item["takes"], "place"].to_numpy())
        for _, item in groups.groupby("item_id")
        if item["gives"].any() and item["takes"].any()
    ]
    seconds = min(SECONDS, ALL_SECONDS / max(1, len(pairs)))

    def moves_of(givers: Places, receivers: Places, refused: Flags) -> list[dict[str, Any]]:
        return _moves_of_item(stock, givers, receivers, surplus, need, refused, context, seconds)

    found: list[dict[str, Any]] = []
    alone: list[dict[str, Any]] = []
    for givers, receivers in pairs:
        refused = _refused(stock, givers, receivers, rejected)
        found += moves_of(givers, receivers, refused)
        for giver, receiver in np.argwhere(refused):
            one, other = givers[[giver]], receivers[[receiver]]
            alone += moves_of(one, other, np.zeros((1, 1), bool))
    moves = pd.DataFrame(found + alone, columns=MOVE_COLUMNS)
    moves["is_rejected"] = np.arange(len(moves)) >= len(found)
    given = moves.groupby(["giver", "is_rejected"])["quantity"].transform("sum")
    given = given.mask(moves["is_rejected"], moves["quantity"])
    return moves.assign(from_given=given + stock["gave"].to_numpy()[moves["giver"].to_numpy(int)])


MOVE_COLUMNS = (
    "giver receiver quantity km move_days freight_brl avoided_quantity postponed_days"
    " postponed_brl value_brl"
).split()


def _refused(
    stock: pd.DataFrame, givers: Places, receivers: Places, rejected: Collection[str]
) -> Flags:
    """Which moves of an item were rejected, (givers, receivers)."""
    if not rejected:
        return np.zeros((len(givers), len(receivers)), bool)
    [item, *_], starts = (stock[key].to_numpy()[givers].tolist() for key in ("item_id", "site_id"))
    ends = stock["site_id"].to_numpy()[receivers].tolist()
    return np.array([[fingerprint(item, one, two) in rejected for two in ends] for one in starts])


def fingerprint(item_id: int, from_site_id: int, site_id: int) -> str:
    """Of a move of an item between two depots, whatever its quantity."""
    return f"{TRANSFER}|{item_id}|{from_site_id}|{site_id}"


def surpluses(stock: pd.DataFrame, context: Context) -> Array:
    """Whole units that each row can do without; 0 of what is out of use, and without a policy, a
    place or a unit cost."""
    days = max(context.rates.giver_cover_days, context.rates.review_days)
    kept = stock["reorder_point"] + stock["daily_demand"] * days
    kept = kept + stock["project_ahead"]
    over = np.floor(stock["available"] - stock["gave"] - kept + EPSILON)
    return np.where(_movable(stock), np.nan_to_num(over.clip(lower=0)), 0.0)


def needs(stock: pd.DataFrame) -> Array:
    """Whole units that each row should be lifted by."""
    position = _position(stock, stock["took"], stock["gave"])
    under = np.ceil(stock["reorder_point"] - position - EPSILON)
    until = np.fmin(stock["next_arrival_days"], stock["lead_time_days"])
    lacking = stock["daily_demand"] * (until - stock["days_to_stockout"]) - stock["took"]
    gap = np.ceil(lacking - EPSILON)
    room = np.floor(stock["order_up_to"] - position + EPSILON)
    most = np.fmin(np.fmax(under, gap), room)
    return np.where(_movable(stock), np.nan_to_num(np.maximum(most, 0)), 0.0)


def _movable(stock: pd.DataFrame) -> pd.Series:
    known = stock[["latitude", "longitude", "unit_cost_brl", "reorder_point", "available"]]
    return stock["active"] & known.notna().all(axis=1)


def _moves_of_item(
    stock: pd.DataFrame,
    givers: Places,
    receivers: Places,
    surplus: Array,
    need: Array,
    refused: Flags,
    context: Context,
    seconds: float,
) -> list[dict[str, Any]]:
    rates = context.rates
    giving, taking = stock.iloc[givers], stock.iloc[receivers]
    km = kilometres(
        giving["latitude"], giving["longitude"], taking["latitude"], taking["longitude"]
    )
    wanted = need[receivers]
    took = taking["took"].to_numpy(float)
    avoided = unmet_in_lead_time(taking, took) - unmet_in_lead_time(taking, took + wanted)
    per_unit = np.maximum(avoided, 0) / wanted * taking["shortage_brl"].to_numpy(float)
    cost = giving["unit_cost_brl"].to_numpy(float)
    postponed = _postponed_days(giving, surplus[givers])
    saved = holding_brl(cost, postponed, context)
    freight = insurance(cost, km, rates)
    fixed = rates.move_cost_brl + rates.move_brl_per_km * km
    gain = per_unit[None, :] + saved[:, None] - freight
    moves = best_moves(surplus[givers], wanted, gain, np.where(refused, np.inf, fixed), seconds)
    return [
        {
            "giver": givers[i],
            "receiver": receivers[j],
            "quantity": float(moves[i, j]),
            "km": km[i, j],
            "move_days": np.ceil(rates.move_days + km[i, j] / rates.move_km_per_day),
            "freight_brl": fixed[i, j] + freight[i, j] * moves[i, j],
            "avoided_quantity": max(avoided[j], 0.0) / wanted[j] * moves[i, j],
            "postponed_days": postponed[i],
            "postponed_brl": saved[i] * moves[i, j],
            "value_brl": gain[i, j] * moves[i, j] - fixed[i, j],
        }
        for i, j in zip(*np.nonzero(moves), strict=True)
    ]


def insurance(unit_cost: Array, km: Array, rates: RecommendationSettings) -> Array:
    """Cost a unit of moving it, in BRL: a share of its value per 1,000 km."""
    return unit_cost[:, None] * rates.move_value_share * km / 1000


def _postponed_days(giving: pd.DataFrame, surplus: Array) -> Array:
    """How long a giver would have kept its surplus, a year at most: so long is a purchase put
    off."""
    rate = usual_rate(giving).to_numpy(float)
    days = np.divide(surplus, rate, out=np.full(len(rate), np.inf), where=rate > 0)
    return np.minimum(days, DAYS_A_YEAR)


def moved(stock: pd.DataFrame, moves: pd.DataFrame) -> pd.DataFrame:
    """`stock` with what each row gives and receives, decided moves included, and its position after
    that; what was rejected is not moved."""
    moves = moves[~moves["is_rejected"]]
    given, received = (stock[name].to_numpy(float).copy() for name in ("gave", "took"))
    np.add.at(given, moves["giver"].to_numpy(int), moves["quantity"].to_numpy(float))
    np.add.at(received, moves["receiver"].to_numpy(int), moves["quantity"].to_numpy(float))
    position = _position(stock, received, given)
    return stock.assign(given=given, received=received, position=position)


def _position(stock: pd.DataFrame, received: ArrayLike, given: ArrayLike) -> pd.Series:
    had = stock["available"] + stock["on_order"].fillna(0) - stock["project_demand"]
    return had + np.asarray(received, float) - np.asarray(given, float)


def recommended_moves(stock: pd.DataFrame, moves: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The moves as recommendations; `stock` is that of before them. What a giver is left with is
    what all of its moves leave."""
    records = stock.to_dict("records")
    return as_frame(
        [
            _transfer(move, records[move["giver"]], records[move["receiver"]], context)
            for move in moves.to_dict("records")
        ]
    )


def _transfer(
    move: dict[Any, Any], giver: dict[Any, Any], receiver: dict[Any, Any], context: Context
) -> dict[str, Any]:
    left = receiver["days_to_stockout"] - move["move_days"]
    act_by = day_after(context, left) or context.today
    lost = receiver["risk_quantity"]
    named = "sku item_name unit unit_cost_brl site site_name uf".split()
    known = facts(receiver, [*named, *STOCK], today=context.today, act_by=act_by)
    known |= facts(move, [*MOVE_COLUMNS[2:], "from_given"])
    known |= {
        f"from_{name}": value
        for name, value in facts(
            giver,
            "site site_name uf available reorder_point daily_demand".split(),
            left=giver["available"] - move["from_given"],
        ).items()
    }
    known["if_nothing"] = facts(
        {}, (), stockout_on=receiver["stockout_on"], unmet_quantity=lost,
        risk_brl=lost * receiver["shortage_brl"], window_days=receiver["lead_time_days"],
    )  # fmt: skip
    return {
        "fingerprint": fingerprint(receiver["item_id"], giver["site_id"], receiver["site_id"]),
        "kind": TRANSFER,
        "priority": priority(act_by, context),
        "item_id": receiver["item_id"],
        "site_id": receiver["site_id"],
        "from_site_id": giver["site_id"],
        "quantity": move["quantity"],
        "act_by": act_by,
        "value_brl": move["value_brl"],
        "facts": known,
    }
