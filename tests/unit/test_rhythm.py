"""When the next load is to be expected."""

from __future__ import annotations

from datetime import date, timedelta

from domain.rhythm import expected_next

MONDAY = date(2025, 6, 2)


def test_the_usual_gap_after_the_last_day() -> None:
    weekly = [MONDAY + timedelta(weeks=week) for week in range(5)]
    assert expected_next(weekly) == weekly[-1] + timedelta(weeks=1)
    late = [*weekly, weekly[-1] + timedelta(days=20)]
    assert expected_next(late) == late[-1] + timedelta(weeks=1)
    assert expected_next([MONDAY, MONDAY + timedelta(1), MONDAY + timedelta(3)]) == MONDAY + (
        timedelta(days=5)
    )


def test_two_days_make_no_rhythm() -> None:
    assert expected_next([MONDAY, MONDAY, MONDAY + timedelta(7)]) is None
    assert expected_next([]) is None
