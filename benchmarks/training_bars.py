"""Training: seconds a series, two cores against one, memory against the number of series."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bar import Bar
from benchmarks.served import ROOT
from scripts.environments import python_of

SERIES, FEW = 160, 40


def train(database: str, limit: int, jobs: int) -> tuple[float, float, dict[str, Any]]:
    """Seconds, peak bytes of the largest process and the manifest of a training."""
    with tempfile.TemporaryDirectory() as home:
        command = [python_of("trainer"), "-m", "models_offline", "train", "--freq", "W"]
        command += ["--limit", str(limit), "--jobs", str(jobs)]
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": database, "NOVA_HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        printed, said = process.communicate()
        seconds = time.perf_counter() - began
        if process.returncode:
            raise RuntimeError(said[-2000:])
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        bundle = Path(printed.splitlines()[-1])
        return seconds, peak, json.loads((bundle / "manifest.json").read_text())


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
