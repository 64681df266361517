"""What may be asked of another world, and what is answered: plain numbers, a mean year of all
item-depots together (`domain.years` plays it)."""

from __future__ import annotations

from dataclasses import dataclass, fields

from domain.policy_settings import MOST_LEVEL

LIMITS = {
    "service_a": (0.5, MOST_LEVEL),
    "service_b": (0.5, MOST_LEVEL),
    "service_c": (0.5, MOST_LEVEL),
    "lead_time_change": (-0.9, 3.0),
    "demand_change": (-0.9, 3.0),
    "order_cost": (0.0, 100_000.0),
    "holding_rate": (0.01, 2.0),
    "strike_days": (0, 180),
    "exchange_change": (-0.9, 3.0),
}
"""What each number of a change may be."""
STRIKES = ("import", "domestic", "all")
LEVELS = ("adapted", "kept")


@dataclass(frozen=True)
class Change:
    """What is different from today; as it is here, nothing is.

    service_a, service_b, service_c: cycle service of items of these classes, None: each item's
    own. lead_time_change: lead times of `supplier` (empty: of all) grow by this fraction.
    demand_change: demand of `family` in `uf` (empty: all) grows by this fraction. order_cost in
    BRL, holding_rate a fraction a year, None: as set. strike_days: nothing is delivered by
    `strike` suppliers for so long. exchange_change: what suppliers abroad deliver gets dearer by
    this fraction. levels: `adapted`, the reorder points know of the change of demand and lead
    times, or `kept`, it comes as a surprise.
    """

    service_a: float | None = None
    service_b: float | None = None
    service_c: float | None = None
    lead_time_change: float = 0.0
    supplier: str = ""
    demand_change: float = 0.0
    family: str = ""
    uf: str = ""
    order_cost: float | None = None
    holding_rate: float | None = None
    strike_days: int = 0
    strike: str = "import"
    exchange_change: float = 0.0
    levels: str = "adapted"

    @property
    def is_none(self) -> bool:
        """True where nothing is different from today."""
        told = (self.service_a, self.service_b, self.service_c, self.order_cost, self.holding_rate)
        numbers = (
            self.lead_time_change,
            self.demand_change,
            self.strike_days,
            self.exchange_change,
        )
        return all(one is None for one in told) and not any(numbers)


NOTHING = Change()


@dataclass(frozen=True)
class Side:
    """A mean year of all rows together. Money in BRL, fill rates are fractions (None where nothing
    is asked for); penalty_brl None where no contract is loaded."""

    stock_value_brl: float
    fill_lines: float | None
    fill_units: float | None
    requests_missed: float
    penalty_brl: float | None
    orders: float
    holding_brl: float
    stockout_brl: float
    expediting_brl: float
    ordering_brl: float
    annual_cost_brl: float


@dataclass(frozen=True)
class Comparison:
    """Today's policy and the changed one, over the same demand. `items`: item-depots in view that
    have a policy, of `items_in_view`; `played` of them were simulated, the others stand for their
    likes; `scenarios` years each, drawn by `seed`."""

    today: Side
    changed: Side
    items: int
    items_in_view: int
    played: int
    scenarios: int
    seed: int


UNITS = {
    "fill_lines": "fraction",
    "fill_units": "fraction",
    "requests_missed": "count",
    "orders": "count",
}
"""Units of a side's figures that are not money."""


@dataclass(frozen=True)
class ComparedFigure:
    """One figure of both sides; `unit` is BRL, fraction or count, `difference` is changed − today.
    None where it is not known."""

    figure: str
    unit: str
    today: float | None
    changed: float | None
    difference: float | None


def side_by_side(found: Comparison) -> list[ComparedFigure]:
    """Every figure of both sides, in the order of `Side`; none where nothing is in view."""
    return [_compared(one.name, found) for one in fields(Side)] if found.items else []


def _compared(name: str, found: Comparison) -> ComparedFigure:
    today, changed = getattr(found.today, name), getattr(found.changed, name)
    known = today is not None and changed is not None
    return ComparedFigure(
        name, UNITS.get(name, "BRL"), today, changed, changed - today if known else None
    )


@dataclass(frozen=True)
class CurvePoint:
    """What one cycle service for all items holds and serves, in a mean year; service_level None:
    each item's own, as the policy has it. Money in BRL, fill rates are fractions."""

    service_level: float | None
    stock_value_brl: float
    fill_lines: float | None
    fill_units: float | None
    orders: float
    penalty_brl: float
    annual_cost_brl: float


@dataclass(frozen=True)
class Recorded:
    """What the files say of the same item-depots: the value of the last count, and the share of
    requests served at once in the year before it (those that found an empty shelf are estimated
    from the days without stock)."""

    stock_value_brl: float | None
    fill_lines: float | None
