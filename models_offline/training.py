"""A training run from data to results: backtest, weights, forecast. Writing is bundle.py's."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from domain.errors import InvalidInput
from models_offline import (
    backtest,
    calibrate,
    drivers,
    ensemble,
    expected_parts,
    fitting,
    hierarchy,
    scoring,
    volatility,
)
from models_offline.checkpoints import Store, Tally
from models_offline.damping import Damping
from models_offline.dataset import Dataset, build
from models_offline.levels import PLACES
from models_offline.models import FALLBACK, MODELS
from models_offline.models.base import Setup

if TYPE_CHECKING:
    from warehouse.queries.training import TrainingSet


@dataclass(frozen=True)
class Options:
    """What a run is asked for; None means the frequency's default (or all, for `limit`)."""

    frequency: str | None = None
    horizon: int | None = None
    limit: int | None = None
    jobs: int = 1
    seed: int = 1
    origins: int = 2
    models: tuple[str, ...] = tuple(MODELS)
    final: bool = True


@dataclass
class Results:
    """Everything that a run found out. Rows are keyed by unique_id, as in `dataset.series`.

    `points` and `accuracy` are of what is published; `errors` are those that decided it.
    """

    dataset: Dataset
    setup: Setup
    options: Options
    origins: dict[int, pd.Timestamp]
    forecast: pd.DataFrame
    points: pd.DataFrame
    accuracy: pd.DataFrame
    errors: dict[str, dict[str, float]]
    weights: ensemble.Weights
    quantile_weights: ensemble.Weights
    quantile_errors: dict[str, dict[str, float]]
    fits: fitting.Fits
    seconds: float
    judged: dict[str, dict[str, int]] = field(default_factory=dict)
    published_as_naive: list[str] = field(default_factory=list)
    """Demand classes where the ensemble's backtest lost to seasonal naive."""
    damping: Damping = field(default_factory=dict)
    """Demand class → what the mean of its ensemble was multiplied by."""
    drivers: list[dict[str, Any]] = field(default_factory=list)
    """What each driver brings to each demand class, or why it is not tried: see drivers.py and
    expected_parts.py."""
    tally: Tally = field(default_factory=Tally)
    levels: hierarchy.Hierarchy | None = None
    """None where nothing is known of places and units (the benchmark)."""

    @property
    def classes(self) -> pd.Series:
        return self.dataset.series["demand_class"]


def run(training: TrainingSet, options: Options, store: Store | None = None) -> Results:
    """Trains; raises InvalidInput when there is nothing to train on."""
    started = time.monotonic()
    return train(prepared(training, options), options, started, store)


def prepared(training: TrainingSet, options: Options) -> Dataset:
    """What is trained on; raises InvalidInput when there is nothing."""
    return build(training, options.frequency, options.limit)


def train(
    dataset: Dataset,
    options: Options,
    started: float | None = None,
    store: Store | None = None,
) -> Results:
    """Backtest, weights and forecast of a dataset; `started` on the monotonic clock. What `store`
    holds is not fitted again. Raises InvalidInput where the dates are no first days of periods, or
    where a backtest is all that is asked for and no series has an origin."""
    store = Store() if store is None else store
    started = time.monotonic() if started is None else started
    horizon = options.horizon or dataset.frequency.horizon
    setup = Setup(dataset.frequency, horizon, options.seed)
    ends = backtest.origins(dataset, horizon, options.origins)
    if not ends and not options.final:
        least, before = fitting.MIN_TRAIN + horizon, fitting.MIN_TRAIN
        raise InvalidInput(
            f"no series has {least} periods ({dataset.frequency.code}), {before} before a horizon"
            f" of {horizon}: there is nothing to backtest; choose a shorter --horizon"
        )
    models = _with_fallback(options.models)
    first = backtest.tasks(dataset, models, ends, final=options.final)
    fits = fitting.fit_all(first, setup, options.jobs, "models", store)
    fits = fitting.with_fallbacks(fits, _spare(fits, dataset))
    spreads = volatility.spreads(dataset, horizon, [fitting.FINAL, *ends])
    points, widths, damping, outside = _backtest(fits, dataset, ends, setup, options, spreads)
    judged = backtest.counted(points)
    errors = backtest.class_errors(judged)
    classes = list(dataset.series["demand_class"].unique())
    weights = ensemble.class_weights(errors, classes)
    lost = ensemble.lost_classes(judged, errors)
    damping = {name: factor for name, factor in damping.items() if name not in lost}
    losses = backtest.quantile_errors(judged)
    of_quantiles = ensemble.guarded(ensemble.quantile_weights(weights, losses), lost)
    weights = ensemble.guarded(weights, lost)
    points = ensemble.published(points, lost)
    fits = _fit_judged(fits, dataset, models, weights, setup, options, store)
    rows = pd.DataFrame()
    if options.final:
        rows = ensemble.forecast(
            fits.rows, dataset.series, weights, of_quantiles, widths, damping, spreads, outside
        )
    return Results(
        dataset=dataset,
        setup=setup,
        options=options,
        origins=ends,
        forecast=rows,
        points=points,
        accuracy=scoring.accuracy(points),
        errors=errors,
        weights=weights,
        quantile_weights=of_quantiles,
        quantile_errors=losses,
        fits=fits,
        levels=_levels(dataset, rows, points, setup),
        seconds=time.monotonic() - started,
        judged=_judged(models, points),
        published_as_naive=sorted(lost),
        damping=damping,
        drivers=outside.rows,
        tally=store.tally,
    )


