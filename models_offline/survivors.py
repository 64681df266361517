"""Which origins of rare demand can be learnt from: not those that a series had to survive.

A file holds the series that turned out to be worth keeping: parts with some demand, or with enough
of it. An origin early in a series that had little demand by then is only there because more came
later, so demand after it looks as if it rose (survivorship bias). An origin where a series had as
much demand behind it as nearly all series have today would be there whatever came after.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from domain.demand import is_intermittent

NEARLY_ALL = 0.95

Array = NDArray[np.float64]


def least_demands(histories: Iterable[Array], ahead: int) -> int:
    """The periods with demand that nearly all series with pauses have; 0 where that would leave
    fewer than half of them an origin with `ahead` periods after it."""
    rare = [y for y in histories if is_intermittent(y)]
    if not rare:
        return 0
    counts = [np.count_nonzero(y) for y in rare]
    least = int(np.quantile(counts, 1 - NEARLY_ALL, method="lower"))
    left = sum(first_origin(y, least) + ahead <= len(y) for y in rare)
    return least if 2 * left >= len(rare) else 0


def first_origin(y: Array, least: int) -> int:
    """The periods that are known at the first origin to learn from; 0 for demand without pauses."""
    if not is_intermittent(y):
        return 0
    return int(np.searchsorted(np.cumsum(y > 0), least)) + (least > 0)
