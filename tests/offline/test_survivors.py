"""What is learnt from rare demand, of series that were kept because of their demand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models_offline import backtest
from models_offline.benchmark import dataset_of
from models_offline.frequency import FREQUENCIES
from models_offline.models import lightgbm, lstm, pooled
from models_offline.models.base import Setup, split
from models_offline.models.pooled import Pooled
from models_offline.survivors import first_origin, least_demands

HORIZON = 6
MONTHLY = Setup(FREQUENCIES["M"], HORIZON, seed=1)
MONTHS = 48


def kept(series: int = 3000, least: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Slowly fading demand of rare parts: what is known of those with `least` demands or more, and
    the mean of what came later."""
    random = np.random.default_rng(5)
    rates = random.gamma(4.0, 0.075, (series, 1)) * 0.985 ** np.arange(MONTHS + HORIZON)
    table = (random.random((series, MONTHS + HORIZON)) < rates).astype(float)
    table = table[(table[:, :MONTHS] > 0).sum(axis=1) >= least]
    return table[:, :MONTHS], table[:, MONTHS:].mean(axis=1)


def history(table: np.ndarray) -> pd.DataFrame:
    ds = pd.date_range("2018-01-01", periods=table.shape[1], freq="MS")
    frames = [pd.DataFrame({"unique_id": uid, "ds": ds, "y": y}) for uid, y in enumerate(table)]
    return pd.concat(frames, ignore_index=True)


def test_origins_begin_where_a_series_had_what_nearly_all_have() -> None:
    rare = [np.array([1.0, 0, 0, 0, 1, 0, 0, 0]), np.array([0.0, 0, 1, 1, 0, 0, 0, 1])]
    assert least_demands(rare, 2) == 2
    assert [first_origin(y, 2) for y in rare] == [5, 4]
    assert first_origin(rare[0], 3) > len(rare[0])
    assert first_origin(np.ones(8), 20) == 0


def test_where_most_would_be_left_out_all_are_kept() -> None:
    late = [np.r_[np.zeros(8), 1.0, 1.0] for _ in range(3)]
    assert least_demands(late, 4) == 0
    assert least_demands([np.ones(9)], 2) == least_demands([], 2) == 0


def test_that_series_survived_is_not_taken_for_a_rise(monkeypatch: pytest.MonkeyPatch) -> None:
    table, later = kept()
    wrong = excess(table, later)
    monkeypatch.setattr(pooled, "least_demands", lambda *_: 0)
    assert abs(wrong) < 0.6 * abs(excess(table, later))


def excess(table: np.ndarray, later: np.ndarray) -> float:
    """By how much (share) more is forecast than came."""
    rows = Pooled(MONTHLY).fit(history(table)).predict(HORIZON)
    return float(rows["mean"].mean() / later.mean()) - 1


def test_trees_and_networks_learn_from_those_origins_alone() -> None:
    table, _ = kept(100)
    prepared = [lstm.prepare(one, MONTHLY) for one in split(history(table))]
    least = least_demands(list(table), HORIZON)
    windows, _, _ = lstm.training_windows(prepared, MONTHLY)
    assert len(windows.static) == origins_from(table, least, 12)
    rows = lightgbm.training_rows(prepared, MONTHLY, even=False)
    assert len(rows.targets) == HORIZON * origins_from(table, least, lightgbm.SHORTEST)


def origins_from(table: np.ndarray, least: int, shortest: int) -> int:
    firsts = [max(shortest, first_origin(y, least)) for y in table]
    return sum(max(0, MONTHS - HORIZON + 1 - first) for first in firsts)


def test_a_backtest_counts_a_series_from_its_first_origin_on() -> None:
    table, _ = kept(400)
    known = history(table)
    dataset = dataset_of(known, FREQUENCIES["M"])
    ids = dataset.series["sku"]
    back = known.groupby("unique_id").cumcount(ascending=False)
    rows = known[back < 2 * HORIZON].assign(cut=1 + back // HORIZON, model="naive", mean=0.0)
    rows["unique_id"] = rows["unique_id"].map(pd.Series(ids.index, index=ids))
    points = backtest.with_actuals(rows.drop(columns="y"), dataset, HORIZON)
    counted = backtest.counted(points)
    before = table[:, : MONTHS - 2 * HORIZON]
    least = least_demands(list(table), 2 * HORIZON)
    assert counted[counted["cut"] == 2]["unique_id"].nunique() == int(
        ((before > 0).sum(axis=1) >= least).sum()
    )
    assert 0.5 < len(counted) / len(points) < 1