def _levels(
    dataset: Dataset, forecast: pd.DataFrame, points: pd.DataFrame, setup: Setup
) -> hierarchy.Hierarchy | None:
    if not set(PLACES) <= set(dataset.series):
        return None
    return hierarchy.build(dataset, forecast, points, setup.horizon, setup.seed)


def _with_fallback(models: Sequence[str]) -> tuple[str, ...]:
    return (*models, FALLBACK) if FALLBACK not in models else tuple(models)


def _backtest(
    fits: fitting.Fits,
    dataset: Dataset,
    ends: dict[int, pd.Timestamp],
    setup: Setup,
    options: Options,
    spreads: pd.Series,
) -> tuple[pd.DataFrame, calibrate.Corrections, Damping, drivers.Found]:
    """Points of calibrated members and ensemble; widths, damping and drivers for the forecast
    itself. Raises InvalidInput where there are origins, but no actual for any forecast."""
    horizon = setup.horizon
    raw = backtest.with_actuals(fitting.sort_rows(fits.rows), dataset, horizon)
    if raw.empty and ends:
        raise InvalidInput(
            "no forecast of the backtest is of a period of the history: its dates have to be the"
            f" first days of consecutive periods ({dataset.frequency.code})"
        )
    if raw.empty:
        return raw, {}, {}, drivers.Found()
    outside = drivers.screen(dataset, ends, horizon)
    outside = expected_parts.screen(dataset, ends, horizon, outside, setup.seed, options.jobs)
    rows, widths, damping = ensemble.backtested(raw, dataset.series, spreads, outside)
    points = backtest.with_actuals(fitting.sort_rows(rows), dataset, horizon)
    return points, widths, damping, outside


def _fit_judged(
    fits: fitting.Fits,
    dataset: Dataset,
    models: Sequence[str],
    weights: ensemble.Weights,
    setup: Setup,
    options: Options,
    store: Store,
) -> fitting.Fits:
    """Fits the models that were judged on a sample, for the classes where they survived."""
    if not options.final:
        return fits
    tasks = []
    for model in set(models) & set(backtest.JUDGED_ON_SAMPLE):
        kept = [name for name, shares in weights.items() if shares.get(model, 0.0) > 0]
        ids = dataset.series.index[dataset.series["demand_class"].isin(kept)]
        tasks += fitting.plan(model, dataset.history, [fitting.FINAL], ids.tolist())
    if not tasks:
        return fits
    more = fitting.fit_all(tasks, setup, options.jobs, "survivors", store)
    return fits.and_more(fitting.with_fallbacks(more, _spare(fits, dataset)))


def _spare(fits: fitting.Fits, dataset: Dataset) -> pd.DataFrame:
    """The rows that may stand in for a member's. Of a series that is too short for any backtest
    none: many members fail there, and as copies of one forecast would outvote the others."""
    periods = fits.rows["unique_id"].map(dataset.series["periods"])
    return fits.rows[periods >= fitting.MIN_TRAIN]


def _judged(models: Sequence[str], points: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Model → demand class → series that it was judged on."""
    found = {}
    for model in set(models) & set(backtest.JUDGED_ON_SAMPLE):
        mine = points[points["model"] == model] if len(points) else points
        pairs = mine[["demand_class", "unique_id"]].drop_duplicates() if len(mine) else mine
        found[model] = dict(Counter(pairs["demand_class"])) if len(pairs) else {}
    return found
