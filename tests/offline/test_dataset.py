"""From sparse demand rows to regular series."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from domain.errors import InvalidInput
from models_offline.dataset import build, fingerprint
from models_offline.frequency import FREQUENCIES, infer_frequency
from tests.offline.conftest import MakeTraining, shapes
from warehouse.queries.training import TrainingSet


@pytest.mark.parametrize(
    ("start", "freq", "expected"),
    [
        ("2024-01-01", "D", "D"),
        ("2024-01-01", "B", "D"),
        ("2024-01-03", "W-WED", "W"),
        ("2024-01-01", "MS", "M"),
        ("2024-01-31", "ME", "M"),
        ("2024-01-01", "2W-MON", "W"),
    ],
)
def test_the_frequency_is_read_from_the_dates(start: str, freq: str, expected: str) -> None:
    dates = pd.Series(pd.date_range(start, periods=30, freq=freq)).sample(frac=1, random_state=1)
    assert infer_frequency(dates).code == expected


def test_a_stray_date_does_not_make_monthly_data_daily() -> None:
    dates = [*pd.date_range("2020-01-01", periods=40, freq="MS"), pd.Timestamp("2021-05-17")]
    assert infer_frequency(pd.Series(dates)).code == "M"


def test_a_single_date_is_daily() -> None:
    assert infer_frequency(pd.Series([pd.Timestamp("2024-05-05")])).code == "D"


def test_missing_days_are_zero_up_to_the_last_day_of_all(make_training: MakeTraining) -> None:
    training = make_training({("A", "X"): [5, 0, 3, 0, 0], ("B", "X"): [0, 1, 0, 0, 2]})
    dataset = build(training)
    a, b = (dataset.history.query("unique_id == @uid") for uid in (0, 1))
    assert a["y"].tolist() == [5, 0, 3, 0, 0]
    assert b["y"].tolist() == [1, 0, 0, 2]
    assert a["ds"].iloc[-1] == b["ds"].iloc[-1] == pd.Timestamp("2024-01-05")
    assert dataset.series["first_date"].tolist() == [
        pd.Timestamp("2024-01-01"),
        pd.Timestamp("2024-01-02"),
    ]


def test_weeks_are_named_by_their_monday(make_training: MakeTraining) -> None:
    training = make_training({("A", "X"): [1, 2, 3]}, start="2024-01-04", freq="W-THU")
    dataset = build(training)
    assert dataset.frequency.code == "W"
    assert dataset.history["ds"].dt.strftime("%Y-%m-%d").tolist() == [
        "2024-01-01",
        "2024-01-08",
        "2024-01-15",
    ]


def test_months_are_named_by_their_first(make_training: MakeTraining) -> None:
    training = make_training({("A", "X"): [1, 2, 0, 4]}, start="2024-01-31", freq="ME")
    dataset = build(training)
    assert dataset.history["ds"].dt.strftime("%Y-%m-%d").tolist() == [
        "2024-01-01",
        "2024-02-01",
        "2024-03-01",
        "2024-04-01",
    ]
    assert dataset.history["y"].tolist() == [1, 2, 0, 4]


def test_days_made_weeks_leave_out_the_weeks_that_are_cut_off(make_training: MakeTraining) -> None:
    # from Wednesday 2024-01-03 to Tuesday 2024-01-23: only two weeks are whole
    training = make_training({("A", "X"): np.ones(21)}, start="2024-01-03")
    history = build(training, "W").history
    assert history["ds"].tolist() == [pd.Timestamp("2024-01-08"), pd.Timestamp("2024-01-15")]
    assert history["y"].tolist() == [7, 7]


BUSINESS = pd.bdate_range("2023-01-02", "2024-06-28")
"""Without Saturdays and Sundays, to the Friday of a week and of a month that ends on a Sunday."""


@pytest.mark.parametrize(
    ("dates", "code", "first", "last"),
    [
        (BUSINESS, "W", "2023-01-02", "2024-06-24"),
        (BUSINESS, "M", "2023-01-01", "2024-06-01"),
        (BUSINESS[:-1], "W", "2023-01-02", "2024-06-17"),
        (BUSINESS[:-1], "M", "2023-01-01", "2024-05-01"),
        (BUSINESS[1:], "W", "2023-01-09", "2024-06-24"),
        (BUSINESS[1:], "M", "2023-02-01", "2024-06-01"),
        # too few weeks to tell that Sundays are none: BUSINESS ends as this does
        (BUSINESS[-20:], "W", "2024-06-03", "2024-06-17"),
        # Mondays of weeks: six days are left of June 2024, seven of September
        (pd.date_range("2023-01-02", "2024-06-24", freq="W-MON"), "M", "2023-01-01", "2024-06-01"),
        (pd.date_range("2023-01-02", "2024-09-23", freq="W-MON"), "M", "2023-01-01", "2024-08-01"),
    ],
)
def test_a_period_is_whole_where_no_more_rows_are_due(
    dates: pd.DatetimeIndex, code: str, first: str, last: str, make_training: MakeTraining
) -> None:
    rows = pd.DataFrame({"sku": "A", "site": "X", "date": dates, "quantity": 1.0})
    history = build(replace(make_training({("A", "X"): [1]}), demand=rows), code).history
    assert history["ds"].iloc[[0, -1]].astype(str).tolist() == [first, last]


@pytest.mark.parametrize(
    ("start", "freq", "loaded_on", "chosen", "last", "running"),
    [
        ("2024-01-01", "MS", "2024-05-30", None, "2024-04-01", "2024-05-01"),
        ("2024-01-01", "MS", "2024-05-31", None, "2024-05-01", None),
        ("2024-01-01", "MS", "2030-01-01", None, "2024-05-01", None),
        ("2024-01-03", "W-WED", "2024-02-03", None, "2024-01-22", "2024-01-29"),
        ("2024-01-03", "W-WED", "2024-02-04", None, "2024-01-29", None),
        # weeks made months: that of 29 January is the last of January
        ("2024-01-01", "W-MON", "2024-01-30", "M", "2024-01-01", "2024-01-29"),
        ("2024-01-01", "D", "2024-01-05", None, "2024-01-05", None),
    ],
)
def test_a_period_that_runs_while_it_is_loaded_is_not_whole(
    start: str,
    freq: str,
    loaded_on: str,
    chosen: str | None,
    last: str,
    running: str | None,
    make_training: MakeTraining,
) -> None:
    training = make_training({("A", "X"): np.ones(5)}, start=start, freq=freq)
    dataset = build(replace(training, loaded_on=date.fromisoformat(loaded_on)), chosen)
    assert dataset.last == pd.Timestamp(last)
    assert dataset.source["running_from"] == running


def test_series_of_cut_off_weeks_alone_are_named(make_training: MakeTraining) -> None:
    # from Wednesday 2024-01-03 to Tuesday 2024-01-23
    sold = np.eye(21)
    quantities = {("A", "X"): np.ones(21), ("OLD", "X"): sold[1], ("NEW", "Y"): sold[20]}
    training = make_training(quantities | {("B", "X"): sold[6]}, start="2024-01-03")
    dataset = build(training, "W")
    assert dataset.series["sku"].tolist() == ["A", "B"]
    assert dataset.left_out.to_numpy().tolist() == [["NEW", "Y"], ["OLD", "X"]]
    assert dataset.source["series"] == dataset.series_total + len(dataset.left_out) == 4
    assert build(training).left_out.empty


def test_days_made_months_keep_whole_months(make_training: MakeTraining) -> None:
    training = make_training({("A", "X"): np.ones(31 + 29 + 31)}, start="2024-01-01")
    assert build(training, "M").history["y"].tolist() == [31, 29, 31]


@pytest.mark.fault
def test_the_turn_of_a_year_belongs_to_one_week(make_training: MakeTraining) -> None:
    # 2020 has a week 53: from Monday 2020-12-28 to Sunday 2021-01-03
    training = make_training({("A", "X"): np.ones(14)}, start="2020-12-28")
    history = build(training, "W").history
    assert history["ds"].tolist() == [pd.Timestamp("2020-12-28"), pd.Timestamp("2021-01-04")]
    assert history["y"].tolist() == [7, 7]


def test_the_total_of_native_data_is_kept(small: TrainingSet) -> None:
    dataset = build(small)
    assert dataset.history["y"].sum() == small.demand["quantity"].sum()
    assert dataset.source["demand_total"] == small.demand["quantity"].sum()
    assert dataset.source["series"] == len(shapes())


def test_net_returns_count_as_no_demand_and_are_reported(make_training: MakeTraining) -> None:
    dataset = build(make_training({("A", "X"): [4, -3, 2, 6]}))
    assert dataset.history["y"].tolist() == [4, 0, 2, 6]
    assert dataset.source["negative_periods"] == 1


@pytest.mark.parametrize(
    ("start", "freq", "code", "missing"),
    [
        ("2024-01-04", "W-THU", None, ["2024-02-05", "2024-02-12"]),
        ("2024-01-31", "ME", None, ["2024-06-01", "2024-07-01"]),
        ("2024-01-01", "W-MON", "M", []),  # two weeks are no month
        ("2024-01-31", "ME", "W", []),
        ("2024-01-01", "D", None, []),
        ("2024-01-01", "10D", "M", []),
    ],
)
def test_periods_without_any_row_are_named(
    start: str, freq: str, code: str | None, missing: list[str], make_training: MakeTraining
) -> None:
    quantities = {("A", "X"): np.ones(12), ("B", "X"): np.ones(12)}
    for one in quantities.values():
        one[5:7] = 0
    dataset = build(make_training(quantities, start=start, freq=freq), code)
    assert dataset.source["empty_periods"] == len(missing)
    assert dataset.source["last_empty_periods"] == missing


def test_a_month_without_any_day_is_named(make_training: MakeTraining) -> None:
    months = np.array([1, 0, 1, 0, 0, 1, 1]).repeat([31, 29, 31, 30, 31, 30, 31])
    source = build(make_training({("A", "X"): months}, start="2024-01-01"), "M").source
    assert source["empty_periods"] == 3
    assert source["last_empty_periods"] == ["2024-02-01", "2024-04-01", "2024-05-01"]


def test_profiles(small: TrainingSet) -> None:
    series = build(small).series.set_index(["sku", "site"])
    classes = series["demand_class"].to_dict()
    assert classes[("CABO", "DEP-SP")] == "smooth"
    assert classes[("CONECTOR", "DEP-SP")] == "erratic"
    assert classes[("BATERIA", "DEP-BA")] == "intermittent"
    assert classes[("FUSIVEL", "DEP-SP")] == "lumpy"
    assert classes[("NOVO", "DEP-SP")] == "short"
    assert series.loc[("NOVO", "DEP-SP"), "periods"] == 9


@pytest.mark.parametrize(("freq", "periods"), [("W-MON", 60), ("MS", 18)])
def test_rare_demand_of_less_than_two_years_is_no_curve(
    freq: str, periods: int, make_training: MakeTraining
) -> None:
    often, rare = np.ones(periods), np.arange(periods) % 4 == 0
    series = build(make_training({("A", "X"): often, ("B", "X"): rare}, freq=freq)).series
    assert series["demand_class"].tolist() == ["short", "intermittent"]


def test_no_demand_is_said_plainly(make_training: MakeTraining) -> None:
    with pytest.raises(InvalidInput, match="flask ingest"):
        build(make_training({("A", "X"): [0, 0]}))


def dense(training: TrainingSet) -> TrainingSet:
    """The same demand with its zeros written out: a row for every series and day."""
    rows = training.demand
    days = pd.date_range(rows["date"].min(), rows["date"].max())
    pairs = rows[["sku", "site"]].drop_duplicates()
    grid = pairs.merge(pd.DataFrame({"date": days}), how="cross")
    full = grid.merge(rows, how="left").fillna({"quantity": 0.0})
    return replace(training, demand=full)


def test_zeros_that_are_written_out_change_nothing(small: TrainingSet) -> None:
    sparse, full = build(small), build(dense(small))
    assert len(dense(small).demand) == len(shapes()) * 150
    pd.testing.assert_frame_equal(full.history, sparse.history)
    pd.testing.assert_frame_equal(full.series, sparse.series)


def test_what_was_never_asked_for_is_left_out_and_told(make_training: MakeTraining) -> None:
    training = make_training({("A", "X"): [2, 0, 3]})
    never = training.demand.assign(sku="B", quantity=0.0)
    rows = pd.concat([training.demand, never], ignore_index=True)
    dataset = build(replace(training, demand=rows))
    assert dataset.series["sku"].tolist() == ["A"]
    assert dataset.left_out.to_numpy().tolist() == [["B", "X"]]
    with pytest.raises(InvalidInput, match="flask ingest"):
        build(replace(training, demand=never))


def test_demand_of_cut_off_periods_alone_is_said_plainly(make_training: MakeTraining) -> None:
    # from Wednesday 2024-01-03 to Tuesday 2024-01-23, demand on the first day alone
    training = make_training({("A", "X"): np.eye(21)[0]}, start="2024-01-03")
    days = pd.date_range("2024-01-03", periods=21)
    zeros = pd.DataFrame({"sku": "A", "site": "X", "date": days, "quantity": 0.0})
    rows = pd.concat([training.demand, zeros[1:]], ignore_index=True)
    with pytest.raises(InvalidInput, match=r"no demand in a whole period \(W\)"):
        build(replace(training, demand=rows), "W")


def test_the_fingerprint_is_that_of_the_rows_not_of_their_order(small: TrainingSet) -> None:
    rows = small.demand
    assert fingerprint(rows.sample(frac=1, random_state=2)) == fingerprint(rows)
    changed = rows.assign(quantity=rows["quantity"].where(rows.index != 5, 99.0))
    assert fingerprint(changed) != fingerprint(rows)


def test_a_limit_takes_series_of_all_values(make_training: MakeTraining) -> None:
    training = make_training({(f"S{n:03d}", "-"): np.full(40, 1 + n) for n in range(100)})
    dataset = build(training)
    limited = build(training, limit=10)
    assert len(limited.series) == 10
    assert limited.series_total == 100
    assert limited.history["unique_id"].nunique() == 10
    values = limited.series["value"]
    assert values.max() == dataset.series["value"].max()
    assert values.min() == dataset.series["value"].min()
    assert limited.series["abc"].equals(dataset.series.loc[limited.series.index, "abc"])
    assert build(training, limit=100).series.equals(dataset.series)


@pytest.mark.parametrize("code", ["D", "W", "M"])
def test_periods_count_what_they_range_over(code: str) -> None:
    frequency = FREQUENCIES[code]
    start = frequency.floor(pd.Series([pd.Timestamp("2023-11-17")])).iloc[0]
    periods = frequency.range(start, 30)
    assert frequency.count(periods[0], periods[-1]) == 30
    assert frequency.after(periods[9], 3).tolist() == periods[10:13].tolist()
    assert frequency.before(periods[9], 4) == periods[5]
