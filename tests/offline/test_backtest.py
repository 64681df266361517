"""Origins, weights, calibration and the ensemble."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, poisson

from domain.accuracy import naive_scales
from domain.combination import combined
from models_offline import backtest, calibrate, ensemble
from models_offline.dataset import build
from models_offline.drivers import Found
from models_offline.fitting import FINAL, Failure, Fits, cut_history, plan, with_fallbacks
from models_offline.quantiles import LEVELS
from models_offline.quantiles import QUANTILE_COLUMNS as QUANTILES
from models_offline.training import Options, run
from tests.offline.conftest import MakeTraining
from warehouse.queries.training import TrainingSet


def test_origins_lie_whole_horizons_before_the_end(small: TrainingSet) -> None:
    dataset = build(small)
    ends = backtest.origins(dataset, 20, 3)
    assert [(dataset.last - end).days for end in ends.values()] == [20, 40, 60]


def test_there_are_only_origins_that_leave_a_history(make_training: MakeTraining) -> None:
    dataset = build(make_training({("A", "-"): np.ones(50)}))
    assert len(backtest.origins(dataset, 20, 5)) == 2
    assert backtest.origins(dataset, 60, 5) == {}


def months(long: int, short: int) -> dict[tuple[str, str], np.ndarray]:
    """Series of 36 and of 31 months, of which the longer ones alone reach a second origin a year
    before the first."""
    random = np.random.default_rng(4)
    table = random.integers(20, 60, (long + short, 36))
    table[long:, :5] = 0
    return {(f"S{number:02d}", "-"): y for number, y in enumerate(table)}


@pytest.mark.parametrize(("long", "short", "cuts"), [(1, 2, [1]), (2, 2, [1, 2]), (3, 37, [1])])
def test_an_origin_is_used_if_half_of_the_series_reach_it(
    long: int, short: int, cuts: list[int], make_training: MakeTraining
) -> None:
    dataset = build(make_training(months(long, short), freq="MS"))
    assert list(backtest.origins(dataset, 12, 2)) == cuts


def test_each_series_is_judged_by_what_it_was_before_its_own_first_origin(
    make_training: MakeTraining,
) -> None:
    quantities = months(3, 2)
    options = Options(horizon=12, models=("naive", "seasonal_naive"), final=False)
    points = run(make_training(quantities, freq="MS"), options).points
    assert points[["absolute", "squared"]].notna().all(axis=None)
    y = list(quantities.values())
    before = [*(one[:12] for one in y[:3]), *(one[5:24] for one in y[3:])]
    units = points.groupby("unique_id")["unit"].unique().explode()
    assert units.tolist() == [naive_scales(one, 12).squared for one in before]


def test_nothing_after_the_origin_is_known(small: TrainingSet) -> None:
    dataset = build(small)
    end = backtest.origins(dataset, 20, 1)[1]
    known = cut_history(dataset.history, 20)
    assert known["ds"].max() == end
    assert cut_history(dataset.history, 0) is dataset.history


def test_series_that_end_earlier_have_origins_of_their_own() -> None:
    days = pd.date_range("2025-01-01", periods=40)
    frame = pd.DataFrame({"unique_id": [0] * 40 + [1] * 30, "ds": [*days, *days[:30]], "y": 1.0})
    ends = cut_history(frame, 20).groupby("unique_id")["ds"].max()
    assert ends.tolist() == [days[19], days[9]]


def test_batches_do_not_depend_on_anything_but_the_series(make_training: MakeTraining) -> None:
    dataset = build(make_training({(f"S{n:03d}", "-"): np.ones(20) for n in range(50)}))
    tasks = plan("ets", dataset.history, (FINAL,))
    assert [len(task.ids) for task in tasks] == [24, 24, 2]
    assert len(plan("lstm", dataset.history, (FINAL,))) == 1


def test_the_sample_is_of_the_judged_classes(small: TrainingSet) -> None:
    dataset = build(small)
    picks = backtest.sample(dataset, "prophet")
    classes = dataset.series["demand_class"].loc[picks]
    assert set(classes) == {"smooth", "erratic"}


def rows(values: dict[tuple[int, str], float], cut: int = FINAL) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "unique_id": uid,
                "cut": cut,
                "ds": pd.Timestamp("2025-01-01"),
                "model": model,
                "mean": value,
                **{name: 2 * level * value for name, level in zip(QUANTILES, LEVELS, strict=True)},
            }
            for (uid, model), value in values.items()
        ]
    )


NAIVE = "seasonal_naive"
NONE = np.eye(len(LEVELS))
LEVEL_OF = dict(zip(QUANTILES, LEVELS, strict=True))
SERIES = pd.DataFrame({"demand_class": ["smooth", "lumpy"], "smallest": 0.0, "piece": 0.0})


def test_weights_are_inverse_errors_and_the_bad_are_dropped() -> None:
    weights = ensemble.weigh({"a": 1.0, "b": 1.1, "c": 1.2})
    assert weights["c"] == 0.0
    assert weights["a"] / weights["b"] == pytest.approx(1.1)
    assert sum(weights.values()) == pytest.approx(1.0)


def test_perfect_members_share_equally() -> None:
    assert ensemble.weigh({"a": 0.0, "b": 0.0, "c": 1.0}) == {"a": 0.5, "b": 0.5, "c": 0.0}


def test_a_class_without_backtest_takes_the_pooled_weights() -> None:
    weights = ensemble.class_weights({"*": {"arima": 1.0, "naive": 9.0}}, ["short"])
    assert weights == {"short": {"arima": 1.0, "naive": 0.0}}
    assert ensemble.class_weights({}, ["short"]) == {"short": {"seasonal_naive": 1.0}}


def test_a_model_has_no_weight_where_it_is_no_candidate() -> None:
    errors = {"*": {"prophet": 1.0, "tsb": 1.0}}
    assert ensemble.class_weights(errors, ["lumpy"]) == {"lumpy": {"tsb": 1.0}}


def test_a_class_whose_ensemble_loses_to_seasonal_naive_is_published_as_that() -> None:
    weights = {"smooth": {"arima": 1.0}, "lumpy": {"tsb": 1.0}}
    smooth = {(uid, name): e for uid in range(6) for name, e in (("ensemble", 1.1), (NAIVE, 1.0))}
    lumpy = {(9 + uid, name): e for uid in range(6) for name, e in (("ensemble", 0.9), (NAIVE, 1))}
    both = pd.concat([scored(smooth, "smooth"), scored(lumpy, "lumpy")])
    lost = ensemble.lost_classes(both, backtest.class_errors(both))
    assert lost == {"smooth"}
    guarded = ensemble.guarded(weights, lost)
    assert guarded == {"smooth": {"arima": 0.0, "seasonal_naive": 1.0}, "lumpy": {"tsb": 1.0}}


def test_a_loss_within_the_noise_is_none() -> None:
    excess = [-1.0, 1.2, -1.1, 1.3, -1.0, 0.9]
    errors = {(uid, "ensemble"): 2.0 + e for uid, e in enumerate(excess)}
    errors |= {(uid, NAIVE): 2.0 for uid in range(6)}
    assert backtest.losers(scored(errors, "smooth"), "ensemble") == set()


def test_half_mean_half_median() -> None:
    given = rows({(0, "arima"): 10.0, (0, "lstm"): 20.0, (0, "naive"): 60.0})
    weights = {"smooth": {"arima": 0.2, "lstm": 0.4, "naive": 0.4}, "lumpy": {"arima": 1.0}}
    mixed = ensemble.combine(given, SERIES, weights)
    # the weighted mean is 34, the median 20
    assert mixed["mean"].tolist() == pytest.approx([27.0])
    assert mixed["model"].tolist() == ["ensemble"]


FIVE = ("arima", "ces", "ets", "lstm", "theta")


@pytest.mark.parametrize(
    ("values", "shares", "expected"),
    [
        # the mean of 20, 30 and 40 and the median: a wild member moves neither
        ((10.0, 20.0, 30.0, 40.0, 1000.0), (0.2, 0.2, 0.2, 0.2, 0.2), 30.0),
        ((7.0, 7.0, 7.0, 7.0, 7.0), (0.2, 0.2, 0.2, 0.2, 0.2), 7.0),
        # 20, 20 and 30 by the shares that are left, and the median 20
        ((0.0, 20.0, 20.0, 30.0, 90.0), (0.2, 0.3, 0.2, 0.1, 0.2), (130 / 6 + 20) / 2),
    ],
)
def test_of_five_members_the_mean_leaves_out_the_lowest_and_the_highest(
    values: tuple[float, ...], shares: tuple[float, ...], expected: float
) -> None:
    given = rows({(0, name): value for name, value in zip(FIVE, values, strict=True)})
    weights = {"smooth": dict(zip(FIVE, shares, strict=True))}
    mixed = ensemble.combine(given, SERIES.loc[[0]], weights)
    assert mixed["mean"].tolist() == pytest.approx([expected])


def test_the_page_explains_the_same_combination() -> None:
    values, errors = (12.0, 20.0, 31.0, 44.0, 9.0), (1.0, 1.05, 1.1, 1.14, 1.3)
    given = rows({(0, name): value for name, value in zip(FIVE, values, strict=True)})
    weights = {"smooth": ensemble.weigh(dict(zip(FIVE, errors, strict=True))), "lumpy": {}}
    mixed = ensemble.combine(given, SERIES.loc[[0]], weights)
    assert mixed["mean"].tolist() == pytest.approx([combined(values, errors).value])


def test_a_missing_member_is_not_trimmed() -> None:
    given = rows({(0, name): value for name, value in zip(FIVE[:4], (1, 2, 3, 10), strict=True)})
    mixed = ensemble.combine(given, SERIES, {"smooth": dict.fromkeys(FIVE, 0.2), "lumpy": {}})
    # four are there: half the mean of all, 4, half the median, 2.5
    assert mixed["mean"].tolist() == pytest.approx([3.25])


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ((20.0, 20.0, 20.0), 20.0, 20.0),
        # near the lowest, and a wild member moves nothing
        ((18.0, 20.0, 60.0), 18.0, 20.0),
        ((18.0, 20.0, 6000.0), 18.0, 20.0),
        # one that says zero counts as half the median
        ((0.0, 20.0, 22.0), 10.0, 13.0),
        ((0.0, 0.0, 5.0), 0.0, 0.0),
    ],
)
def test_intermittent_demand_lies_near_the_lowest_member(
    values: tuple[float, ...], low: float, high: float
) -> None:
    names = ("tsb", "ses", "lstm")
    given = rows({(1, name): value for name, value in zip(names, values, strict=True)})
    weights = {"smooth": {"arima": 1.0}, "lumpy": {"tsb": 0.3, "ses": 0.4, "lstm": 0.3}}
    mixed = ensemble.combine(given, SERIES, weights)
    assert low - 1e-9 <= mixed["mean"].item() <= high + 1e-9


def test_quantiles_of_counts_are_mixed_of_the_members_that_are_good_at_them() -> None:
    errors = {"lumpy": {"tsb": 1.0, "ses": 1.1, "lstm": 1.12, "imapa": 1.2}}
    losses = {"lumpy": {"tsb": 0.3, "ses": 0.2, "lstm": 0.21, "imapa": 0.2}}
    weights = ensemble.class_weights(errors, ["lumpy"])
    of_quantiles = ensemble.quantile_weights(weights, losses)
    assert [name for name, share in weights["lumpy"].items() if share] == ["tsb"]
    assert of_quantiles["lumpy"]["tsb"] == 0.0
    assert ensemble.quantile_weights(weights, {}) == weights
    given = rows({(1, "tsb"): 10.0, (1, "ses"): 20.0, (1, "lstm"): 60.0, (1, "imapa"): 20.0})
    mixed = ensemble.combine(given, SERIES.loc[[1]], weights, of_quantiles)
    assert mixed["mean"].tolist() == pytest.approx([10.0])
    # the weighted mean is 32.9, the median 20
    assert mixed["p50"].tolist() == pytest.approx([26.4], abs=0.1)


def test_the_loss_of_quantiles_is_that_of_all_their_levels() -> None:
    given = counts(1.0).assign(unit=4.0)
    wrong = counts(2.0).assign(unit=4.0, model="ses")
    found = backtest.quantile_errors(pd.concat([given, wrong, points(40, 5.0).assign(unit=1.0)]))
    values, actual = given[QUANTILES].to_numpy(), given["actual"].to_numpy()[:, None]
    under, over = np.maximum(actual - values, 0), np.maximum(values - actual, 0)
    loss = (under * LEVELS + over * (1 - np.array(LEVELS))).mean() / 2
    assert found["lumpy"]["arima"] == pytest.approx(loss)
    assert found["lumpy"]["ses"] > 1.2 * loss
    assert set(found) == {"lumpy"}


def test_members_of_counts_are_mixed_as_they_are() -> None:
    given = pd.concat([counts(2.0), counts(2.0).assign(model=NAIVE), points(400, 5.0)])
    assert set(ensemble.of_members(given)) == {("lumpy", NAIVE), ("smooth", "arima")}


def test_what_is_published_as_seasonal_naive_is_calibrated_as_that_alone() -> None:
    given = rows({(0, NAIVE): 10.0, (0, "arima"): 99.0})
    doubled = 2 * np.eye(len(LEVELS))
    found = {("smooth", NAIVE): doubled, ("smooth", "ensemble"): 7 * doubled}
    alone = {"smooth": {NAIVE: 1.0, "arima": 0.0}}
    wider = pd.Series({(0, 0): 3.0})
    published = ensemble.forecast(given, SERIES.loc[[0]], alone, alone, found, {}, wider, Found())
    values = published.set_index("model")["p90"]
    assert values["ensemble"] == values[NAIVE] == pytest.approx(2 * 2 * 0.9 * 10)


@pytest.mark.parametrize(("pooled", "published"), [(0.036, 0.0), (5e-6, 5e-6)])
def test_a_mean_of_less_than_any_demand_is_published_as_none(
    pooled: float, published: float
) -> None:
    """Members of what was asked for once decay and never reach zero."""
    values = {"tsb": 3e-118, "imapa": 2.2e-9, "pooled": pooled}
    if published:
        values = dict.fromkeys(values, published)
    given = rows({(1, name): value for name, value in values.items()})
    shares = {"lumpy": dict.fromkeys(values, 1 / 3)}
    found = ensemble.forecast(
        given, SERIES.loc[[1]], shares, shares, {}, {}, pd.Series({(1, 0): 1.0}), Found()
    )
    means = found.set_index("model")["mean"]
    assert means.loc["ensemble"] == pytest.approx(published, rel=1e-9, abs=0)
    assert means.drop("ensemble").to_dict() == values


def test_weights_go_to_the_members_that_are_there() -> None:
    given = rows({(0, "arima"): 10.0, (1, "seasonal_naive"): 7.0})
    weights = {"smooth": {"arima": 0.5, "lstm": 0.5}, "lumpy": {"lstm": 1.0}}
    mixed = ensemble.combine(given, SERIES, weights).set_index("unique_id")
    assert mixed.loc[0, "mean"] == pytest.approx(10.0)
    assert mixed.loc[1, "mean"] == pytest.approx(7.0)


def test_a_failed_series_gets_seasonal_naive_under_the_model_s_name() -> None:
    given = rows({(0, "arima"): 10.0, (0, "seasonal_naive"): 1.0, (1, "seasonal_naive"): 2.0})
    fits = Fits(given, [Failure(1, FINAL, "arima", "why")], {}, {})
    filled = with_fallbacks(fits, given).rows.set_index(["unique_id", "model"])
    assert filled.loc[(1, "arima"), "mean"] == 2.0
    assert filled.loc[(0, "arima"), "mean"] == 10.0


def test_a_model_that_failed_everywhere_is_left_out() -> None:
    given = rows({(0, "seasonal_naive"): 1.0})
    fits = Fits(given, [Failure(0, FINAL, "lstm", "why")], {}, {})
    assert set(with_fallbacks(fits, given).rows["model"]) == {"seasonal_naive"}


def points(count: int, spread: float, demand_class: str = "smooth") -> pd.DataFrame:
    random = np.random.default_rng(8)
    steps = spread * norm.ppf(LEVELS) / norm.ppf(0.9)
    return pd.DataFrame(
        {
            "unique_id": np.arange(count) % 10,
            "cut": 1,
            "model": "arima",
            "demand_class": demand_class,
            "actual": 100 + random.normal(0, 10, count),
        }
        | dict(zip(QUANTILES, 100 + steps, strict=True))
    )


def ten(demand_class: str, piece: float = 0.0) -> pd.DataFrame:
    """The ten series of `points`."""
    facts = {"demand_class": demand_class, "smallest": piece, "piece": piece}
    return pd.DataFrame(facts, index=range(10))


def held(rows: pd.DataFrame, level: float) -> float:
    below, upto = calibrate.transform(
        rows[QUANTILES].to_numpy(dtype=float), rows["actual"].to_numpy(dtype=float)
    )
    return calibrate.held(below, upto, level)


@pytest.mark.parametrize("spread", [5.0, 12.8, 40.0])
def test_widths_bring_the_coverage_to_what_is_promised(spread: float) -> None:
    given, series = points(2000, spread), ten("smooth")
    fixed = calibrate.apply(given, series, calibrate.corrections(given))
    for low, high, share in (("p10", "p90", 0.8), ("p2.5", "p97.5", 0.95)):
        inside = given["actual"].between(fixed[low], fixed[high]).mean()
        assert inside == pytest.approx(share, abs=0.025)


def counts(promised: float, piece: float = 1.0, size: int = 4000) -> pd.DataFrame:
    """Poisson demand in pieces, forecast to be `promised` times as much."""
    random = np.random.default_rng(2)
    rates = random.uniform(0.1, 3.0, size)
    wrong = piece * poisson.ppf(np.array(LEVELS)[:, None], promised * rates)
    given = points(size, 1.0, "lumpy").assign(actual=piece * random.poisson(rates))
    return given.assign(**dict(zip(QUANTILES, wrong, strict=True)))


@pytest.mark.parametrize("piece", [1.0, 4.0])
def test_counts_are_calibrated_by_their_randomised_transform(piece: float) -> None:
    given, series = counts(2.0, piece), ten("lumpy", piece)
    found = {("lumpy", "arima"): calibrate.correction("lumpy", given)}
    fixed = calibrate.apply(given, series, found)
    assert np.allclose(fixed[QUANTILES] % piece, 0.0)
    for level in (0.5, 0.9, 0.95):
        # uncorrected they are off by up to 0.33
        assert held(fixed, level) == pytest.approx(level, abs=0.05)


@pytest.mark.parametrize("origins", [1, 2, 6])
def test_levels_of_counts_move_the_further_the_more_origins_say_so(origins: int) -> None:
    given = pd.concat([counts(1.5).assign(cut=cut) for cut in range(1, origins + 1)])
    whole = np.abs(calibrate.correction("lumpy", given) - NONE).sum()
    moved = np.abs(calibrate.corrections(given)["lumpy", "arima"] - NONE).sum()
    assert moved / whole == pytest.approx(origins / (origins + 2))


def test_a_level_between_none_and_one_is_not_always_none() -> None:
    """Promised are none up to 60 or 70 %; it is none in 55 % of all periods."""
    random = np.random.default_rng(5)
    late = np.arange(4000) % 2 == 1
    given = points(4000, 1.0, "lumpy").assign(actual=random.random(4000) > 0.55)
    pieces = {name: np.where(late, level > 0.65, level > 0.55) for name, level in LEVEL_OF.items()}
    given = given.assign(**pieces).astype(dict.fromkeys(["actual", *QUANTILES], float))
    series = ten("lumpy", 1.0)
    found = {("lumpy", "arima"): calibrate.correction("lumpy", given)}
    fixed = calibrate.apply(given, series, found)
    assert held(fixed, 0.5) == pytest.approx(0.5, abs=0.03)


def test_a_shift_widens_both_sides_alike() -> None:
    given = points(4000, 12.8)
    given = given.assign(actual=given["actual"] + 10)
    fixed = given[QUANTILES].to_numpy() @ calibrate.correction("smooth", given)
    low, median, high = (fixed[0, LEVELS.index(level)] for level in (0.1, 0.5, 0.9))
    assert high - median == pytest.approx(median - low)
    assert given["actual"].between(low, high).mean() == pytest.approx(0.8, abs=0.02)


def test_members_are_corrected_as_far_as_the_origins_agree() -> None:
    near, far = points(4000, 12.8), points(4000, 12.8).assign(cut=2)
    p90 = LEVELS.index(0.9)
    alike = pd.concat([near, far]).assign(actual=lambda rows: 2 * rows["actual"] - 100)
    assert calibrate.correction("smooth", alike, agreed=True)[p90, p90] == pytest.approx(2, abs=0.1)
    wild = pd.concat([near, far.assign(actual=lambda rows: 3 * rows["actual"] - 200)])
    whole = calibrate.correction("smooth", wild)[p90, p90]
    assert 1.0 < calibrate.correction("smooth", wild, agreed=True)[p90, p90] < whole - 0.1


def test_a_small_class_is_corrected_mostly_like_the_others() -> None:
    narrow, right = points(4000, 6.4), points(400, 12.8, "erratic")
    ids = np.arange(4000) % 400
    found = calibrate.corrections(pd.concat([narrow.assign(unique_id=ids), right]))
    p90 = LEVELS.index(0.9)
    shared = found["smooth", "arima"][p90, p90]
    assert shared == pytest.approx(2.0, abs=0.15)
    assert 1.5 < found["erratic", "arima"][p90, p90] < shared
    alone = calibrate.corrections(right)["erratic", "arima"]
    assert alone[p90, p90] == pytest.approx(1.0, abs=0.1)


def test_few_points_change_nothing() -> None:
    given = points(40, 5.0)
    assert np.array_equal(calibrate.corrections(given)["smooth", "arima"], NONE)


def scored(errors: dict[tuple[int, str], float], demand_class: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "demand_class": demand_class,
                "unique_id": uid,
                "model": model,
                "absolute": error,
                "squared": error**2,
            }
            for (uid, model), error in errors.items()
        ]
    )


def test_a_sampled_model_is_compared_on_its_sample() -> None:
    # the sample (series 0) is twice as hard as the rest, and prophet is 10 % better on it
    errors = {(uid, "arima"): 2.0 if uid == 0 else 1.0 for uid in range(5)}
    table = backtest.class_errors(scored(errors | {(0, "prophet"): 1.8}, "smooth"))["smooth"]
    assert table["arima"] == pytest.approx(1.2)
    assert table["prophet"] == pytest.approx(1.2 * 0.9)


def test_small_classes_are_only_pooled() -> None:
    table = backtest.class_errors(scored({(0, "arima"): 1.0, (0, "naive"): 2.0}, "smooth"))
    assert table == {"*": {"arima": 1.0, "naive": 2.0}}
