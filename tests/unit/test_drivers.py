"""Lagged correlations: the lag is found, chance is not called a finding, numbers are SciPy's."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from domain.drivers import DriverPeriod, effective_pairs, lags, strongest

WEEKS = 150
MONDAY = date(2022, 1, 3)


def history(driver: np.ndarray, demand: np.ndarray) -> list[DriverPeriod]:
    return [
        DriverPeriod(MONDAY + timedelta(weeks=week), float(value), float(units))
        for week, (value, units) in enumerate(zip(driver, demand, strict=True))
    ]


def test_the_lag_at_which_it_acts_is_found_under_a_trend() -> None:
    rng = np.random.default_rng(1)
    driver = rng.normal(size=WEEKS)
    demand = 100 + 0.8 * np.arange(WEEKS) + 5 * np.roll(driver, 3) + rng.normal(size=WEEKS)
    demand[:3] = 100
    found = lags(history(driver, demand), 12)
    best = strongest(found)
    assert best is not None and (best.lag, best.is_significant) == (3, True)
    assert best.correlation > 0.9 and best.pairs == WEEKS - 3
    assert [one.lag for one in found] == list(range(13))
    straight = [np.polynomial.Polynomial.fit(range(WEEKS), of, 1) for of in (driver, demand)]
    rest = [
        of - line(np.arange(WEEKS)) for of, line in zip((driver, demand), straight, strict=True)
    ]
    assert found[0].correlation == pytest.approx(np.corrcoef(rest)[0, 1])


def test_two_wandering_lines_are_no_finding_more_often_than_promised() -> None:
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(100):
        walks = np.zeros((2, WEEKS))
        for week in range(1, WEEKS):
            walks[:, week] = 0.9 * walks[:, week - 1] + rng.normal(size=2)
        best = strongest(lags(history(*walks), 12))
        found += best is not None and best.is_significant
    assert found <= 12


def test_independent_pairs_are_worth_themselves_and_slow_ones_less() -> None:
    rng = np.random.default_rng(3)
    quick = [list(rng.normal(size=400)) for _ in range(2)]
    slow = [list(np.convolve(one, np.ones(12) / 12, "same")) for one in quick]
    assert effective_pairs(*quick) > 350
    assert effective_pairs(*slow) < 120


def test_too_few_pairs_or_a_flat_line_are_not_judged() -> None:
    flat, rising = np.full(WEEKS, 3.0), np.arange(WEEKS) ** 1.5
    assert lags(history(flat, rising), 6) == [] and strongest([]) is None
    assert lags(history(rising[:20], rising[:20]), 6) == []
    gappy = [
        DriverPeriod(one.start, None if index % 2 else one.value, one.demand)
        for index, one in enumerate(history(rising + np.sin(rising), rising**1.2))
    ]
    assert lags(gappy, 0)[0].pairs == WEEKS // 2
