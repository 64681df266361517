"""Accuracy of the engine on a file, beside its members and outside references.

The last periods of each series are held out; the engine sees the rest, and its own validation
happens inside it. Errors are scaled as in the M competitions: MASE by the in-sample seasonal naive
(12 months, 7 days, 1 week), RMSSE by the in-sample naive (M5), OWA against Naive 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domain import demand
from domain.accuracy import bias, naive_scales, wape
from domain.errors import InvalidInput
from models_offline import calibrate, drivers, ensemble, fitting, tables
from models_offline.dataset import Dataset, profile
from models_offline.drivers import Outside
from models_offline.fitting import FINAL
from models_offline.frequency import Frequency
from models_offline.models import MODELS, REFERENCES
from models_offline.models.naive2 import competition_season
from models_offline.quantiles import LEVELS, QUANTILE_COLUMNS, pinball
from models_offline.training import Options, Results, train

COLUMNS = ("unique_id", "ds", "y")
SCUM, NAIVE2 = "SCUM", "naive2"
NOT_SINGLE = (ensemble.NAME, SCUM)
RESAMPLES = 2000
PIT_LEVELS = (0.1, 0.5, 0.9, 0.95, 0.99)
UPPER_LEVELS = (0.9, 0.95, 0.99)
TRIES = 2
"""Validation origins inside the history that the engine is given."""
MOST = 0.9
"""A model is reported if it has forecasts of so much of the series."""
MOST_NAMES = 10
"""Series that are left out, in the text."""


def read(path: Path, frequency: Frequency) -> tuple[pd.DataFrame, int]:
    """The file as unique_id, ds (the first day of its period), y, sorted; and how many y were below
    0, and are 0. Raises InvalidInput where it is not such a file, or a series has not one row in
    each period from its first to its last."""
    table = tables.read(path, COLUMNS)[list(COLUMNS)]
    if table.empty:
        raise InvalidInput(f"{path}: no line follows the names; each is a series, a day, a number")
    names = table[["unique_id"]]
    tables.refuse(path, names, names == "", "is empty; a row names its series")
    frame = table.assign(
        ds=frequency.floor(tables.days(path, table, "ds")),
        y=tables.numbers(path, table[["y"]])["y"],
    )
    frame = frame.sort_values(["unique_id", "ds"], kind="stable")
    _refuse_irregular(path, table, frame, frequency)
    below = int((frame["y"] < 0).sum())
    return frame.assign(y=frame["y"].clip(lower=0.0)).reset_index(drop=True), below


def _refuse_irregular(
    path: Path, table: pd.DataFrame, frame: pd.DataFrame, frequency: Frequency
) -> None:
    before = frame.groupby("unique_id")["ds"].shift()
    expected = frequency.following(before)
    for row in np.flatnonzero(before.notna() & (frame["ds"] != expected))[:1]:
        line, reason = frame.index[row], f"series {frame['unique_id'].iloc[row]!r} has "
        if frame["ds"].iloc[row] == before.iloc[row]:
            reason += f"line {frame.index[row - 1]} in the same period of --freq {frequency.code}"
        else:
            reason += f"no row for {expected.iloc[row]:%Y-%m-%d}; write one, of 0 if nothing was"
        tables.refuse(path, table.loc[[line], ["ds"]], [True], reason)


def dataset_of(
    frame: pd.DataFrame, frequency: Frequency, outside: Outside | None = None
) -> Dataset:
    """A dataset of long rows; each series ends where it ends."""
    ids, names = pd.factorize(frame["unique_id"])
    history = pd.DataFrame({"unique_id": ids.astype(np.int32), "ds": frame["ds"], "y": frame["y"]})
    groups = history.groupby("unique_id", sort=True)
    series = groups["ds"].agg(first_date="min", last_date="max", periods="size")
    profiles = pd.DataFrame([profile(y.to_numpy(), frequency) for _, y in groups["y"]])
    value = groups["y"].sum().to_numpy()
    series = series.assign(sku=names, site="-").join(profiles).assign(value=value)
    series = series.assign(abc=demand.abc(value))
    return Dataset(history, series, frequency, {}, len(series), outside or Outside())


def accuracy(
    frame: pd.DataFrame,
    frequency: Frequency,
    horizon: int,
    *,
    origins: int = 1,
    limit: int | None = None,
    jobs: int = 1,
    seed: int = 1,
    outside: Outside | None = None,
) -> dict[str, Any]:
    """The report: models with their measures, the ensemble's differences to the best, the series
    that are left out with their number of periods, and what drivers brought at each origin. Raises
    InvalidInput where all series are too short."""
    chosen = _limited(frame, limit)
    options = Options(horizon=horizon, jobs=jobs, seed=seed, origins=TRIES)
    scores: list[pd.DataFrame] = []
    seconds: dict[str, float] = {}
    tried: list[dict[str, Any]] = []
    fits = 0
    for known, held in splits(chosen, horizon, origins):
        dataset = dataset_of(known, frequency, outside)
        results = train(dataset, options)
        tried += [{"origin": len(scores)} | row for row in results.drivers]
        points, spent, count = _measure(results, held)
        scores.append(points.assign(origin=len(scores)))
        seconds = {name: seconds.get(name, 0.0) + value for name, value in spent.items()}
        fits += count
    if not scores:
        raise InvalidInput(f"no series is longer than {horizon} held-out periods and a history")
    points = _of_most_series(pd.concat(scores, ignore_index=True))
    periods = chosen["unique_id"].value_counts(sort=False)
    short = {str(uid): int(n) for uid, n in periods.items() if n < horizon + fitting.MIN_TRAIN}
    report = _report(points, seconds, fits, frequency, horizon, len(scores))
    return report | {"origins_asked": origins, "left_out": short, "drivers": tried}


def _limited(frame: pd.DataFrame, limit: int | None) -> pd.DataFrame:
    names = frame["unique_id"].unique()
    if limit is None or limit >= len(names):
        return frame
    picks = names[np.linspace(0, len(names) - 1, limit).round().astype(int)]
    return frame[frame["unique_id"].isin(picks)].reset_index(drop=True)


def splits(
    frame: pd.DataFrame, horizon: int, origins: int
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """What is known and what is held out, at each test origin that is possible, the nearest
    first."""
    back = frame.groupby("unique_id").cumcount(ascending=False)
    length = frame.groupby("unique_id")["y"].transform("size")
    for origin in range(possible(frame, horizon, origins)):
        end = origin * horizon
        enough = length - end - horizon >= fitting.MIN_TRAIN
        known = frame[enough & (back >= end + horizon)]
        held = frame[enough & (back >= end) & (back < end + horizon)]
        yield known.reset_index(drop=True), held.reset_index(drop=True)


def possible(frame: pd.DataFrame, horizon: int, asked: int) -> int:
    """How many of the origins that were asked for leave the longest series a history."""
    longest = int(frame["unique_id"].value_counts().max())
    return min(asked, fitting.reached(longest, horizon))


def _measure(results: Results, held: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, float], int]:
    """Forecasts beside the held-out actuals, by the series' own names, which are the same at each
    origin; CPU-seconds by model, and the number of series."""
    dataset = results.dataset
    others = _others(results)
    naive = results.fits.rows
    rows = fitting.with_fallbacks(others, naive).rows.assign(cut=FINAL)
    shared = ["unique_id", "ds", "model", "mean", *QUANTILE_COLUMNS]
    rows = pd.concat([results.forecast[shared], rows[shared]], ignore_index=True)
    rows["step"] = rows.groupby(["model", "unique_id"]).cumcount()
    ids = pd.Series(dataset.series.index, index=dataset.series["sku"])
    actual = held.assign(
        unique_id=held["unique_id"].map(ids),
        step=held.groupby("unique_id").cumcount(),
    )[["unique_id", "step", "y"]].rename(columns={"y": "actual"})
    points = rows.merge(actual, on=["unique_id", "step"], how="inner")
    points = points.join(_scales(dataset), on="unique_id")
    points["unique_id"] = points["unique_id"].map(dataset.series["sku"])
    return points, _seconds(results, others), len(dataset.series)


def _of_most_series(points: pd.DataFrame) -> pd.DataFrame:
    """Without the models that are meant for some series alone: they cannot be compared."""
    series = points.groupby("model")["unique_id"].nunique()
    return points[points["model"].isin(series.index[series >= MOST * series.max()])]


def _others(results: Results) -> fitting.Fits:
    """The references, and every model on the series that it is no candidate for."""
    dataset, tasks = results.dataset, []
    final = results.forecast
    for name in (*MODELS, *REFERENCES):
        done = final.loc[final["model"] == name, "unique_id"]
        if MODELS.get(name) and MODELS[name].scope == "global" and len(done):
            continue
        missing = dataset.history[~dataset.history["unique_id"].isin(done)]
        tasks += fitting.plan(name, missing.reset_index(drop=True), [FINAL])
    return fitting.fit_all(tasks, results.setup, results.options.jobs, "references")


def _seconds(results: Results, others: fitting.Fits) -> dict[str, float]:
    single = results.fits.and_more(others).final_seconds
    return single | {ensemble.NAME: sum(results.fits.seconds.values())}


def _scales(dataset: Dataset) -> pd.DataFrame:
    season = competition_season(dataset.frequency)
    rows = {
        uid: (naive_scales(y.to_numpy(), season).absolute, naive_scales(y.to_numpy()).squared)
        for uid, y in dataset.history.groupby("unique_id")["y"]
    }
    names = ["scale", "scale2"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names).astype(float)


def _report(
    points: pd.DataFrame,
    seconds: dict[str, float],
    fits: int,
    frequency: Frequency,
    horizon: int,
    origins: int,
) -> dict[str, Any]:
    series = _by_series(points)
    means = series.groupby("model")[["mase", "rmsse", "smape"]].mean()
    naive = means.loc[NAIVE2]
    owa = (means["mase"] / naive["mase"] + means["smape"] / naive["smape"]) / 2
    order = means["mase"].sort_values().index
    models = []
    for name in order:
        mine, mean = points[points["model"] == name], means.loc[name]
        measures = {"mase": mean["mase"], "owa": owa[name], "rmsse": mean["rmsse"]}
        measures |= _pooled(mine) | {"smape": mean["smape"]} | _quantiles(mine)
        measures["cpu_seconds_per_100"] = 100 * seconds.get(str(name), np.nan) / fits
        models.append({"model": str(name)} | {key: _number(v) for key, v in measures.items()})
    return {
        "frequency": frequency.code,
        "horizon": horizon,
        "origins": origins,
        "series": int(points["unique_id"].nunique()),
        "points": int((points["model"] == ensemble.NAME).sum()),
        "models": models,
        "comparisons": _comparisons(series),
    }


def _number(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _number(inner) for key, inner in value.items()}
    return None if value is None or not np.isfinite(value) else round(float(value), 5)


def _by_series(points: pd.DataFrame) -> pd.DataFrame:
    """MASE, RMSSE and sMAPE of each model, series and origin; NaN where undefined."""
    error = (points["mean"] - points["actual"]).abs()
    total = points["mean"].abs() + points["actual"].abs()
    parts = points[["model", "unique_id", "origin"]].assign(
        mase=error / points["scale"],
        squared=error**2 / points["scale2"],
        smape=(2 * error / total.where(total > 0)).fillna(0.0),
    )
    table = parts.groupby(["model", "unique_id", "origin"], as_index=False).mean()
    return table.assign(rmsse=np.sqrt(table["squared"]))


def _pooled(points: pd.DataFrame) -> dict[str, Any]:
    pair = points["actual"], points["mean"]
    return {"wape": wape(*pair), "bias": bias(*pair)}


def _quantiles(points: pd.DataFrame) -> dict[str, Any]:
    values = points[QUANTILE_COLUMNS].to_numpy(dtype=float)
    actual = points["actual"].to_numpy(dtype=float)
    losses = pinball(values, actual) / points["scale"].to_numpy()[:, None]
    below, upto = calibrate.transform(values, actual)
    upper = [LEVELS.index(level) for level in UPPER_LEVELS]
    return {
        "pinball": pd.Series(losses.ravel()).mean(),
        "pinball_upper": pd.Series(losses[:, upper].ravel()).mean(),
        "coverage80": actual_between(points, "p10", "p90"),
        "coverage95": actual_between(points, "p2.5", "p97.5"),
        "pit": {f"{100 * q:g}": calibrate.held(below, upto, q) for q in PIT_LEVELS},
    }


def actual_between(points: pd.DataFrame, low: str, high: str) -> float:
    return float(points["actual"].between(points[low], points[high]).mean())


def _comparisons(series: pd.DataFrame) -> list[dict[str, Any]]:
    """The ensemble's MASE minus SCUM's and the best single model's, with 95 % intervals; none where
    no series has a MASE."""
    wide = series.pivot_table(index="unique_id", columns="model", values="mase").dropna()
    if wide.empty:
        return []
    singles = wide.drop(columns=list(NOT_SINGLE)).mean()
    rivals = [SCUM, str(singles.idxmin())]
    random = np.random.default_rng(1)
    picks = random.integers(0, len(wide), (RESAMPLES, len(wide)))
    found = []
    for rival in rivals:
        difference = (wide[ensemble.NAME] - wide[rival]).to_numpy()
        low, high = np.quantile(difference[picks].mean(axis=1), [0.025, 0.975])
        values = {"mase_difference": difference.mean(), "low": low, "high": high}
        found.append({"against": rival} | {key: _number(value) for key, value in values.items()})
    return found


def negatives(below: int) -> list[str]:
    """What to print of a file with so many y below 0."""
    return [f"periods of less than nothing, which count as 0: {below}"] if below else []


def fewer(asked: int, used: int) -> list[str]:
    """What to print where not all origins that were asked for are possible."""
    least = f"no series has {fitting.MIN_TRAIN} periods before an earlier one"
    return [f"origins: {used}, not {asked}: {least}"] if used < asked else []


def text(report: dict[str, Any]) -> str:
    """The report, with `negative_periods`, as lines to print."""
    table = pd.DataFrame(report["models"])
    table["pit"] = [" ".join(f"{100 * v:.1f}" for v in one.values()) for one in table["pit"]]
    lines = [table.to_string(index=False, float_format=lambda value: f"{value:.3f}")]
    levels = ", ".join(f"{100 * level:g}" for level in PIT_LEVELS)
    lines.append(f"pit: % of randomised transforms at or below {levels} %")
    for one in report["comparisons"]:
        lines.append(
            f"ensemble against {one['against']}: MASE {one['mase_difference']:+.4f}"
            f" (95 % interval {one['low']:+.4f} to {one['high']:+.4f}, paired bootstrap)"
        )
    if report["drivers"]:
        lines.append(drivers.text(report["drivers"]))
    facts = f"{report['series']} series, {report['origins']} origins, {report['points']} points"
    notes = [
        *fewer(report["origins_asked"], report["origins"]),
        *negatives(report["negative_periods"]),
        *_left_out(report),
    ]
    return "\n".join([facts, *notes, *lines])


def _left_out(report: dict[str, Any]) -> list[str]:
    names = list(report["left_out"])
    if not names:
        return []
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    least = report["horizon"] + fitting.MIN_TRAIN
    told = ", ".join(names[:MOST_NAMES]) + more
    return [f"{len(names)} series of fewer than {least} periods are left out: {told}"]
