"""Fits models to series at several cuts in time, in batches, on several processes.

A cut is a number: 0 is the whole history (the forecast that is published), k ≥ 1 the history
without its last k horizons, counted back from the end of each series. What the store of
checkpoints holds already is not fitted again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from config import get_settings
from models_offline import dask_cluster, keys, shards
from models_offline.checkpoints import Store, say
from models_offline.histories import Histories
from models_offline.models import FALLBACK, create, kind
from models_offline.models.base import Setup, WarmStarting, reason
from models_offline.orphans import end_with
from models_offline.processes import parallel
from models_offline.progress import Progress
from models_offline.quantiles import VALUE_COLUMNS
from models_offline.shards import Piece
from models_offline.threads import limit_threads

BATCH_COST = 24.0
LEAST_SERIES = 4
MOST_SERIES = 96
"""A worker takes so many series at a time that a killed run loses little, and files stay few."""
FINAL = 0
MIN_TRAIN = 8
"""A backtest needs so many periods before its origin."""
COST = {"SCUM": 15.0, "prophet": 6.0, "arima": 3.0, "lstm": 3.0, "ets": 1.0, "lightgbm": 0.5}
"""Rough cost of one fit, for the size of batches and the progress bar."""
OTHER_COST = 0.1
CUT_COLUMNS = ["unique_id", "cut", "ds"]


@dataclass(frozen=True)
class Task:
    """One model, some series, some cuts."""

    model: str
    source: Histories
    ids: tuple[Any, ...]
    cuts: tuple[int, ...]


@dataclass(frozen=True)
class Fit:
    """One model and one cut of one series, or of all its series for a global model."""

    model: str
    cut: int
    ids: tuple[Any, ...]
    key: bytes
    start: bytes = b""
    """Weights that it goes on from."""


@dataclass(frozen=True)
class Work:
    """What a worker does at a time: some cuts of a batch of series. `keys` of the fits by cut."""

    model: str
    history: pd.DataFrame
    keys: dict[int, tuple[bytes, ...]]
    start: bytes = b""


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


def plan(
    model: str,
    history: pd.DataFrame | Histories,
    cuts: Sequence[int],
    ids: Sequence[Any] | None = None,
) -> list[Task]:
    """The tasks of one model for some series (all by default): batches, or everything at once for
    a global model.

    Batches do not depend on the number of processes, so the numbers do not either.
    """
    source = history if isinstance(history, Histories) else Histories(history)
    chosen = tuple(source.ids if ids is None else ids)
    if not chosen or not cuts:
        return []
    size = len(chosen) if kind(model).scope == "global" else _batch_size(model)
    return [
        Task(model, source, chosen[at : at + size], tuple(cuts))
        for at in range(0, len(chosen), size)
    ]


def _batch_size(model: str) -> int:
    return min(MOST_SERIES, max(LEAST_SERIES, int(BATCH_COST / COST.get(model, OTHER_COST))))


def fit_all(
    tasks: Sequence[Task], setup: Setup, jobs: int, label: str, store: Store | None = None
) -> Fits:
    """Runs what the store does not hold, the longest first, and gathers all in the order given."""
    store = Store() if store is None else store
    before = store.tally.found
    fits = [_fits(task, setup, store) for task in tasks]
    todo = _todo(tasks, fits, store)
    _tell(store, before, label, sum(len(some) for some in fits))
    with Progress(label, sum(batch.cost for batch in todo)) as progress:
        for batch, blob in _run(todo, setup, jobs):
            store.save(blob)
            progress.advance(batch.cost, batch.task.model)
    return _gather([fit for some in fits for fit in some], store)


def _tell(store: Store, before: tuple[int, int], label: str, fits: int) -> None:
    for word, was, now in zip(("resumed", "reused"), before, store.tally.found, strict=True):
        if now > was:
            say(f"{label}: {word} {now - was} of {fits} fits")


def _fits(task: Task, setup: Setup, store: Store) -> list[Fit]:
    """Every fit of a task, with its key; counted in the store."""
    shared = keys.of_model(task.model, setup)
    if kind(task.model).scope == "global":
        return [fit for cuts in _learnt_once(task) for fit in _global(task, cuts, setup, store)]
    return [
        _series_fit(task, cut, uid, shared, setup, store)
        for cut in task.cuts
        for uid in _reaching(task, cut, setup)
    ]


def _learnt_once(task: Task) -> list[list[int]]:
    """The cuts for which a global model learns once, the earliest origin first: those of the
    whole backtest, and the final one."""
    tried = sorted((cut for cut in task.cuts if cut != FINAL), reverse=True)
    return [cuts for cuts in (tried, [FINAL] if FINAL in task.cuts else []) if cuts]


def _reaching(task: Task, cut: int, setup: Setup) -> tuple[Any, ...]:
    """The series of a task that `cut_history` keeps."""
    periods, horizon = task.source.periods, setup.horizon
    return tuple(uid for uid in task.ids if reached(periods(uid), horizon) >= cut)


def _series_fit(task: Task, cut: int, uid: Any, shared: bytes, setup: Setup, store: Store) -> Fit:
    key = keys.of_fit(shared, [task.source.digest(uid, cut * setup.horizon)])
    store.use(key, [uid])
    return Fit(task.model, cut, (uid,), key)


def _global(task: Task, cuts: Sequence[int], setup: Setup, store: Store) -> list[Fit]:
    """The fits of a global model that learns at the first of `cuts`. The key of each names what
    it forecasts and all that was seen before."""
    shared = keys.of_model(task.model, setup)
    slots = [f"{shared.hex()}@{cut}" for cut in cuts]
    cold = _contents(task, cuts, shared, setup)
    start = store.start(slots[0], _origin(task, cuts[0], setup))
    found, weights = store.unchanged(slots, cold), b""
    if found is None and start is not None:
        key, weights = start
        found = _contents(task, cuts, shared, setup, key)
        store.warm(task.model)
    fits = []
    for cut, slot, key, content in zip(cuts, slots, found or cold, cold, strict=True):
        ids = _reaching(task, cut, setup)
        if ids:
            store.use_global(key, task.model, slot, content, _origin(task, cut, setup))
            fits.append(Fit(task.model, cut, ids, key, weights))
    return fits


def _origin(task: Task, cut: int, setup: Setup) -> str:
    """The last day that is known at a cut."""
    return task.source.last(_reaching(task, cut, setup), cut * setup.horizon)


def _contents(
    task: Task, cuts: Sequence[int], shared: bytes, setup: Setup, start: bytes = b""
) -> list[bytes]:
    seen: list[bytes] = []
    made = []
    for cut in cuts:
        ids = _reaching(task, cut, setup)
        seen += [b"@", *(task.source.digest(uid, cut * setup.horizon) for uid in ids)]
        made.append(keys.of_fit(shared, seen, start))
    return made


@dataclass(frozen=True)
class Batch:
    """Fits of a task that are still to be made: the same cuts of some of its series."""

    task: Task
    ids: tuple[Any, ...]
    keys: dict[int, tuple[bytes, ...]]
    start: bytes = b""

    @property
    def cost(self) -> float:
        return COST.get(self.task.model, OTHER_COST) * len(self.keys) * len(self.ids)

    def work(self) -> Work:
        """What is sent to a worker: the histories of these series alone."""
        return Work(self.task.model, self.task.source.frame(self.ids), self.keys, self.start)


def _todo(tasks: Sequence[Task], fits: Sequence[Sequence[Fit]], store: Store) -> list[Batch]:
    """Batches of what the store lacks; fits to equal histories are made once."""
    planned: set[bytes] = set()
    batches = []
    for task, some in zip(tasks, fits, strict=True):
        missing = [fit for fit in some if fit.key not in store and fit.key not in planned]
        missing = list({fit.key: fit for fit in missing}.values())
        planned.update(fit.key for fit in missing)
        batches += _batches(task, some, missing)
    return batches


def _batches(task: Task, fits: Sequence[Fit], missing: Sequence[Fit]) -> list[Batch]:
    if kind(task.model).scope == "global":
        return _global_batches(task, fits, {fit.cut for fit in missing})
    by_series: dict[Any, dict[int, bytes]] = {}
    for fit in missing:
        by_series.setdefault(fit.ids[0], {})[fit.cut] = fit.key
    by_cuts: dict[tuple[int, ...], list[Any]] = {}
    for uid, own in by_series.items():
        by_cuts.setdefault(tuple(sorted(own)), []).append(uid)
    return [
        Batch(task, tuple(ids), {cut: tuple(by_series[uid][cut] for uid in ids) for cut in cuts})
        for cuts, ids in by_cuts.items()
    ]


def _global_batches(task: Task, fits: Sequence[Fit], missing: set[int]) -> list[Batch]:
    """What is learnt once is done for all of its cuts, even if one alone is missing."""
    by_cut = {fit.cut: fit for fit in fits}
    batches = []
    for cuts in _learnt_once(task):
        together: dict[int, tuple[bytes, ...]] = {
            cut: (by_cut[cut].key,) for cut in cuts if cut in by_cut
        }
        if missing & together.keys():
            start = by_cut[next(iter(together))].start
            batches.append(Batch(task, task.ids, together, start))
    return batches


def _run(batches: Sequence[Batch], setup: Setup, jobs: int) -> Iterator[tuple[Batch, bytes]]:
    """On `jobs` processes here, or on the Dask cluster of the settings."""
    order = sorted(range(len(batches)), key=lambda number: -batches[number].cost)
    scheduler = get_settings().dask_scheduler
    if scheduler is None:
        done = _run_here(batches, order, setup, jobs)
    else:
        calls = ((number, batches[number].work(), setup) for number in order)
        done = dask_cluster.run(_packed, calls, scheduler) if order else iter(())
    for number, blob in done:
        yield batches[number], blob


def _run_here(
    batches: Sequence[Batch], order: Sequence[int], setup: Setup, jobs: int
) -> Iterator[tuple[int, bytes]]:
    from joblib import delayed

    yield from parallel(jobs, return_as="generator_unordered", batch_size=1)(
        delayed(_numbered)(number, batches[number].work(), setup, os.getpid()) for number in order
    )


def _numbered(number: int, work: Work, setup: Setup, run: int) -> tuple[int, bytes]:
    end_with(run)
    return _packed(number, work, setup)


def _packed(number: int, work: Work, setup: Setup) -> tuple[int, bytes]:
    return number, shards.pack(run_work(work, setup))


def run_work(work: Work, setup: Setup) -> list[Piece]:
    """Fits and predicts at each cut; whatever goes wrong becomes failures of the series.

    A global model learns once for the whole backtest, at its earliest origin, and then only looks
    at what each later one knows: that costs it a little accuracy, and nothing leaks back.
    """
    limit_threads()
    pieces: list[Piece] = []
    learnt: Any = None
    for cut in work.keys:
        history = cut_history(work.history, cut * setup.horizon)
        started = time.process_time()
        model = _created(work, setup) if learnt is None else learnt
        rows = _forecast(model, history, setup, again=model is learnt)
        seconds = time.process_time() - started
        pieces += _pieces(work, cut, history, rows, model, seconds, is_new=model is not learnt)
        if model.scope == "global" and not rows.empty:
            learnt = model
    return pieces


def _created(work: Work, setup: Setup) -> Any:
    model = create(work.model, setup)
    if isinstance(model, WarmStarting):
        model.start = work.start
    return model


def _pieces(
    work: Work,
    cut: int,
    history: pd.DataFrame,
    rows: pd.DataFrame,
    model: Any,
    seconds: float,
    *,
    is_new: bool,
) -> list[Piece]:
    ids = history["unique_id"].unique().tolist()
    if model.scope == "global":
        state = model.state() if is_new and isinstance(model, WarmStarting) else b""
        return [_piece(work.keys[cut][0], ids, rows, model, seconds, state)]
    parts = dict(iter(rows.groupby("unique_id"))) if len(rows) else {}
    return [
        _piece(key, [uid], parts.get(uid, pd.DataFrame()), model, seconds / len(ids))
        for key, uid in zip(work.keys[cut], ids, strict=True)
    ]


def _piece(
    key: bytes, ids: list[Any], rows: pd.DataFrame, model: Any, seconds: float, state: bytes = b""
) -> Piece:
    rows = rows if len(rows) else pd.DataFrame(columns=["unique_id", "ds", *VALUE_COLUMNS])
    places = {uid: place for place, uid in enumerate(ids)}
    return Piece(
        key=key,
        position=rows["unique_id"].map(places).to_numpy(dtype=np.int32),
        ds=rows["ds"].to_numpy(dtype="datetime64[ns]").view(np.int64),
        values=rows[VALUE_COLUMNS].to_numpy(dtype=float),
        failures={places[uid]: why for uid, why in model.failures.items() if uid in places},
        notes={places[uid]: note for uid, note in model.notes.items() if uid in places},
        seconds=seconds,
        state=state,
    )


def reached(periods: int, horizon: int) -> int:
    """The earliest cut that leaves a history of so many periods MIN_TRAIN of them; 0 if none."""
    return max(0, (periods - MIN_TRAIN) // horizon)


def before_backtest(y: NDArray[np.float64], horizon: int, cuts: int) -> NDArray[np.float64]:
    """What of a history is known at the earliest of the cuts 1 to `cuts` that it reaches; all of it
    if it reaches none."""
    return y[: len(y) - horizon * min(cuts, reached(len(y), horizon))]


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


def _gather(fits: Sequence[Fit], store: Store) -> Fits:
    wanted: dict[bytes, list[int]] = {}
    for number, fit in enumerate(fits):
        wanted.setdefault(fit.key, []).append(number)
    table = Gathered(fits, [store.rows(fit.key) for fit in fits])
    for piece in store.read(wanted):
        for number in wanted[piece.key]:
            table.put(number, piece)
    return table.fits()


class Gathered:
    """The rows of all fits, written into their places as the shards come, so that nothing is held
    twice."""

    def __init__(self, fits: Sequence[Fit], lengths: Sequence[int]) -> None:
        self._fits = fits
        self._ends = np.cumsum([0, *lengths])
        total = int(self._ends[-1])
        self._ids: NDArray[Any] = np.empty(total, dtype=_dtype(fits))
        self._ds = np.empty(total, dtype="datetime64[ns]")
        self._values = np.empty((len(VALUE_COLUMNS), total))
        self._failures: dict[int, list[Failure]] = {}
        self._notes: dict[str, dict[Any, dict[str, float]]] = {fit.model: {} for fit in fits}
        self._seconds = np.zeros(len(fits))

    def put(self, number: int, piece: Piece) -> None:
        fit, place = self._fits[number], slice(self._ends[number], self._ends[number + 1])
        self._ids[place] = np.asarray(fit.ids, dtype=self._ids.dtype)[piece.position]
        self._ds[place] = piece.ds.view("datetime64[ns]")
        self._values[:, place] = piece.values.T
        self._seconds[number] = piece.seconds
        self._failures[number] = [
            Failure(fit.ids[at], fit.cut, fit.model, why) for at, why in piece.failures.items()
        ]
        if fit.cut == FINAL:
            named = {fit.ids[at]: note for at, note in piece.notes.items()}
            self._notes[fit.model].update(named)

    def fits(self) -> Fits:
        seconds: dict[str, float] = {}
        final: dict[str, float] = {}
        for fit, spent in zip(self._fits, self._seconds.tolist(), strict=True):
            seconds = _summed(seconds, {fit.model: spent})
            final = _summed(final, {fit.model: spent if fit.cut == FINAL else 0.0})
        failures = [one for number in sorted(self._failures) for one in self._failures[number]]
        return Fits(self._rows(), failures, self._notes, seconds, final)

    def _rows(self) -> pd.DataFrame:
        lengths = np.diff(self._ends)
        rows = pd.DataFrame(self._values.T, columns=VALUE_COLUMNS, copy=False)
        rows.insert(0, "unique_id", self._ids)
        rows.insert(1, "ds", self._ds)
        rows["cut"] = np.repeat([fit.cut for fit in self._fits], lengths)
        names = np.array([fit.model for fit in self._fits], dtype=object)
        rows["model"] = np.repeat(names, lengths)
        return rows


def _dtype(fits: Sequence[Fit]) -> np.dtype[Any]:
    found = np.asarray(fits[0].ids).dtype if fits else np.dtype(np.int64)
    return found if found.kind in "iu" else np.dtype(object)


def with_fallbacks(fits: Fits, spare: pd.DataFrame) -> Fits:
    """Gives each failed series the seasonal naive forecast under the failed model's name.

    `spare` are rows that hold the seasonal naive forecasts; a series that is not among them gets
    none.

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
