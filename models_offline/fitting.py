"""Fits models to series at several cuts in time, in batches, on several processes.

A cut is a number: 0 is the whole history (the forecast that is published), k ≥ 1 the history
without its last k horizons, counted back from the end of each series.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from models_offline.models import FALLBACK, create, kind
from models_offline.models.base import Setup, reason
from models_offline.orphans import end_with
from models_offline.progress import Progress
from models_offline.quantiles import VALUE_COLUMNS
from models_offline.threads import limit_threads

BATCH_SERIES = 24
FINAL = 0
MIN_TRAIN = 8
"""A backtest needs so many periods before its origin."""
COST = {"SCUM": 15.0, "prophet": 6.0, "arima": 3.0, "lstm": 3.0, "ets": 1.0, "lightgbm": 0.5}
"""Rough cost of one fit, for the progress bar; the baselines count as 0.1."""
CUT_COLUMNS = ["unique_id", "cut", "ds"]


@dataclass(frozen=True)
class Task:
    """One model, some series, some cuts."""

    model: str
    history: pd.DataFrame
    cuts: tuple[int, ...]

    @property
    def cost(self) -> float:
        return COST.get(self.model, 0.1) * len(self.cuts) * self.history["unique_id"].nunique()


@dataclass(frozen=True)
class Failure:
    """Why a series has no forecast of its own from a model."""

    unique_id: Any
    cut: int
    model: str
    reason: str


@dataclass
class Fits:
    """`rows`: unique_id, cut, ds, model, mean and quantiles (fallbacks included). `seconds` are
    CPU-seconds by model, `final_seconds` those of them that the published forecast took."""

    rows: pd.DataFrame
    failures: list[Failure]
    notes: dict[str, dict[Any, dict[str, float]]]
    seconds: dict[str, float]
    final_seconds: dict[str, float] = field(default_factory=dict)

    def and_more(self, other: Fits) -> Fits:
        rows = pd.concat([self.rows, other.rows], ignore_index=True)
        notes = {
            name: self.notes.get(name, {}) | other.notes.get(name, {})
            for name in self.notes.keys() | other.notes.keys()
        }
        return Fits(
            rows,
            self.failures + other.failures,
            notes,
            _summed(self.seconds, other.seconds),
            _summed(self.final_seconds, other.final_seconds),
        )


def _summed(first: dict[str, float], second: dict[str, float]) -> dict[str, float]:
    return {name: first.get(name, 0.0) + second.get(name, 0.0) for name in {**first, **second}}


@dataclass(frozen=True)
class Outcome:
    task: Task
    rows: pd.DataFrame
    failures: list[Failure]
    notes: dict[Any, dict[str, float]]
    seconds: dict[int, float]


def plan(model: str, history: pd.DataFrame, cuts: Sequence[int]) -> list[Task]:
    """The tasks of one model: batches of series, or everything at once for a global model.

    Batches do not depend on the number of processes, so the numbers do not either.
    """
    if history.empty or not cuts:
        return []
    if kind(model).scope == "global":
        return [Task(model, history, tuple(cuts))]
    batches = history["unique_id"].factorize()[0] // BATCH_SERIES
    return [
        Task(model, batch.reset_index(drop=True), tuple(cuts))
        for _, batch in history.groupby(batches, sort=True)
    ]


def fit_all(tasks: Sequence[Task], setup: Setup, jobs: int, label: str) -> Fits:
    """Runs the tasks, the longest first, and gathers them in the order given."""
    outcomes: dict[int, Outcome] = {}
    with Progress(label, sum(task.cost for task in tasks)) as progress:
        for number, outcome in _run(tasks, setup, jobs):
            outcomes[number] = outcome
            progress.advance(outcome.task.cost, outcome.task.model)
    return _gather([outcomes[number] for number in range(len(tasks))])


def _run(tasks: Sequence[Task], setup: Setup, jobs: int) -> Iterator[tuple[int, Outcome]]:
    from joblib import Parallel, delayed

    order = sorted(range(len(tasks)), key=lambda number: -tasks[number].cost)
    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, max_nbytes=None)
    yield from parallel(
        delayed(_numbered)(number, tasks[number], setup, os.getpid()) for number in order
    )


def _numbered(number: int, task: Task, setup: Setup, run: int) -> tuple[int, Outcome]:
    end_with(run)
    return number, run_task(task, setup)


def run_task(task: Task, setup: Setup) -> Outcome:
    """Fits and predicts at each cut; whatever goes wrong becomes failures of the series.

    A global model learns once for the whole backtest, at its earliest origin, and then only looks
    at what each later one knows: that costs it a little accuracy, and nothing leaks back.
    """
    limit_threads()
    frames: list[pd.DataFrame] = []
    failures: list[Failure] = []
    notes: dict[Any, dict[str, float]] = {}
    seconds: dict[int, float] = {}
    learnt: Any = None
    for cut in sorted(task.cuts, reverse=True):
        history = cut_history(task.history, cut * setup.horizon)
        if history.empty:
            continue
        started = time.process_time()
        model = create(task.model, setup) if learnt is None or cut == FINAL else learnt
        forecast = _forecast(model, history, setup, again=model is learnt)
        frames.append(forecast.assign(cut=cut))
        if model.scope == "global" and not forecast.empty:
            learnt = model
        failures += [Failure(uid, cut, task.model, why) for uid, why in model.failures.items()]
        notes |= model.notes if cut == FINAL else {}
        seconds[cut] = time.process_time() - started
    rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    return Outcome(task, rows.assign(model=task.model), failures, notes, seconds)


def cut_history(history: pd.DataFrame, dropped: int) -> pd.DataFrame:
    """The history without each series' last `dropped` periods; if any are dropped, only of series
    that keep MIN_TRAIN periods."""
    if not dropped:
        return history
    known = history[history.groupby("unique_id").cumcount(ascending=False) >= dropped]
    periods = known.groupby("unique_id")["y"].transform("size")
    return known[periods >= MIN_TRAIN]


def _forecast(model: Any, history: pd.DataFrame, setup: Setup, *, again: bool) -> pd.DataFrame:
    try:
        ready = model.look_at(history) if again else model.fit(history)
        return ready.predict(setup.horizon)
    except Exception as error:  # a model that fails as a whole fails for each of its series
        model.failures = dict.fromkeys(history["unique_id"].unique(), reason(error))
        return pd.DataFrame()


def _gather(outcomes: Sequence[Outcome]) -> Fits:
    frames = [outcome.rows for outcome in outcomes if not outcome.rows.empty]
    notes: dict[str, dict[Any, dict[str, float]]] = {}
    seconds: dict[str, float] = {}
    final: dict[str, float] = {}
    for outcome in outcomes:
        notes.setdefault(outcome.task.model, {}).update(outcome.notes)
        model = outcome.task.model
        seconds = _summed(seconds, {model: sum(outcome.seconds.values())})
        final = _summed(final, {model: outcome.seconds.get(FINAL, 0.0)})
    rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    failures = [failure for outcome in outcomes for failure in outcome.failures]
    return Fits(rows, failures, notes, seconds, final)


def with_fallbacks(fits: Fits, spare: pd.DataFrame) -> Fits:
    """Gives each failed series the seasonal naive forecast under the failed model's name.

    `spare` are rows that hold the seasonal naive forecasts.

    A model that failed for every series is left out instead: it would only be seasonal naive
    under another name.
    """
    alive = set() if fits.rows.empty else set(fits.rows["model"].unique())
    failed = pd.DataFrame(
        [(f.unique_id, f.cut, f.model) for f in fits.failures if f.model in alive],
        columns=["unique_id", "cut", "model"],
    )
    if failed.empty:
        return fits
    naive = spare[spare["model"] == FALLBACK].drop(columns="model")
    filled = failed.merge(naive, on=["unique_id", "cut"], how="inner")
    rows = pd.concat([fits.rows, filled[fits.rows.columns]], ignore_index=True)
    return replace(fits, rows=rows)


def sort_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in their one order, with one set of columns."""
    ordered = rows.sort_values([*CUT_COLUMNS, "model"], kind="stable", ignore_index=True)
    return ordered[[*CUT_COLUMNS, "model", *VALUE_COLUMNS]].astype({"cut": np.int32})
