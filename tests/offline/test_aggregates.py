"""Forecasts in blocks of several months beside those by month."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models_offline import aggregates
from models_offline.frequency import FREQUENCIES
from models_offline.models import create
from models_offline.models.base import Setup

YEARS, AHEAD = 8, 12


def test_blocks_are_means_that_end_with_the_history() -> None:
    assert aggregates.blocks(np.array([9.0, 1, 3, 5, 7]), 2).tolist() == [2, 6]


def test_a_forecast_is_half_its_own_and_half_that_of_its_blocks() -> None:
    fine, twos, threes = np.full(5, 10.0), np.array([12.0, 16, 20]), np.array([14.0, 20])
    mixed = aggregates.blended(fine, [(2, twos), (3, threes)])
    assert mixed.tolist() == [11.5, 11.5, 12.5, 14, 15]
    assert aggregates.blended(fine, []) is fine


def test_only_months_that_are_many_enough_are_put_together() -> None:
    assert aggregates.levels("M", 47) == [2, 3]
    assert aggregates.levels("M", 23) == []
    assert aggregates.levels("W", 500) == aggregates.levels("D", 500) == []


@pytest.mark.parametrize("name", ["theta", "ets", "ces"])
def test_blocks_steady_what_a_noisy_last_month_would_move(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same history but for its last month: with blocks the forecast follows it less."""
    random = np.random.default_rng(3)
    levels = 100 + np.cumsum(random.normal(0, 4, 12 * YEARS)) + random.normal(0, 4, 12 * YEARS)
    higher = np.r_[levels[:-1], levels[-1] + 40]
    frames = [
        pd.DataFrame(
            {"unique_id": uid, "ds": pd.date_range("2015-01-01", periods=len(y), freq="MS"), "y": y}
        )
        for uid, y in enumerate((levels, higher))
    ]

    def moved() -> float:
        model = create(name, Setup(FREQUENCIES["M"], AHEAD, seed=1)).fit(pd.concat(frames))
        means = model.predict(AHEAD).groupby("unique_id")["mean"].mean()
        return float(means[1] - means[0])

    with_blocks = moved()
    monkeypatch.setattr(aggregates, "LEVELS", {})
    assert 0 < with_blocks < moved()
