"""Readings of machines as rows to learn from: what was measured, and whether a failure followed.

Machines that are read again and again teach what readings come before a failure: a row's machine
failed at one of the next readings within the horizon, or did not; rows whose next readings are not
known yet teach nothing, and the last one of each machine is what its risk is of. Machines that are
read once each teach with which readings they fail.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.clusters import CHANGE
from models_offline.risk import Array, Flags, Model, Rows

KEYS = ("equipment", "site", "kind", "measured_at", "failure")
OFTEN = 2.0
"""Readings a machine from which on they are taken for a history."""
BEFORE = 3
"""A column's change is against the mean of so many readings before."""
RARE = 0.01
"""A flag that is set on fewer of the rows without a failure may as well say what failed."""
MOST_ROWS = 20_000
MOST_DAYS = 90
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Readings:
    """`rows` to learn from; of each machine its last reading: `latest` (equipment, site, kind,
    measured_at), their `values` as in `rows`, whether it had failed at it. `horizon_days` 0: every
    machine was read once. `left_out`: columns that may say what failed, or say nothing."""

    rows: Rows
    latest: pd.DataFrame
    values: Array
    down: Flags
    horizon_days: int
    measured: tuple[str, ...]
    left_out: tuple[str, ...]


def prepare(frame: pd.DataFrame, horizon_days: int, seed: int = 1) -> Readings:
    """Rows from readings with the columns `KEYS` and any measurements; the horizon is rounded to
    whole readings."""
    frame = frame.sort_values(["equipment", "measured_at"], ignore_index=True)
    failed = frame["failure"].fillna(0).to_numpy() > 0
    columns = [name for name in frame.columns if name not in KEYS]
    kept = [name for name in columns if _tells(frame[name].to_numpy(float), failed)]
    left_out = tuple(name for name in columns if name not in kept)
    machine = pd.factorize(frame["equipment"])[0].astype(np.int64)
    last = np.append(machine[1:] != machine[:-1], True) if len(machine) else np.zeros(0, bool)
    values = frame[kept].to_numpy(np.float64)
    names = tuple(kept)
    history = len(frame) >= OFTEN * max(1, last.sum())
    if history:
        values = np.hstack([values, _changes(frame[kept], machine)])
        names = (*kept, *(f"{CHANGE}{name}" for name in kept))
        usual = _gap_days(frame["measured_at"], machine)
        steps = max(1, round(min(horizon_days, MOST_DAYS) / usual))
        failure, known = _followed(machine, failed, steps)
        teaching = known & ~failed
        days = max(1, round(steps * usual))
    else:
        failure = np.where(failed, np.arange(len(frame)), -1)
        teaching, days = np.ones(len(frame), dtype=bool), 0
    kinds = frame["kind"].fillna("").to_numpy(object)
    chosen = _thinned(np.flatnonzero(teaching), seed)
    rows = Rows(names, values[chosen], kinds[chosen], failure[chosen], machine[chosen])
    return Readings(
        rows=rows,
        latest=frame.loc[last, ["equipment", "site", "kind", "measured_at"]].reset_index(drop=True),
        values=values[last],
        down=failed[last] & history,
        horizon_days=days,
        measured=tuple(kept),
        left_out=left_out,
    )


def risks_of(found: Readings, model: Model) -> pd.DataFrame:
    """`latest` of the machines that are running, with the `probability` that each fails."""
    running = np.flatnonzero(~found.down)
    latest = found.latest.iloc[running]
    kinds = latest["kind"].fillna("").to_numpy(object)
    return latest.assign(probability=model.probability(found.values[running], kinds))


def _tells(values: Array, failed: Flags) -> bool:
    """False for a column that is constant, numbers the rows, or is a flag that is hardly ever set
    without a failure: it would give the answer away."""
    known = values[~np.isnan(values)]
    different = np.unique(known)
    if len(different) < 2:
        return False
    if len(different) == len(values) > 2 and (known == np.round(known)).all():
        return False
    if len(different) > 2 or set(different) != {0.0, 1.0}:
        return True
    whole = values[~failed & ~np.isnan(values)]
    return bool(len(whole)) and RARE <= float(whole.mean()) <= 1 - RARE


def _changes(measured: pd.DataFrame, machine: NDArray[np.int64]) -> Array:
    before = measured.groupby(machine).shift(1)
    mean = before.groupby(machine).rolling(BEFORE, min_periods=1).mean().droplevel(0).sort_index()
    changes: Array = measured.to_numpy(np.float64) - mean.to_numpy(np.float64)
    return changes


def _gap_days(moments: pd.Series, machine: NDArray[np.int64]) -> float:
    gaps = moments.groupby(machine).diff().dt.total_seconds().dropna()
    return max(float(gaps.median()) / DAY_SECONDS, 1e-3)


def _followed(
    machine: NDArray[np.int64], failed: Flags, steps: int
) -> tuple[NDArray[np.int64], Flags]:
    """The place of the failure that follows within `steps` readings (-1: none does), and whether
    that is known yet."""
    place = pd.Series(np.arange(len(machine), dtype=np.float64))
    groups = place.groupby(machine)
    at = place.where(failed)
    following = at.groupby(machine).shift(-1).groupby(machine).bfill()
    failure = np.asarray(following.where(following - place <= steps, -1), np.int64)
    left = groups.transform("max") - place
    return failure, (failure >= 0) | (left >= steps).to_numpy()


def _thinned(rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    if len(rows) <= MOST_ROWS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))
