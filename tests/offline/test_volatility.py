"""Quantiles of weekly demand reach further after restless weeks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models_offline.benchmark import dataset_of
from models_offline.dataset import Dataset
from models_offline.frequency import FREQUENCIES
from models_offline.quantiles import LEVELS, QUANTILE_COLUMNS
from models_offline.volatility import ALONE, spreads, stretched

HORIZON = 13
WEEKS = 120


def weekly(noise: np.ndarray, freq: str = "W") -> Dataset:
    """Series (rows of `noise`) around 500."""
    starts = {"W": "W-MON", "D": "D", "M": "MS"}
    ds = pd.date_range("2020-01-06", periods=noise.shape[1], freq=starts[freq])
    frames = [
        pd.DataFrame({"unique_id": f"s{row:02}", "ds": ds, "y": 500 + line})
        for row, line in enumerate(noise)
    ]
    return dataset_of(pd.concat(frames, ignore_index=True), FREQUENCIES[freq])


def noise(series: int = 60) -> np.ndarray:
    return np.random.default_rng(2).normal(0, 10, (series, WEEKS))


def test_steady_weeks_change_nothing() -> None:
    assert spreads(weekly(noise()), HORIZON, [0]).mean() == pytest.approx(1, abs=0.08)


def test_what_all_series_show_counts_nearly_whole_what_one_shows_little() -> None:
    together, alone = noise(), noise()
    together[:, -HORIZON:] *= 3
    alone[0, -HORIZON:] *= 3
    all_of_them = spreads(weekly(together), HORIZON, [0])
    one = spreads(weekly(alone), HORIZON, [0])
    assert 2 < all_of_them.mean() < 3
    assert 1.1 < one[0, 0] < 3 ** (2 * ALONE)
    assert one.drop((0, 0)).mean() == pytest.approx(1, abs=0.08)


def test_an_origin_knows_nothing_of_what_came_after_it() -> None:
    restless = noise()
    restless[:, -HORIZON:] *= 3
    before = spreads(weekly(restless), HORIZON, [1, 2])
    calm = spreads(weekly(noise()), HORIZON, [1, 2])
    pd.testing.assert_series_equal(before, calm)


def test_an_origin_before_a_series_began_knows_nothing_of_it() -> None:
    restless = noise(1)[:, : 3 * HORIZON - 4]
    restless[:, HORIZON:] *= 3
    assert spreads(weekly(restless), HORIZON, [3, 4]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("freq", ["D", "M"])
def test_where_there_are_seasons_nothing_is_stretched(freq: str) -> None:
    assert spreads(weekly(noise(3), freq), HORIZON, [0]).empty


def test_demand_that_pauses_and_short_histories_are_left_alone() -> None:
    once = noise(1) - 600.0 * (np.arange(WEEKS) == 5)
    assert spreads(weekly(once), HORIZON, [0]).empty
    assert spreads(weekly(noise(1)[:, : 2 * HORIZON]), HORIZON, [0]).tolist() == [1.0]
    assert spreads(weekly(noise(1)[:, : 3 * HORIZON - 1]), HORIZON, [3]).tolist() == [1.0]


def test_quantiles_move_away_from_their_median() -> None:
    values = np.linspace(4.0, 16.0, len(LEVELS))
    rows = pd.DataFrame([values, values], columns=QUANTILE_COLUMNS)
    rows = rows.assign(unique_id=[0, 1], cut=0, mean=9.0)
    wider = stretched(rows, pd.Series({(0, 0): 3.0}))
    middle = rows["p50"][0]
    assert wider["p50"].tolist() == rows["p50"].tolist()
    assert wider["p90"][0] - middle == pytest.approx(3 * (rows["p90"][0] - middle))
    assert wider["p2.5"][0] == 0.0 and wider["mean"].tolist() == [9.0, 9.0]
    pd.testing.assert_frame_equal(wider.iloc[[1]], rows.iloc[[1]])
