"""Builds the scale database where it is not there yet, measures, prints each part's bars and writes
`$NOVA_HOME/bench.json`, where parts that are not measured stay as they were. Exit code 1 where a
bar is missed."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks import data_bars, requests_bars, scale, training_bars
from benchmarks.bar import Bar
from benchmarks.requests_bars import Stage
from benchmarks.served import ROOT, gunicorn
from config import get_settings
from warehouse import embedded
from warehouse.db import get_batch_engine, get_engine

PARTS = ("requests", "data", "training")
EMAIL, PASSWORD = "bench@localhost", "bench-Wf8-palmeira"
NO_CACHE = "redis://127.0.0.1:1/0"
PROMISED = {
    "health": 10,
    "KPIs": 50,
    "forecasts": 200,
    "clusters": 500,
    "recommendations": 100,
    "what-if": 200,
}
"""Milliseconds that the product was once promised to answer in."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the parts that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)} (default: all)")
    parts = parser.parse_args(argv).parts or PARTS
    if unknown := sorted(set(parts) - set(PARTS)):
        parser.error(f"unknown part {', '.join(unknown)}; known: {', '.join(PARTS)}")
    kept = get_settings().home
    home = build(kept / "bench")
    found = measured(home, parts)
    keep(kept / "bench.json", found, parts)
    if found.promised:
        print(promises(found.promised))
    if found.speeds:
        print("\nseries a second and core")
        print("\n".join(f"{name:24} {speed:8.2f}" for name, speed in found.speeds.items()))
    return 0 if all(bar.ok for bar in found.bars) else 1


def keep(path: Path, found: Found, parts: Sequence[str]) -> None:
    """Writes the report: what these parts found, in place of what they found before."""
    before = json.loads(path.read_text()) if path.exists() else {}
    others = [bar for bar in before.get("bars", []) if bar.get("part") in {*PARTS} - {*parts}]
    here = machine()
    day = {"measured": here["measured"]}
    report = {
        "machine": here,
        "bars": [*others, *(bar.as_json() | day for bar in found.bars)],
        "milliseconds": found.promised or before.get("milliseconds", {}),
        "series_per_second_and_core": found.speeds or before.get("series_per_second_and_core", {}),
    }
    path.write_text(json.dumps(report, indent=1) + "\n")


def build(home: Path) -> Path:
    """The home of the scale database, made once for each state of `scale`. What a killed building
    left is made anew. Raises RuntimeError where it is too small for what is promised."""
    done = home / "built"
    point_at(home)
    if done.exists() and done.read_text() == scale.recipe():
        run("alembic", "upgrade", "head")
        scale.counted(get_batch_engine())
        return home
    done.unlink(missing_ok=True)
    say(f"building the scale database in {home} (once, some minutes)")
    embedded.stop(home)
    for left in ("services", "services.json", "files", "bundles"):
        path = home / left
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    home.mkdir(parents=True, exist_ok=True, mode=0o711)
    size = scale.Size()
    scale.write_files(home / "files", size)
    run("alembic", "upgrade", "head")
    run("flask", "--app", "dashboard.cli", "ingest", str(home / "files"))
    bundle = scale.write_bundle(home / "bundles", get_engine(), size)
    run("flask", "--app", "dashboard.cli", "publish", str(bundle))
    os.environ["NOVA_ADMIN_PASSWORD"] = PASSWORD
    os.environ["NOVA_ADMIN_EMAIL"] = EMAIL
    run("flask", "--app", "dashboard.cli", "users", "ensure-admin")
    shutil.rmtree(home / "files")
    shutil.rmtree(home / "bundles")
    found = scale.counted(get_batch_engine())
    say("it holds " + ", ".join(f"{name} {count:,}" for name, count in found.items()))
    done.write_text(scale.recipe())
    return home


