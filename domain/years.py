"""What would follow if: a year of demand scenarios played against today's policy and a changed one.

Both sides see the same demand and the same luck (common random numbers), so that their difference
is the change's; a row's year is the same whichever rows and worlds are played with it. It is played
day by day: what is recorded by the week or month is asked for evenly on its days. A year begins in
the steady state of its policy, after half a year that is not counted; a strike begins on its first
day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from domain import scenarios, simulation
from domain.changes import Stocked, changed, halted, levels
from domain.costs import Costs, Prices, SavingsSettings, costs
from domain.inventory import Array
from domain.policy_settings import PolicySettings
from domain.recommending.settings import RecommendationSettings
from domain.what_if import NOTHING, Change, Comparison, CurvePoint, Side

YEAR_DAYS = 365
WARM_UP_DAYS = 180
"""What is played before the year, of all rows the same: as long as nearly every lead time."""
BLOCKS = {"D": 7, "W": 28, "M": 91}
"""Recorded days that are drawn together, by the period that demand is recorded by."""
PERIOD_DAYS = {"D": 1.0, "W": 7.0, "M": 365.25 / 12}
AT_ONCE = 3_000_000
"""Rows × scenarios × days that are played at once: what bounds the memory."""
SEED = 20
GRID = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995)
"""Cycle service levels of the curve, one for all items at a time."""


@dataclass(frozen=True)
class Terms:
    """What a year is valued at, which period a row of demand stands for (D, W, M), and how many
    years are drawn."""

    frequency: str
    policy: PolicySettings = field(default_factory=PolicySettings)
    rates: RecommendationSettings = field(default_factory=RecommendationSettings)
    savings: SavingsSettings = field(default_factory=SavingsSettings)
    scenarios: int = 8
    seed: int = SEED


@dataclass(frozen=True)
class Year:
    """A mean year of each row: (rows,). stock_value in BRL; lines and units that were asked for
    and served; orders; penalty_brl, 0 where no penalty is known; costs in BRL."""

    stock_value: Array
    lines: Array
    full: Array
    asked: Array
    served: Array
    orders: Array
    penalty_brl: Array
    costs: Costs


def compare(
    stocked: Stocked, change: Change, terms: Terms, *, items: int, items_in_view: int
) -> Comparison:
    """Both sides of a change."""
    worlds = [World()] if change.is_none else [World(), World(change)]
    sides = [side(year, stocked) for year in in_worlds(stocked, worlds, terms)]
    before, after = sides[0], sides[-1]
    return Comparison(
        before, after, items, items_in_view, len(stocked), terms.scenarios, terms.seed
    )


def sample(value: Array, most: int) -> tuple[NDArray[np.int64], Array]:
    """Which rows are played where there are more than `most`, in order, and how many each stands
    for: the half with the most demand in BRL for themselves, of the rest every n-th."""
    count = len(value)
    if count <= most:
        return np.arange(count), np.ones(count)
    order = np.argsort(-value, kind="stable")
    top, rest = order[: most // 2], order[most // 2 :]
    kept = rest[np.linspace(0, len(rest) - 1, most - len(top)).round().astype(int)]
    chosen = np.concatenate([top, kept])
    weight = np.concatenate([np.ones(len(top)), np.full(len(kept), len(rest) / len(kept))])
    placed = np.argsort(chosen)
    return chosen[placed], weight[placed]


@dataclass(frozen=True)
class World:
    """What is different from today; service_level: of all items, in place of the change's."""

    change: Change = NOTHING
    service_level: float | None = None


def a_year(
    stocked: Stocked, change: Change, terms: Terms, service_level: float | None = None
) -> Year:
    """Plays the years of one world, takes their mean."""
    return in_worlds(stocked, [World(change, service_level)], terms)[0]


def in_worlds(stocked: Stocked, worlds: Sequence[World], terms: Terms) -> list[Year]:
    """The mean year of each world, all on the same demand and luck."""
    parts = [
        _played(stocked.at(rows), worlds, terms) for rows in _chunks(stocked, terms, len(worlds))
    ]
    if not parts:
        return _played(stocked, worlds, terms)
    return [_joined(list(years)) for years in zip(*parts, strict=True)]


def curve_of(stocked: Stocked, terms: Terms) -> list[CurvePoint]:
    """The curve of these rows: the point of today's policy, then one for each level of GRID."""
    worlds = [World(service_level=level) for level in (None, *GRID)]
    points = []
    for world, year in zip(worlds, in_worlds(stocked, worlds, terms), strict=True):
        one = side(year, stocked)
        points.append(
            CurvePoint(
                world.service_level,
                one.stock_value_brl,
                one.fill_lines,
                one.fill_units,
                one.orders,
                one.penalty_brl or 0.0,
                one.annual_cost_brl,
            )
        )
    return points


