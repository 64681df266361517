"""`benchmark accuracy` through the command line, on series whose best forecast is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models_offline import cli

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
    pd.concat([monthly(), short]).sample(frac=1, random_state=1).to_csv(path, index=False)
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
    for _, group in pd.read_csv(data).sort_values("ds").groupby("unique_id"):
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unique_id,ds\nA,2024-01-01\n", "column 'y' is missing"),
        ("unique_id,ds,y\nA,2024-01-01,3\nA,soon,4\n", "line 3"),
        ("unique_id,ds,y\nA,2024-01-01,3\nA,2024-01-01,4\n", "same date twice"),
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
