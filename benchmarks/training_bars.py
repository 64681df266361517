"""Training: seconds a series, two cores against one, memory against the number of series that are
trained, and against the rows that are read."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks import scale
from benchmarks.bar import Bar
from benchmarks.data_bars import command, scratch
from benchmarks.served import ROOT
from scripts.environments import python_of

SERIES, FEW = 320, 80
"""All 22,500 series are read and each process imports its libraries, however few are trained: of
fewer series that would be most of what is measured, of a whole training it is next to nothing."""
QUARTER = scale.Size(items=5_000, series=5_625)
ROW_BYTES = 250


@dataclass(frozen=True)
class Training:
    """One training: seconds, peak bytes of its largest process, the bundle's manifest, and the
    series that each model was fitted to."""

    seconds: float
    peak: float
    manifest: dict[str, Any]
    fitted: dict[str, int]


def train(database: str, limit: int, jobs: int) -> Training:
    """Raises RuntimeError with what the trainer said."""
    with (
        tempfile.TemporaryDirectory() as home,
        tempfile.TemporaryFile("w+") as printed,
        tempfile.TemporaryFile("w+") as said,
    ):
        arguments = [python_of("trainer"), "-m", "models_offline", "train", "--freq", "W"]
        arguments += ["--limit", str(limit), "--jobs", str(jobs)]
        began = time.perf_counter()
        process = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": database, "NOVA_HOME": home},
            stdout=printed,
            stderr=said,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        said.seek(0)
        if process.returncode:
            raise RuntimeError(said.read()[-2000:])
        bundle = Path(printed.read().splitlines()[-1])
        manifest = json.loads((bundle / "manifest.json").read_text())
        return Training(seconds, used.ru_maxrss * 1024, manifest, fitted(bundle))


def fitted(bundle: Path) -> dict[str, int]:
    """How many series each model was backtested on: Prophet on a sample of each demand class."""
    rows = pq.read_table(bundle / "forecast_accuracy.parquet", columns=["model"])
    return dict(Counter(rows.column("model").to_pylist()))


def bars(database: str) -> tuple[list[Bar], dict[str, float]]:
    """Two cores against one; memory against a quarter of the series trained, all being read, and
    against a quarter of them read; and series a second on one core, by model and for all of a
    training."""
    with scratch(database) as small, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "demand.csv"
        scale.write_demand(file, QUARTER)
        command(small, "flask", "--app", "dashboard.cli", "ingest", str(file))
        quarter = train(small, FEW, 2)
    few, two = train(database, FEW, 2), train(database, SERIES, 2)
    one = train(database, SERIES, 1)
    found = [_cores(one.seconds, two.seconds), _trained(two.peak, few.peak)]
    return [*found, _read(few.peak, quarter.peak)], speeds(one)


def speeds(one: Training) -> dict[str, float]:
    """Series a second of each model, of those it was fitted to and all its tests included, and of
    the whole training."""
    spent = {model["name"]: model.get("seconds") for model in one.manifest["models"]}
    timed = {name: count / spent[name] for name, count in one.fitted.items() if spent.get(name)}
    return timed | {"whole training": one.manifest["counts"]["series_trained"] / one.seconds}


def _cores(one: float, two: float) -> Bar:
    return Bar(
        "training on two cores: share of twice the speed",
        one / (2 * two),
        0.8,
        at_least=True,
        seen=f"{one:.0f} and {two:.0f} s for {SERIES} series",
    )


def _trained(many: float, few: float) -> Bar:
    return Bar(
        "memory of a training, against a quarter of the series trained, all read",
        many / few,
        1.15,
        seen=f"{many / 1e6:.0f} and {few / 1e6:.0f} MB",
    )


def _read(all_read: float, quarter: float) -> Bar:
    more = scale.Size().demand_rows - QUARTER.demand_rows
    each = (all_read - quarter) / more
    return Bar(
        f"memory of a training, a row of demand read, against {ROW_BYTES} bytes",
        each / ROW_BYTES,
        1.0,
        seen=f"{each:.0f} bytes: {all_read / 1e6:.0f} and {quarter / 1e6:.0f} MB",
    )
