"""The thresholds of alerts and policy, and the rates that recommendations, savings and what-ifs are
valued at, that an administrator may change, with their limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import InvalidInput
from domain.policy_settings import MOST_LEVEL, QUANTILE, TEXTBOOK, PolicySettings
from domain.recommending.settings import RecommendationSettings

POLICY, RATES = "policy", "recommendations"
DEFAULTS: Mapping[str, Any] = {POLICY: PolicySettings(), RATES: RecommendationSettings()}
"""The rows of `support.setting` that hold them, and what counts where nothing is set."""

METHOD, METHODS = "method", (QUANTILE, TEXTBOOK)
"""The one setting that is a choice: where safety stocks come from, in the row of the policy."""

Values = Mapping[str, Mapping[str, Any]]
"""The JSON of each row."""


@dataclass(frozen=True)
class Threshold:
    """One number of a row; `path` is where it stands there. unit: days, fraction, BRL or count
    (standard deviations)."""

    name: str
    row: str
    path: tuple[str, ...]
    unit: str
    low: float
    high: float
    whole: bool = False

    def of(self, values: Values) -> float | None:
        """Its value in the settings; None where it is not set."""
        found: Any = values.get(self.row, {})
        for part in self.path:
            found = found.get(part) if isinstance(found, Mapping) else None
        return None if found is None else float(found)

    @property
    def default(self) -> float:
        """What counts where nothing is set."""
        found: Any = DEFAULTS[self.row]
        for part in self.path:
            found = found[part] if isinstance(found, dict) else getattr(found, part)
        return float(found)


def _plain(name: str, unit: str, low: float, high: float, whole: bool = False) -> Threshold:
    return Threshold(name, POLICY, (name,), unit, low, high, whole)


def _rate(name: str, unit: str, low: float, high: float) -> Threshold:
    return Threshold(name, RATES, (name,), unit, low, high)


def _level(letter: str) -> Threshold:
    path = ("service_levels", letter)
    return Threshold(f"service_level_{letter.lower()}", POLICY, path, "fraction", 0.5, MOST_LEVEL)


def _risk(criticality: str) -> Threshold:
    path = ("criticality_risk", criticality)
    return Threshold(f"risk_{criticality}", POLICY, path, "fraction", 0.05, 5)


THRESHOLDS: tuple[Threshold, ...] = (
    _plain("critical_days", "days", 0, 365),
    _plain("warning_days", "days", 0, 365),
    _plain("in_transit_days", "days", 0, 365, whole=True),
    _plain("late_days", "days", 0, 365, whole=True),
    _plain("forgotten_days", "days", 1, 1_000, whole=True),
    _plain("excess_days", "days", 7, 1_000),
    _plain("dead_days", "days", 30, 3_000, whole=True),
    _plain("drift_days", "days", 0, 365),
    _plain("drift_share", "fraction", 0, 5),
    _plain("drift_z", "count", 1, 10),
    _plain("gap_days", "days", 1, 365, whole=True),
    _level("A"),
    _level("B"),
    _level("C"),
    _plain("default_service_level", "fraction", 0.5, MOST_LEVEL),
    _risk("high"),
    _risk("medium"),
    _risk("low"),
    _plain("order_cost_brl", "BRL", 0, 100_000),
    _plain("holding_rate", "fraction", 0.01, 2),
    _rate("emergency_premium", "fraction", 0, 10),
    _rate("review_days", "days", 0, 90),
    _rate("cover_days", "days", 1, 365),
    _rate("expedite_days", "days", 0, 90),
    _rate("expedite_premium", "fraction", 0, 10),
    _rate("expedite_cost_brl", "BRL", 0, 100_000),
    _rate("move_cost_brl", "BRL", 0, 100_000),
    _rate("move_brl_per_km", "BRL", 0, 1_000),
    _rate("move_value_share", "fraction", 0, 1),
    _rate("giver_cover_days", "days", 0, 365),
    _rate("reduce_cost_brl", "BRL", 0, 100_000),
    _rate("switch_cost_brl", "BRL", 0, 1_000_000),
    _rate("least_value_brl", "BRL", 0, 1_000_000),
)
BY_NAME = {one.name: one for one in THRESHOLDS}


def changed(values: Values, wanted: Mapping[str, float | str]) -> dict[str, dict[str, Any]]:
    """The settings with these in them: thresholds, and `method`. Raises InvalidInput naming every
    one that is not known, beyond its limits or none of the choices, and a warning that would come
    after the critical level."""
    problems = {name: why for name, value in wanted.items() if (why := _problem(name, value))}
    made = {row: dict(values.get(row, {})) for row in DEFAULTS}
    if not problems:
        for name, value in wanted.items():
            _put(made[row_of(name)], name, value)
        if current(made, "warning_days") < current(made, "critical_days"):
            problems["warning_days"] = "must not be less than critical_days"
    if problems:
        said = "; ".join(f"{name} {why}" for name, why in problems.items())
        raise InvalidInput(f"{said}.", fields=problems)
    return made


def row_of(name: str) -> str:
    """The row that holds a setting."""
    return POLICY if name == METHOD else BY_NAME[name].row


def in_force(values: Values, name: str) -> float | str:
    """The value in force of a threshold or of `method`."""
    return method_of(values) if name == METHOD else current(values, name)


def method_of(values: Values) -> str:
    """The method in force."""
    return str(values.get(POLICY, {}).get(METHOD, DEFAULTS[POLICY].method))


def current(values: Values, name: str) -> float:
    """The threshold in force."""
    found = BY_NAME[name].of(values)
    return BY_NAME[name].default if found is None else found


def _problem(name: str, value: float | str) -> str | None:
    if name == METHOD:
        return None if value in METHODS else f"is none of {', '.join(METHODS)}"
    known = BY_NAME.get(name)
    if known is None:
        return "is no threshold"
    if isinstance(value, str):
        return "must be a number"
    if not known.low <= value <= known.high:
        return f"must be {known.low:.9g} to {known.high:.9g}"
    return "must be a whole number" if known.whole and value != int(value) else None


def _put(values: dict[str, Any], name: str, value: float | str) -> None:
    if name == METHOD:
        values[METHOD] = value
        return
    threshold = BY_NAME[name]
    kept = int(value) if threshold.whole else value
    if len(threshold.path) == 1:
        values[threshold.path[0]] = kept
        return
    outer, inner = threshold.path
    levels = dict(getattr(PolicySettings(), outer)) | dict(values.get(outer, {}))
    values[outer] = levels | {inner: kept}
