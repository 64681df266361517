"""`benchmark drivers` through the command line, on demand whose holidays and rain are known."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from holidays import country_holidays

from models_offline import cli

LAG = 3
DAYS = pd.date_range("2023-01-01", "2025-01-05")
Table = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Demand that halves on Brazilian holidays and grows with rain, written LAG days late."""
    folder, random = tmp_path_factory.mktemp("drivers"), np.random.default_rng(4)
    festive = DAYS.isin(pd.to_datetime(list(country_holidays("BR", years=range(2023, 2026)))))
    rain = random.gamma(1.0, 1.0, len(DAYS))
    week = 1 + 0.3 * (DAYS.weekday < 5)
    frames = [
        pd.DataFrame(
            {
                "unique_id": name,
                "ds": DAYS + pd.Timedelta(days=LAG),
                "y": 400 * week * np.where(festive, 0.5, 1.0) * 1.2**rain * noise,
            }
        )
        for name, noise in zip("AB", random.lognormal(0, 0.03, (2, len(DAYS))), strict=True)
    ]
    pd.concat(frames).to_csv(folder / "long.csv", index=False)
    rows = pd.DataFrame({"ds": DAYS, "rain": rain})
    rows.to_csv(folder / "drivers.csv", index=False)
    return folder / "long.csv", folder / "drivers.csv"


def run(files: tuple[Path, Path], *more: str) -> int:
    data, drivers = files
    options = ["--data", str(data), "--drivers", str(drivers), "--models", "ets", "--jobs", "1"]
    return cli.main(["benchmark", "drivers", *options, *more])


def table(files: tuple[Path, Path], lag: int) -> Table:
    out = files[0].with_suffix(f".{lag}.json")
    assert run(files, "--lag", str(lag), "--json", str(out)) == 0
    return {(row["model"], row["use"]): row for row in json.loads(out.read_text())}


def test_holidays_and_drivers_each_bring_their_part(files: tuple[Path, Path]) -> None:
    rows = table(files, LAG)
    mase = {use: rows["ets", use]["mase"] for use in ("without", "holidays", "drivers", "both")}
    assert mase["both"] < mase["drivers"] < mase["without"]
    assert mase["both"] < mase["holidays"] < mase["without"]
    assert rows["ets", "both"]["mase_holidays"] < rows["ets", "drivers"]["mase_holidays"] / 2
    assert rows["ets", "both"]["high"] < 0
    assert rows["ets", "without"]["difference"] == 0


def test_on_other_dates_they_bring_nothing(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    returned = tmp_path / "long.csv"
    demand = pd.read_csv(files[0])
    demand.loc[[9], "y"] *= -1
    demand.to_csv(returned, index=False)
    rows = table((returned, files[1]), 0)
    assert rows["ets", "both"]["mase"] > 0.9 * rows["ets", "without"]["mase"]
    assert "which count as 0: 1\n" in capsys.readouterr().out


def test_what_cannot_be_used_is_refused(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("day,rain\n2024-01-01,3\n")
    assert run((files[0], wrong)) == 2
    assert "column 'ds' is missing" in capsys.readouterr().err
    wrong.write_text("ds,rain\n2024-01-01,\n2024-01-02,much\n")
    assert run((files[0], wrong)) == 2
    assert "line 3, column 'rain', value 'much'" in capsys.readouterr().err
    wrong.write_text("ds,rain\n2024-01-01,1\n2024-01-01,2\n")
    assert run((files[0], wrong)) == 2
    assert "line 3, column 'ds', value '2024-01-01': is there twice" in capsys.readouterr().err
    cut = tmp_path / "drivers.csv.gz"
    cut.write_bytes(gzip.compress(files[1].read_bytes())[:500])
    assert run((files[0], cut)) == 2
    assert f"{cut}: cannot be read" in capsys.readouterr().err
    wrong.write_text("ds,temp,rain\n2024-01-01,30,\n2024-01-02,31,\n")
    assert run((files[0], wrong)) == 2
    assert f"{wrong}, column 'rain': has no number" in capsys.readouterr().err
    wrong.write_text("ds,holidays\n2024-01-01,1\n2024-01-02,0\n")
    assert run((files[0], wrong)) == 2
    assert f"{wrong}, column 'holidays': is a name of the engine's own" in capsys.readouterr().err


@pytest.mark.parametrize("what", [["drivers"], ["accuracy", "--horizon", "9", "--freq", "D"]])
def test_a_country_is_looked_at_first_of_all(
    what: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["benchmark", *what, "--data", "not-there.csv", "--drivers", "not-there.csv"]
    assert cli.main([*command, "--country", "us"]) == 2
    assert "not-there.csv: cannot be read" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, "--country", "XX"])
    assert ended.value.code == 2
    assert "argument --country: no holidays are known of 'XX'" in capsys.readouterr().err
