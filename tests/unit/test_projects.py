"""The plan's S-curve, slips by earned schedule, and what is still to come of a bill."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest

from domain.projects import (
    STATES,
    Status,
    curve,
    expected_end,
    needed_when,
    planned_progress,
    planned_share,
    planned_time,
    slip_days,
    state,
)

START, END = date(2025, 1, 1), date(2025, 4, 11)
DAY_50 = date(2025, 2, 20)
HALFWAY = Status(DAY_50, "em andamento", START, END, None, 0.5)


def test_the_curve_is_the_cumulative_beta_distribution() -> None:
    steps = 20_000
    density = [6 * x * (1 - x) / steps for x in ((i + 0.5) / steps for i in range(steps))]
    for time in (0.1, 0.25, 0.5, 0.9):
        assert planned_share(time) == pytest.approx(sum(density[: int(time * steps)]), abs=1e-8)
        assert planned_time(planned_share(time)) == pytest.approx(time)
        assert planned_share(time) + planned_share(1 - time) == pytest.approx(1)
    assert [planned_share(one) for one in (-1, 0, 1, 2)] == [0, 0, 1, 1]


def test_the_curve_runs_from_start_to_end_and_never_falls() -> None:
    points = curve(HALFWAY)
    assert (points[0].date, points[0].planned) == (START, 0)
    assert (points[-1].date, points[-1].planned) == (END, 1)
    planned = [one.planned for one in points]
    assert planned == sorted(planned) and len({one.date for one in points}) == len(points)
    assert curve(replace(HALFWAY, planned_end=START)) == []


@pytest.mark.parametrize(
    ("progress", "slip"),
    [(0.5, 0), (planned_share(0.3), 20), (planned_share(0.6), -10), (0.0, 50)],
)
def test_the_slip_is_the_time_since_the_plan_had_this_progress(progress: float, slip: int) -> None:
    now = replace(HALFWAY, progress=progress)
    assert slip_days(now) == slip
    assert expected_end(now) == END + timedelta(days=slip)


def test_who_is_late_early_over_or_not_known() -> None:
    cases = {
        "on_plan": [HALFWAY, replace(HALFWAY, progress=0.46), replace(HALFWAY, progress=0.9)],
        "behind": [replace(HALFWAY, progress=0.4), replace(HALFWAY, as_of=END + timedelta(1))],
        "not_started": [replace(HALFWAY, as_of=START - timedelta(9), progress=None)],
        "unknown": [replace(HALFWAY, planned_end=None), replace(HALFWAY, progress=None)],
        "done": [replace(HALFWAY, progress=1.0), replace(HALFWAY, status=" Concluído ")],
        "cancelled": [replace(HALFWAY, status="CANCELADO")],
    }
    assert set(cases) == set(STATES)
    for expected, ones in cases.items():
        assert [state(one) for one in ones] == [expected] * len(ones)
    early = replace(HALFWAY, actual_end=END - timedelta(4))
    assert (state(early), slip_days(early), expected_end(early)) == ("done", -4, early.actual_end)
    assert slip_days(replace(HALFWAY, progress=None)) is None
    assert planned_progress(replace(HALFWAY, planned_start=None)) is None
    assert slip_days(replace(HALFWAY, as_of=START - timedelta(9), progress=0.0)) == 0


def test_a_material_is_to_come_until_its_day_has_come() -> None:
    when = partial(needed_when, today=DAY_50)
    slipped = replace(HALFWAY, progress=planned_share(0.3))
    assert when(slipped, START + timedelta(days=30)) is None
    assert when(slipped, START + timedelta(days=31)) == DAY_50 + timedelta(days=1)
    assert when(slipped, END) == END + timedelta(days=20)
    assert when(HALFWAY, DAY_50) is None and when(HALFWAY, END) == END
    for over in (replace(HALFWAY, status="cancelado"), replace(HALFWAY, progress=1.0)):
        assert when(over, END) is None
    unplanned = replace(HALFWAY, planned_start=None)
    assert when(unplanned, END) == END and when(unplanned, START) is None
    assert needed_when(HALFWAY, END, END) is None
    assert needed_when(HALFWAY, DAY_50, START) is None
