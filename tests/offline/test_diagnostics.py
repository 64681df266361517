"""What is left in errors, and demand taken apart: known shapes are found again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from scipy.stats import chi2

from models_offline import residuals
from models_offline.decomposition import decompose, decompositions
from models_offline.frequency import FREQUENCIES
from models_offline.models import create
from models_offline.models.base import Setup

DAILY = FREQUENCIES["D"]


def days(periods: int, first: str = "2024-01-01") -> np.ndarray:
    return pd.date_range(first, periods=periods, freq="D").to_numpy()


def test_noise_leaves_nothing_and_memory_is_seen() -> None:
    noise = np.random.default_rng(5).normal(size=400)
    walk = np.convolve(noise, [1.0, 0.8], mode="valid")
    clean = residuals.described("arima", residuals.note(noise, 0))
    left = residuals.described("arima", residuals.note(walk, 0))
    assert clean and left
    assert clean["p"] > 0.05 and max(map(abs, clean["acf"])) < 0.2
    assert left["p"] < 0.001
    assert left["acf"][0] == pytest.approx(0.8 / 1.64, abs=0.08)
    assert left["bound"] == pytest.approx(1.96 / np.sqrt(399), abs=1e-4)
    assert (left["count"], left["lags"], len(left["acf"])) == (399, 10, 20)


@pytest.mark.parametrize("values", [[], [1.0], [2.0] * 50, [np.nan, 1.0, np.nan]])
def test_errors_that_do_not_vary_have_nothing_to_show(values: list[float]) -> None:
    noted = residuals.note(np.array(values), 0)
    assert noted["ljung_box_p"] == 1.0
    assert residuals.described("ses", noted) is None


def test_each_fitted_parameter_takes_a_degree_of_freedom() -> None:
    noise = np.random.default_rng(5).normal(size=400)
    for fitted in (0, 3):
        noted = residuals.note(noise, fitted)
        assert noted["ljung_box_p"] == pytest.approx(chi2.sf(noted["ljung_box"], 10 - fitted))
        described = residuals.described("arima", noted)
        assert described and described["fitted"] == fitted
    assert residuals.described("arima", residuals.note(noise[:10], 3))
    assert residuals.described("arima", residuals.note(noise[:10], 4)) is None


@pytest.mark.parametrize(("model", "fitted"), [("arima", 2), ("ses", 1)])
def test_models_say_how_many_were_fitted(model: str, fitted: int) -> None:
    y = 50 + lfilter([1.0], [1.0, -0.7], np.random.default_rng(9).normal(size=200))
    history = pd.DataFrame({"unique_id": 0, "ds": days(200), "y": y})
    noted = create(model, Setup(DAILY, 7, 1)).fit(history).notes[0]
    assert noted["fitted"] == fitted
    assert noted["ljung_box_p"] == pytest.approx(chi2.sf(noted["ljung_box"], 10 - fitted))


def test_trend_and_week_are_taken_apart() -> None:
    at = np.arange(210)
    trend, week = 20 + 0.1 * at, np.where(at % 7 < 5, 2.0, -5.0)
    y = trend + week + np.random.default_rng(2).normal(0, 0.3, len(at))
    found = decompose(days(210), y, DAILY)
    assert found and found["first_date"] == "2024-01-01" and found["season_length"] == 7
    assert np.abs(np.array(found["trend"]) - trend).max() < 1.0
    assert np.abs(np.array(found["season"]) - week).max() < 1.5
    total = np.array(found["trend"]) + np.array(found["season"]) + np.array(found["rest"])
    assert np.abs(total - y).max() < 0.05
    assert found["trend_strength"] > 0.9 and found["season_strength"] > 0.9
    flat = decompose(days(210), np.random.default_rng(3).normal(9, 1, 210), DAILY)
    assert flat and flat["season_strength"] < 0.4


def test_an_outlier_is_flagged_and_kept() -> None:
    y = (
        20
        + np.where(np.arange(140) % 7 < 5, 2.0, -5.0)
        + np.random.default_rng(4).normal(0, 1, 140)
    )
    y[77] += 30
    found = decompose(days(140), y, DAILY)
    assert found and found["outliers"] == [77]
    assert found["actual"][77] == pytest.approx(y[77], abs=0.01)


def test_less_than_two_seasons_or_no_variation_has_no_parts() -> None:
    assert decompose(days(13), np.arange(13.0), DAILY) is None
    assert decompose(days(60), np.full(60, 3.0), DAILY) is None


def test_demand_is_told_to_the_unit() -> None:
    y = 123_456.0 + np.arange(60.0) % 7 * 1.25
    found = decompose(days(60), y, DAILY)
    assert found and found["actual"] == y.tolist()


def test_a_week_counts_in_the_months_of_its_days() -> None:
    at = pd.date_range("2022-01-03", "2024-07-29", freq="W-MON")
    y = np.where(np.arange(len(at)) % 3, 0.0, 70.0)
    history = pd.DataFrame({"unique_id": 0, "ds": at, "y": y})
    classes = pd.Series({0: "intermittent"})
    found = decompositions(history, classes, FREQUENCIES["W"], jobs=1)[0]
    assert found["first_date"] == "2022-02-01"
    assert len(found["actual"]) == 30
    # of the weeks from 14 February, 7 and 28 March, the last has three of its days in April
    assert found["actual"][:2] == [70.0, 110.0]


def test_sparse_demand_is_taken_apart_by_whole_months() -> None:
    at = pd.date_range("2022-01-15", "2024-04-10", freq="D")
    rare = pd.Series((np.arange(len(at)) % 9 == 0) * (1.0 + (at.month == 12)), at)
    even = pd.Series(np.arange(len(at)) % 7 + 1.0, at)
    history = pd.concat(
        pd.DataFrame({"unique_id": uid, "ds": at, "y": values.to_numpy()})
        for uid, values in enumerate((rare, even))
    )
    classes = pd.Series({0: "intermittent", 1: "smooth"})
    found = decompositions(history, classes, DAILY, jobs=1)
    assert (found[0]["frequency"], found[1]["frequency"]) == ("M", "D")
    assert found[0]["first_date"] == "2022-02-01"
    assert len(found[0]["actual"]) == 26
    assert found[0]["actual"][0] == rare["2022-02"].sum()
    assert len(found[1]["actual"]) == 420
