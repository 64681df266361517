"""What was fitted is found again, by content; what is not exactly that is computed."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domain.errors import Unavailable
from models_offline import checkpoints, keys, shards
from models_offline.checkpoints import Store, opened
from models_offline.dataset import build
from models_offline.frequency import FREQUENCIES
from models_offline.histories import Histories
from models_offline.models import lstm
from models_offline.models.base import Setup
from models_offline.training import Options, Results, run
from tests.offline.conftest import MakeTraining, shapes, training_set
from warehouse.queries.training import TrainingSet

OPTIONS = Options(horizon=14, models=("naive", "ses", "moving_average"))


def trained(folder: Path, training: TrainingSet, name: str = "first", **options: bool) -> Results:
    """A finished run with checkpoints in `folder`."""
    with opened(folder, **options) as store:
        results = run(training, OPTIONS, store)
        store.finish(name)
    return results


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, small: TrainingSet) -> tuple[Path, Results]:
    """The folder of a finished run, which is for copying, and its results."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, trained(folder, small)


@pytest.fixture
def first(tmp_path: Path, finished: tuple[Path, Results]) -> Results:
    """The results of a finished run with checkpoints in `tmp_path`."""
    folder, results = finished
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return results


def same(first: Results, second: Results) -> None:
    pd.testing.assert_frame_equal(first.forecast, second.forecast, check_exact=True)
    pd.testing.assert_frame_equal(first.points, second.points, check_exact=True)
    assert first.weights == second.weights
    assert first.fits.failures == second.fits.failures


def changed(sku: str = "CABO", site: str = "DEP-SP") -> TrainingSet:
    """The training set of all shapes, with one more unit in one series' last period."""
    quantities = shapes()
    quantities[sku, site] = quantities[sku, site] + (np.arange(150) == 149)
    return training_set(quantities, costs={"CABO": 10.0, "BATERIA": 900.0})


def test_the_same_data_need_no_fit_at_all(
    tmp_path: Path, small: TrainingSet, first: Results
) -> None:
    again = trained(tmp_path, small, "second")
    facts = again.tally.facts()
    assert (facts["computed"], facts["reused_from"]) == (0, {"first": facts["fits"]})
    assert (facts["series_refit"], facts["series_reused"]) == (0, len(shapes()))
    same(first, again)
    same(run(small, OPTIONS), again)


@pytest.mark.usefixtures("first")
def test_new_data_in_one_series_refit_only_that_one(tmp_path: Path) -> None:
    again = trained(tmp_path, changed(), "second")
    facts = again.tally.facts()
    assert (facts["series_refit"], facts["series_reused"]) == (1, len(shapes()) - 1)
    assert again.tally.refit == {
        again.dataset.series.query("sku == 'CABO' and site == 'DEP-SP'").index[0]
    }
    same(run(changed(), OPTIONS), again)


def test_a_new_series_moves_the_others_but_refits_none(
    tmp_path: Path, make_training: MakeTraining
) -> None:
    random = np.random.default_rng(1)
    old = {(f"S{n}", "-"): random.poisson(5, 90) for n in range(4)}
    trained(tmp_path, make_training(old))
    more = make_training({("A", "-"): random.poisson(5, 90), **old})
    again = trained(tmp_path, more, "second")
    assert again.tally.refit == {0}
    same(run(more, OPTIONS), again)


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize(
    "other", [{"seed": 2}, {"horizon": 13}, {"frequency": "W", "horizon": 2}], ids=str
)
def test_another_seed_horizon_or_frequency_reuses_nothing(
    tmp_path: Path, small: TrainingSet, other: dict[str, Any]
) -> None:
    options = replace(OPTIONS, **other)
    with opened(tmp_path) as store:
        facts = run(small, options, store).tally.facts()
    assert (facts["reused"], facts["resumed"]) == (0, 0)


@pytest.mark.usefixtures("first")
def test_other_libraries_or_other_code_reuse_nothing(
    tmp_path: Path, small: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "environment", lambda: "another version")
    assert trained(tmp_path, small, "second").tally.facts()["reused"] == 0


