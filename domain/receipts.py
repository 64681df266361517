"""How the numbers of alerts and recommendations are made: rules, and receipts that follow them.

A `Rule` is a formula (LaTeX) over facts by name. `workings(facts, rules, sources)` puts a record's
facts in: a `Step` for each rule whose facts are all known, in the given order. `evaluate(step)`
computes a step's formula from its own inputs alone; it gives the value that the step shows.
Sources: Silver, Pyke & Thomas (2017), "Inventory and Production Management in Supply Chains".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from math import floor
from statistics import NormalDist

Fact = float | str | None


@dataclass(frozen=True)
class Rule:
    """One formula. `inputs` maps each symbol to the name of its fact, its name in words and its
    unit; `compute` takes the inputs in that order. `result` is the fact that it makes. Units are
    those of `domain.records.Kpi`, or `date`: a day, which counts as its ordinal."""

    key: str
    name: str
    formula: str
    inputs: Mapping[str, tuple[str, str, str]]
    result: str
    unit: str
    compute: Callable[..., float]


@dataclass(frozen=True)
class StepInput:
    """One number put into a formula; `on` instead of `value` where the unit is `date`."""

    symbol: str
    name: str
    value: float | None
    unit: str
    on: date | None = None


@dataclass(frozen=True)
class Step:
    """A formula with the numbers put in, and what comes out."""

    key: str
    name: str
    formula: str
    inputs: list[StepInput]
    value: float
    unit: str


@dataclass(frozen=True)
class Source:
    """Where facts come from. `kind` is `run` (the forecast), a kind of ERP file, or `override`;
    `number` is the run's, load's or override's; `name` the file's, or who overrode; `at` when it
    was computed, loaded or saved; `on` the day that a stock count is of."""

    kind: str
    number: int
    name: str = ""
    at: datetime | None = None
    on: date | None = None


@dataclass(frozen=True)
class Workings:
    """The receipt of an alert or a recommendation."""

    steps: list[Step] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)


def workings(
    facts: Mapping[str, Fact], rules: Iterable[Rule], sources: Iterable[Source] = ()
) -> Workings:
    """The rules that these facts can be put into, in order."""
    steps = [_step(rule, facts) for rule in rules if _is_known(rule, facts)]
    return Workings(steps, list(sources))


def evaluate(step: Step) -> float:
    """The step's formula over its inputs. Raises KeyError for a step of no rule."""
    values = [one.value if one.on is None else one.on.toordinal() for one in step.inputs]
    return float(RULES[step.key].compute(*values))


def _is_known(rule: Rule, facts: Mapping[str, Fact]) -> bool:
    names = [rule.result, *(name for name, _, _ in rule.inputs.values())]
    return all(facts.get(name) is not None for name in names)


def _step(rule: Rule, facts: Mapping[str, Fact]) -> Step:
    inputs = [
        _input(symbol, words, unit, facts[name])
        for symbol, (name, words, unit) in rule.inputs.items()
    ]
    value = float(facts[rule.result] or 0.0)
    return Step(rule.key, rule.name, rule.formula, inputs, value, rule.unit)


def _input(symbol: str, words: str, unit: str, fact: Fact) -> StepInput:
    if unit == "date":
        return StepInput(symbol, words, None, unit, date.fromisoformat(str(fact)))
    return StepInput(symbol, words, float(fact or 0.0), unit)


