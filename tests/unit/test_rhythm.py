"""When the next load is to be expected."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

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


@pytest.mark.parametrize(
    ("weekdays", "last", "expected"),
    [
        ("01234", 4, 7),
        ("01234", 3, 4),
        ("024", 4, 7),
        ("135", 5, 8),
        ("0123456", 5, 6),
        ("03", 3, 7),
    ],
)
def test_weekdays_without_loads_are_not_waited_for(weekdays: str, last: int, expected: int) -> None:
    """Days of the last of five weeks, counted from its Monday."""
    loaded = [int(one) for one in weekdays]
    earlier = [MONDAY + timedelta(weeks=week, days=day) for week in range(-4, 0) for day in loaded]
    this_week = [MONDAY + timedelta(days=day) for day in loaded if day <= last]
    assert expected_next([*earlier, *this_week]) == MONDAY + timedelta(days=expected)


def test_a_first_week_does_not_tell_which_weekdays_are_without() -> None:
    assert expected_next([MONDAY + timedelta(days=day) for day in range(5)]) == MONDAY + (
        timedelta(days=5)
    )


def test_months_are_not_kept_from_a_weekday() -> None:
    days = [date(2025, month, 10) for month in range(1, 7)]
    assert expected_next(days) == date(2025, 7, 11)


def test_two_days_make_no_rhythm() -> None:
    assert expected_next([MONDAY, MONDAY, MONDAY + timedelta(7)]) is None
    assert expected_next([]) is None
