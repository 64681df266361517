"""What the engine makes of holidays and drivers, on demand whose movers are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from holidays import country_holidays

from domain.errors import InvalidInput
from models_offline import backtest, drivers
from models_offline.benchmark import dataset_of
from models_offline.dataset import Dataset
from models_offline.drivers import HOLIDAYS, Found, Outside
from models_offline.frequency import FREQUENCIES

HORIZON, LATE = 30, 3
DAYS = pd.date_range("2023-01-01", "2025-04-30")
COMING = pd.date_range(DAYS[0], DAYS[-1] + pd.Timedelta(days=HORIZON))
FESTIVE = pd.to_datetime(list(country_holidays("BR", years=range(2023, 2026))))
RANDOM = np.random.default_rng(7)
RAIN = pd.Series(RANDOM.gamma(1.0, 1.0, len(COMING)), index=COMING)
NOISE = pd.Series(RANDOM.normal(0.0, 1.0, len(COMING)), index=COMING)


def demand(series: int, level: float, late: int = LATE) -> pd.DataFrame:
    """Halved `late` days after a holiday, up by a tenth with each unit of rain of the day."""
    festive = DAYS.isin(FESTIVE + pd.Timedelta(days=late))
    mean = level * np.where(festive, 0.5, 1.0) * (0.9 + 0.1 * RAIN[DAYS].to_numpy())
    rows = np.random.default_rng(11).poisson(mean, (series, len(DAYS)))
    frames = [pd.DataFrame({"unique_id": f"{n}", "ds": DAYS, "y": y}) for n, y in enumerate(rows)]
    return pd.concat(frames, ignore_index=True)


def table(until: pd.Timestamp) -> pd.DataFrame:
    known = {"rain": RAIN[:until], "noise": NOISE[:until]}
    long = pd.DataFrame(known).rename_axis("date").reset_index().melt("date", var_name="driver")
    return long.assign(uf=None)


def tried(rows: pd.DataFrame, outside: Outside) -> tuple[Dataset, Found, dict[str, dict]]:
    dataset = dataset_of(rows, FREQUENCIES["D"], outside)
    found = drivers.screen(dataset, backtest.origins(dataset, HORIZON, 2), HORIZON)
    return dataset, found, {row["driver"]: row for row in found.rows}


def test_holidays_are_used_with_their_country_and_delay_and_noise_is_not() -> None:
    outside = Outside(("US", "BR"), table(COMING[-1]))
    dataset, found, rows = tried(demand(6, 400.0), outside)
    assert set(dataset.series["demand_class"]) == {"smooth"}
    holidays, rain, noise = (rows[name] for name in (HOLIDAYS, "rain", "noise"))
    assert holidays["used"] and rain["used"] and not noise["used"]
    assert (holidays["country"], holidays["delay_days"]) == ("BR", LATE)
    assert (rain["delay_days"], rain["window_days"], rain["days_ahead"]) == (0, 1, HORIZON)
    assert rain["error_with"] < 0.8 * rain["error_without"]
    labour_day = pd.Timestamp("2025-05-01") + pd.Timedelta(days=LATE)
    assert found.factors is not None
    factor = found.factors.xs(labour_day, level="ds").loc[[0]].iloc[0]
    assert factor["all"] == factor["named"] < 0.8


def test_prophet_takes_no_holidays_that_it_knows() -> None:
    _, found, rows = tried(demand(6, 400.0, late=0), Outside(("BR",)))
    assert (rows[HOLIDAYS]["used"], rows[HOLIDAYS]["delay_days"]) == (True, 0)
    assert found.factors is not None
    factor = found.factors.xs(pd.Timestamp("2025-05-01"), level="ds").loc[[0]].iloc[0]
    assert factor["all"] < 0.8 and factor["named"] == 1.0


def test_weather_that_nobody_knows_ahead_is_measured_and_left_out() -> None:
    _, found, rows = tried(demand(6, 400.0), Outside((), table(DAYS[-1])))
    rain = rows["rain"]
    assert rain["days_ahead"] == 0
    assert rain["error_if_known"] < 0.8 * rain["error_with"]
    assert not rain["used"]
    assert found.factors is None


def test_rare_demand_shares_one_effect() -> None:
    dataset, found, rows = tried(demand(80, 0.6), Outside(("BR",)))
    assert dataset.series["demand_class"].value_counts().idxmax() == "intermittent"
    assert rows[HOLIDAYS]["delay_days"] == LATE
    assert found.factors is not None
    assert found.factors.groupby(["cut", "ds"])["all"].nunique().max() == 1


def test_new_items_that_are_looked_at_together_have_effects_ahead_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drivers, "MOST_POOLED", 6)
    new = demand(2, 400.0).groupby("unique_id").tail(20)
    rows = pd.concat([demand(6, 400.0), new.assign(unique_id="new " + new["unique_id"])])
    dataset, found, _ = tried(rows, Outside(("BR",)))
    assert set(dataset.series["demand_class"]) == {"smooth"}
    assert found.factors is not None
    cuts = found.factors.reset_index().groupby("unique_id")["cut"].unique().map(sorted)
    assert cuts.tolist() == [[0, 1, 2]] * 6 + [[0]] * 2


def test_members_take_the_effects_and_yardsticks_do_not() -> None:
    keys = pd.MultiIndex.from_tuples([(0, 0, DAYS[0])], names=["unique_id", "cut", "ds"])
    found = Found([], pd.DataFrame({"all": [0.5], "named": [0.9]}, keys))
    values = dict.fromkeys(drivers.VALUE_COLUMNS, 10.0)
    models = ["theta", "prophet", "seasonal_naive"]
    rows = pd.DataFrame(
        [{"unique_id": 0, "cut": 0, "ds": DAYS[0], "model": m} | values for m in models]
    )
    assert found.put_on(rows)["mean"].tolist() == [5.0, 9.0, 10.0]
    assert found.put_on(rows)["p90"].tolist() == [5.0, 9.0, 10.0]


def test_nothing_is_tried_without_drivers_or_on_months() -> None:
    assert tried(demand(6, 400.0), Outside())[1] == Found()
    monthly = pd.DataFrame(
        {"unique_id": "a", "ds": pd.date_range("2015", periods=90, freq="MS"), "y": 3}
    )
    dataset = dataset_of(monthly, FREQUENCIES["M"], Outside(("BR",)))
    assert drivers.screen(dataset, {}, 12) == Found()


def test_an_unknown_country_is_refused() -> None:
    assert drivers.country_code(" br") == "BR"
    with pytest.raises(InvalidInput, match="'XX'"):
        drivers.country_code("XX")
