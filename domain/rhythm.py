"""When something that happens again and again is to be expected next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from statistics import median

LEAST_DAYS = 3
"""Days on which it must have happened before there is a rhythm."""


RHYTHM_DAYS = 10
"""The last days that the gaps are taken from."""
SEVERAL_A_WEEK = 3
"""Days of a gap up to which it happens on several days of a week."""
WEEKS = 4
"""The last weeks that tell on which weekdays it happens."""


def expected_next(days: Iterable[date]) -> date | None:
    """The last of the days plus the median of the last gaps between them (whole days, rounded up);
    where it happens on several days of a week, the first from there on of a weekday on which it
    does. None of fewer than LEAST_DAYS different ones."""
    known = sorted(set(days))
    if len(known) < LEAST_DAYS:
        return None
    last = known[-RHYTHM_DAYS:]
    gaps = [(after - before).days for before, after in zip(last, last[1:], strict=False)]
    gap = -int(-median(gaps) // 1)
    expected = known[-1] + timedelta(days=gap)
    if gap <= SEVERAL_A_WEEK:
        weekdays = _weekdays(known)
        while expected.weekday() not in weekdays:
            expected += timedelta(days=1)
    return expected


def _weekdays(known: Sequence[date]) -> set[int]:
    """The weekdays (Monday is 0) of the last WEEKS; all, where no day before them is known."""
    before = known[-1] - timedelta(weeks=WEEKS)
    if known[0] > before:
        return set(range(7))
    return {day.weekday() for day in known if day > before}
