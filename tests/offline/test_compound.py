"""Compound demand: how often there is some, times how much at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models_offline.frequency import FREQUENCIES
from models_offline.models.base import Setup
from models_offline.models.compound import Compound
from models_offline.models.pooled import Pooled
from models_offline.quantiles import QUANTILE_COLUMNS
from models_offline.sizes import Sizes, mean, mixed, of_a_period, quantiles

WEEKLY = Setup(FREQUENCIES["W"], 13, seed=1)


def history(table: np.ndarray) -> pd.DataFrame:
    """One series for each row of `table`, of weeks."""
    ds = pd.date_range("2022-01-03", periods=table.shape[1], freq="W-MON")
    frames = [pd.DataFrame({"unique_id": uid, "ds": ds, "y": y}) for uid, y in enumerate(table)]
    return pd.concat(frames, ignore_index=True)


def lumpy(weeks: int = 400, series: int = 40) -> np.ndarray:
    """In three weeks of ten 2 or 50 pieces, in turn."""
    turn = np.tile([2.0, 0, 0, 50, 0, 0, 2, 0, 0, 0, 50, 0, 0, 2, 0, 0, 50, 0, 0, 0], weeks // 20)
    return np.array([np.roll(turn, shift) for shift in range(series)])


def test_quantiles_are_sizes_that_were_asked_for() -> None:
    rows = Compound(WEEKLY).fit(history(lumpy())).predict(13)
    assert set(np.unique(rows[QUANTILE_COLUMNS])) == {0.0, 2.0, 50.0}
    # 70 % none, 15 % of 2, 15 % of 50
    assert (rows["p60"] == 0).all() and (rows["p90"] == 50).all()
    assert (rows["p80"] == 2).all()
    assert rows["mean"].mean() == pytest.approx(0.3 * 26, rel=0.1)


def test_a_series_with_few_demands_borrows_sizes_from_those_alike() -> None:
    y = lumpy()
    y[0] = 0.0
    y[0, -3:] = 10.0
    rows = Compound(WEEKLY).fit(history(y)).predict(13)
    assert set(np.unique(rows.loc[rows["unique_id"] == 0, QUANTILE_COLUMNS])) - {0.0, 10.0}


def test_recent_sizes_and_periods_count_more() -> None:
    y = np.where(np.arange(100) % 4 == 0, np.where(np.arange(100) < 50, 1.0, 5.0), 0.0)
    sizes = Sizes.of([y], "W")
    assert mean(sizes.at(y)) > 3.3  # 3 if they counted alike
    rising, falling = (
        Compound(WEEKLY).fit(history(np.array([one]))).predict(1)["mean"].item()
        for one in (np.repeat([0.0, 1.0], 50), np.repeat([1.0, 0.0], 50))
    )
    assert rising > 0.8 and falling < 0.2


def test_a_later_history_is_forecast_with_what_was_learnt_before() -> None:
    y = lumpy()
    model = Compound(WEEKLY).fit(history(y[:, :300]))
    before, learnt = model.predict(13), model._sizes
    after = model.look_at(history(y)).predict(13)
    assert model._sizes is learnt
    assert (after["ds"].min() - before["ds"].min()).days == 700
    assert not np.allclose(after["mean"], before["mean"])


def test_series_without_demand_are_forecast_none() -> None:
    rows = Compound(WEEKLY).fit(history(np.zeros((2, 30)))).predict(13)
    assert len(rows) == 26
    assert (rows[["mean", "p99"]] == 0).all(axis=None)


def test_half_of_the_pooled_rate_s_quantiles_are_sizes_that_were_asked_for() -> None:
    rows = Pooled(WEEKLY).fit(history(lumpy())).predict(13)
    values = rows[QUANTILE_COLUMNS]
    assert values.isin([2.0, 50.0]).any(axis=1).mean() > 0.5
    assert not values.isin([0.0, 2.0, 50.0]).all(axis=1).any()


def test_a_rate_is_kept_by_the_demand_of_a_period() -> None:
    y = lumpy()[0]
    sizes = Sizes.of([y], "W")
    for rate in (0.5, 8.0, 70.0):
        assert mean(sizes.of_rate(y, rate)) == pytest.approx(rate)


def test_a_mixture_lies_between_its_halves() -> None:
    ones, fives = (of_a_period((np.array([size]), np.ones(1)), 0.5) for size in (1.0, 5.0))
    assert quantiles(ones).tolist() == [0.0] * 6 + [1.0] * 7
    both = mixed(quantiles(ones), fives)
    assert both[[0, 5, 7, 12]].tolist() == [0.0, 0.0, 1.0, 5.0]
