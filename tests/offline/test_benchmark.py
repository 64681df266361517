"""`benchmark accuracy` through the command line, on series whose best forecast is known."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models_offline import benchmark, cli
from models_offline.frequency import FREQUENCIES

HORIZON = 6
MEASURES = {
    "model",
    "mase",
    "owa",
    "rmsse",
    "wape",
    "smape",
    "bias",
    "pinball",
    "coverage80",
    "coverage95",
    "cpu_seconds_per_100",
}


def monthly(series: int = 5, months: int = 48) -> pd.DataFrame:
    random = np.random.default_rng(6)
    season = 1 + 0.5 * np.sin(2 * np.pi * np.arange(months) / 12)
    frames = [
        pd.DataFrame(
            {
                "unique_id": f"S{number}",
                "ds": pd.date_range("2020-01-01", periods=months, freq="MS"),
                "y": 100 * (1 + number) * season * random.lognormal(0, 0.08, months),
            }
        )
        for number in range(series)
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("benchmark") / "long.csv"
    short = monthly(1, months=20).replace({"unique_id": {"S0": "new"}})
    mixed = pd.concat([monthly(), short]).replace({"unique_id": {"S1": "NA"}})
    rows = mixed.sample(frac=1, random_state=1).to_csv(index=False)
    path.write_text(rows + "\n\n")
    return path


@pytest.fixture(scope="module")
def report(data: Path) -> dict[str, Any]:
    out = data.with_suffix(".json")
    options = ["--data", str(data), "--horizon", str(HORIZON), "--freq", "M", "--jobs", "1"]
    assert cli.main(["benchmark", "accuracy", *options, "--json", str(out)]) == 0
    return json.loads(out.read_text())


def test_every_model_has_every_measure_on_every_series(report: dict[str, Any]) -> None:
    models = {row["model"]: row for row in report["models"]}
    asked = {"naive", "naive2", "arima", "prophet", "lstm", "ensemble", "SCUM"}
    assert asked <= set(models)
    assert all(row.keys() >= MEASURES for row in models.values())
    assert all(row[name] is not None for row in models.values() for name in MEASURES)
    assert "family" not in models
    assert report["series"] == 6
    assert report["points"] == 6 * HORIZON


def test_the_measures_are_those_of_the_competitions(data: Path, report: dict[str, Any]) -> None:
    mase = []
    table = pd.read_csv(data, keep_default_na=False)
    for _, group in table.sort_values("ds").groupby("unique_id"):
        y = group["y"].to_numpy()
        known, held = y[:-HORIZON], y[-HORIZON:]
        mase.append(np.abs(held - known[-1]).mean() / np.abs(known[12:] - known[:-12]).mean())
    models = {row["model"]: row for row in report["models"]}
    assert models["naive"]["mase"] == pytest.approx(np.mean(mase), abs=1e-4)
    assert models["naive2"]["owa"] == 1.0


def test_the_ensemble_sees_the_season_and_beats_the_naive(report: dict[str, Any]) -> None:
    models = {row["model"]: row for row in report["models"]}
    assert models["ensemble"]["mase"] < 0.8 * models["naive2"]["mase"]
    assert models["ensemble"]["mase"] < 0.4 * models["naive"]["mase"]
    assert abs(models["ensemble"]["bias"]) < 0.05
    assert {row["against"] for row in report["comparisons"]} >= {"SCUM"}


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], pd.DataFrame]:
    """The report and the points of two origins, of which a series reaches the nearest alone; of
    the five that were asked for there are no more."""
    path = tmp_path_factory.mktemp("uneven") / "long.csv"
    lengths = {"a": 13, "b": 19, "c": 19, "one": 1, "ten": 10}
    rows = [monthly(1, months).assign(unique_id=name) for name, months in lengths.items()]
    pd.concat(rows).to_csv(path, index=False)
    points = []

    def seen(all_: pd.DataFrame) -> pd.DataFrame:
        points.append(all_)
        return all_

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, "_of_most_series", seen)
        options = ["--data", str(path), "--horizon", "4", "--freq", "M", "--jobs", "1"]
        out = path.with_suffix(".json")
        more = ["--origins", "5", "--json", str(out)]
        assert cli.main(["benchmark", "accuracy", *options, *more]) == 0
    return json.loads(out.read_text()), points[0]


def test_a_series_is_the_same_at_each_origin(uneven: tuple[dict[str, Any], pd.DataFrame]) -> None:
    report, points = uneven
    found = points.groupby("origin")["unique_id"].unique().map(sorted).to_dict()
    assert found == {0: ["a", "b", "c"], 1: ["b", "c"]}
    assert report["series"] == 3


def test_origins_that_no_series_reaches_are_not_counted(
    uneven: tuple[dict[str, Any], pd.DataFrame],
) -> None:
    report, _ = uneven
    said = benchmark.text(report).splitlines()
    assert said[0].startswith("3 series, 2 origins, ")
    assert said[1] == "origins: 2, not 5: no series has 8 periods before an earlier one"


def test_series_that_are_too_short_are_named(uneven: tuple[dict[str, Any], pd.DataFrame]) -> None:
    report, _ = uneven
    assert report["left_out"] == {"one": 1, "ten": 10}
    said = "2 series of fewer than 12 periods are left out: one, ten\n"
    assert said in benchmark.text(report)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_of_constant_demand_there_is_nothing_to_compare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "long.csv", tmp_path / "report.json"
    levels = {"A": 0, "B": 5, "returned": -5}
    same = [monthly(1, 20).assign(unique_id=name, y=y) for name, y in levels.items()]
    pd.concat(same).to_csv(path, index=False)
    options = ["--data", str(path), "--horizon", "4", "--freq", "M", "--jobs", "1"]
    assert cli.main(["benchmark", "accuracy", *options, "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    models = {row["model"]: row for row in report["models"]}
    assert report["comparisons"] == []
    assert models["ensemble"]["mase"] is None
    # what came back is no demand, known or held out
    assert models["naive"]["wape"] == models["naive"]["bias"] == 0.0
    assert models["ensemble"]["coverage95"] == 1.0
    assert report["negative_periods"] == 20
    assert "periods of less than nothing, which count as 0: 20\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("frequency", "written", "starts"),
    [
        (
            "M",
            ["2023-12-31", "2024-01-31", "2024-02-29"],
            ["2023-12-01", "2024-01-01", "2024-02-01"],
        ),
        ("M", ["20231201", "20240102", "20240203"], ["2023-12-01", "2024-01-01", "2024-02-01"]),
        (
            "W",
            ["2024-01-07", "2024-01-14", "2024-01-15"],
            ["2024-01-01", "2024-01-08", "2024-01-15"],
        ),
        (
            "D",
            ["2024-02-29T23:30:00-03:00", "2024-03-01 01:00", "2024-03-02T00:00:00Z"],
            ["2024-02-29", "2024-03-01", "2024-03-02"],
        ),
    ],
)
def test_a_row_belongs_to_the_period_of_its_written_day(
    frequency: str, written: list[str], starts: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "long.csv"
    pd.DataFrame({"unique_id": "A", "ds": written, "y": 1}).to_csv(path, index=False)
    found, _ = benchmark.read(path, FREQUENCIES[frequency])
    assert found["ds"].dt.strftime("%Y-%m-%d").tolist() == starts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unique_id,ds\nA,2024-01-01\n", "column 'y' is missing"),
        ("unique_id,ds,y\nA,2024-01-01,3\nA,soon,4\n", "line 3, column 'ds', value 'soon'"),
        ("unique_id,ds,y\n\nA,2024-01-01,3\n\nA,2024-02-01,\n", "line 5, column 'y', value ''"),
        ("unique_id,ds,y\nA,2024-01-01,1e300\n", "value '1e300': is no number up to 1e+15"),
        ("unique_id,ds,y\nA,2024-01-01,inf\n", "line 2, column 'y', value 'inf'"),
        ('unique_id,ds,y\nA,2024-01-01,"1,5"\n', "value '1,5': is no number"),
        ("unique_id,ds,y\n,2024-01-01,3\n", "line 2, column 'unique_id', value ''"),
        ("unique_id;ds;y\nA;2024-01-01;3\n", "by commas, not by ';'"),
        ("unique_id,ds,y\nA,2024-01-01,3,4\n", "Expected 3 fields in line 2"),
        ("unique_id,ds,y,y\nA,2024-01-01,3,4\n", "column 'y' is there twice"),
        ("unique_id,ds,y\n\n", "no line follows the names"),
        ("", "cannot be read"),
        (
            "unique_id,ds,y\nA,01/02/2019,3\n",
            "value '01/02/2019': is no day; write it like 2024-01-31",
        ),
        ("unique_id,ds,y\nA,2024-02-30,3\n", "value '2024-02-30': is no day"),
        (
            "unique_id,ds,y\nA,2024-01-31,3\nB,2024-01-05,1\nA,2024-01-01,4\n",
            "line 4, column 'ds', value '2024-01-01': series 'A' has line 2 in the same period",
        ),
        (
            "unique_id,ds,y\nA,2024-04-30,4\nA,2024-01-31,3\nA,2024-02-29,3\n",
            "line 2, column 'ds', value '2024-04-30': series 'A' has no row for 2024-03-01",
        ),
        ("unique_id,ds,y\nA,2024-01-01,3\nA,2024-02-01,4\n", "no series is longer"),
    ],
)
def test_a_file_that_is_no_such_file_is_refused(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    options = ["--data", str(path), "--horizon", "3", "--freq", "M", "--jobs", "1"]
    assert cli.main(["benchmark", "accuracy", *options]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["accuracy", "--horizon", "3", "--freq", "M"],
        ["drivers", "--drivers", "x"],
        ["inventory"],
        ["equipment"],
    ],
)
def test_where_no_table_can_be_written_nothing_is_measured(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, said in ((tmp_path / "no" / "x.json", "there is no folder"), (tmp_path, "cannot be")):
        with pytest.raises(SystemExit) as ended:
            cli.main(["benchmark", *command, "--data", "x", "--json", str(path)])
        assert ended.value.code == 2
        assert f"argument --json: {path}: {said}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["accuracy", "--horizon", "3", "--freq", "M", "--data"],
        ["inventory", "--data"],
        ["equipment", "--data"],
    ],
)
@pytest.mark.parametrize("damage", [b"", b"\0"])
def test_a_damaged_file_is_refused(
    command: list[str],
    damage: bytes,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "long.csv.gz"
    path.write_bytes(gzip.compress(data.read_bytes())[:30] + damage * 99)
    assert cli.main(["benchmark", *command, str(path)]) == 2
    assert f"{path}: cannot be read" in capsys.readouterr().err
