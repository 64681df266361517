"""What kind of demand a series is: regularity, variability, value.

A series is a sequence of non-negative quantities (units of issue), one per period of a regular
calendar, zeros included. Sources: Syntetos, Boylan & Croston (2005), "On the categorization of
demand patterns", JORS 56; Silver, Pyke & Thomas (2017), "Inventory and Production Management in
Supply Chains", chapters 2 (ABC) and 9; Scholz-Reiter et al. (2012) for XYZ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.classes import DemandClass

ADI_LIMIT = 1.32
CV2_LIMIT = 0.49
SHARE_A = 0.80
SHARE_B = 0.95
CV_X = 0.5
CV_Y = 1.0
DEAD_INTERVALS = 4.0
"""A series is silent for good after this many of its usual intervals: at a constant rate, a pause
of four mean intervals has a probability of exp(-4), under 2 %."""


LEAST_PERIODS, LEAST_DEMANDS = 8, 2
"""From so many on, rare demand is known as such before two seasons are: measured in
docs/forecasting.md."""


def adi(demand: ArrayLike) -> float | None:
    """Average demand interval, in periods: periods ÷ periods with demand; None without demand."""
    values = _values(demand)
    active = int(np.count_nonzero(values > 0))
    return None if active == 0 else len(values) / active


def is_intermittent(demand: ArrayLike) -> bool:
    """True when more than every fourth period or so is without demand (ADI above its limit)."""
    interval = adi(demand)
    return interval is None or interval > ADI_LIMIT


def cv2(demand: ArrayLike) -> float | None:
    """Squared coefficient of variation (σ ÷ μ)² of the non-zero quantities.

    σ is the population's (ddof 0), so one single demand gives 0; None without demand.
    """
    values = _values(demand)
    sizes = values[values > 0]
    if len(sizes) == 0:
        return None
    return float(sizes.var() / sizes.mean() ** 2)


def cv(demand: ArrayLike) -> float | None:
    """Coefficient of variation σ ÷ μ over all periods, zeros included; None when μ is 0."""
    values = _values(demand)
    mean = float(values.mean()) if len(values) else 0.0
    return float(values.std() / mean) if mean > 0 else None


def classify(interval: float, variation: float) -> DemandClass:
    """Syntetos–Boylan class of an ADI (periods) and a CV² at the limits 1.32 and 0.49.

    A value exactly on a limit belongs to the regular side.
    """
    if interval <= ADI_LIMIT:
        return "smooth" if variation <= CV2_LIMIT else "erratic"
    return "intermittent" if variation <= CV2_LIMIT else "lumpy"


def demand_class(demand: ArrayLike, *, season_length: int, dead_after: int) -> DemandClass:
    """Class of a series, with the two that the textbook's four do not know.

    `dead`: no demand at all, or none for the last `dead_after` periods and for longer than four
    of its own mean intervals. `short`: fewer than two seasons of `season_length` periods, unless
    the demand is rare, which is no question of seasons.
    """
    values = _values(demand)
    if is_dead(values, dead_after=dead_after):
        return "dead"
    interval, variation = adi(values), cv2(values)
    assert interval is not None and variation is not None  # a series that lives has demand
    found = classify(interval, variation)
    if len(values) >= 2 * season_length:
        return found
    known = len(values) >= LEAST_PERIODS and np.count_nonzero(values > 0) >= LEAST_DEMANDS
    return found if known and interval > ADI_LIMIT else "short"


def is_dead(demand: ArrayLike, *, dead_after: int) -> bool:
    """True without demand, or after a silence that its own rhythm does not explain."""
    values = _values(demand)
    active = np.flatnonzero(values > 0)
    if len(active) == 0:
        return True
    silence = len(values) - 1 - int(active[-1])
    usual = (int(active[-1]) + 1) / len(active)
    return silence >= dead_after and silence > DEAD_INTERVALS * usual


def abc(values: Sequence[float] | NDArray[np.float64]) -> list[str]:
    """Letters A, B, C by share of total value (BRL, or units where no cost is known).

    Ranked by value: A until 80 % of the total is reached, B until 95 %, C the rest; the one that
    crosses a limit still belongs to the upper class, and what has no value is C. Ties keep their
    order. Raises ValueError for a negative or non-finite value.
    """
    amounts = np.asarray(values, dtype=float)
    if not np.all(np.isfinite(amounts)) or np.any(amounts < 0):
        raise ValueError("ABC needs finite values of at least 0")
    letters = np.full(len(amounts), "C", dtype=object)
    total = amounts.sum()
    if total > 0:
        order = np.argsort(-amounts, kind="stable")
        before = (np.cumsum(amounts[order]) - amounts[order]) / total
        letters[order[before < SHARE_B - 1e-12]] = "B"
        letters[order[before < SHARE_A - 1e-12]] = "A"
        letters[amounts == 0] = "C"
    return [str(letter) for letter in letters]


def xyz(variation: float | None) -> str:
    """X, Y, Z by the coefficient of variation of demand: at most 0.5, at most 1, above.

    None (no demand) is Z.
    """
    if variation is None or variation > CV_Y:
        return "Z"
    return "X" if variation <= CV_X else "Y"


def _values(demand: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(demand, dtype=float).ravel()
