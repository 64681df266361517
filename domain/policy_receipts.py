"""The policy of one item-depot as it is shown: our levels beside the textbook's, and how both are
made.

Sources: Silver, Pyke & Thomas (2017), chapters 4 and 6, as in `domain.inventory`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from statistics import NormalDist

from domain.receipts import (
    LEAD_TIME_DEMAND,
    REORDER_POINT,
    RULES,
    SAFETY_STOCK,
    Fact,
    Rule,
    Workings,
)


@dataclass(frozen=True)
class Levels:
    """Levels of a stock policy, in units of issue."""

    safety_stock: float | None
    reorder_point: float | None
    order_up_to: float | None


@dataclass(frozen=True)
class DepotPolicy:
    """The policy of one item at one depot. `method`: where its safety stock comes from
    (`domain.policy_settings`); empty for a run that was derived before it was kept."""

    sku: str
    site: str
    method: str
    ours: Levels
    textbook: Levels
    receipt: Workings = field(default_factory=Workings)


@dataclass(frozen=True)
class ReceiptLine:
    """One number of a receipt: an input of a step, or (`symbol` is empty) what comes out of it."""

    step: str
    formula: str
    symbol: str
    name: str
    value: float | None
    unit: str


def lines(made: Workings) -> list[ReceiptLine]:
    """A receipt's numbers in a row, each step's result under its inputs."""
    return [
        line
        for step in made.steps
        for line in (
            *(
                ReceiptLine(step.key, step.formula, one.symbol, one.name, one.value, one.unit)
                for one in step.inputs
            ),
            ReceiptLine(step.key, step.formula, "", step.name, step.value, step.unit),
        )
    ]


def _textbook_safety(
    level: float, lead: float, deviation: float, daily: float, lead_deviation: float
) -> float:
    spread = sqrt(lead * deviation**2 + daily**2 * lead_deviation**2)
    return max(0.0, NormalDist().inv_cdf(level) * spread)


def _lot(annual: float, order_cost: float, holding: float, minimum: float, pack: float) -> float:
    from domain import inventory  # with it comes NumPy

    return float(inventory.economic_lot(annual, order_cost, holding, minimum, pack))


_QUANTITY = ("order_quantity", "order quantity", "units")

TEXTBOOK_VARIABLE = Rule(
    "textbook_safety_stock_variable",
    "Safety stock by the textbook",
    r"SS_t = \max\left(0,\ Z_\alpha \cdot \sqrt{L \cdot \sigma_D^2 + D^2 \cdot \sigma_L^2}\right)",
    {
        r"\alpha": ("service_level", "cycle service level", "fraction"),
        "L": ("lead_time_days", "lead time", "days"),
        r"\sigma_D": ("demand_std", "deviation of a day's demand", "units"),
        "D": ("daily_demand", "forecast demand of a day, mean of the lead time", "units"),
        r"\sigma_L": ("lead_time_std", "deviation of the lead time", "days"),
    },
    "textbook_safety_stock",
    "units",
    _textbook_safety,
)
TEXTBOOK_REORDER_POINT = Rule(
    "textbook_reorder_point",
    "Reorder point by the textbook",
    r"PP_t = D \cdot L + SS_t",
    {
        "D": ("daily_demand", "forecast demand of a day, mean of the lead time", "units"),
        "L": ("lead_time_days", "lead time", "days"),
        "SS_t": ("textbook_safety_stock", "safety stock by the textbook", "units"),
    },
    "textbook_reorder_point",
    "units",
    lambda daily, lead, safety: daily * lead + safety,
)
ORDER_QUANTITY = Rule(
    "order_quantity",
    "Order quantity",
    r"Q = f_{m,k}\left(\sqrt{\frac{2 \cdot D_a \cdot K}{h}}\right)",
    {
        "D_a": ("annual_quantity", "forecast demand of a year", "units"),
        "K": ("order_cost_brl", "cost of an order", "BRL"),
        "h": ("annual_holding_brl", "holding a unit for a year", "BRL"),
        "m": ("least_order", "minimum order", "units"),
        "k": ("pack", "pack", "units"),
    },
    "order_quantity",
    "units",
    _lot,
)
ORDER_UP_TO = Rule(
    "order_up_to",
    "Order up to",
    r"S = PP + Q",
    {"PP": ("reorder_point", "reorder point", "units"), "Q": _QUANTITY},
    "order_up_to",
    "units",
    lambda reorder, quantity: reorder + quantity,
)
TEXTBOOK_ORDER_UP_TO = Rule(
    "textbook_order_up_to",
    "Order up to by the textbook",
    r"S_t = PP_t + Q",
    {
        "PP_t": ("textbook_reorder_point", "reorder point by the textbook", "units"),
        "Q": _QUANTITY,
    },
    "textbook_order_up_to",
    "units",
    lambda reorder, quantity: reorder + quantity,
)

POLICY_RULES: tuple[Rule, ...] = (
    *(LEAD_TIME_DEMAND, SAFETY_STOCK, REORDER_POINT, ORDER_QUANTITY, ORDER_UP_TO),
    *(TEXTBOOK_VARIABLE, TEXTBOOK_REORDER_POINT, TEXTBOOK_ORDER_UP_TO),
)
RULES.update({rule.key: rule for rule in POLICY_RULES})


def levels(facts: Mapping[str, Fact], prefix: str = "") -> Levels:
    """The levels among the facts; `prefix` is that of their names."""
    found = (facts.get(f"{prefix}{name}") for name in Levels.__dataclass_fields__)
    return Levels(*(None if value is None else float(value) for value in found))
