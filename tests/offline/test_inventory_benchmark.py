"""`benchmark inventory` through the command line, and its parts on cases worked out by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models_offline import cli
from models_offline import inventory_benchmark as benchmark
from models_offline.allocation import allocate, choices
from models_offline.lumpy import Samples, Sampling, samples
from models_offline.replay import Outcome, replay

ROOT = Path(__file__).resolve().parents[2]
MAN = "spare_parts/man_weekly_3451sku_leadtime_moq.csv.gz"
LIMITS = {"lines_0.90": 0.90, "lines_0.95": 0.90, "units_0.95": 0.70}


def weekly(parts: int = 40, weeks: int = 130) -> pd.DataFrame:
    random = np.random.default_rng(4)
    chance = random.uniform(0.03, 0.5, (parts, 1))
    sizes = 1 + random.poisson(random.uniform(1, 30, (parts, 1)), (parts, weeks))
    demand = (random.random((parts, weeks)) < chance) * sizes
    demand[-1] = 0
    facts = {
        "sku": np.arange(parts),
        "unit_cost_eur": random.uniform(1, 200, parts),
        "lead_time_weeks": np.where(np.arange(parts) % 5, 16, 7),
    }
    names = [f"w{week:03d}" for week in range(1, weeks + 1)]
    return pd.concat([pd.DataFrame(facts), pd.DataFrame(demand, columns=names)], axis=1)


def run(path: Path, *options: str) -> dict[str, Any]:
    out = path.with_suffix(".json")
    command = ["benchmark", "inventory", "--data", str(path), "--json", str(out), *options]
    assert cli.main(command) == 0
    return json.loads(out.read_text())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inventory") / "parts.csv"
    weekly().to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def report(data: Path) -> dict[str, Any]:
    return run(data)


def test_both_curves_trade_value_for_service(report: dict[str, Any]) -> None:
    assert report["parts"] == 39
    assert report["weeks"] == [101, 130]
    for points in report["curves"].values():
        for rising in ("value", "lines", "units"):
            values = [point[rising] for point in points]
            assert values[0] < values[-1]
            assert np.all(np.diff(values) > -0.01 * max(values))


def test_the_ratios_are_read_off_the_curves(report: dict[str, Any]) -> None:
    for name, ratio in report["ratio"].items():
        measure, share = name.split("_")
        values = [
            np.interp(float(share), [p[measure] for p in points], [p["value"] for p in points])
            for points in (report["curves"]["ours"], report["curves"]["textbook"])
        ]
        assert ratio == pytest.approx(values[0] / values[1], abs=0.02)


def test_parts_drawn_anew_say_how_far_a_ratio_is_that_of_these_parts(
    report: dict[str, Any],
) -> None:
    told = {name: of for name, of in report["ratio_interval"].items() if of}
    assert told
    for name, (low, high) in told.items():
        assert low < report["ratio"][name] < high


def test_an_item_that_is_drawn_twice_counts_twice() -> None:
    outcome = Outcome(np.array([[5.0, 1, 2, 4, 8], [7.0, 3, 3, 6, 6]]))
    value, lines, units = outcome.drawn(np.array([[2.0, 0], [1, 1], [0, 0]]))
    assert value.tolist() == [10, 12, 0]
    assert lines == pytest.approx([1 / 2, 4 / 5, 0])
    assert units == pytest.approx([1 / 2, 10 / 14, 1])


def test_without_monthly_parts_only_the_weekly_promise_is_measured(report: dict[str, Any]) -> None:
    assert report["promise_gap"]["carparts"] is None
    assert report["promise_gap"]["man"] == pytest.approx(
        np.mean(
            np.abs(np.subtract(report["promise"]["man"]["ours"], [0.8, 0.9, 0.95, 0.98, 0.99]))
        ),
        abs=1e-3,
    )


def test_a_promise_is_learnt_from_months_that_are_known(data: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    sales = pd.DataFrame(random.poisson(0.4, (300, 51)) * random.integers(1, 9, (300, 1)))
    sales.insert(0, "Part", np.arange(300))
    sales.loc[0, 50] = np.nan
    path = tmp_path / "months.csv"
    sales.to_csv(path, index=False)
    told = run(data, "--carparts", str(path))
    assert told["promise_gap"]["carparts"] < 0.03


def test_the_same_seed_gives_the_same_report(data: Path, report: dict[str, Any]) -> None:
    assert run(data, "--seed", "1") == report
    assert run(data, "--seed", "2")["curves"]["ours"] != report["curves"]["ours"]


def test_levels_know_nothing_of_the_weeks_that_they_are_for(tmp_path: Path) -> None:
    """Without the demand of the last week, stock is higher by what was served then, no more."""
    same, other = weekly(weeks=104), weekly(weeks=104)
    other["w104"] = 0
    same.to_csv(tmp_path / "same.csv", index=False)
    other.to_csv(tmp_path / "other.csv", index=False)
    asked = (same["unit_cost_eur"] * same["w104"]).sum() / 4
    first, second = run(tmp_path / "same.csv"), run(tmp_path / "other.csv")
    for curve in ("ours", "textbook"):
        for one, two in zip(first["curves"][curve], second["curves"][curve], strict=True):
            assert -1 <= two["value"] - one["value"] <= asked + 1
    assert first["promise_gap"]["man"] is None


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    ("change", "options"),
    [
        (lambda frame: frame.assign(**dict.fromkeys(frame.columns[3:93], 0)), ()),
        (lambda frame: frame, ("--known", "5")),
        (lambda frame: frame.assign(lead_time_weeks=110), ()),
    ],
)
def test_a_promise_is_measured_from_the_first_origin_that_knows_a_part(
    change: Any, options: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "parts.csv"
    change(weekly(weeks=220)).to_csv(path, index=False)
    report = run(path, *options)
    assert report["promise_gap"]["man"] < 0.2
    assert len(report["promise"]["man"]["ours"]) == 5


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_parts_that_cost_nothing_have_no_ratio(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "parts.csv"
    weekly(weeks=110).assign(unit_cost_eur=0).to_csv(path, index=False)
    report = run(path)
    assert set(report["ratio"].values()) == {None}
    assert set(report["ratio_interval"].values()) == {None}
    assert "units_0.95 none (ours begins at 100.0 %)" in capsys.readouterr().out


def test_another_currency_has_the_same_ratio(tmp_path: Path) -> None:
    path = tmp_path / "parts.csv"
    parts = weekly(weeks=104)
    told = []
    for factor in (1, 1e-4, 1e3):
        parts.assign(unit_cost_eur=parts["unit_cost_eur"] * factor).to_csv(path, index=False)
        told.append(run(path)["ratio"]["lines_0.95"])
    assert told[0] and told == pytest.approx([told[0]] * 3, abs=2e-4)


def test_the_curve_of_a_single_part_begins_with_little_service(tmp_path: Path) -> None:
    path = tmp_path / "parts.csv"
    weekly().iloc[[3]].to_csv(path, index=False)
    units = [point["units"] for point in run(path)["curves"]["ours"]]
    assert units[0] < 0.5 and units[-1] > 0.95


def test_a_service_that_a_curve_does_not_reach_is_told_with_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "parts.csv"
    weeks = [f"w{week}" for week in range(101, 111)]
    weekly(weeks=110).assign(**dict.fromkeys(weeks, 9_999)).to_csv(path, index=False)
    report = run(path)
    assert report["ratio"]["lines_0.90"] is None
    ends = {
        who: f"{who} ends at {100 * max(point['lines'] for point in points):.1f} %"
        for who, points in report["curves"].items()
    }
    told = f"lines_0.90 none ({ends['textbook']}, {ends['ours']})"
    assert told in capsys.readouterr().out
    weekly(weeks=110).assign(**dict.fromkeys(weeks, 0) | {"w104": 1}).to_csv(path, index=False)
    report = run(path)
    assert "units_0.95 none (textbook begins at 100.0 %" in capsys.readouterr().out


def test_weeks_are_in_the_order_of_their_numbers(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "unpadded.csv"
    table = pd.read_csv(data).assign(note="a", **{"w²": 1})
    mixed = table.rename(columns=lambda name: re.sub("^w0+", "w", name)).iloc[:, ::-1]
    mixed.to_csv(path, index=False)
    assert np.array_equal(benchmark.read(path).demand, benchmark.read(data).demand)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="unit_cost_eur"), "column 'unit_cost_eur' is missing"),
        (lambda frame: frame.iloc[:, :60], "57 weeks"),
        (lambda frame: frame.assign(lead_time_weeks=0), "line 2, column 'lead_time_weeks'"),
        (
            lambda frame: frame.assign(lead_time_weeks=[7] * 3 + [2.9] * 37),
            "line 5, column 'lead_time_weeks', value '2.9': is no whole number",
        ),
        (lambda frame: frame.drop(columns="w010"), "week w011 has no w10 before it"),
        (lambda frame: frame.assign(w10=0), "week w10 is there twice"),
        (lambda frame: frame.assign(w007="two"), "line 2, column 'w007', value 'two'"),
        (lambda frame: frame.assign(unit_cost_eur=-1), "line 2, column 'unit_cost_eur'"),
        (lambda frame: frame.iloc[-1:], "no part has demand"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    change: Any, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.csv"
    change(weekly()).to_csv(path, index=False)
    assert cli.main(["benchmark", "inventory", "--data", str(path)]) == 2
    assert message in capsys.readouterr().err


def test_replay_of_one_part_by_hand() -> None:
    """S 10, lead time 2, worth 3 each. Demand 4, 0, 8, 6, 1: stock 10 → 6; 6; the 4 ordered first
    come, 10 → 2; 6 lost 4 → 0; the 8 ordered third come, 8 → 7."""
    demand = np.array([[4.0, 0, 8, 6, 1]])
    outcome = replay(demand, np.array([3.0]), np.array([2]), [np.array([10.0])] * 2, 4)
    assert outcome.value == pytest.approx(3 * (6 + 6 + 2 + 0 + 7) / 5)
    assert (outcome.lines, outcome.units) == pytest.approx((3 / 4, 15 / 19))


def test_replay_of_a_level_that_falls_orders_nothing() -> None:
    demand = np.ones((1, 6))
    levels = [np.array([5.0]), np.array([0.0])]
    outcome = replay(demand, np.array([1.0]), np.array([1]), levels, 3)
    # 4, 4, 4 with an order a week; then 4 and nothing more is ordered: 4, 3, 2
    assert outcome.value == pytest.approx((4 + 4 + 4 + 4 + 3 + 2) / 6)
    assert outcome.lines == 1.0


def test_samples_are_of_the_right_rate_and_size() -> None:
    random = np.random.default_rng(5)
    history = (random.random((50, 400)) < 0.25) * random.integers(1, 10, (50, 400)).astype(float)
    found = samples(history, np.full(50, 9), np.zeros(50, int), Sampling(memory=1.0))
    assert found.rate.mean() == pytest.approx(0.25, abs=0.01)
    assert found.size.mean() == pytest.approx(5.0, abs=0.1)
    assert found.before.mean() == pytest.approx(8 * 0.25 * 5, rel=0.03)
    assert found.lead_time().mean() == pytest.approx(9 * 0.25 * 5, rel=0.03)


def test_an_item_without_demand_gets_no_stock() -> None:
    history = np.zeros((2, 50))
    history[0, ::5] = 3
    found = choices(samples(history, np.array([4, 4]), np.zeros(2, int), Sampling(draws=50)))
    levels = allocate(found, np.array([1.0, 1.0]), 1e-9)
    assert levels[0] > 0
    assert levels[1] == 0


def test_stock_goes_where_it_serves_most_for_its_money() -> None:
    """Equal demand, one item 50 times as dear: it is the one left without."""
    draws = np.tile(np.arange(1.0, 6), (2, 1))
    found = choices(Samples(np.full(2, 0.2), np.zeros((2, 5)), (), draws, np.zeros((2, 5))))
    levels = allocate(found, np.array([1.0, 50.0]), 0.01)
    assert levels.tolist() == [5, 0]


def test_a_lot_is_covered_whole_or_not_at_all() -> None:
    """Lots of 100: no level between 0 and 100 is worth its money, and levels between them are the
    mean of near prices' only where the best one changes."""
    lots = np.full((1, 20), 100.0)
    found = choices(Samples(np.array([0.1]), np.zeros((1, 20)), (), lots, np.zeros((1, 20))))
    prices = np.geomspace(1e-6, 1, 30)
    levels = [allocate(found, np.array([1.0]), price)[0] for price in prices]
    assert levels == sorted(levels, reverse=True)
    assert {0.0, 100.0} <= set(levels)
    assert sum(0 < level < 100 for level in levels) <= 3