def test_fresh_computes_everything(tmp_path: Path, small: TrainingSet, first: Results) -> None:
    again = trained(tmp_path, small, "second", fresh=True)
    assert again.tally.facts()["computed"] == first.tally.fits
    same(first, again)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_damaged_files_are_noticed_said_and_computed_again(
    tmp_path: Path,
    small: TrainingSet,
    first: Results,
    damage: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    victim = max((tmp_path / "fits").iterdir(), key=lambda path: path.stat().st_size)
    content = victim.read_bytes()
    middle = len(content) // 2
    damaged = {
        "flip": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "cut": content[:middle],
        "empty": b"",
    }
    victim.write_bytes(damaged[damage])
    again = trained(tmp_path, small, "second")
    facts = again.tally.facts()
    assert facts["damaged_files"] == 1 and 0 < facts["computed"] < facts["fits"]
    assert "1 damaged checkpoint files" in capsys.readouterr().err
    same(first, again)


def test_a_damaged_list_of_a_run_is_no_harm(
    tmp_path: Path, small: TrainingSet, first: Results
) -> None:
    (tmp_path / "runs" / "first.json").write_text('{"keys": [')
    again = trained(tmp_path, small, "second")
    assert again.tally.facts()["damaged_files"] == 1
    same(first, again)


@pytest.mark.usefixtures("first")
def test_a_torn_file_is_removed(tmp_path: Path, small: TrainingSet) -> None:
    torn = tmp_path / "fits" / "0123.tmp"
    torn.write_bytes(b"half")
    trained(tmp_path, small, "second")
    assert not torn.exists()


def test_only_what_the_last_runs_used_is_kept(tmp_path: Path, small: TrainingSet) -> None:
    sizes = []
    for number in range(5):
        quantities = {
            key: values + (np.arange(150) == 149) * number for key, values in shapes().items()
        }
        trained(tmp_path, training_set(quantities), f"run{number}")
        sizes.append(sum(path.stat().st_size for path in (tmp_path / "fits").iterdir()))
    assert sizes[1] < sizes[4] * 1.5 and sizes[4] < sizes[1] * 1.5
    assert sorted(path.stem for path in (tmp_path / "runs").iterdir()) == ["run3", "run4"]


def test_what_a_run_left_unfinished_is_kept_beside(tmp_path: Path, small: TrainingSet) -> None:
    with opened(tmp_path) as store:
        left = run(changed(), OPTIONS, store).tally
    trained(tmp_path, small)
    again = trained(tmp_path, changed(), "second").tally.facts()
    assert again["computed"] == 0
    assert again["resumed"] == left.fits - again["reused"] > 0


def test_a_shard_mostly_out_of_use_is_written_anew(
    tmp_path: Path, make_training: MakeTraining
) -> None:
    random = np.random.default_rng(1)
    series = {(f"S{n}", "-"): random.poisson(5, 90) for n in range(20)}
    first = trained(tmp_path, make_training(series))
    few = dict(list(series.items())[:3])
    for number in range(checkpoints.KEPT_RUNS):
        last = trained(tmp_path, make_training(few), f"few{number}")
    held = [
        facts["key"]
        for path in (tmp_path / "fits").iterdir()
        for facts in shards.header(path.read_bytes())
    ]
    assert last.tally.facts()["computed"] == 0
    assert len(held) == last.tally.fits < first.tally.fits
    assert trained(tmp_path, make_training(few), "again").tally.facts()["computed"] == 0


@pytest.mark.fault
def test_a_second_training_on_the_same_folder_is_refused(
    tmp_path: Path, small: TrainingSet
) -> None:
    with opened(tmp_path), pytest.raises(Unavailable, match="another training uses"):
        trained(tmp_path, small)
    same(run(small, OPTIONS), trained(tmp_path, small))


def test_equal_histories_are_fitted_once(make_training: MakeTraining) -> None:
    values = np.random.default_rng(1).poisson(5, 90)
    store = Store()
    done = run(make_training({("A", "-"): values, ("B", "-"): values}), OPTIONS, store)
    first, second = (done.forecast.query(f"unique_id == {one}") for one in (0, 1))
    columns = first.columns.drop("unique_id")
    assert np.array_equal(first[columns].to_numpy(), second[columns].to_numpy())
    kept = [one for blob in store._memory.values() for one in shards.header(blob)]
    assert len(kept) == store.tally.fits // 2


def test_a_setup_whose_content_would_not_be_seen_is_refused() -> None:
    with pytest.raises(TypeError, match="DataFrame"):
        keys.described(pd.DataFrame())


def test_a_series_is_known_by_dates_and_quantities_alone(small: TrainingSet) -> None:
    history = build(small).history.query("unique_id == 1")
    renamed = Histories(history.assign(unique_id=7))
    one = Histories(history)
    assert one.digest(1, 0) == renamed.digest(7, 0) != one.digest(1, 1)
    later = Histories(history.assign(ds=history["ds"] + pd.Timedelta(days=1)))
    assert later.digest(1, 0) != one.digest(1, 0)
    shorter = Histories(history.iloc[:-1])
    assert shorter.digest(1, 0) == one.digest(1, 1)


def test_a_shard_gives_back_what_it_was_given() -> None:
    random = np.random.default_rng(1)
    pieces = [
        shards.Piece(
            bytes([n] * 16),
            np.arange(n, dtype=np.int32),
            np.arange(n) * 10**9,
            random.random((n, len(shards.VALUE_COLUMNS))),
            {0: "no"} if n == 0 else {},
            {0: {"p": 0.1 + 0.2}},
            0.1,
            b"state" * n,
        )
        for n in (0, 3, 1)
    ]
    for given, back in zip(pieces, shards.unpack(shards.pack(pieces)), strict=True):
        assert given.facts == back.facts and given.state == back.state
        assert np.array_equal(given.values, back.values) and np.array_equal(given.ds, back.ds)


LSTM = Options(horizon=7, models=("lstm", "naive"), origins=1)


def brief(more: int = 0) -> TrainingSet:
    """Two short series; `more` units in the last period of one."""
    random = np.random.default_rng(1)
    quantities = {(f"S{n}", "-"): random.poisson(9, 50) for n in range(2)}
    quantities["S0", "-"] = quantities["S0", "-"] + more * (np.arange(50) == 49)
    return training_set(quantities)


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of a finished run with an LSTM."""
    folder = tmp_path_factory.mktemp("warm")
    with opened(folder) as store:
        run(brief(), LSTM, store)
        store.finish("first")
    return folder


def test_only_an_incremental_run_goes_on_from_the_last_weights(warm: Path) -> None:
    with opened(warm, incremental=True) as store:
        first = run(brief(9), LSTM, store)
    with opened(warm, incremental=True) as store:
        resumed = run(brief(9), LSTM, store)
    with opened(warm) as store:
        plain = run(brief(9), LSTM, store)
    same(first, resumed)
    same(run(brief(9), LSTM), plain)
    assert first.tally.facts()["warm_started_from"] == {"lstm": "first"}
    assert resumed.tally.facts()["computed"] == 0
    assert plain.tally.facts()["warm_started_from"] == {}
    mine, other = (one.forecast.query("model == 'lstm'")["mean"] for one in (first, plain))
    assert not np.array_equal(mine, other)


def test_no_incremental_run_goes_on_from_weights_that_saw_later_data(
    warm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lstm, "EPOCHS", 1)
    rows = brief().demand
    undone = replace(brief(), demand=rows[rows["date"] < "2024-02-15"])
    with opened(warm, incremental=True) as store:
        assert run(undone, LSTM, store).tally.facts()["warm_started_from"] == {}


def test_an_incremental_run_on_the_same_data_fits_nothing(warm: Path) -> None:
    with opened(warm, incremental=True) as store:
        facts = run(brief(), LSTM, store).tally.facts()
    assert (facts["computed"], facts["warm_started_from"]) == (0, {})


def test_the_manifest_names_every_library_and_the_code() -> None:
    names = {name.lower() for name in keys.libraries()}
    assert {"numpy", "pandas", "statsforecast", "prophet", "lightgbm"} <= names
    assert re.fullmatch("[0-9a-f]{64}", keys.code())


def test_setups_that_say_the_same_are_described_alike() -> None:
    told = [json.dumps(keys.described(Setup(FREQUENCIES["M"], 12, seed))) for seed in (1, 1, 2)]
    assert told[0] == told[1] != told[2]
