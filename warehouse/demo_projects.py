"""Projects that change the network, as files of several days tell of them: some keep to their plan,
some slip, some are planned again, and their materials come from the depots' stock."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from domain.projects import planned_share
from warehouse.demo_catalogue import DEPOTS, PROJECTS
from warehouse.demo_world import Array, Rng, World

STATUS_DAYS = (90, 60, 30)
"""So many days before the last one are the earlier files of."""
REPLANNED = 0.2
"""Share of the projects whose end is moved, between the second file and the third."""
REPLANNED_BACK = 45
LINES = 5
USUAL_DAYS = 365


@dataclass(frozen=True)
class _Project:
    """`pace`: days of the plan that are done in a day; `moved`: days by which its end is moved."""

    code: str
    name: str
    uf: str
    start: date
    length: int
    pace: float
    moved: int
    budget: float
    overrun: float
    materials: list[tuple[str, int, float]]

    def length_on(self, day: date, last: date) -> int:
        """Days of the plan that is in force."""
        is_moved = (last - day).days < REPLANNED_BACK
        return self.length + (self.moved if is_moved else 0)


def project_files(rng: Rng, world: World, wanted: Array) -> dict[str, pd.DataFrame]:
    """Two projects a federative unit, as of the last day and of STATUS_DAYS before it; the oldest
    file is `projects-1`."""
    last = world.days[-1].date()
    usual = wanted[-USUAL_DAYS:].mean(axis=0)
    ufs = [*DEPOTS, *DEPOTS]
    made = [_project(rng, n, uf, last, world, usual) for n, uf in enumerate(ufs, start=1)]
    days = [last - timedelta(days=back) for back in STATUS_DAYS]
    files = {f"projects-{number}": day for number, day in enumerate(days, start=1)}
    return {
        name: pd.DataFrame([_row(one, day, last) for one in made])
        for name, day in {**files, "projects": last}.items()
    }


def _project(rng: Rng, number: int, uf: str, last: date, world: World, usual: Array) -> _Project:
    kind, families = PROJECTS[number % len(PROJECTS)]
    return _Project(
        code=f"PRJ-{number:03d}",
        name=f"{kind} - {uf}",
        uf=uf,
        start=last + timedelta(days=int(rng.integers(-330, 70))),
        length=int(rng.integers(180, 420)),
        pace=float(rng.choice([rng.uniform(0.68, 0.9), rng.uniform(0.94, 1.08)], p=[0.4, 0.6])),
        moved=int(rng.integers(20, 70)) if rng.random() < REPLANNED else 0,
        budget=round(float(rng.uniform(0.4, 4.5)) * DEPOTS[uf][3] * 1e6, -3),
        overrun=float(rng.uniform(0.92, 1.18)),
        materials=_bill(rng, uf, families, world, usual),
    )


def _bill(
    rng: Rng, uf: str, families: tuple[str, ...], world: World, usual: Array
) -> list[tuple[str, int, float]]:
    """Materials that the depot keeps, weeks of its usual demand each, and one that it does not:
    sku, quantity, and the share of the plan's time at which it is needed."""
    kept = {
        series.material.sku: daily
        for series, daily in zip(world.series, usual, strict=True)
        if series.uf == uf and series.material.sku.startswith(families)
    }
    skus = sorted({series.material.sku for series in world.series})
    others = [sku for sku in skus if sku.startswith(families) and sku not in kept]
    chosen = [*rng.permutation(sorted(kept))[: LINES - 1], *rng.permutation(others)[:1]]
    shares = np.sort(rng.uniform(0.15, 0.95, len(chosen)))
    return [
        (str(sku), max(2, round(kept.get(str(sku), 0.2) * rng.uniform(15, 70))), float(share))
        for sku, share in zip(rng.permutation(chosen), shares, strict=True)
    ]


def _row(one: _Project, day: date, last: date) -> dict[str, Any]:
    """What the file of a day says."""
    length, passed = one.length_on(day, last), max(0, (day - one.start).days)
    worked = min(1.0, one.pace * passed / one.length)
    ended = one.start + timedelta(days=int(np.ceil(one.length / one.pace)))
    progress = round(100 * planned_share(worked), 1) if worked < 1 else 100.0
    behind = planned_share(passed / length) - progress / 100
    return {
        "project": one.code,
        "name": one.name,
        "uf": one.uf,
        "status": _status(passed, progress, behind),
        "planned_start": one.start.isoformat(),
        "planned_end": (one.start + timedelta(days=length)).isoformat(),
        "actual_end": ended.isoformat() if worked >= 1 else None,
        "budget_brl": one.budget,
        "spent_brl": round(one.budget * progress / 100 * one.overrun, 2),
        "progress_pct": progress,
        "materials": json.dumps(
            [
                {
                    "sku": sku,
                    "quantity": quantity,
                    "needed_on": (one.start + timedelta(days=int(length * share))).isoformat(),
                }
                for sku, quantity, share in one.materials
            ]
        ),
        "as_of": day.isoformat(),
    }


def _status(passed: int, progress: float, behind: float) -> str:
    if progress >= 100:
        return "concluído"
    if passed == 0:
        return "planejado"
    return "atrasado" if behind > 0.05 else "em andamento"