def point_at(home: Path) -> None:
    """This process and its children work on that home, whatever the environment said."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_REPLICA_URL", "REDIS_URL"):
        os.environ[name] = ""
    os.environ["NOVA_HOME"] = str(home)
    get_settings.cache_clear()


def run(*module: str) -> None:
    """One command of the product; raises RuntimeError with what it said."""
    say(" ".join(module))
    done = subprocess.run([sys.executable, "-m", *module], cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(module)} ended with exit code {done.returncode}")


@dataclass
class Found:
    """All bars, milliseconds by route, and series a second by model."""

    bars: list[Bar] = field(default_factory=list)
    promised: dict[str, dict[str, float]] = field(default_factory=dict)
    speeds: dict[str, float] = field(default_factory=dict)

    def measure(self, part: str, what: str, work: Callable[[], list[Bar]]) -> None:
        """Prints the bars as soon as they are there. What cannot be measured is a bar missed, and
        does not keep the others from being measured."""
        say(what)
        try:
            bars = work()
        except Exception as error:
            traceback.print_exc()
            reason = str(error).strip().partition("\n")[0]
            bars = [Bar(f"{what}: measured", 0.0, 1.0, at_least=True, seen=reason)]
        self.bars += [replace(bar, part=part) for bar in bars]
        print(table(bars), flush=True)

    def crowd(self, stage: Stage) -> list[Bar]:
        """The bar of many connections."""
        self.promised = requests_bars.promised(stage)
        return requests_bars.tails(stage)

    def train(self, database: str) -> list[Bar]:
        """Bars of training."""
        bars, self.speeds = training_bars.bars(database)
        return bars


def measured(home: Path, parts: Sequence[str]) -> Found:
    """What the parts find."""
    found = Found()
    database, cache = embedded.ensure_postgres(home), embedded.ensure_valkey(home)
    secret = secrets.token_hex(32)
    own = {"NOVA_HOME": str(home), "DATABASE_URL": database}
    with ExitStack() as stack:

        def serve(target: str, **more: str) -> str:
            return stack.enter_context(gunicorn(target, home / "server.log", **own, **more))

        stage = Stage(
            product=serve("wsgi:server", REDIS_URL=cache or ""),
            uncached=serve("wsgi:server", REDIS_URL=NO_CACHE),
            unguarded=serve("benchmarks.unguarded:server", REDIS_URL=cache or ""),
            floor=serve("benchmarks.floor:server", FLOOR_SECRET=secret),
            secret=secret,
            database=database,
            who=(EMAIL, PASSWORD),
        )
        if "requests" in parts:
            found.measure("requests", "cached answers", lambda: requests_bars.cached(stage))
            found.measure("requests", "opened pages", lambda: requests_bars.pages(stage))
            found.measure(
                "requests", "uncached", lambda: requests_bars.uncached(stage, get_engine())
            )
            found.measure("requests", "many connections", lambda: found.crowd(stage))
        if "data" in parts:
            found.measure("data", "loading", lambda: data_bars.ingest(database))
            found.measure("data", "readers meanwhile", lambda: data_bars.readers(stage))
    if "training" in parts:
        found.measure("training", "training", lambda: found.train(database))
    embedded.stop(home)
    return found


def table(bars: Sequence[Bar]) -> str:
    """The bars in columns."""
    width = max(len(bar.name) for bar in bars)
    lines = [f"{'':{width}}    ratio    limit"]
    for bar in bars:
        sign = ">=" if bar.at_least else "<="
        mark = "ok" if bar.ok else "MISSED"
        lines.append(
            f"{bar.name:{width}} {bar.ratio:8.2f} {sign} {bar.limit:5.2f} {mark:6} {bar.seen}"
        )
    return "\n".join(lines)


def promises(milliseconds: dict[str, dict[str, float]]) -> str:
    """Medians at one connection, and at twenty that ask CROWD_RATE times a second together, beside
    what was promised."""
    rate = f"{requests_bars.CROWD_RATE:.0f}"
    lines = ["", f"{'ms (median)':18} at 1   at 20 ({rate} a second)   promised"]
    for name, found in milliseconds.items():
        promise = PROMISED.get(name)
        lines.append(f"{name:16} {found['one']:6.1f} {found['twenty']:7.1f} {promise or '':>10}")
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """What it ran on."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9, 1),
        "python": sys.version.split()[0],
        "measured": time.strftime("%Y-%m-%d"),
    }


def say(line: str) -> None:
    print(f"bench: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
