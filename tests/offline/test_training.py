"""A whole run: the bundle's contract, the same numbers again, failures that are counted."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.errors import InvalidInput
from models_offline import bundle, cli, ensemble
from models_offline.checkpoints import Store
from models_offline.fitting import FINAL, Failure
from models_offline.models import MODELS
from models_offline.models.arima import Arima
from models_offline.training import Options, Results, prepared, run, train
from tests.offline.conftest import MakeTraining, shapes, training_set
from warehouse.queries.training import TrainingSet

ROOT = Path(__file__).resolve().parents[2]
HORIZON = 14
KEYS = ["sku", "site", "model"]


@pytest.fixture(scope="module")
def results(small: TrainingSet) -> Results:
    return run(small, Options(horizon=HORIZON))


@pytest.fixture(scope="module")
def written(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle.write(results, tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="module")
def manifest(written: Path) -> dict[str, Any]:
    return json.loads((written / "manifest.json").read_text())


def table(folder: Path, name: str) -> pd.DataFrame:
    return pq.read_table(folder / f"{name}.parquet").to_pandas()


def test_the_folder_is_named_and_nothing_partial_is_left(
    written: Path, manifest: dict[str, Any]
) -> None:
    stamp, fingerprint = written.name.split("-")
    assert len(stamp) == 16 and stamp.endswith("Z")
    assert manifest["dataset"]["fingerprint"].startswith(fingerprint)
    assert [path.name for path in written.parent.iterdir()] == [written.name]


def test_the_manifest_counts_and_signs_every_file(written: Path, manifest: dict[str, Any]) -> None:
    assert set(manifest["files"]) | {"manifest.json"} == {p.name for p in written.iterdir()}
    for name, facts in manifest["files"].items():
        content = (written / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == facts["sha256"]
        assert pq.read_metadata(written / name).num_rows == facts["rows"]


def test_the_manifest_says_where_the_numbers_come_from(
    manifest: dict[str, Any], small: TrainingSet
) -> None:
    assert (manifest["format"], manifest["schema_version"]) == ("nova-corrente-results", 1)
    assert (manifest["frequency"], manifest["horizon"]) == ("D", HORIZON)
    assert (manifest["origins"], manifest["season_length"]) == (2, 7)
    assert manifest["trainer"]["limit"] is None
    assert manifest["trainer"]["libraries"]["numpy"] == np.__version__
    assert manifest["checkpoints"]["computed"] == manifest["checkpoints"]["fits"] > 0
    assert manifest["dataset"]["rows"] == len(small.demand)
    assert not any(one["used"] for one in manifest["drivers"])  # 150 days: no year of holidays
    assert manifest["dataset"]["demand_total"] == small.demand["quantity"].sum()
    assert manifest["dataset"]["data_version"] == "7"
    assert manifest["counts"]["series_total"] == len(shapes())
    by_name = {model["name"]: model for model in manifest["models"]}
    assert set(by_name) == {*MODELS, "ensemble"}
    for name in ("arima", "prophet", "lstm", "lightgbm", "theta", "tsb"):
        assert by_name[name]["version"]
        assert by_name[name]["seconds"] > 0
    assert by_name["prophet"]["parameters"]["judged_on_sample"] == {"smooth": 2, "erratic": 1}


@pytest.mark.parametrize(
    "name", [*bundle.TABLES, "hierarchy.parquet", "hierarchy_accuracy.parquet"]
)
def test_the_columns_have_the_types_of_the_contract(written: Path, name: str) -> None:
    assert pq.read_schema(written / name).remove_metadata() == pa.schema(bundle.SCHEMAS[name])


def test_every_trained_series_has_every_date_of_the_horizon(
    written: Path, manifest: dict[str, Any]
) -> None:
    forecast = table(written, "forecast")
    dates = pd.date_range("2024-05-30", periods=HORIZON).date.tolist()
    for _, group in forecast.groupby(KEYS):
        assert group["date"].tolist() == dates
    trained = manifest["counts"]["series_trained"]
    for model in ("ensemble", "seasonal_naive", "lightgbm", "lstm", "naive", "moving_average"):
        here = forecast[forecast["model"] == model]
        assert here[["sku", "site"]].drop_duplicates().shape[0] == trained


@pytest.mark.parametrize("name", ["forecast", "backtest"])
def test_forecasts_are_finite_ordered_and_not_negative(written: Path, name: str) -> None:
    rows = table(written, name)
    values = rows[["mean", "p10", "p50", "p90"]].to_numpy()
    assert np.isfinite(values).all() and (values >= 0).all()
    assert (rows["p10"] <= rows["p50"]).all() and (rows["p50"] <= rows["p90"]).all()
    assert not rows.duplicated([*KEYS, "date"]).any()


def test_accuracy_can_be_recomputed_from_the_backtest(written: Path) -> None:
    accuracy = table(written, "forecast_accuracy").set_index(KEYS)
    points = table(written, "backtest")
    error = points["mean"] - points["actual"]
    groups = points.assign(error=error, size=error.abs()).groupby(KEYS)
    sums = groups[["size", "error", "actual"]].sum()
    assert len(accuracy) == len(sums)
    assert accuracy["points"].to_dict() == groups.size().to_dict()
    assert accuracy["abs_error_sum"].to_dict() == pytest.approx(sums["size"].to_dict())
    has = sums["actual"] > 0
    wape = (sums["size"] / sums["actual"])[has]
    assert accuracy.loc[wape.index, "wape"].to_dict() == pytest.approx(wape.to_dict())
    assert accuracy["wape"].isna().sum() == (~has).sum()


def test_undefined_measures_are_null_not_nan(written: Path) -> None:
    for name in ("forecast_accuracy", "series_profile"):
        for column in pq.read_table(written / f"{name}.parquet").columns:
            if pa.types.is_floating(column.type):
                values = column.drop_null().to_numpy()
                assert np.isfinite(values).all()


def test_profiles_carry_class_champion_and_weights(written: Path) -> None:
    profile = table(written, "series_profile").set_index(["sku", "site"])
    assert len(profile) == len(shapes())
    assert profile.loc[("CABO", "DEP-SP"), "demand_class"] == "smooth"
    for text in profile["weights"]:
        assert sum(json.loads(text).values()) == pytest.approx(1.0)
    assert profile["champion"].notna().all()
    assert set(profile["abc"]) <= set("ABC") and set(profile["xyz"]) <= set("XYZ")


def test_the_champion_of_a_small_class_is_one_of_its_candidates(
    results: Results, tmp_path: Path
) -> None:
    assert set(results.errors) == {"*"}
    errors = dict.fromkeys(results.errors["*"], 0.9) | {"imapa": 0.5, "ses": 0.6, "ets": 0.7}
    written = bundle.write(replace(results, errors={"*": errors}), tmp_path)
    profile = table(written, "series_profile")
    champions = dict(zip(profile["demand_class"], profile["champion"], strict=True))
    assert (champions["smooth"], champions["intermittent"]) == ("ets", "imapa")
    forecast = set(table(written, "forecast")[KEYS].itertuples(index=False, name=None))
    mine = profile[["sku", "site", "champion"]].itertuples(index=False, name=None)
    assert set(mine) <= forecast


def test_a_dead_series_is_forecast_as_dead(make_training: MakeTraining) -> None:
    days = np.arange(400)
    training = make_training({("A", "-"): (days < 60) * 5, ("B", "-"): 5 + days % 7})
    done = run(training, Options(horizon=7, models=("arima", "moving_average")))
    mine = done.forecast.query("unique_id == 0 and model == 'ensemble'")
    assert done.dataset.series.loc[0, "demand_class"] == "dead"
    assert mine["mean"].max() == pytest.approx(0.0, abs=1e-6)


def test_where_the_guard_fires_the_accuracy_is_that_of_what_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(5)
    even = {(f"EVEN-{number}", "-"): random.poisson(40, 90) for number in range(5)}
    rare = {(f"RARE-{number}", "-"): (random.random(90) < 0.3) * 2 for number in range(5)}
    training = training_set(even | rare)
    monkeypatch.setattr(ensemble, "lost_classes", lambda points, errors: {"smooth"})
    done = run(training, Options(horizon=HORIZON, models=("naive", "moving_average")))
    folder = bundle.write(done, tmp_path)
    for name in ("forecast", "backtest", "forecast_accuracy"):
        rows = table(folder, name)
        for prefix, same in (("EVEN", True), ("RARE", False)):
            mine = rows[rows["sku"].str.startswith(prefix)].groupby("model")
            mixed, naive = (
                mine.get_group(model).drop(columns="model").reset_index(drop=True)
                for model in ("ensemble", "seasonal_naive")
            )
            assert mixed.equals(naive) == same, (name, prefix)
    errors = done.errors["smooth"]
    assert errors["ensemble"] < errors["seasonal_naive"]
    facts = json.loads((folder / "manifest.json").read_text())
    said = facts["models"][-1]["parameters"]
    assert said["class_error"]["smooth"] == round(errors["ensemble"], 4)
    assert said["value_added"]["smooth"] == 0.0 < said["value_added"]["intermittent"]
    cli.print_summary(done)
    assert "smooth: the ensemble lost to seasonal naive" in capsys.readouterr().out


def test_a_history_too_short_for_a_backtest_is_still_forecast(make_training: MakeTraining) -> None:
    done = run(make_training({("A", "-"): [3, 4, 5, 3, 4]}), Options(models=("naive", "arima")))
    assert done.origins == {} and done.accuracy.empty
    mine = done.forecast.query("model == 'ensemble'")
    assert len(mine) == 30 and np.isfinite(mine["mean"]).all()


def test_a_history_whose_dates_are_no_starts_of_periods_is_refused(
    make_training: MakeTraining,
) -> None:
    dataset = prepared(make_training({("A", "-"): np.arange(1, 40)}, freq="MS"), Options())
    ends = dataset.history["ds"] + pd.offsets.MonthEnd()
    moved = replace(dataset, history=dataset.history.assign(ds=ends))
    with pytest.raises(InvalidInput, match="first days of consecutive periods"):
        train(moved, Options(models=("naive",)))


def test_such_a_run_makes_a_valid_bundle(make_training: MakeTraining, tmp_path: Path) -> None:
    done = run(make_training({("A", "-"): [3, 4, 5, 3, 4]}), Options(models=("naive",)))
    written = bundle.write(done, tmp_path)
    assert len(table(written, "forecast")) == 3 * 30
    assert len(table(written, "backtest")) == 0
    assert len(table(written, "series_profile")) == 1


@pytest.mark.parametrize(("freq", "horizon", "last"), [("W-MON", 13, "2025-03-24"), ("MS", 12, "")])
def test_weekly_and_monthly_horizons(
    make_training: MakeTraining, freq: str, horizon: int, last: str
) -> None:
    random = np.random.default_rng(1)
    training = make_training({("A", "-"): random.poisson(9, 52) + 1}, freq=freq)
    done = run(training, Options(models=("arima", "moving_average")))
    dates = done.forecast.query("model == 'ensemble'")["ds"]
    assert len(dates) == horizon
    if freq == "MS":
        assert dates.iloc[0] == pd.Timestamp("2028-05-01") and set(dates.dt.day) == {1}
    else:
        assert dates.iloc[-1] == pd.Timestamp(last) and set(dates.dt.dayofweek) == {0}


def test_the_same_seed_gives_the_same_numbers_on_any_number_of_processes(
    results: Results, small: TrainingSet
) -> None:
    again = run(small, Options(horizon=HORIZON, jobs=2))
    pd.testing.assert_frame_equal(again.forecast, results.forecast, check_exact=True)
    pd.testing.assert_frame_equal(again.points, results.points, check_exact=True)
    assert again.weights == results.weights


def test_a_failing_series_falls_back_and_is_counted(
    small: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit_one = Arima.fit_one

    def fail_on_one(self: Arima, series: Any) -> Any:
        if series.unique_id == 2:
            raise RuntimeError("the optimiser gave up")
        return fit_one(self, series)

    monkeypatch.setattr(Arima, "fit_one", fail_on_one)
    done = run(small, Options(horizon=HORIZON, models=("arima", "naive")))
    done.fits.failures.append(Failure(2, FINAL, "compound", "no candidate of smooth demand"))
    written = bundle.write(done, tmp_path)
    facts = json.loads((written / "manifest.json").read_text())
    name = done.dataset.series.loc[2, ["sku", "site"]].to_dict()
    assert facts["counts"]["series_fallback"] == 1
    assert facts["fallbacks"] == [
        {**name, "model": "arima", "reason": "RuntimeError: the optimiser gave up"}
    ]
    forecast = table(written, "forecast").query("sku == @name['sku'] and site == @name['site']")
    assert facts["failure_reasons"] == [
        {"model": "arima", "reason": "RuntimeError: the optimiser gave up", "series": 1}
    ]
    arima, naive = (
        forecast.query("model == @model")["mean"].tolist() for model in ("arima", "seasonal_naive")
    )
    assert arima == naive
    profile = table(written, "series_profile")
    assert profile["fallback_reason"].notna().sum() == 1


def test_of_a_new_item_members_that_cannot_forecast_it_are_left_out(
    make_training: MakeTraining, tmp_path: Path
) -> None:
    random = np.random.default_rng(7)
    long = {(f"LONG-{number}", "-"): random.poisson(200, 60) for number in range(3)}
    new = {("PAIR", "-"): [100, 500], ("FEWER", "-"): [10, 1], ("ONE", "-"): [7]}
    padded = {name: np.r_[np.zeros(60 - len(y)), y] for name, y in new.items()}
    models = ("lightgbm", "moving_average", "naive")
    done = run(make_training(long | padded), Options(horizon=7, models=models))
    forecast = done.forecast.join(done.dataset.series["sku"], on="unique_id")
    fresh = forecast[forecast["sku"].isin([sku for sku, _ in new])]
    shares = {model: share for model, share in done.weights["short"].items() if share > 0}
    assert set(shares) == {"lightgbm", "moving_average"}
    assert "lightgbm" not in set(fresh["model"])
    mixed = fresh[fresh["model"] == "ensemble"]
    assert (mixed.groupby("sku").size() == 7).sum() == len(new)
    assert (mixed["p10"] <= mixed["mean"]).all() and (mixed["mean"] <= mixed["p90"]).all()
    assert (mixed["p10"] < mixed["p90"]).all()
    left = fresh[fresh["model"] == "moving_average"]
    assert mixed["mean"].tolist() == pytest.approx(left["mean"].tolist())
    facts = json.loads((bundle.write(done, tmp_path) / "manifest.json").read_text())
    assert facts["counts"]["series_fallback"] == len(new)
    assert {one["reason"]: one["series"] for one in facts["failure_reasons"]} == {
        "2 periods are too few": 2,
        "1 periods are too few": 1,
    }


def test_a_model_that_cannot_run_at_all_is_left_out_and_counted(
    small: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Arima, series: Any) -> Any:
        raise ImportError("no such library")

    monkeypatch.setattr(Arima, "fit_one", fail)
    done = run(small, Options(horizon=HORIZON, models=("arima", "naive")))
    facts = json.loads((bundle.write(done, tmp_path) / "manifest.json").read_text())
    arima = next(model for model in facts["models"] if model["name"] == "arima")
    assert arima["failures"] > 0
    assert "arima" not in set(done.forecast["model"])
    assert all("arima" not in shares for shares in done.weights.values())


def test_a_bundle_that_cannot_be_finished_leaves_nothing(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(bundle, "make_manifest", fail)
    with pytest.raises(OSError, match="disk full"):
        bundle.write(results, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_is_swept_away_and_a_living_ones_is_not(
    results: Results, tmp_path: Path
) -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    dead, alive = (tmp_path / f".x.{pid}.partial" for pid in (done.pid, os.getpid()))
    dead.mkdir()
    alive.mkdir()
    bundle.write(results, tmp_path)
    assert (dead.exists(), alive.exists()) == (False, True)


def test_the_command_trains_writes_and_names_the_bundle(
    small: TrainingSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cli, "_training_set", lambda: small)
    options = ["--limit", "3", "--jobs", "1", "--models", "arima,naive", "--out", str(tmp_path)]
    assert cli.main(["train", *options]) == 0
    output = capsys.readouterr()
    written = Path(output.out.splitlines()[-1])
    assert written.parent == tmp_path
    facts = json.loads((written / "manifest.json").read_text())
    assert facts["trainer"]["limit"] == 3
    assert facts["counts"]["series_trained"] == 3
    assert facts["counts"]["series_total"] == len(shapes())
    assert facts["trainer"]["limit_rule"]
    assert "models: 100 %" in output.err
    assert cli.main(["train", *options]) == 0
    assert " 0 computed; series refit: 0 of 3" in capsys.readouterr().out
    assert cli.main(["train", "--fresh", *options]) == 0
    assert " 0 resumed, 0 reused, " in capsys.readouterr().out


def test_backtest_prints_the_leaderboard_and_writes_nothing(
    small: TrainingSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_training_set", lambda: small)
    assert cli.main(["backtest", "--jobs", "1", "--models", "arima,naive"]) == 0
    printed = capsys.readouterr().out
    assert "ensemble" in printed and "smooth" in printed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["backtest"], ["benchmark", "levels"]], ids=" ".join)
def test_a_history_too_short_for_a_backtest_ends_with_a_message(
    command: list[str],
    make_training: MakeTraining,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cli, "_training_set", lambda: make_training({("A", "-"): np.ones(37)}))
    assert cli.main([*command, "--jobs", "1"]) == 2
    said = capsys.readouterr().err
    assert "no series has 38 periods (D), 8 before a horizon of 30" in said
    assert "--horizon" in said


def test_series_that_weeks_leave_out_and_weeks_without_rows_are_told(
    make_training: MakeTraining,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    numbers = np.arange(37)
    days = {("A", "-"): numbers // 7 != 1, ("NEW", "-"): numbers == 36}
    monkeypatch.setattr(cli, "_training_set", lambda: make_training(days))
    options = ["--freq", "W", "--jobs", "1", "--models", "naive", "--out", str(tmp_path)]
    assert cli.main(["train", *options]) == 0
    printed = capsys.readouterr().out
    assert "1 series left out, without demand in a whole period (W): NEW at -\n" in printed
    assert "periods without any row, taken for no demand: 1 (2024-01-08)\n" in printed
    facts = json.loads((Path(printed.splitlines()[-1]) / "manifest.json").read_text())
    assert facts["left_out"] == [{"sku": "NEW", "site": "-"}]
    assert (facts["counts"]["series_total"], facts["counts"]["series_left_out"]) == (1, 1)


def test_no_demand_ends_with_a_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = training_set({("A", "-"): np.zeros(3)})
    monkeypatch.setattr(cli, "_training_set", lambda: empty)
    assert cli.main(["train", "--jobs", "1"]) == 2
    assert "there is no demand to train on" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        *(["--models", "magic"], ["--horizon", "0"], ["--freq", "Y"], ["--limit", "-3"]),
        *(["--horizon", "1.5"], ["--seed", "many"]),
    ],
)
def test_wrong_options_are_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", *wrong])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert wrong[1] in said and " _" not in said


@pytest.mark.parametrize(
    ("error", "status"), [(OSError, cli.FAILED), (KeyboardInterrupt, cli.INTERRUPTED)]
)
def test_what_ends_a_training_says_whether_there_is_a_bundle(
    error: type[BaseException],
    status: int,
    make_training: MakeTraining,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "_training_set", lambda: make_training({("A", "-"): np.ones(9)}))
    command = ["train", "--jobs", "1", "--models", "naive", "--out", str(tmp_path)]
    with monkeypatch.context() as patch:
        patch.setattr(bundle, "make_manifest", fail)
        assert cli.main(command) == status
    assert "no bundle was written; started again, it goes on\n" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    with monkeypatch.context() as patch:
        patch.setattr(Store, "finish", fail)
        assert cli.main(command) == status
    assert "no bundle" not in capsys.readouterr().err
    assert len(list(tmp_path.iterdir())) == 1


def test_the_trainer_imports_no_web_library_and_waits_with_the_heavy_ones() -> None:
    code = (
        "import sys, models_offline.training, models_offline.bundle, models_offline.cli\n"
        "import warehouse.queries.training, warehouse.db\n"
        "heavy = ('flask', 'dash', 'tensorflow', 'prophet', 'statsforecast', 'statsmodels')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
