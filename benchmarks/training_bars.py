"""Training: seconds a series, two cores against one, memory against the number of series."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bar import Bar
from benchmarks.served import ROOT
from scripts.environments import python_of

SERIES, FEW = 320, 80
"""All 22,500 series are read and each process imports its libraries, however few are trained: of
fewer series that would be most of what is measured, of a whole training it is next to nothing."""


def train(database: str, limit: int, jobs: int) -> tuple[float, float, dict[str, Any]]:
    """Seconds, peak bytes of the largest process and the manifest of a training."""
    with (
        tempfile.TemporaryDirectory() as home,
        tempfile.TemporaryFile("w+") as printed,
        tempfile.TemporaryFile("w+") as said,
    ):
        command = [python_of("trainer"), "-m", "models_offline", "train", "--freq", "W"]
        command += ["--limit", str(limit), "--jobs", str(jobs)]
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
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
        return seconds, used.ru_maxrss * 1024, manifest


def bars(database: str) -> tuple[list[Bar], dict[str, float]]:
    """Two cores against one, and memory against a quarter of the series; and series a second on one
    core, by model and for all of a training."""
    _, few, _ = train(database, FEW, 2)
    two, many, _ = train(database, SERIES, 2)
    one, _, manifest = train(database, SERIES, 1)
    return _against(one, two, many, few), speeds(manifest, one)


def speeds(manifest: dict[str, Any], seconds: float) -> dict[str, float]:
    """Series a second of each model, all its tests included, and of the whole training."""
    series = manifest["counts"]["series_trained"]
    found = {one["name"]: one.get("seconds") for one in manifest["models"]}
    timed = {name: series / spent for name, spent in found.items() if spent}
    return timed | {"whole training": series / seconds}


def _against(one: float, two: float, many: float, few: float) -> list[Bar]:
    return [
        Bar(
            "training on two cores: share of twice the speed",
            one / (2 * two),
            0.8,
            at_least=True,
            seen=f"{one:.0f} and {two:.0f} s for {SERIES} series",
        ),
        Bar(
            "memory of a training, against a quarter of its series",
            many / few,
            1.15,
            seen=f"{many / 1e6:.0f} and {few / 1e6:.0f} MB",
        ),
    ]
