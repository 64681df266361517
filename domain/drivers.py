"""What happens outside beside what is demanded: at which lag both move together, and how surely."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from domain.correlation import correlation
from domain.records import DriverMonth

Period = Literal["week", "month"]
Measure = Literal["brl", "units"]

LAGS: dict[Period, int] = {"week": 12, "month": 6}
"""The longest lag looked at, in periods: a quarter, half a year."""

MONTHS_SHOWN = 36
"""Months of drivers beside the demand of one item-depot, where no period is chosen."""

LEAST_PERIODS = 24
"""Pairs of periods below which no lag is judged."""

HOLIDAYS = "holidays"
EXPECTED_PARTS = "expected_parts"
"""The driver made of the failure risk of all machines and the parts that a failure takes."""
OWN_DRIVERS = (HOLIDAYS, EXPECTED_PARTS)
"""Drivers that the trainer makes: no file may bring one of that name."""

NOT_LOADED, NO_PARTS, NOT_DAILY = "not_loaded", "no_parts", "not_daily"
READ_ONCE, FEW_FAILURES = "read_once", "few_failures"
SHORT_HISTORY, FEW_SERIES = "short_history", "few_series"
UNTRIED = (
    NOT_LOADED,
    NO_PARTS,
    NOT_DAILY,
    READ_ONCE,
    FEW_FAILURES,
    SHORT_HISTORY,
    FEW_SERIES,
)
"""Why the expected parts are not tried."""

SURE = 0.05
"""The chance, over all lags together, up to which a correlation is called significant."""


@dataclass(frozen=True)
class DriverPeriod:
    """A driver's mean in one period (None: not known) and the demand in it."""

    start: date
    value: float | None
    demand: float


@dataclass(frozen=True)
class DriverLag:
    """Pearson's r of the driver `lag` periods earlier with the demand, both without their straight
    trend. `effective`: how many independent pairs the autocorrelated ones are worth. `p_value`:
    the chance of as much at this lag without any link; `limit`: |r| that all lags together exceed
    by chance one time in twenty."""

    lag: int
    correlation: float
    pairs: int
    effective: float
    p_value: float
    limit: float

    @property
    def is_significant(self) -> bool:
        """Whether |r| is above the limit."""
        return abs(self.correlation) > self.limit


@dataclass(frozen=True)
class DriverScore:
    """One driver against the demand in view. `areas`: UFs whose mean it is, 0 for the country.
    `first`, `last` and `value`, that of the last period, are None if it is not known on the dates.
    `lag` is in periods of `period` that the driver runs ahead; what depends on it is None with
    fewer than LEAST_PERIODS periods. `used`: in how many demand classes the forecast follows it,
    None where no run has tried it."""

    driver: str
    period: Period
    areas: int
    first: date | None
    last: date | None
    value: float | None
    periods: int
    lag: int | None
    correlation: float | None
    effective: float | None
    p_value: float | None
    limit: float | None
    is_significant: bool | None
    tried: int
    used: int | None


@dataclass(frozen=True)
class DriverContribution:
    """What one driver does to the forecasts of a demand class, by a backtest of its own.

    Errors are MASE (smooth, erratic) or RMSSE (intermittent, lumpy): without the driver; with it as
    far as it is known ahead; and if all of it were known. `delay_days` and `window_days` say how it
    acts, `days_ahead` how many days beyond the last demand day it is known. One that could not be
    tried at all has no demand class but a `reason`, of UNTRIED."""

    driver: str
    country: str | None
    demand_class: str | None
    frequency: str | None
    series: int | None
    delay_days: int | None
    window_days: int | None
    days_ahead: int | None
    error_without: float | None
    error_with: float | None
    error_if_known: float | None
    used: bool
    reason: str | None


@dataclass(frozen=True)
class DriverDetail:
    """One driver with all that the score sums up."""

    score: DriverScore
    history: list[DriverPeriod]
    lags: list[DriverLag]
    contributions: list[DriverContribution]


@dataclass(frozen=True)
class DriverSum:
    """A driver's `months` beside the demand of an item-depot: its mean in the last one, and
    Pearson's r of both in the same months; None of fewer months than a correlation takes."""

    driver: str
    uf: str
    months: int
    last: date
    value: float
    correlation: float | None


def driver_sums(months: Sequence[DriverMonth]) -> list[DriverSum]:
    """Each driver of these months, in their order."""
    found = []
    for driver in dict.fromkeys(one.driver for one in months):
        rows = [one for one in months if one.driver == driver]
        last = rows[-1]
        r = correlation([(one.value, one.quantity) for one in rows])
        found.append(DriverSum(driver, last.uf, len(rows), last.month, last.value, r))
    return found


def lags(history: Sequence[DriverPeriod], most: int) -> list[DriverLag]:
    """Each lag from 0 to `most` periods; empty with fewer than LEAST_PERIODS pairs, or where one of
    both does not vary."""
    tests = most + 1
    found = []
    for lag in range(tests):
        pairs = [
            (before.value, after.demand)
            for before, after in zip(history, history[lag:], strict=False)
            if before.value is not None
        ]
        judged = _judged(lag, pairs, tests)
        if judged is not None:
            found.append(judged)
    return found


def strongest(found: Sequence[DriverLag]) -> DriverLag | None:
    """The lag that chance explains least; the shorter of two alike."""
    return min(found, key=lambda one: (one.p_value, one.lag), default=None)


def effective_pairs(first: Sequence[float], second: Sequence[float]) -> float:
    """How many independent pairs so many autocorrelated ones are worth, at least 4.

    1/N* = 1/N + 2/N · Σ (1 − j/N)·r₁(j)·r₂(j) over j up to N/5 (Pyper & Peterman 1998)."""
    count = len(first)
    shared = sum(
        (1 - lag / count) * _autocorrelation(first, lag) * _autocorrelation(second, lag)
        for lag in range(1, count // 5 + 1)
    )
    return min(float(count), max(4.0, count / max(1e-9, 1 + 2 * shared)))


def _judged(lag: int, pairs: Sequence[tuple[float, float]], tests: int) -> DriverLag | None:
    if len(pairs) < LEAST_PERIODS:
        return None
    driver, demand = (_straightened(values) for values in zip(*pairs, strict=True))
    r = correlation(list(zip(driver, demand, strict=True)))
    if r is None:
        return None
    effective = effective_pairs(driver, demand)
    spread = 1 / math.sqrt(max(1.0, effective - 3))
    normal = statistics.NormalDist()
    # Fisher 1915: atanh(r) is about normal with variance 1/(N − 3)
    score = math.atanh(max(-1 + 1e-12, min(1 - 1e-12, r))) / spread
    limit = math.tanh(normal.inv_cdf(1 - SURE / tests / 2) * spread)
    return DriverLag(lag, r, len(pairs), effective, 2 * normal.cdf(-abs(score)), limit)


def _straightened(values: Sequence[float]) -> list[float]:
    """What a straight line over time leaves."""
    slope, start = statistics.linear_regression(range(len(values)), values)
    return [value - start - slope * place for place, value in enumerate(values)]


def _autocorrelation(values: Sequence[float], lag: int) -> float:
    """Of values whose mean is 0."""
    whole = _dot(values, values)
    return _dot(values[lag:], values) / whole if whole else 0.0


def _dot(first: Sequence[float], second: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=False))