def test_levels_move_little_where_the_price_does() -> None:
    """Requests of 1 to 300, as many of each: the best level jumps, the mean of near ones steps."""
    sizes = np.repeat([1.0, 10, 100, 300], 5)[None, :]
    found = choices(Samples(np.array([0.1]), np.zeros((1, 20)), (), sizes, np.zeros((1, 20))))
    prices = np.geomspace(1e-5, 1e-1, 200)
    levels = [allocate(found, np.array([1.0]), price)[0] for price in prices]
    assert np.max(np.abs(np.diff(levels))) <= 0.5 * 300


def test_a_large_request_counts_less_than_its_units() -> None:
    """As many units for the money: the single ones are kept up to a higher price of stock."""
    sizes = np.repeat([[100.0], [1.0]], 20, axis=1)
    found = choices(Samples(np.full(2, 0.1), np.zeros((2, 20)), (), sizes, np.zeros((2, 20))))
    kept = [allocate(found, np.ones(2), price).tolist() for price in np.geomspace(1e-4, 1, 60)]
    assert [0.0, 1.0] in kept
    assert [100.0, 0.0] not in kept


@pytest.mark.slow
def test_real_spare_parts_need_less_stock_than_the_textbook_s(tmp_path: Path) -> None:
    path = ROOT.parent / "shared" / "data" / MAN
    if not path.exists():
        pytest.skip("the spare parts of ../shared/data are not here")
    out = tmp_path / "report.json"
    assert cli.main(["benchmark", "inventory", "--data", str(path), "--json", str(out)]) == 0
    told = json.loads(out.read_text())
    assert told["parts"] == 1353
    textbook = {point["z"]: point for point in told["curves"]["textbook"]}
    for z, value, lines, units in [
        (1.2, 704, 0.865, 0.889),
        (1.65, 885, 0.905, 0.923),
        (2.5, 1249, 0.95, 0.956),
    ]:
        point = textbook[z]
        assert point["value"] / 1000 == pytest.approx(value, abs=0.6)
        assert (point["lines"], point["units"]) == pytest.approx((lines, units), abs=6e-4)
    assert all(told["ratio"][name] <= most for name, most in LIMITS.items())
    assert all(gap <= 0.03 for gap in told["promise_gap"].values())


def test_the_first_cycle_needs_no_more_than_later_ones() -> None:
    """It begins with a full level, and most of its time less has been demanded since."""
    random = np.random.default_rng(3)
    history = (random.random((30, 100)) < 0.4) * random.integers(1, 9, (30, 100)).astype(float)
    drawn = samples(history, np.full(30, 16), np.zeros(30, int), Sampling(draws=400))
    later, first = choices(drawn), choices(drawn, first=True)
    assert np.all(first.counted >= later.counted - 1e-12)
    assert np.all(first.on_hand >= later.on_hand - 1e-12)
    cost = np.ones(30)
    assert allocate(first, cost, 1e-3).sum() < allocate(later, cost, 1e-3).sum()


def test_items_of_a_kind_lend_sizes_to_those_that_were_asked_for_rarely() -> None:
    history = np.zeros((3, 60))
    history[0, ::3], history[1, 10:12], history[2, 10:12] = 50, 2, 2
    drawn = samples(history, np.full(3, 4), np.array([0, 0, 1]), Sampling(draws=200))
    assert drawn.size[1].max() == 50
    assert drawn.size[2].max() == 2
    assert np.mean(drawn.size[0] == 50) > 0.9
