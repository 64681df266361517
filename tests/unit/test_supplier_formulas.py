"""Intervals, slopes, places: against published values and cases by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from domain.later_delivery import lateness_stock, later_stock
from domain.suppliers import (
    Rank,
    Sums,
    concentration,
    mean_span,
    ranked,
    slope,
    student,
    wilson,
    yearly_growth,
)


def test_wilsons_interval() -> None:
    """Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for successes, trials, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)
    assert wilson(20, 20) == pytest.approx((1 - 0.1611, 1.0), abs=5e-5)
    assert wilson(0, 0) == (None, None)


def test_students_quantile() -> None:
    for freedom, value in ((3, 3.182), (4, 2.776), (5, 2.571), (10, 2.228), (30, 2.042)):
        assert student(freedom) == pytest.approx(value, rel=2e-3)


def test_the_mean_of_few_values_has_no_interval() -> None:
    assert mean_span(10.0, 2.0, 3) == (None, None)
    assert mean_span(10.0, 2.0, 16) == pytest.approx((10 - 2.131 / 2, 10 + 2.131 / 2), abs=1e-3)


def test_a_slope_and_its_interval() -> None:
    """y = 2 + 3x with errors of ±1: Σ(x−x̄)² = 10, residual sum 4 over 3 degrees of freedom."""
    x, y = np.arange(5.0), 2 + 3 * np.arange(5.0) + np.array([1, -1, 0, -1, 1])
    dx, dy = x - x.mean(), y - y.mean()
    value, (low, high) = slope(Sums(5, 1, dx @ dx, dx @ dy, dy @ dy))
    assert value == pytest.approx(3.0)
    assert high is not None and low is not None
    assert (
        high - 3.0 == pytest.approx(3.0 - low) == pytest.approx(3.182 * (4 / 30) ** 0.5, rel=2e-3)
    )
    assert slope(Sums(4, 1, 10.0, 30.0, 94.0)) == (None, (None, None))
    assert slope(Sums(9, 1, 0.0, 0.0, 1.0)) == (None, (None, None))


def test_growth_is_of_a_year() -> None:
    days = np.arange(0, 730, 10.0)
    grown = days * log(1.1) / 365.25
    dx, dy = days - days.mean(), grown - grown.mean()
    value, _ = yearly_growth(Sums(len(days), 1, dx @ dx, dx @ dy, dy @ dy))
    assert value == pytest.approx(0.1)


def test_places_and_those_that_intervals_leave_open() -> None:
    rates = [(0.9, 0.85, 0.94), (None, None, None), (0.8, 0.7, 0.88), (0.5, 0.4, 0.6)]
    assert ranked(rates) == [Rank(1, 1, 2), None, Rank(2, 1, 2), Rank(3, 3, 3)]
    assert [one and one.place for one in ranked([(0.5, 0.4, 0.6), (0.5, 0.4, 0.6)])] == [1, 1]


def test_concentration() -> None:
    assert concentration([100.0]) == 1.0
    assert concentration([50.0, 25.0, 25.0, 0.0]) == pytest.approx(0.375)
    assert concentration([]) is None


def test_later_and_late_deliveries_cost_stock() -> None:
    """σ_D = 2, D = 3, L = 16, σ_L = 0: SS = Z·2·√L; nine days later √25 instead of √16."""
    z = 1.6448536269514722
    assert later_stock(0.95, 2, 16, 3, 0, 9) == pytest.approx(z * 2 * (5 - 4))
    spread = z * (16 * 4 + 9 * 4) ** 0.5
    assert lateness_stock(0.95, 2, 16, 3, 2, 9) == pytest.approx(spread - z * 2 * 3)
    assert lateness_stock(0.95, 2, 9, 3, 0, 16) == pytest.approx(-z * 2)
