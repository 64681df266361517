"""When something that happens again and again is to be expected next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from statistics import median

LEAST_DAYS = 3
"""Days on which it must have happened before there is a rhythm."""


def expected_next(days: Iterable[date]) -> date | None:
    """The last of the days plus the median of the gaps between them (whole days, rounded up); None
    of fewer than LEAST_DAYS different ones."""
    known = sorted(set(days))
    if len(known) < LEAST_DAYS:
        return None
    gaps = [(after - before).days for before, after in zip(known, known[1:], strict=False)]
    return known[-1] + timedelta(days=-int(-median(gaps) // 1))