AVAILABLE = Rule(
    "available",
    "Available",
    r"A = H - R",
    {
        "H": ("on_hand", "on hand", "units"),
        "R": ("reserved", "reserved", "units"),
    },
    "available",
    "units",
    lambda on_hand, reserved: on_hand - reserved,
)
LEAD_TIME_DEMAND = Rule(
    "lead_time_demand",
    "Demand over the lead time",
    r"D_L = D \cdot L",
    {
        "D": ("daily_demand", "forecast demand of a day", "units"),
        "L": ("lead_time_days", "lead time", "days"),
    },
    "lead_time_demand",
    "units",
    lambda daily, lead: daily * lead,
)
SAFETY_STOCK = Rule(
    "safety_stock",
    "Safety stock",
    r"SS = \max\left(0,\ Q_\alpha - D_L\right)",
    {
        r"Q_\alpha": (
            "demand_at_service_level",
            "demand over the lead time that the service level covers, by simulation",
            "units",
        ),
        "D_L": ("lead_time_demand", "forecast demand over the lead time", "units"),
    },
    "safety_stock",
    "units",
    lambda covered, demand: max(0.0, covered - demand),
)
TEXTBOOK_SAFETY_STOCK = Rule(
    "textbook_safety_stock",
    "Safety stock by the textbook",
    r"SS_t = \max\left(0,\ \Phi^{-1}(\alpha) \cdot \sigma_L\right)",
    {
        r"\alpha": ("service_level", "cycle service level", "fraction"),
        r"\sigma_L": (
            "textbook_lead_time_demand_std",
            "σ of the demand over the lead time",
            "units",
        ),
    },
    "textbook_safety_stock",
    "units",
    lambda level, spread: max(0.0, NormalDist().inv_cdf(level) * spread),
)
REORDER_POINT = Rule(
    "reorder_point",
    "Reorder point",
    r"PP = D_L + SS",
    {
        "D_L": ("lead_time_demand", "forecast demand over the lead time", "units"),
        "SS": ("safety_stock", "safety stock", "units"),
    },
    "reorder_point",
    "units",
    lambda demand, safety: demand + safety,
)
RISK = Rule(
    "risk_brl",
    "At risk",
    r"R = Q \cdot c",
    {
        "Q": ("risk_quantity", "expected unmet demand over the lead time", "units"),
        "c": ("unit_cost_brl", "unit cost", "BRL"),
    },
    "risk_brl",
    "BRL",
    lambda quantity, cost: quantity * cost,
)
IDLE = Rule(
    "idle_quantity",
    "Idle quantity",
    r"Q_i = \left\lfloor A - S_e \right\rfloor",
    {
        "A": ("available", "available", "units"),
        "S_e": ("enough_quantity", "stock that is enough", "units"),
    },
    "idle_quantity",
    "units",
    lambda available, enough: floor(available - enough),
)
CAPITAL = Rule(
    "capital_brl",
    "Idle capital",
    r"K = Q_i \cdot c",
    {
        "Q_i": ("idle_quantity", "idle quantity", "units"),
        "c": ("unit_cost_brl", "unit cost", "BRL"),
    },
    "capital_brl",
    "BRL",
    lambda quantity, cost: quantity * cost,
)
HOLDING = Rule(
    "holding_brl",
    "Cost of holding it for a year",
    r"R = K \cdot h",
    {
        "K": ("capital_brl", "idle capital", "BRL"),
        "h": ("holding_rate", "holding rate a year", "fraction"),
    },
    "risk_brl",
    "BRL",
    lambda capital, rate: capital * rate,
)
DAYS_LATE = Rule(
    "days_late",
    "Days late",
    r"d = t_0 - t_p",
    {
        "t_0": ("today", "last day of the data", "date"),
        "t_p": ("promised_on", "promised on", "date"),
    },
    "days_late",
    "days",
    lambda today, promised: today - promised,
)

RULES: dict[str, Rule] = {
    rule.key: rule
    for rule in (
        *(AVAILABLE, LEAD_TIME_DEMAND, SAFETY_STOCK, TEXTBOOK_SAFETY_STOCK, REORDER_POINT),
        *(RISK, IDLE, CAPITAL, HOLDING, DAYS_LATE),
    )
}
"""Every rule by key."""

ALERT_RULES: tuple[Rule, ...] = tuple(RULES.values())
"""What an alert's receipt can show; it shows those whose facts the alert has."""
