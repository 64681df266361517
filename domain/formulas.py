"""The formulas of the field as a reader can try them: inputs with units and limits, and one
function each, that of the rest of `domain`.

`FORMULAS` is the table. `latex` is the formula, `filled` the same with `<symbol>` where a number is
put in; a list of numbers is never put in whole, its `<sum …>` are. Sources stand with the functions
that are called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from types import ModuleType
from typing import Any

from domain import sla
from domain.errors import InvalidInput

MOST_NUMBERS = 60
HORIZON_DAYS = 3650
HOURS_A_DAY = 24
POINTS = 41

Value = float | tuple[float, ...]


def _inventory() -> ModuleType:
    """Loaded when it is computed with, as the two below: with them comes NumPy."""
    from domain import inventory

    return inventory


def _accuracy() -> ModuleType:
    from domain import accuracy

    return accuracy


def _combination() -> ModuleType:
    from domain import combination

    return combination


@dataclass(frozen=True)
class Number:
    """One number to be put in: its symbol, words and unit, its limits and what it starts from.
    Units are those of `domain.records.Kpi`, and `units/day`, `units/year`, `BRL/unit`, `percent`.
    """

    symbol: str
    words: str
    unit: str
    low: float
    high: float
    start: float


@dataclass(frozen=True)
class Numbers:
    """A list of numbers. All `paired` lists of a formula are equally long."""

    symbol: str
    words: str
    unit: str
    start: tuple[float, ...]
    low: float = 0.0
    high: float = 1e9
    paired: bool = True


Input = Number | Numbers


@dataclass(frozen=True)
class Formula:
    """One formula. `compute` takes the inputs by name and gives None where it has no value;
    `sums` are further numbers for `filled`. `varied` names the input of the small chart.
    `examples`: inputs that the company has published results of."""

    key: str
    name: str
    about: str
    latex: str
    filled: str
    inputs: Mapping[str, Input]
    unit: str
    source: str
    compute: Callable[..., float | None]
    varied: str | None = None
    sums: Callable[..., dict[str, float]] = field(default=lambda **_: {})
    examples: tuple[Mapping[str, float], ...] = ()

    def value(self, given: Mapping[str, Value]) -> float | None:
        """The result; None where there is none. Raises InvalidInput for lists of other lengths."""
        lists = {
            name: len(given[name])  # type: ignore[arg-type]
            for name, one in self.inputs.items()
            if isinstance(one, Numbers) and one.paired
        }
        if len(set(lists.values())) > 1:
            raise InvalidInput("The lists have different lengths.", fields=dict.fromkeys(lists, ""))
        found = self.compute(**given)
        return float(found) if found is not None and isfinite(found) else None

    def curve(self, given: Mapping[str, Value]) -> list[tuple[float, float]]:
        """(input, result) of the varied input, from its lowest to twice what it is, within limits;
        empty where nothing is varied."""
        varied = self.inputs.get(self.varied or "")
        if not isinstance(varied, Number) or self.varied is None:
            return []
        now = float(given[self.varied])  # type: ignore[arg-type]
        top = min(varied.high, max(2 * now, varied.low + 1e-9, 1e-9))
        if varied.high <= 1:
            top = varied.high
        points = []
        for place in range(POINTS):
            at = varied.low + (top - varied.low) * place / (POINTS - 1)
            value = self.value({**given, self.varied: at})
            if value is not None:
                points.append((at, value))
        return points


def _rate(symbol: str = "D") -> Number:
    return Number(symbol, "demand a day", "units/day", 0, 1e6, 8)


def _lead() -> Number:
    return Number("L", "lead time", "days", 0, 730, 14)


def _level() -> Number:
    return Number("p", "cycle service level", "fraction", 0.5, 0.9999, 0.95)


def _actual() -> Numbers:
    return Numbers("a", "actual demand, by period", "units", (12.0, 0.0, 9.0, 14.0, 11.0, 8.0))


def _forecast() -> Numbers:
    return Numbers("f", "forecast, by period", "units", (10.0, 2.0, 9.0, 12.0, 12.0, 9.0))


def _errors(actual: tuple[float, ...], forecast: tuple[float, ...]) -> dict[str, float]:
    errors = [f - a for a, f in zip(actual, forecast, strict=True)]
    return {
        "n": float(len(errors)),
        "abs": sum(map(abs, errors)),
        "err": sum(errors),
        "sq": sum(error**2 for error in errors),
        "sum": sum(actual),
    }


def _mape_sums(actual: tuple[float, ...], forecast: tuple[float, ...]) -> dict[str, float]:
    found = _accuracy().error_sums(actual, forecast, forecast, forecast)
    return {"pct": found.pct_error_sum, "n": float(found.pct_points)}


def _history() -> Numbers:
    return Numbers(
        "y",
        "history before, by period",
        "units",
        (9.0, 11.0, 7.0, 10.0, 12.0, 8.0, 10.0, 9.0),
        paired=False,
    )


def _season() -> Number:
    return Number("m", "season, in periods", "count", 1, 366, 1)


def _mase(
    history: tuple[float, ...],
    actual: tuple[float, ...],
    forecast: tuple[float, ...],
    season: float,
) -> float | None:
    return _accuracy().mase(actual, forecast, history, int(season))


def _days(on_hand: float, daily: float, arriving: float, arrives_in: float) -> float | None:
    import numpy as np

    demand = np.full((1, HORIZON_DAYS), daily)
    receipts = np.zeros((1, HORIZON_DAYS))
    receipts[0, min(int(arrives_in), HORIZON_DAYS - 1)] = arriving
    return float(_inventory().days_to_stockout([on_hand], demand, receipts)[0])


def _safety(level: float, deviation: float, lead: float) -> float:
    return float(_inventory().safety_stock(level, deviation, lead))


def _safety_variable(
    level: float, deviation: float, lead: float, rate: float, lead_deviation: float
) -> float:
    return float(_inventory().safety_stock(level, deviation, lead, rate, lead_deviation))


def _factor(level: float, **_: Any) -> dict[str, float]:
    return {"Z": float(_inventory().service_factor(level))}


def _ensemble(members: tuple[float, ...], errors: tuple[float, ...]) -> float | None:
    return _combination().combined(members, errors).value if members else None


def _centres(members: tuple[float, ...], errors: tuple[float, ...]) -> dict[str, float]:
    if not members:
        return {}
    found = _combination().combined(members, errors)
    return {"mean": found.mean, "median": found.median, "kept": float(found.kept)}


def _availability(downtime: float, sites: float, days: float) -> float | None:
    return sla.availability(downtime, sites * days * HOURS_A_DAY)


def _terms(
    first: float, low: float, second: float, high: float, fee: float, cap: float
) -> sla.Terms:
    bands = (sla.Band(first, low), sla.Band(second, high))
    return sla.Terms(bands=bands, fee_brl=fee, cap_pct=cap)


def _penalty(hours: float, **terms: float) -> float | None:
    return sla.penalty(hours, _terms(**terms))


def _penalty_percent(hours: float, **terms: float) -> dict[str, float]:
    return {"percent": sla.percent(hours, _terms(**terms))}


SILVER = "Silver, Pyke & Thomas (2017), Inventory and Production Management in Supply Chains"
SNYDER = "Snyder & Shen (2019), Fundamentals of Supply Chain Theory"
HYNDMAN = "Hyndman & Koehler (2006), Another look at measures of forecast accuracy"

_ALL = (
    Formula(
        "reorder_point",
        "Reorder point",
        "Order when stock on hand and on order has come down to it.",
        r"PP = D \cdot L + SS",
        r"PP = <daily> \cdot <lead> + <safety>",
        {
            "daily": _rate(),
            "lead": _lead(),
            "safety": Number("SS", "safety stock", "units", 0, 1e9, 20),
        },
        "units",
        SILVER,
        lambda daily, lead, safety: float(_inventory().reorder_point(daily, lead, safety)),
        "lead",
        examples=(
            {"daily": 8, "lead": 14, "safety": 20},
            {"daily": 2, "lead": 10, "safety": 15},
            {"daily": 0.5, "lead": 21, "safety": 30},
        ),
    ),
    Formula(
        "safety_stock",
        "Safety stock, fixed lead time",
        "What covers demand above its mean while an order is under way.",
        r"SS = Z_p \cdot \sigma_D \cdot \sqrt{L}",
        r"SS = <Z> \cdot <deviation> \cdot \sqrt{<lead>}",
        {
            "level": _level(),
            "deviation": Number(r"\sigma_D", "deviation of a day's demand", "units", 0, 1e6, 4),
            "lead": _lead(),
        },
        "units",
        SILVER,
        _safety,
        "level",
        _factor,
    ),
    Formula(
        "safety_stock_variable",
        "Safety stock, variable lead time",
        "The same where the lead time itself varies.",
        r"SS = Z_p \cdot \sqrt{L \cdot \sigma_D^2 + D^2 \cdot \sigma_L^2}",
        r"SS = <Z> \cdot \sqrt{<lead> \cdot <deviation>^2 + <rate>^2 \cdot <lead_deviation>^2}",
        {
            "level": _level(),
            "deviation": Number(r"\sigma_D", "deviation of a day's demand", "units", 0, 1e6, 4),
            "lead": _lead(),
            "rate": _rate(),
            "lead_deviation": Number(r"\sigma_L", "deviation of the lead time", "days", 0, 365, 3),
        },
        "units",
        SILVER,
        _safety_variable,
        "lead_deviation",
        _factor,
    ),
    Formula(
        "eoq",
        "Economic order quantity",
        "The lot with the least cost of ordering and holding together.",
        r"Q^* = \sqrt{\frac{2 \cdot D \cdot S}{H}}",
        r"Q^* = \sqrt{\frac{2 \cdot <annual> \cdot <order_cost>}{<holding>}}",
        {
            "annual": Number("D", "demand a year", "units/year", 0, 1e9, 2920),
            "order_cost": Number("S", "cost of an order", "BRL", 0, 1e6, 150),
            "holding": Number("H", "holding a unit for a year", "BRL/unit", 0.0001, 1e6, 8.6),
        },
        "units",
        "Harris (1913), How many parts to make at once",
        lambda annual, order_cost, holding: float(_inventory().eoq(annual, order_cost, holding)),
        "order_cost",
    ),
    Formula(
        "newsvendor",
        "Newsvendor",
        "What to have for one period when a missing and a left-over unit cost differently.",
        r"F(Q^*) = \frac{c_u}{c_u + c_o}",
        r"Q^* = <mean> + <Z> \cdot <deviation>, \quad F = \frac{<missing>}{<missing> + <left>}",
        {
            "mean": Number(r"\mu", "mean demand", "units", 0, 1e9, 100),
            "deviation": Number(r"\sigma", "deviation of demand", "units", 0, 1e9, 30),
            "missing": Number("c_u", "cost of a missing unit", "BRL/unit", 0.0001, 1e9, 50),
            "left": Number("c_o", "cost of a unit left over", "BRL/unit", 0.0001, 1e9, 10),
        },
        "units",
        SNYDER,
        lambda mean, deviation, missing, left: float(
            _inventory().newsvendor(mean, deviation, missing, left)
        ),
        "missing",
        lambda missing, left, **_: {
            "Z": float(_inventory().service_factor(_inventory().critical_ratio(missing, left)))
        },
    ),
    Formula(
        "days_to_stockout",
        "Days to stockout",
        "When stock with what is on order reaches zero at today's rate.",
        r"\min\{t : H + O \cdot [t \ge d] - D \cdot t \le 0\}",
        r"<on_hand> + <arriving> \cdot [t \ge <arrives_in>] - <daily> \cdot t \le 0",
        {
            "on_hand": Number("H", "on hand", "units", 0, 1e9, 85),
            "daily": _rate(),
            "arriving": Number("O", "on order", "units", 0, 1e9, 0),
            "arrives_in": Number("d", "arrives in", "days", 0, 730, 7),
        },
        "days",
        SILVER,
        _days,
        "on_hand",
    ),
    Formula(
        "wape",
        "WAPE",
        "The errors' share of demand: one number for many items.",
        r"\text{WAPE} = \frac{\sum |f - a|}{\sum a}",
        r"\text{WAPE} = \frac{<abs>}{<sum>}",
        {"actual": _actual(), "forecast": _forecast()},
        "fraction",
        HYNDMAN,
        lambda actual, forecast: _accuracy().wape(actual, forecast),
        sums=_errors,
    ),
    Formula(
        "mape",
        "MAPE",
        "The mean of relative errors, over periods with demand alone.",
        r"\text{MAPE} = \frac{1}{n} \sum_{a > 0} \frac{|f - a|}{a}",
        r"\text{MAPE} = \frac{1}{<n>} \cdot <pct>",
        {"actual": _actual(), "forecast": _forecast()},
        "fraction",
        HYNDMAN,
        lambda actual, forecast: _accuracy().mape(actual, forecast).value,
        sums=_mape_sums,
    ),
    Formula(
        "mase",
        "MASE",
        "The mean error against that of the season before, in the history: below 1 is better.",
        r"\text{MASE} = \frac{\frac{1}{n} \sum |f - a|}{\frac{1}{T - m} \sum |y_t - y_{t - m}|}",
        r"\text{MASE} = \frac{<abs> / <n>}{<scale>}",
        {
            "history": _history(),
            "actual": _actual(),
            "forecast": _forecast(),
            "season": _season(),
        },
        "ratio",
        HYNDMAN,
        _mase,
        sums=lambda history, actual, forecast, season: (
            _errors(actual, forecast)
            | {"scale": _accuracy().naive_scales(history, int(season)).absolute or 0.0}
        ),
    ),
    Formula(
        "mae",
        "MAE",
        "The mean error, in units.",
        r"\text{MAE} = \frac{1}{n} \sum |f - a|",
        r"\text{MAE} = \frac{<abs>}{<n>}",
        {"actual": _actual(), "forecast": _forecast()},
        "units",
        HYNDMAN,
        lambda actual, forecast: _accuracy().mae(actual, forecast),
        sums=_errors,
    ),
    Formula(
        "rmse",
        "RMSE",
        "The root of the mean squared error, in units: large errors count more.",
        r"\text{RMSE} = \sqrt{\frac{1}{n} \sum (f - a)^2}",
        r"\text{RMSE} = \sqrt{\frac{<sq>}{<n>}}",
        {"actual": _actual(), "forecast": _forecast()},
        "units",
        HYNDMAN,
        lambda actual, forecast: _accuracy().rmse(actual, forecast),
        sums=_errors,
    ),
    Formula(
        "bias",
        "Bias",
        "Whether forecasts are too high (above 0) or too low.",
        r"B = \frac{\sum (f - a)}{\sum a}",
        r"B = \frac{<err>}{<sum>}",
        {"actual": _actual(), "forecast": _forecast()},
        "fraction",
        HYNDMAN,
        lambda actual, forecast: _accuracy().bias(actual, forecast),
        sums=_errors,
    ),
    Formula(
        "ensemble",
        "Ensemble",
        "The published forecast of continuous demand. A member with an error of more than 1.15"
        " times the best's is dropped; of the rest it is half the mean, weighted by the inverse of"
        " their errors, half the median. From five on the mean leaves out the lowest and highest.",
        r"\hat{y} = \tfrac{1}{2} \cdot \frac{\sum m_i / e_i}{\sum 1 / e_i}"
        r" + \tfrac{1}{2} \cdot \operatorname{med}(m)",
        r"\hat{y} = \tfrac{1}{2} \cdot <mean> + \tfrac{1}{2} \cdot <median>, \quad n = <kept>",
        {
            "members": Numbers("m", "forecasts of the members", "units", (10.0, 12.0, 11.0, 17.0)),
            "errors": Numbers(
                "e", "their errors in the backtest", "ratio", (0.8, 0.82, 0.85, 1.2), 0.0001
            ),
        },
        "units",
        "Jose & Winkler (2008), Simple robust averages of forecasts",
        _ensemble,
        sums=_centres,
    ),
    Formula(
        "availability",
        "Availability",
        "The share of the sites' time without an outage.",
        r"A = 1 - \frac{T_d}{n \cdot d \cdot 24}",
        r"A = 1 - \frac{<downtime>}{<sites> \cdot <days> \cdot 24}",
        {
            "downtime": Number("T_d", "downtime of all sites", "hours", 0, 1e7, 120),
            "sites": Number("n", "sites", "count", 1, 1e6, 50),
            "days": Number("d", "days", "days", 1, 3660, 30),
        },
        "fraction",
        "ITU-T E.800",
        _availability,
        "downtime",
    ),
    Formula(
        "penalty",
        "Penalty",
        "The percent of the band that a month's downtime exceeds, not above the cap, of the fee.",
        r"P = \min(c,\ b(h)) \cdot F",
        r"P = <percent> \% \cdot <fee>",
        {
            "hours": Number("h", "downtime of a site in the month", "hours", 0, 744, 9),
            "first": Number("h_1", "first band: above", "hours", 0, 744, 7.3),
            "low": Number("b_1", "first band: percent of the fee", "percent", 0, 100, 2),
            "second": Number("h_2", "second band: above", "hours", 0, 744, 14.6),
            "high": Number("b_2", "second band: percent of the fee", "percent", 0, 100, 5),
            "cap": Number("c", "cap, percent of the fee", "percent", 0, 100, 10),
            "fee": Number("F", "monthly fee", "BRL", 0, 1e10, 100_000),
        },
        "BRL",
        "the contract's schedule",
        _penalty,
        "hours",
        _penalty_percent,
    ),
    Formula(
        "savings",
        "Savings",
        "What the old policy cost on the demand that then happened, less what ours cost on it.",
        r"E = (K_0 + F_0 + X_0 + O_0) - (K_1 + F_1 + X_1 + O_1)",
        r"E = (<old_holding> + <old_missing> + <old_rush> + <old_orders>)"
        r" - (<holding> + <missing> + <rush> + <orders>)",
        {
            "old_holding": Number("K_0", "holding, old policy", "BRL", 0, 1e12, 120_000),
            "old_missing": Number("F_0", "missing units, old policy", "BRL", 0, 1e12, 80_000),
            "old_rush": Number("X_0", "expediting, old policy", "BRL", 0, 1e12, 20_000),
            "old_orders": Number("O_0", "orders, old policy", "BRL", 0, 1e12, 15_000),
            "holding": Number("K_1", "holding, ours", "BRL", 0, 1e12, 95_000),
            "missing": Number("F_1", "missing units, ours", "BRL", 0, 1e12, 30_000),
            "rush": Number("X_1", "expediting, ours", "BRL", 0, 1e12, 12_000),
            "orders": Number("O_1", "orders, ours", "BRL", 0, 1e12, 18_000),
        },
        "BRL",
        "replay of both policies",
        lambda old_holding, old_missing, old_rush, old_orders, holding, missing, rush, orders: (
            (old_holding + old_missing + old_rush + old_orders)
            - (holding + missing + rush + orders)
        ),
        "missing",
    ),
)

FORMULAS: dict[str, Formula] = {one.key: one for one in _ALL}
"""By key, in the order in which they are shown."""
