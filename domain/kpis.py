"""The headline numbers: what each means, which way is better, and how it is made.

Formulas are LaTeX; their symbols are those of the receipt's inputs. Rates are fractions 0-1, money
is BRL, times are days. Sources: Kolassa & Schütz (2007), Foresight 6 (WAPE); Silver, Pyke &
Thomas (2017), "Inventory and Production Management in Supply Chains" (service measures, stock);
SCOR model, reliability RL.1.1 (on time in full); ITU-T E.800 (availability).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.records import ReceiptPart

STOCK_DAYS, OTIF_DAYS, SLA_DAYS = 30, 90, 30
"""What these KPIs look back where no dates are asked for, in days."""
PERIODS_OF_MONTH = {"D": 30, "W": 4, "M": 1}
"""How many periods of demand stand for a month."""


@dataclass(frozen=True)
class KpiDefinition:
    """One KPI. `inputs` maps each symbol of `formula` to its name and unit; `needs` lists the
    kinds of ERP file without which there is no value, the most telling first. `of_period`: the
    source's words where dates are asked for; empty for what no dates narrow. `of_places`: its rows
    have no material, so that filters of materials leave it as it is."""

    key: str
    unit: str
    better: str
    formula: str
    source: str
    inputs: dict[str, tuple[str, str]]
    needs: tuple[str, ...] = ("demand",)
    target: float | None = None
    of_period: str = ""
    of_places: bool = False


_DEFINITIONS = (
    KpiDefinition(
        "annual_savings",
        "BRL",
        "up",
        r"S = (C_0 - C_1) \cdot \frac{12}{m}",
        "both policies on the last 12 months of the published run's data, month by month",
        {
            "C_0": ("costs of the old policy", "BRL"),
            "C_1": ("costs of ours", "BRL"),
            "m": ("months replayed", "count"),
            "A": ("of that, accepted", "BRL"),
            "R": ("of that, realised", "BRL"),
        },
        needs=("demand", "items"),
        of_period="both policies on the demand of the period's months, month by month",
    ),
    KpiDefinition(
        "wape",
        "fraction",
        "down",
        r"\mathrm{WAPE} = \frac{\sum |f - a|}{\sum a}",
        "backtest of the ensemble, all origins (Kolassa & Schütz 2007)",
        {"E": ("sum of absolute errors", "units"), "A": ("sum of actual demand", "units")},
    ),
    KpiDefinition(
        "stockout_rate",
        "fraction",
        "down",
        r"R = \frac{N_0}{N}",
        "stock positions that have demand, last 30 days of the stock file",
        {
            "N_0": ("item-depot-days without stock", "count"),
            "N": ("item-depot-days with demand possible", "count"),
        },
        needs=("stock",),
        of_period="stock positions that have demand, on the days of the period",
    ),
    KpiDefinition(
        "inventory_value",
        "BRL",
        "down",
        r"V = \sum q \cdot c",
        "latest stock on hand of each item and depot, at unit cost",
        {"V": ("stock on hand at unit cost", "BRL")},
        needs=("stock", "items"),
    ),
    KpiDefinition(
        "days_of_supply",
        "days",
        "",
        r"D = \frac{V}{F / h}",
        "stock with a forecast, against the forecast, at unit cost",
        {
            "V": ("stock on hand of the series with a forecast", "BRL"),
            "F": ("forecast demand over the horizon", "BRL"),
            "h": ("horizon", "days"),
        },
        needs=("stock", "items"),
    ),
    KpiDefinition(
        "open_critical_alerts",
        "count",
        "down",
        r"n = |A|",
        "alerts of the published run",
        {"n": ("open critical alerts", "count")},
        needs=("stock",),
    ),
    KpiDefinition(
        "demand_value",
        "BRL",
        "",
        r"D = \sum q \cdot c",
        "demand at unit cost, last 30 days (28 where demand is weekly, a month where monthly)",
        {"D": ("demand at unit cost", "BRL")},
        needs=("demand", "items"),
        of_period="demand of the period, at unit cost",
    ),
    KpiDefinition(
        "forecast_value",
        "BRL",
        "",
        r"F = \sum \hat{q} \cdot c",
        "mean of the ensemble over the horizon, at unit cost; before: demand of as many periods",
        {"F": ("forecast demand at unit cost", "BRL")},
        needs=("demand", "items"),
    ),
    KpiDefinition(
        "otif",
        "fraction",
        "up",
        r"\mathrm{OTIF} = \frac{L_{ok}}{L}",
        "order lines promised in the last 90 days, against the first promised date (SCOR RL.1.1)",
        {
            "L_{ok}": ("lines on time and in full", "count"),
            "L": ("lines promised", "count"),
        },
        needs=("purchase_orders",),
        target=0.95,
        of_period="order lines promised in the period, against the first date (SCOR RL.1.1)",
    ),
    KpiDefinition(
        "sla_availability",
        "fraction",
        "up",
        r"A = 1 - \frac{H_d}{S \cdot T}",
        "outages of the sites under contract, last 30 days (ITU-T E.800)",
        {
            "H_d": ("downtime", "hours"),
            "S": ("sites under contract", "count"),
            "T": ("period", "hours"),
        },
        needs=("outages", "contracts"),
        target=0.99,
        of_period="outages of the sites under contract, in the period (ITU-T E.800)",
        of_places=True,
    ),
)

SUMMED = ("inventory_value", "demand_value", "forecast_value")
"""KPIs that are sums over item-depots: their receipts have parts, and their rows are to be had."""

PARTS_SHOWN = 5

NOT_GIVEN = "-"
"""The name of the part whose rows say neither UF nor family."""

COSTS = "items"
"""What `missing` says where no item has a unit cost."""

HISTORY = "history"
"""What it says where every file is there and demand does not go back far enough."""

WHOLE_MONTHS = "whole_months"
"""What it says where savings are known, and of no month that lies whole within the dates."""

KPIS: dict[str, KpiDefinition] = {definition.key: definition for definition in _DEFINITIONS}
"""Every headline KPI by key, in the order in which they are shown."""


def parts_of(
    total: float | None, by: Mapping[str, Mapping[str, float]]
) -> tuple[str, list[ReceiptPart]]:
    """What a sum is made of, by the first of `by` with more than one part (else by the first that
    has any): the PARTS_SHOWN largest, and the rest as one. They add up to `total`."""
    if not total:
        return "", []
    several = [name for name, values in by.items() if len(values) > 1]
    named = several or [name for name, values in by.items() if values]
    if not named:
        return "", []
    ranked = sorted(by[named[0]].items(), key=lambda one: (-one[1], one[0]))
    shown = [ReceiptPart(name or NOT_GIVEN, value) for name, value in ranked[:PARTS_SHOWN]]
    others = len(ranked) - len(shown)
    if others:
        shown.append(ReceiptPart("", total - sum(one.value for one in shown), others))
    return named[0], shown


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """numerator ÷ denominator; None where one is not known or the denominator is 0."""
    if numerator is None or not denominator:
        return None
    return numerator / denominator


def change(value: float | None, previous: float | None) -> float | None:
    """Relative change (value − previous) ÷ |previous|, a fraction; None without a base."""
    if value is None or not previous:
        return None
    return (value - previous) / abs(previous)


def days_of_supply(
    stock_value: float | None, forecast_value: float | None, horizon_days: float
) -> float | None:
    """Days that the stock lasts at the forecast's mean rate; values in the same unit."""
    if forecast_value is None:
        return None
    return ratio(stock_value, forecast_value / horizon_days)


def availability(
    downtime_hours: float | None, sites: float | None, period_hours: float
) -> float | None:
    """1 − downtime ÷ (sites × period); None without sites. A site that is out under two
    contracts at once counts twice, so the result is held at 0 at the least."""
    share = ratio(downtime_hours, (sites or 0) * period_hours)
    return None if share is None else max(0.0, 1.0 - share)
