"""Every model keeps the one contract, whatever the series."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from models_offline.frequency import FREQUENCIES
from models_offline.models import MODELS, create
from models_offline.models.base import FORECAST_COLUMNS, Forecaster, Setup, split
from models_offline.models.lstm import prepare, training_windows
from models_offline.quantiles import (
    QUANTILE_COLUMNS,
    Implausible,
    negative_binomial,
    piece_of_demand,
    tidy,
    whole_pieces,
)
from models_offline.seasonality import NO_SEASON, estimate

HORIZON = 10
SETUP = Setup(FREQUENCIES["D"], HORIZON, seed=5)
LOCAL = [name for name, model in MODELS.items() if model.scope == "series"]

random = np.random.default_rng(11)
SERIES = {
    0: random.poisson(20 * np.where(np.arange(120) % 7 < 5, 1.3, 0.3)).astype(float),
    1: (random.random(120) < 0.15) * random.geometric(0.3, 120).astype(float),
    2: np.full(60, 7.0),
    3: np.zeros(60),
    4: np.r_[np.zeros(59), 1000.0],
    5: np.linspace(1, 200, 90),
}


def history(series: dict[int, np.ndarray]) -> pd.DataFrame:
    end = pd.Timestamp("2025-03-31")
    frames = [
        pd.DataFrame(
            {"unique_id": uid, "ds": pd.date_range(end=end, periods=len(y), freq="D"), "y": y}
        )
        for uid, y in series.items()
    ]
    return pd.concat(frames, ignore_index=True)


@cache
def fitted(name: str) -> Forecaster:
    """The model of all series, fitted once for all that only look at it."""
    return create(name, SETUP).fit(history(SERIES))


def check_contract(forecast: pd.DataFrame) -> None:
    assert list(forecast.columns) == FORECAST_COLUMNS
    values = forecast[["mean", "p10", "p50", "p90"]].to_numpy(dtype=float)
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    assert (forecast["p10"] <= forecast["p50"]).all()
    assert (forecast["p50"] <= forecast["p90"]).all()
    for _, group in forecast.groupby("unique_id"):
        expected = pd.date_range("2025-04-01", periods=HORIZON, freq="D")
        assert group["ds"].tolist() == expected.tolist()


@pytest.mark.parametrize("name", sorted(MODELS.keys() - {"family"}))
def test_a_model_forecasts_or_says_why_not(name: str) -> None:
    model = fitted(name)
    forecast = model.predict(HORIZON)
    check_contract(forecast)
    assert set(forecast["unique_id"]) | set(model.failures) == set(SERIES)
    assert set(forecast["unique_id"]) >= {0, 1, 2, 3}
    assert forecast.query("unique_id == 3")["p90"].max() == 0.0


@pytest.mark.parametrize("name", ["naive", "seasonal_naive", "moving_average"])
@pytest.mark.parametrize("length", [1, 2, 6, 7, 8, 13, 14, 15])
def test_baselines_take_any_history(name: str, length: int) -> None:
    model = create(name, SETUP).fit(history({0: SERIES[0][:length] + 1}))
    check_contract(model.predict(HORIZON))
    assert model.failures == {}


@pytest.mark.parametrize("name", ["naive", "seasonal_naive", "moving_average"])
@pytest.mark.parametrize("y", [[100, 500], [300, 100], [10, 1], [7], [7, 7], [5, 9, 8, 6, 7, 8, 9]])
def test_few_errors_spread_to_both_sides_of_the_mean(name: str, y: list[float]) -> None:
    row = create(name, SETUP).fit(history({0: np.array(y, float)})).predict(HORIZON).iloc[0]
    assert row["p10"] <= row["mean"] <= row["p90"]
    assert row["p10"] < row["p90"]
    assert row["p50"] == pytest.approx(row["mean"])


def test_one_period_is_as_uncertain_in_any_unit() -> None:
    made = [
        create("naive", SETUP).fit(history({0: np.array([y])})).predict(1).iloc[0]
        for y in (7.0, 7000.0)
    ]
    few, many = (one[QUANTILE_COLUMNS].to_numpy(dtype=float) for one in made)
    assert 1000 * few == pytest.approx(many)


def test_seasonal_naive_repeats_the_last_week() -> None:
    forecast = create("seasonal_naive", SETUP).fit(history({0: SERIES[0]})).predict(HORIZON)
    assert forecast["mean"].tolist()[:7] == SERIES[0][-7:].tolist()
    assert forecast["mean"].tolist()[7:] == SERIES[0][-7:-4].tolist()


def test_moving_average_is_the_mean_of_its_window() -> None:
    forecast = create("moving_average", SETUP).fit(history({0: SERIES[0]})).predict(HORIZON)
    assert forecast["mean"].to_numpy() == pytest.approx(SERIES[0][-28:].mean())


def test_arima_follows_the_week() -> None:
    forecast = create("arima", SETUP).fit(history({0: SERIES[0]})).predict(HORIZON)
    weekday = forecast["ds"].dt.dayofweek < 5
    phase_of_last = (len(SERIES[0]) + np.arange(HORIZON)) % 7 < 5
    assert len(weekday) == HORIZON
    assert forecast["mean"][phase_of_last].min() > forecast["mean"][~phase_of_last].max()


def test_arima_notes_its_residuals() -> None:
    model = create("arima", SETUP).fit(history({0: SERIES[0]}))
    assert 0.0 <= model.notes[0]["ljung_box_p"] <= 1.0


@pytest.mark.parametrize("name", ["arima", "lightgbm"])
def test_too_short_a_history_is_a_failure_with_a_reason(name: str) -> None:
    model = create(name, SETUP).fit(history({0: SERIES[0], 9: np.array([3.0, 4.0])}))
    assert "too few" in model.failures[9]
    assert set(model.predict(HORIZON)["unique_id"]) == {0}


@pytest.mark.parametrize("name", ["arima", "lstm"])
def test_the_same_seed_gives_the_same_numbers(name: str) -> None:
    again = create(name, SETUP).fit(history(SERIES)).predict(HORIZON)
    pd.testing.assert_frame_equal(fitted(name).predict(HORIZON), again, check_exact=True)


def test_a_global_model_looks_at_a_later_history_without_learning_from_it() -> None:
    later = {uid: np.r_[y, y[-HORIZON:]] for uid, y in SERIES.items()}
    learnt = create("lightgbm", SETUP).fit(history(SERIES))
    looked = learnt.look_at(history(later)).predict(HORIZON)  # type: ignore[attr-defined]
    fresh = create("lightgbm", SETUP).fit(history(later)).predict(HORIZON)
    assert set(looked["unique_id"]) == set(SERIES)
    assert not np.allclose(looked["mean"], fresh["mean"])
    again = learnt.look_at(history(SERIES)).predict(HORIZON)  # type: ignore[attr-defined]
    first = create("lightgbm", SETUP).fit(history(SERIES)).predict(HORIZON)
    pd.testing.assert_frame_equal(again, first, check_exact=True)


def test_one_short_uneven_item_does_not_keep_the_others_from_trees() -> None:
    even = {uid: 50 + random.normal(0, 5, 120) for uid in range(5)}
    young = {5: (random.random(HORIZON) < 0.4) * 3.0}
    forecast = create("lightgbm", SETUP).fit(history(even | young)).predict(HORIZON)
    check_contract(forecast)
    assert set(forecast["unique_id"]) == set(even | young)
    with pytest.raises(ValueError, match="no series is longer than the horizon"):
        create("lightgbm", SETUP).fit(history(young))


def test_an_uneven_item_with_one_row_to_learn_from_keeps_no_others_from_trees() -> None:
    even = {uid: 50 + random.normal(0, 5, 40) for uid in range(5)}
    uneven = {5: np.array([0, 0, 4, 0, 0, 0, 0, 0, 3, 0.0])}
    setup = Setup(FREQUENCIES["D"], 1, seed=5)
    forecast = create("lightgbm", setup).fit(history(even | uneven)).predict(1)
    assert set(forecast["unique_id"]) == set(even | uneven)
    with pytest.raises(ValueError, match="too few"):
        create("lightgbm", setup).fit(history(uneven))


MONTHS = Setup(FREQUENCIES["M"], 18, seed=5)


def monthly(y: np.ndarray) -> pd.DataFrame:
    ds = pd.date_range("2015-01-01", periods=len(y), freq="MS")
    return pd.DataFrame({"unique_id": 0, "ds": ds, "y": y})


def test_demand_that_never_stops_has_the_spread_of_its_logs() -> None:
    random = np.random.default_rng(4)
    steady = 100 * np.exp(random.normal(0, 0.6, 72))
    last = create("ets", MONTHS).fit(monthly(steady)).predict(18).iloc[-1]
    assert last["p97.5"] - last["p50"] > 1.5 * (last["p50"] - last["p2.5"])
    stopped = np.r_[steady[:-1], 0.0]
    last = create("ets", MONTHS).fit(monthly(stopped)).predict(18).iloc[-1]
    assert last["p80"] - last["p50"] == pytest.approx(last["p50"] - last["p20"], rel=0.01)


def test_the_network_learns_more_from_calm_even_demand() -> None:
    random = np.random.default_rng(6)
    calm, rough = 100 + random.normal(0, 2, 60), 100 + random.normal(0, 20, 60)
    sparse = (random.random(60) < 0.2) * 5.0
    frames = [monthly(y).assign(unique_id=uid) for uid, y in enumerate((calm, rough, sparse))]
    prepared = [prepare(series, MONTHS) for series in split(pd.concat(frames))]
    weights = training_windows(prepared, MONTHS)[2].reshape(3, -1)
    assert weights[0].min() > weights[1].max()
    assert np.all(weights[2] == 1.0)


def test_another_seed_gives_another_network() -> None:
    other = Setup(SETUP.frequency, HORIZON, seed=6)
    first = fitted("lstm").predict(HORIZON)
    second = create("lstm", other).fit(history(SERIES)).predict(HORIZON)
    assert not np.allclose(first["mean"], second["mean"])


@pytest.mark.parametrize("bad", [np.nan, np.inf, 61.0])
def test_an_exploding_forecast_is_refused(bad: float) -> None:
    values = np.full((4, 5), 2.0)
    values[0, 3] = bad
    with pytest.raises(Implausible):
        tidy(values, np.array([3.0, 20.0]))


def test_tidy_orders_clamps_and_leaves_no_crumbs() -> None:
    sparse = np.array([0.0, 0.0, 4.0, 0.0, 8.0])
    cut = tidy(np.array([[5.0], [-3.0], [9.0], [7.0]]), sparse)
    assert cut.ravel().tolist() == [5.0, 0.0, 7.0, 9.0]
    crumbs = tidy(np.array([[1.0], [0.4], [1.9], [2.1]]), sparse)
    assert crumbs.ravel().tolist() == [1.0, 0.0, 0.0, 4.0]
    dense = np.array([4.0, 6.0, 8.0])
    assert tidy(np.array([[3.0], [2.5], [3.0], [4.0]]), dense)[1, 0] == 2.5


def test_quantiles_of_rare_demand_come_in_whole_pieces() -> None:
    sparse, dense = np.array([0.0, 0.0, 4.0, 0.0, 6.0, 10.0]), np.array([4.0, 6.0, 8.0])
    assert (piece_of_demand(sparse), piece_of_demand(sparse / 8)) == (2.0, 0.25)
    assert piece_of_demand(dense) == piece_of_demand(np.zeros(9)) == 0.0
    given = np.array([[1.9, 2.0, 4.9, 5.0, 6.3], [1.9, 2.0, 4.9, 5.0, 6.3]])
    whole = whole_pieces(given, np.array([[4.0], [0.0]]), np.array([[2.0], [0.0]]))
    assert whole.tolist() == [[0.0, 4.0, 4.0, 6.0, 6.0], [1.9, 2.0, 4.9, 5.0, 6.3]]


def test_counts_get_quantiles_of_counts() -> None:
    sparse = np.array(([0.0] * 9 + [1.0]) * 20)
    quantiles = negative_binomial(np.full(3, 0.1), sparse)
    assert quantiles[0].tolist() == [0.1] * 3
    assert quantiles[1:3].max() == 0.0
    assert set(quantiles[3]) <= {0.0, 1.0}


def test_quantiles_of_counts_do_not_depend_on_the_unit() -> None:
    metres = np.array(([0.0] * 4 + [1.0, 0.0, 5.0, 2.0]) * 20)
    mean = np.array([0.5, 1.0, 2.0])
    kilometres = negative_binomial(mean / 1000, metres / 1000)
    assert kilometres[1:].max() > 0
    assert 1000 * kilometres == pytest.approx(negative_binomial(mean, metres))


def test_a_week_is_found_and_taken_out() -> None:
    y = np.array([10.0, 20.0, 30.0] * 20)
    season = estimate(y, 3)
    assert season.multiplicative
    assert season.indices == pytest.approx([0.5, 1.0, 1.5])
    assert season.remove(y) == pytest.approx(20.0)
    assert season.restore(np.full((2, 4), 20.0), 1)[1] == pytest.approx([20, 30, 10, 20])


def test_days_off_make_the_season_additive() -> None:
    y = np.array([0.0, 20.0, 30.0] * 20)
    season = estimate(y, 3)
    assert not season.multiplicative
    assert season.restore(season.remove(y), 0) == pytest.approx(y)


def test_a_weak_season_is_shrunk_and_a_strong_one_is_kept() -> None:
    random = np.random.default_rng(3)
    shape = 1 + 0.5 * np.sin(2 * np.pi * np.arange(60) / 12)
    strong = estimate(100 * shape * random.lognormal(0, 0.02, 60), 12)
    weak = estimate(100 * (1 + (shape - 1) / 10) * random.lognormal(0, 0.2, 60), 12)
    assert strong.indices == pytest.approx(shape[:12], abs=0.06)
    assert np.ptp(weak.indices) < 0.15


def test_noise_has_no_season() -> None:
    noise = np.random.default_rng(4).poisson(9, 140).astype(float)
    assert estimate(noise, 7) is NO_SEASON
    assert estimate(np.array([1.0, 2.0] * 3), 4) is NO_SEASON
