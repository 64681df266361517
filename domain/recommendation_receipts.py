"""How a recommendation's value was made: the formula of its kind, its numbers put in.

Sources: missing units are the loss function of a normal (Silver, Pyke & Thomas 2017, 7.5); holding
cost is value × rate × time (3.4); the rates are the settings' (`RecommendationSettings`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Term:
    """One number of a formula: its symbol, its name in the facts, its meaning and its unit (BRL,
    fraction, days, units)."""

    symbol: str
    fact: str
    meaning: str
    unit: str


@dataclass(frozen=True)
class Formula:
    """`latex` in symbols; `filled` with `{name}` where the facts' numbers go."""

    latex: str
    filled: str
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Line:
    """A term with its number; None where it is not known."""

    symbol: str
    name: str
    value: float | None
    unit: str


def _term(symbol: str, fact: str, meaning: str, unit: str) -> Term:
    return Term(symbol, fact, meaning, unit)


_VALUE = _term("V", "value_brl", "value, net of the cost of acting", "BRL")
_SHORTAGE = _term("c_s", "shortage_brl", "cost of a missing unit", "BRL")
_QUANTITY = _term("Q", "quantity", "quantity", "units")

FORMULAS: Mapping[str, Formula] = {
    "REORDER": Formula(
        r"V = A \cdot c_s - K - H, \quad A = \max(0, U_0 - U_1)",
        "{avoided_quantity} × {shortage_brl} − {order_cost_brl} − {holding_brl} = {value_brl}",
        (
            _VALUE,
            _QUANTITY,
            _term("P", "position", "available and on order, transfers included", "units"),
            _term("r", "reorder_point", "reorder point", "units"),
            _term("S", "order_up_to", "order-up-to level", "units"),
            _term("U_0", "unmet_quantity", "missing units if nothing is done", "units"),
            _term("U_1", "unavoidable_quantity", "missing before an order can arrive", "units"),
            _term("A", "avoided_quantity", "missing units that are avoided", "units"),
            _SHORTAGE,
            _term("K", "order_cost_brl", "cost of an order", "BRL"),
            _term("H", "holding_brl", "holding the lot meanwhile", "BRL"),
            _term("T", "window_days", "days that are counted", "days"),
        ),
    ),
    "EXPEDITE": Formula(
        r"V = A \cdot c_s - (W \cdot p + e)",
        "{avoided_quantity} × {shortage_brl} − ({order_value_brl} × {expedite_premium}"
        " + {expedite_cost_brl}) = {value_brl}",
        (
            _VALUE,
            _term("G", "days_gained", "days gained", "days"),
            _term("A", "avoided_quantity", "missing units that are avoided", "units"),
            _SHORTAGE,
            _term("W", "order_value_brl", "value of the order line", "BRL"),
            _term("p", "expedite_premium", "premium for hurry", "fraction"),
            _term("e", "expedite_cost_brl", "cost of hurry, an order", "BRL"),
        ),
    ),
    "TRANSFER": Formula(
        r"V = A \cdot c_s + P - F",
        "{avoided_quantity} × {shortage_brl} + {postponed_brl} − {freight_brl} = {value_brl}",
        (
            _VALUE,
            _QUANTITY,
            _term("A", "avoided_quantity", "missing units that are avoided", "units"),
            _SHORTAGE,
            _term("P", "postponed_brl", "capital cost of the purchase that is put off", "BRL"),
            _term("F", "freight_brl", "freight, handling and insurance", "BRL"),
            _term("d", "km", "distance in km", "units"),
            _term("g", "from_left", "what the giver keeps", "units"),
            _term("r_g", "from_reorder_point", "reorder point of the giver", "units"),
        ),
    ),
    "REDUCE": Formula(
        r"V = Q \cdot c \cdot h - k",
        "{quantity} × {unit_cost_brl} × {holding_rate} − {reduce_cost_brl} = {value_brl}",
        (
            _VALUE,
            _QUANTITY,
            _term("a", "available", "available", "units"),
            _term("n", "needed_quantity", "needed within the excess days", "units"),
            _term("c", "unit_cost_brl", "unit cost", "BRL"),
            _term("h", "holding_rate", "holding cost of a year, share of the value", "fraction"),
            _term("k", "reduce_cost_brl", "work of getting rid of it", "BRL"),
            _term("C", "capital_brl", "capital that is freed", "BRL"),
        ),
    ),
    "SWITCH": Formula(
        r"V = C_1 - C_2 - k, \quad C = D \cdot p + SS \cdot p \cdot h",
        "{annual_brl_now} − {annual_brl_new} − {switch_cost_brl} = {value_brl}",
        (
            _VALUE,
            _term("C_1", "annual_brl_now", "a year from the present supplier", "BRL"),
            _term("C_2", "annual_brl_new", "a year from the other supplier", "BRL"),
            _term("k", "switch_cost_brl", "work of changing the supplier", "BRL"),
            _term("D", "annual_demand", "demand of a year", "units"),
            _term("p_1", "supplier_price_brl_now", "price of the present supplier", "BRL"),
            _term("p_2", "supplier_price_brl_new", "price of the other supplier", "BRL"),
            _term("SS_1", "safety_quantity_now", "safety stock for the present supplier", "units"),
            _term("SS_2", "safety_quantity_new", "safety stock for the other supplier", "units"),
            _term("z_o", "on_time_z", "z of the difference in orders on time", "units"),
            _term("z_l", "lead_z", "z of the difference in lead time", "units"),
        ),
    ),
}


def lines_of(kind: str, facts: Mapping[str, Any]) -> list[Line]:
    """Every number of the formula of this kind; empty for a kind without one."""
    formula = FORMULAS.get(kind)
    if formula is None:
        return []
    return [Line(one.symbol, one.meaning, facts.get(one.fact), one.unit) for one in formula.terms]
