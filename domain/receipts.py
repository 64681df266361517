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

from domain.rounding import WHOLE

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
    known = _complete(facts)
    steps = [_step(rule, known) for rule in rules if _is_known(rule, known)]
    return Workings(steps, list(sources))


def evaluate(step: Step) -> float:
    """The step's formula over its inputs. Raises KeyError for a step of no rule."""
    values = [one.value if one.on is None else one.on.toordinal() for one in step.inputs]
    return float(RULES[step.key].compute(*values))


def _complete(facts: Mapping[str, Fact]) -> Mapping[str, Fact]:
    """A stock file without reserved quantities reserves nothing."""
    known = facts.get("on_hand") is not None and facts.get("reserved") is None
    return {**facts, "reserved": 0.0} if known else facts


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


ON_HAND = Rule(
    "on_hand",
    "On hand today",
    r"H = \max\left(0,\ C - D + E + T\right)",
    {
        "C": ("counted_quantity", "on hand when it was last counted", "units"),
        "t_C": ("stock_date", "last counted on", "date"),
        "D": ("used_since", "demand since then", "units"),
        "E": ("received_since", "received since then", "units"),
        "T": ("arrived_since", "in transit then, there by now", "units"),
        "t_0": ("today", "last day of the data", "date"),
    },
    "on_hand",
    "units",
    lambda counted, _counted_on, used, received, arrived, _today: max(
        0.0, counted - used + received + arrived
    ),
)
"""Only of a count that is older than the data: see `warehouse.pipeline.policy`."""
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
        "D": ("daily_demand", "forecast demand of a day, mean of the lead time", "units"),
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
    r"SS_t = \max\left(0,\ \Phi^{-1}(\alpha) \cdot \sigma_{D_L}\right)",
    {
        r"\alpha": ("service_level", "cycle service level", "fraction"),
        r"\sigma_{D_L}": (
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
NET_POSITION = Rule(
    "net_position",
    "Available and on order, less what projects will take",
    r"P = A + O - J",
    {
        "A": ("available", "available", "units"),
        "O": ("on_order", "on order and in transit", "units"),
        "J": ("project_demand", "for projects within the lead time", "units"),
    },
    "position",
    "units",
    lambda available, ordered, projects: available + ordered - projects,
)
SHORTAGE = Rule(
    "shortage_brl",
    "Cost of a missing unit",
    r"c_s = c \cdot p + P / q",
    {
        "c": ("unit_cost_brl", "unit cost", "BRL"),
        "p": ("emergency_premium", "premium of an emergency purchase", "fraction"),
        "P": ("penalty_brl", "contract penalty to be expected of a request", "BRL"),
        "q": ("request_size", "units of a usual request", "units"),
    },
    "shortage_brl",
    "BRL",
    lambda cost, premium, penalty, size: cost * premium + penalty / size,
)
RISK = Rule(
    "risk_brl",
    "At risk",
    r"R = Q \cdot c_s",
    {
        "Q": (
            "risk_quantity",
            "expected unmet demand over the lead time, also until what is on its way arrives",
            "units",
        ),
        "c_s": ("shortage_brl", "cost of a missing unit", "BRL"),
    },
    "risk_brl",
    "BRL",
    lambda quantity, cost: quantity * cost,
)
LEAD_TIME_DRIFT = Rule(
    "extra_days",
    "Longer lead time",
    r"\Delta L = L_1 - L_0",
    {
        "L_1": ("recent_days", "mean lead time of the last orders", "days"),
        "L_0": ("usual_days", "lead time until then", "days"),
    },
    "extra_days",
    "days",
    lambda recent, usual: recent - usual,
)
DRIFT_RISK = Rule(
    "drift_risk_brl",
    "At risk: the demand of the days by which it takes longer",
    r"R = D \cdot \Delta L \cdot c_s",
    {
        "D": ("daily_demand", "forecast demand of a day, mean of the lead time", "units"),
        r"\Delta L": ("extra_days", "days by which it takes longer", "days"),
        "c_s": ("shortage_brl", "cost of a missing unit", "BRL"),
    },
    "risk_brl",
    "BRL",
    lambda daily, days, cost: daily * days * cost,
)
DEVIATION = Rule(
    "deviation",
    "Standard deviations off the forecast",
    r"z = (A - F) / \sigma",
    {
        "A": ("actual_quantity", "demand on the days compared", "units"),
        "F": ("expected_quantity", "what was forecast for it", "units"),
        r"\sigma": ("expected_std", "σ of the forecast's sum", "units"),
    },
    "deviation",
    "count",
    lambda actual, expected, spread: (actual - expected) / spread,
)
PACE_RISK = Rule(
    "pace_risk_brl",
    "At risk: what is asked for beyond the forecast in a lead time",
    r"R = \max(0,\ A - F) / d \cdot L \cdot c_s",
    {
        "A": ("actual_quantity", "demand on the days compared", "units"),
        "F": ("expected_quantity", "what was forecast for it", "units"),
        "d": ("elapsed_days", "days compared", "days"),
        "L": ("lead_time_days", "lead time", "days"),
        "c_s": ("shortage_brl", "cost of a missing unit", "BRL"),
    },
    "risk_brl",
    "BRL",
    lambda actual, expected, days, lead, cost: max(0.0, actual - expected) / days * lead * cost,
)
GAP_RISK = Rule(
    "gap_risk_brl",
    "At risk: the demand of the days that nobody saw",
    r"R = D \cdot d \cdot c_s",
    {
        "D": ("daily_demand", "forecast demand of a day, mean of the lead time", "units"),
        "d": ("silent_days", "days without data", "days"),
        "c_s": ("shortage_brl", "cost of a missing unit", "BRL"),
    },
    "risk_brl",
    "BRL",
    lambda daily, days, cost: daily * days * cost,
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
    lambda available, enough: floor(available - enough + WHOLE),
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
ACTING = Rule(
    "acting_brl",
    "Cost of acting",
    r"A = K + H",
    {
        "K": ("order_cost_brl", "cost of an order", "BRL"),
        "H": ("hurry_brl", "cost of hurry, where an order comes too late", "BRL"),
    },
    "acting_brl",
    "BRL",
    lambda order, hurry: order + hurry,
)
NET = Rule(
    "net_brl",
    "At risk, net of acting",
    r"N = R - A",
    {
        "R": ("risk_brl", "at risk", "BRL"),
        "A": ("acting_brl", "cost of acting", "BRL"),
    },
    "net_brl",
    "BRL",
    lambda risk, acting: risk - acting,
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
        *(ON_HAND, AVAILABLE, LEAD_TIME_DEMAND, SAFETY_STOCK, TEXTBOOK_SAFETY_STOCK, REORDER_POINT),
        *(
            NET_POSITION,
            SHORTAGE,
            RISK,
            LEAD_TIME_DRIFT,
            DRIFT_RISK,
            DEVIATION,
            PACE_RISK,
            GAP_RISK,
        ),
        *(IDLE, CAPITAL, HOLDING, ACTING, NET, DAYS_LATE),
    )
}
"""Every rule by key."""

ALERT_RULES: tuple[Rule, ...] = tuple(RULES.values())
"""What an alert's receipt can show; it shows those whose facts the alert has."""
