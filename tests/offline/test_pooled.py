"""Pooled smoothing: the weights that all series agree on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models_offline.frequency import FREQUENCIES
from models_offline.models.base import Setup
from models_offline.models.pooled import MEMORIES, Pooled, averages

MONTHLY = Setup(FREQUENCIES["M"], 6, seed=1)


def history(table: np.ndarray) -> pd.DataFrame:
    """One series for each row of `table`, of months."""
    ds = pd.date_range("2018-01-01", periods=table.shape[1], freq="MS")
    frames = [pd.DataFrame({"unique_id": uid, "ds": ds, "y": y}) for uid, y in enumerate(table)]
    return pd.concat(frames, ignore_index=True)


def rare(fall: float = 1.0, months: int = 60, series: int = 150) -> np.ndarray:
    """Demand of 1 in a month in four or so, `fall` times as often from month to month."""
    random = np.random.default_rng(3)
    rates = random.uniform(0.2, 0.5, (series, 1)) * fall ** np.arange(months)
    return (random.random((series, months)) < rates).astype(float)


def mean(model: Pooled) -> np.ndarray:
    return model.predict(6).groupby("unique_id")["mean"].first().to_numpy()


def test_the_averages_weigh_the_newest_period_by_the_memory() -> None:
    found = averages(np.array([2.0, 0.0, 4.0]))
    assert found[0].tolist() == pytest.approx([2.0] * len(MEMORIES))
    weights = (1 - MEMORIES[2]) ** np.array([2, 1, 0])
    assert found[2, 2] == pytest.approx(np.average([2.0, 0.0, 4.0], weights=weights))


def test_of_steady_demand_all_of_the_past_is_remembered() -> None:
    y = rare()
    found = mean(Pooled(MONTHLY).fit(history(y)))
    steady, nervous = (np.abs(found - averages_of(y, at)).mean() for at in (0, 3))
    assert steady < 0.5 * nervous
    assert found.mean() == pytest.approx(y.mean(), rel=0.12)


def averages_of(table: np.ndarray, memory: int) -> np.ndarray:
    return np.array([averages(y)[-1, memory] for y in table])


def test_demand_that_fades_everywhere_is_expected_to_go_on_fading() -> None:
    y = rare(fall=0.97)
    known, later = y[:, :54], y[:, 54:]
    found = mean(Pooled(MONTHLY).fit(history(known)))
    usual = averages_of(known, 2).mean()
    assert abs(found.mean() - later.mean()) < 0.7 * (usual - later.mean())


def test_a_later_history_is_forecast_with_the_same_weights() -> None:
    y = rare()
    model = Pooled(MONTHLY).fit(history(y[:, :48]))
    before = mean(model)
    after = mean(model.look_at(history(y[:, :48] * 2)))
    assert after.tolist() == pytest.approx((2 * before).tolist())


def test_histories_too_short_to_learn_from_and_empty_ones_have_forecasts() -> None:
    rows = Pooled(MONTHLY).fit(history(np.array([[0.0, 3.0, 0.0], [0.0, 0.0, 0.0]]))).predict(6)
    assert len(rows) == 12
    assert (rows.loc[rows["unique_id"] == 0, "mean"] > 0).all()
    assert (rows.loc[rows["unique_id"] == 1, ["mean", "p99"]] == 0).all(axis=None)
