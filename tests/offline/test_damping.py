"""The damped mean of intermittent demand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models_offline.damping import LEAST, damp, learn


def points(mean: float, demand_class: str = "lumpy", series: int = 40) -> pd.DataFrame:
    """Forecasts `mean` of demand that is 2 in each of 6 periods."""
    ids = np.repeat(np.arange(series), 6)
    return pd.DataFrame(
        {"unique_id": ids, "demand_class": demand_class, "mean": mean, "actual": 2.0, "unit": 1.0}
    )


def test_the_factor_is_the_one_that_the_backtest_likes() -> None:
    assert learn(points(2.5)) == {"lumpy": 0.8}
    assert learn(points(2.2)) == {"lumpy": 0.91}


def test_a_forecast_that_is_right_or_too_low_is_left_alone() -> None:
    assert learn(points(2.0)) == {"lumpy": 1.0}
    assert learn(points(1.0)) == {"lumpy": 1.0}


def test_no_sum_falls_below_what_was_demanded() -> None:
    rare = points(0.4).assign(actual=[2.0, 0.0, 0.0, 0.0, 0.0, 0.0] * 40)
    assert learn(rare) == {"lumpy": 0.84}
    assert learn(rare.assign(mean=1 / 3)) == {"lumpy": 1.0}


def test_there_is_a_limit() -> None:
    assert learn(points(50.0)) == {"lumpy": LEAST}


def test_regular_demand_and_small_classes_have_no_factor() -> None:
    assert learn(points(2.5, "smooth")) == {}
    assert learn(points(2.5, series=5)) == {}


def test_only_the_mean_of_the_class_changes() -> None:
    rows = pd.DataFrame({"unique_id": [0, 1], "mean": [10.0, 10.0], "p50": [8.0, 8.0]})
    series = pd.DataFrame({"demand_class": ["lumpy", "smooth"]})
    damped = damp(rows, series, {"lumpy": 0.9})
    assert damped["mean"].tolist() == [9.0, 10.0]
    assert damped["p50"].tolist() == [8.0, 8.0]