def side(year: Year, stocked: Stocked) -> Side:
    """Adds the rows up, each as often as it counts."""
    weight = stocked.weight

    def total(values: Array) -> float:
        return float(values @ weight)

    lines, asked = total(year.lines), total(year.asked)
    known = bool((~np.isnan(stocked.penalty_brl)).any())
    return Side(
        stock_value_brl=total(year.stock_value),
        fill_lines=total(year.full) / lines if lines else None,
        fill_units=total(year.served) / asked if asked else None,
        requests_missed=lines - total(year.full),
        penalty_brl=total(year.penalty_brl) if known else None,
        orders=total(year.orders),
        holding_brl=total(year.costs.holding),
        stockout_brl=total(year.costs.stockout),
        expediting_brl=total(year.costs.expediting),
        ordering_brl=total(year.costs.ordering),
        annual_cost_brl=total(year.costs.total),
    )


def _chunks(stocked: Stocked, terms: Terms, worlds: int) -> Iterator[slice]:
    size = max(1, int(AT_ONCE / ((YEAR_DAYS + WARM_UP_DAYS) * terms.scenarios * worlds)))
    for start in range(0, len(stocked), size):
        yield slice(start, start + size)


def _played(stocked: Stocked, worlds: Sequence[World], terms: Terms) -> list[Year]:
    """All worlds in one replay, one under the other: it takes its time by period, not by row."""
    length = WARM_UP_DAYS + YEAR_DAYS
    plays = [_play(stocked, world, terms, length) for world in worlds]
    strike = max(world.change.strike_days for world in worlds)

    def under(name: str) -> Array:
        return np.concatenate([getattr(one, name) for one in plays])

    names = ("reorder_point", "order_up_to", "minimum", "pack")
    point, up_to, minimum, pack = (under(name)[:, None] for name in names)
    demand = under("demand")
    outcome = simulation.replay(
        demand,
        simulation.Rules(point, up_to, minimum, pack),
        under("lead"),
        simulation.Start(under("on_hand")),
        bucket_of=np.where(np.arange(length) < WARM_UP_DAYS, -1, 0),
        weights=(demand > 0) / PERIOD_DAYS[terms.frequency],
        halt=simulation.Halt(under("stopped")[:, None], WARM_UP_DAYS, WARM_UP_DAYS + strike),
    )
    return [
        _year(outcome.of(slice(at * len(stocked), (at + 1) * len(stocked))), one.world, told, terms)
        for at, (one, told) in enumerate(zip(plays, (w.change for w in worlds), strict=True))
    ]


@dataclass(frozen=True)
class _Play:
    """What a replay of one world needs: demand and lead times (rows, scenarios, days), stock at
    the start (rows, scenarios), the rest (rows,)."""

    world: Stocked
    demand: Array
    lead: NDArray[np.int64]
    on_hand: Array
    reorder_point: Array
    order_up_to: Array
    stopped: NDArray[np.bool_]

    @property
    def minimum(self) -> Array:
        return self.world.minimum

    @property
    def pack(self) -> Array:
        return self.world.pack


def _play(stocked: Stocked, told: World, terms: Terms, length: int) -> _Play:
    world = changed(stocked, told.change)
    if told.service_level is not None:
        world = replace(world, service_level=np.full(len(world), told.service_level))
    point, up_to = levels(stocked, world, told.change, terms.policy)
    demand = scenarios.paths(
        stocked.history, world.rate, terms.scenarios, length, BLOCKS[terms.frequency], terms.seed
    )
    lead = scenarios.lead_times(
        world.lead_mean, world.lead_std, terms.scenarios, length, terms.seed + 1
    )
    share = np.random.default_rng(terms.seed + 2).random(terms.scenarios)
    on_hand = point[:, None] + share * (up_to - point)[:, None]
    return _Play(world, demand, lead, on_hand, point, up_to, halted(world, told.change))


def _year(outcome: simulation.Outcome, world: Stocked, change: Change, terms: Terms) -> Year:
    policy = terms.policy
    prices = Prices(
        unit_cost=np.nan_to_num(world.unit_cost),
        holding_rate=policy.holding_rate if change.holding_rate is None else change.holding_rate,
        order_cost=policy.order_cost_brl if change.order_cost is None else change.order_cost,
        penalty_brl=world.penalty_brl,
        emergency_premium=terms.rates.emergency_premium,
        expedite_cost_brl=terms.rates.expedite_cost_brl,
    )
    priced = costs(outcome, prices, period_days=1.0)
    missed = outcome.expedites[..., 0].mean(axis=1)
    return Year(
        stock_value=outcome.mean_stock[..., 0].mean(axis=1) * prices.unit_cost,
        lines=outcome.lines[..., 0].mean(axis=1),
        full=outcome.full[..., 0].mean(axis=1),
        asked=outcome.asked[..., 0].mean(axis=1),
        served=outcome.served[..., 0].mean(axis=1),
        orders=outcome.orders[..., 0].mean(axis=1),
        penalty_brl=missed * np.nan_to_num(world.penalty_brl),
        costs=Costs(
            **{one.name: getattr(priced, one.name)[..., 0].mean(axis=1) for one in fields(priced)}
        ),
    )


def _joined(parts: list[Year]) -> Year:
    found = {
        one.name: np.concatenate([getattr(part, one.name) for part in parts])
        for one in fields(Year)
        if one.name != "costs"
    }
    joined = {
        one.name: np.concatenate([getattr(part.costs, one.name) for part in parts])
        for one in fields(Costs)
    }
    return Year(**found, costs=Costs(**joined))
