"""Demand classes, ABC and XYZ against values worked out by hand."""

import numpy as np
import pytest

from domain import demand

REGULAR = {"season_length": 7, "dead_after": 30}


def test_adi_counts_periods_per_demand() -> None:
    assert demand.adi([0, 3, 0, 0, 5, 0]) == 3.0
    assert demand.adi([1, 1, 1]) == 1.0


def test_adi_and_cv2_are_undefined_without_demand() -> None:
    assert demand.adi([0, 0]) is None
    assert demand.cv2([0, 0]) is None
    assert demand.cv([0, 0]) is None
    assert demand.adi([]) is None


def test_cv2_looks_at_sizes_only() -> None:
    # sizes 2 and 4: mean 3, variance 1, so 1/9, however many zeros lie between
    assert demand.cv2([2, 0, 0, 4]) == pytest.approx(1 / 9)
    assert demand.cv2([0, 7, 0]) == 0.0


def test_cv_includes_zeros() -> None:
    # 0 and 4: mean 2, standard deviation 2
    assert demand.cv([0, 4]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("interval", "variation", "expected"),
    [
        (1.0, 0.1, "smooth"),
        (1.32, 0.49, "smooth"),
        (1.0, 0.5, "erratic"),
        (1.33, 0.49, "intermittent"),
        (2.0, 0.5, "lumpy"),
    ],
)
def test_syntetos_boylan_quadrants(interval: float, variation: float, expected: str) -> None:
    assert demand.classify(interval, variation) == expected


def test_a_short_history_is_short_and_two_seasons_are_not() -> None:
    assert demand.demand_class([5] * 13, **REGULAR) == "short"
    assert demand.demand_class([5] * 14, **REGULAR) == "smooth"


@pytest.mark.parametrize(
    ("quantities", "expected"),
    [
        ([5, 0, 0, 5, 0, 0, 0, 0], "intermittent"),
        ([1, 0, 0, 9, 0, 0, 0, 0], "lumpy"),
        ([5, 0, 0, 5, 0, 0, 0], "short"),  # too few periods
        ([5, 0, 0, 0, 0, 0, 0, 0], "short"),  # one demand has no rhythm
        ([5, 5, 5, 5, 5, 5, 5, 0], "short"),  # not rare
    ],
)
def test_rare_demand_is_known_before_two_seasons(quantities: list[int], expected: str) -> None:
    assert demand.demand_class(quantities, **REGULAR) == expected


def test_silence_is_death_only_when_it_is_unusual() -> None:
    daily_then_silent = [1] * 60 + [0] * 30
    assert demand.demand_class(daily_then_silent, **REGULAR) == "dead"
    assert demand.demand_class(daily_then_silent[:-1], **REGULAR) == "intermittent"
    every_twenty_days = ([0] * 19 + [5]) * 6 + [0] * 40
    assert demand.demand_class(every_twenty_days, **REGULAR) == "intermittent"
    assert demand.demand_class([0] * 50, **REGULAR) == "dead"


def test_abc_the_crossing_item_stays_in_the_upper_class() -> None:
    assert demand.abc([50, 30, 10, 6, 4]) == ["A", "A", "B", "B", "C"]
    assert demand.abc([4, 6, 10, 30, 50]) == ["C", "B", "B", "A", "A"]
    assert demand.abc([100]) == ["A"]


def test_abc_without_value_is_c() -> None:
    assert demand.abc([0, 0]) == ["C", "C"]
    assert demand.abc([]) == []
    assert demand.abc([10, 0]) == ["A", "C"]


@pytest.mark.parametrize("bad", [[-1.0], [float("nan")], [float("inf")]])
def test_abc_refuses_what_is_not_a_value(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        demand.abc(bad)


@pytest.mark.parametrize("seed", range(20))
def test_abc_properties(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.lognormal(3, 2, size=random.integers(1, 60))
    letters = demand.abc(values)
    by_letter = {name: values[[one == name for one in letters]] for name in "ABC"}
    assert by_letter["A"].sum() >= 0.8 * values.sum()
    assert np.r_[by_letter["A"], by_letter["B"]].sum() >= 0.95 * values.sum() * (1 - 1e-9)
    assert by_letter["A"].min() >= max(by_letter["B"].max(initial=0), by_letter["C"].max(initial=0))
    assert demand.abc(values * 1000) == letters


@pytest.mark.parametrize(
    ("variation", "expected"),
    [(0.0, "X"), (0.5, "X"), (0.51, "Y"), (1.0, "Y"), (1.01, "Z"), (None, "Z")],
)
def test_xyz(variation: float | None, expected: str) -> None:
    assert demand.xyz(variation) == expected


@pytest.mark.parametrize("seed", range(20))
def test_the_class_does_not_depend_on_the_unit(seed: int) -> None:
    random = np.random.default_rng(seed)
    quantities = random.poisson(random.uniform(0.1, 3), size=120).astype(float)
    assert demand.demand_class(quantities * 12, **REGULAR) == demand.demand_class(
        quantities, **REGULAR
    )
