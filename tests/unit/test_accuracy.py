"""Accuracy measures against values worked out by hand."""

import math

import numpy as np
import pytest

from domain import accuracy

ACTUAL = [10.0, 0.0, 20.0, 10.0]
FORECAST = [8.0, 3.0, 25.0, 10.0]  # errors -2, +3, +5, 0


def test_wape_and_bias() -> None:
    assert accuracy.wape(ACTUAL, FORECAST) == pytest.approx(10 / 40)
    assert accuracy.bias(ACTUAL, FORECAST) == pytest.approx(6 / 40)


def test_mape_leaves_zero_actuals_out_and_says_so() -> None:
    value, coverage = accuracy.mape(ACTUAL, FORECAST)
    assert value == pytest.approx((0.2 + 0.25 + 0.0) / 3)
    assert coverage == 0.75


def test_nothing_demanded_is_undefined_not_zero() -> None:
    assert accuracy.wape([0, 0], [1, 2]) is None
    assert accuracy.bias([0, 0], [1, 2]) is None
    assert accuracy.mape([0, 0], [1, 2]) == (None, 0.0)
    assert accuracy.mape([], []) == (None, None)
    assert accuracy.coverage([], [], []) is None
    assert accuracy.pinball([], [], 0.5) is None


def test_scales_by_season_and_by_lag_one() -> None:
    history = [1, 5, 2, 7]  # lag 2: 1 and 2; lag 1: 4, 3, 5
    assert accuracy.naive_scales(history, 2) == (1.5, 2.5)
    assert accuracy.naive_scales(history, 1) == (4.0, pytest.approx(50 / 3))


def test_a_history_of_one_season_is_scaled_by_lag_one() -> None:
    assert accuracy.naive_scales([1, 5, 2, 7], 4) == accuracy.naive_scales([1, 5, 2, 7], 1)


@pytest.mark.parametrize("history", [[], [3], [4, 4, 4]])
def test_without_naive_error_there_is_no_scale(history: list[float]) -> None:
    assert accuracy.naive_scales(history) == (None, None)
    assert accuracy.mase([1], [2], history) is None
    assert accuracy.rmsse([1], [2], history) is None


def test_mase_and_rmsse() -> None:
    history = [1, 5, 2, 7]
    assert accuracy.mase(ACTUAL, FORECAST, history, 2) == pytest.approx(2.5 / 1.5)
    assert accuracy.rmsse(ACTUAL, FORECAST, history, 2) == pytest.approx(math.sqrt(9.5 / 2.5))


def test_naive_forecast_has_a_mase_of_one_on_its_own_history() -> None:
    history = np.array([3.0, 8.0, 1.0, 9.0, 4.0])
    assert accuracy.mase(history[1:], history[:-1], history) == pytest.approx(1.0)


def test_pinball_punishes_the_rarer_side_less() -> None:
    assert accuracy.pinball([10], [6], 0.9) == pytest.approx(3.6)
    assert accuracy.pinball([6], [10], 0.9) == pytest.approx(0.4)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 1.5])
def test_pinball_refuses_a_level_outside_its_range(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        accuracy.pinball([1], [1], level)


def test_coverage_includes_the_limits() -> None:
    assert accuracy.coverage([1, 2, 3, 4], [1, 0, 0, 0], [2, 2, 2, 9]) == 0.75


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="2 actual values but 1"):
        accuracy.wape([1, 2], [1])


@pytest.mark.parametrize("seed", range(20))
def test_sums_add_up_to_the_whole(seed: int) -> None:
    random = np.random.default_rng(seed)
    actual = random.poisson(1.5, size=40).astype(float)
    forecast = random.gamma(2, 1, size=40)
    low, high = forecast * 0.5, forecast * 1.5
    parts = accuracy.error_sums(actual[:13], forecast[:13], low[:13], high[:13])
    parts += accuracy.error_sums(actual[13:], forecast[13:], low[13:], high[13:])
    assert parts.points == 40
    assert parts.wape == pytest.approx(accuracy.wape(actual, forecast))
    assert parts.bias == pytest.approx(accuracy.bias(actual, forecast))
    assert parts.mape == pytest.approx(accuracy.mape(actual, forecast))
    assert parts.coverage80 == pytest.approx(accuracy.coverage(actual, low, high))


def test_empty_sums_are_undefined() -> None:
    nothing = accuracy.ErrorSums()
    assert (nothing.wape, nothing.bias, nothing.coverage80) == (None, None, None)
    assert nothing.mape == (None, None)


@pytest.mark.parametrize("seed", range(10))
def test_the_true_quantile_has_the_lowest_pinball(seed: int) -> None:
    sample = np.random.default_rng(seed).gamma(2, 3, size=400)
    best = accuracy.pinball(sample, np.full(400, np.quantile(sample, 0.9)), 0.9)
    for shift in (-2.0, 2.0):
        other = accuracy.pinball(sample, np.full(400, np.quantile(sample, 0.9) + shift), 0.9)
        assert best is not None and other is not None and best < other
