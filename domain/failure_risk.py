"""How good a failure risk is, and what it means in parts. Probabilities are fractions 0–1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

BINS = 10
DECILE, FIFTH = 0.1, 0.2
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class CalibrationBin:
    """Machines of like risk: how many, their mean risk, and the share that failed."""

    count: int
    predicted: float
    observed: float


@dataclass(frozen=True)
class RiskQuality:
    """What cross-validation found. `recall_decile` and `recall_fifth`: the share of all failures
    in the riskiest tenth and fifth of the rows; `pr_auc` of chance is `failures ÷ rows`."""

    rows: int
    failures: int
    folds: int
    pr_auc: float
    roc_auc: float
    recall_decile: float
    recall_fifth: float
    brier: float
    ece: float
    bins: list[CalibrationBin]


@dataclass(frozen=True)
class Reason:
    """How much of a machine's log-odds of failing goes away with one reading put to the middle of
    its kind, or of all machines where its kind has none (`typical`)."""

    feature: str
    value: float
    typical: float
    effect: float


@dataclass(frozen=True)
class MachineRisk:
    """One machine: the chance that it fails within the horizon, its place among all in view (1 is
    the riskiest), and why."""

    equipment: str
    kind: str | None
    site: str
    uf: str | None
    depot: str | None
    measured_on: date | None
    probability: float
    rank: int
    cluster: int | None
    reasons: list[Reason]


@dataclass(frozen=True)
class PartsDemand:
    """What the failures expected at the machines that a depot serves would take of a part over the
    horizon, in units of issue; beside it the forecast of the same days and the last stock."""

    sku: str
    item_name: str | None
    unit: str | None
    site: str
    uf: str | None
    equipment_kind: str
    machines: int
    mean: float
    p10: float
    p50: float
    p90: float
    forecast: float | None
    on_hand: float | None


@dataclass(frozen=True)
class RiskSummary:
    """The published run's risk model. `horizon_days` 0: each machine was read once, and the risk is
    that of the readings themselves. `reason`: why there is none, where there is none."""

    horizon_days: int
    machines: int
    expected_failures: float
    quality: RiskQuality | None
    inputs: list[str]
    derived: list[str] = field(default_factory=list)
    reason: str | None = None


def expected_calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """Σ n_b ÷ n · |observed − predicted| (Naeini, Cooper & Hauskrecht 2015)."""
    total = sum(one.count for one in bins)
    gaps = sum(one.count * abs(one.observed - one.predicted) for one in bins)
    return gaps / total if total else 0.0


def calibration_bins(
    probability: np.ndarray[Any, Any], failed: np.ndarray[Any, Any]
) -> list[CalibrationBin]:
    """Bins of equal width over 0–1, empty ones left out: the usual form of the ECE."""
    import numpy as np

    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    return [
        CalibrationBin(int(mine.sum()), float(probability[mine].mean()), float(failed[mine].mean()))
        for number in range(BINS)
        if (mine := place == number).any()
    ]


def captured(
    probability: np.ndarray[Any, Any], failed: np.ndarray[Any, Any], share: float
) -> float:
    """Share of all failures among the riskiest `share` of the rows; 0 without a failure."""
    import numpy as np

    riskiest = np.argsort(-probability, kind="stable")[: max(1, int(share * len(probability)))]
    total = float(failed.sum())
    return float(failed[riskiest].sum()) / total if total else 0.0


def failures_distribution(probability: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Chance of 0, 1, … n failures of independent machines: the Poisson binomial distribution, by
    convolution."""
    import numpy as np

    chances = np.ones(1)
    for one in probability:
        chances = np.convolve(chances, (1 - one, one))
    return chances


def quantiles_of(chances: np.ndarray[Any, Any]) -> tuple[float, ...]:
    """The counts at `QUANTILES` of a distribution over 0, 1, …"""
    import numpy as np

    places = np.searchsorted(np.cumsum(chances), np.array(QUANTILES) - 1e-12)
    return tuple(np.minimum(places, len(chances) - 1).astype(float).tolist())
