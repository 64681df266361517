"""How a recommendation's value is made: the rules of its kind, for `domain.receipts.workings`.

Sources: missing units of a lead time are the policy's, by simulation; what comes on top or is taken
off is the loss function of a normal (Silver, Pyke & Thomas 2017, 7.5); holding cost is value × rate
× time (3.4); the rates are the settings' (`RecommendationSettings`).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any

from domain.receipts import AVAILABLE, ON_HAND, RULES, Rule, Workings, workings
from domain.rounding import WHOLE

_MISSING = ("shortage_brl", "cost of a missing unit", "BRL")
_AVOIDED = ("avoided_quantity", "missing units that are avoided", "units")

POSITION = Rule(
    "position",
    "Available and on order",
    r"P = A + O - J + T - G",
    {
        "A": ("available", "available", "units"),
        "O": ("on_order", "on order and in transit", "units"),
        "J": ("project_demand", "for projects within the lead time", "units"),
        "T": ("received", "comes by transfer", "units"),
        "G": ("given", "leaves by transfer", "units"),
    },
    "position",
    "units",
    lambda available, ordered, projects, received, given: (
        available + ordered - projects + received - given
    ),
)
REORDER_QUANTITY = Rule(
    "reorder_quantity",
    "Quantity",
    r"Q = \left\lfloor (S - P) / k \right\rfloor \cdot k",
    {
        "S": ("order_up_to", "order-up-to level", "units"),
        "P": ("position", "available and on order", "units"),
        "k": ("pack", "pack", "units"),
    },
    "quantity",
    "units",
    lambda level, position, pack: floor((level - position) / pack + WHOLE) * pack,
)
RISK_IN_WINDOW = Rule(
    "risk_in_window",
    "At risk if nothing is done",
    r"R_W = U_0 \cdot c_s",
    {
        "W": ("window_days", "days that are looked ahead", "days"),
        "U_0": ("unmet_quantity", "missing units in these days if nothing is done", "units"),
        "c_s": _MISSING,
    },
    "risk_brl",
    "BRL",
    lambda _days, missing, shortage: missing * shortage,
)
REORDER_AVOIDED = Rule(
    "reorder_avoided",
    "Missing units that the purchase avoids",
    r"A = \min\left(\max(0,\ U_0 - U_1),\ Q\right)",
    {
        "U_0": ("unmet_quantity", "missing units in these days if nothing is done", "units"),
        "U_1": ("unavoidable_quantity", "missing before an order can arrive", "units"),
        "Q": ("quantity", "quantity", "units"),
    },
    "avoided_quantity",
    "units",
    lambda lost, unavoidable, quantity: min(max(0.0, lost - unavoidable), quantity),
)
REORDER_VALUE = Rule(
    "reorder_value",
    "Value",
    r"V = A \cdot c_s - K - H",
    {
        "A": _AVOIDED,
        "c_s": _MISSING,
        "K": ("order_cost_brl", "cost of an order", "BRL"),
        "H": ("holding_brl", "holding the lot meanwhile", "BRL"),
    },
    "value_brl",
    "BRL",
    lambda avoided, shortage, order, holding: avoided * shortage - order - holding,
)
EXPEDITE_VALUE = Rule(
    "expedite_value",
    "Value",
    r"V = A \cdot c_s - (W \cdot p + e)",
    {
        "A": _AVOIDED,
        "c_s": _MISSING,
        "W": ("order_value_brl", "value of the order line", "BRL"),
        "p": ("expedite_premium", "premium for hurry", "fraction"),
        "e": ("expedite_cost_brl", "cost of hurry, an order", "BRL"),
    },
    "value_brl",
    "BRL",
    lambda avoided, shortage, worth, premium, cost: avoided * shortage - (worth * premium + cost),
)
TRANSFER_LEFT = Rule(
    "transfer_left",
    "What the giver keeps",
    r"A' = A - G",
    {
        "A": ("from_available", "available at the giver", "units"),
        "G": ("from_given", "leaves by transfer", "units"),
    },
    "from_left",
    "units",
    lambda available, given: available - given,
)
TRANSFER_VALUE = Rule(
    "transfer_value",
    "Value",
    r"V = A \cdot c_s + P - F",
    {
        "A": _AVOIDED,
        "c_s": _MISSING,
        "P": ("postponed_brl", "capital cost of the purchase that is put off", "BRL"),
        "F": ("freight_brl", "freight, handling and insurance", "BRL"),
    },
    "value_brl",
    "BRL",
    lambda avoided, shortage, postponed, freight: avoided * shortage + postponed - freight,
)
REDUCE_QUANTITY = Rule(
    "reduce_quantity",
    "Quantity",
    r"Q = \left\lfloor \min(A - G - S_e,\ H) \right\rfloor",
    {
        "A": ("available", "available", "units"),
        "G": ("given", "leaves by transfer", "units"),
        "S_e": ("needed_quantity", "stock that is enough", "units"),
        "H": ("on_hand", "on hand", "units"),
    },
    "quantity",
    "units",
    lambda available, given, needed, on_hand: floor(
        min(available - given - needed, on_hand) + WHOLE
    ),
)
CAPITAL = Rule(
    "capital",
    "Capital that is freed",
    r"C = Q \cdot c",
    {
        "Q": ("quantity", "quantity", "units"),
        "c": ("unit_cost_brl", "unit cost", "BRL"),
    },
    "capital_brl",
    "BRL",
    lambda quantity, cost: quantity * cost,
)
REDUCE_VALUE = Rule(
    "reduce_value",
    "Value",
    r"V = C \cdot h - k",
    {
        "C": ("capital_brl", "capital that is freed", "BRL"),
        "h": ("holding_rate", "holding cost of a year, share of the value", "fraction"),
        "k": ("reduce_cost_brl", "work of getting rid of it", "BRL"),
    },
    "value_brl",
    "BRL",
    lambda capital, rate, work: capital * rate - work,
)
SWITCH_VALUE = Rule(
    "switch_value",
    "Value",
    r"V = C_1 - C_2 - k",
    {
        "C_1": ("annual_brl_now", "a year from the present supplier", "BRL"),
        "C_2": ("annual_brl_new", "a year from the other supplier", "BRL"),
        "k": ("switch_cost_brl", "work of changing the supplier", "BRL"),
    },
    "value_brl",
    "BRL",
    lambda now, new, work: now - new - work,
)

RULES_OF_KIND: Mapping[str, tuple[Rule, ...]] = {
    "REORDER": (
        *(ON_HAND, AVAILABLE, POSITION, REORDER_QUANTITY),
        *(RISK_IN_WINDOW, REORDER_AVOIDED, REORDER_VALUE),
    ),
    "EXPEDITE": (RISK_IN_WINDOW, EXPEDITE_VALUE),
    "TRANSFER": (TRANSFER_LEFT, RISK_IN_WINDOW, TRANSFER_VALUE),
    "REDUCE": (ON_HAND, AVAILABLE, REDUCE_QUANTITY, CAPITAL, REDUCE_VALUE),
    "SWITCH": (SWITCH_VALUE,),
}
RULES.update({rule.key: rule for rules in RULES_OF_KIND.values() for rule in rules})


def workings_of(kind: str, facts: Mapping[str, Any]) -> Workings:
    """The formulas of this kind with the facts' numbers put in, and those of doing nothing."""
    return workings({**facts.get("if_nothing", {}), **facts}, RULES_OF_KIND.get(kind, ()))
