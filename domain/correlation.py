"""How two things moved together."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

LEAST_PAIRS = 12


def correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Pearson's r; None of fewer than LEAST_PAIRS, and where one of both does not vary."""
    if len(pairs) < LEAST_PAIRS:
        return None
    try:
        return statistics.correlation(*zip(*pairs, strict=True))
    except statistics.StatisticsError:
        return None
