"""What holidays and outside drivers (weather, events) bring to daily forecasts.

Each series' logs are compared with the median of the same weekday in the weeks around it; what is
left is explained by a ridge regression on holidays and on how far each driver is from its own mean
of those weeks. The effects are taken out of the history before a model is fitted, and put back on
its forecast. The drivers of the held-out days are taken as they turned out, so what they bring is
the most that a perfect weather forecast could.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.accuracy import naive_scales
from domain.drivers import OWN_DRIVERS
from domain.errors import InvalidInput
from models_offline import benchmark, fitting, tables
from models_offline.drivers import AROUND, RIDGE, WEEK, Outside, anomalies, holiday_table
from models_offline.fitting import FINAL
from models_offline.frequency import FREQUENCIES
from models_offline.models.base import Setup

NONE, HOLIDAYS, DRIVERS, BOTH = "without", "holidays", "drivers", "both"
USED = {NONE: (), HOLIDAYS: (HOLIDAYS,), DRIVERS: (DRIVERS,), BOTH: (HOLIDAYS, DRIVERS)}
RESAMPLES = 2000


def read_drivers(path: Path) -> pd.DataFrame:
    """The drivers by day, gaps filled with the day before; column `ds` is the index. Raises
    InvalidInput where it is not such a file."""
    table = tables.read(path, ["ds"])
    days = tables.days(path, table, "ds")
    numbers = tables.numbers(path, table.drop(columns="ds"), gaps=True)
    tables.refuse(path, table[["ds"]], days.duplicated(), "is there twice")
    for name in numbers.columns[numbers.columns.isin(OWN_DRIVERS)]:
        raise InvalidInput(f"{path}, column {name!r}: is a name of the engine's own; rename it")
    for name in numbers.columns[numbers.isna().all()]:
        raise InvalidInput(f"{path}, column {name!r}: has no number; fill or remove it")
    return numbers.set_index(days).sort_index().ffill().bfill()


def outside(path: Path | None, countries: Sequence[str]) -> Outside:
    """What the engine tries: holidays, and the drivers of a file, the same everywhere."""
    if path is None:
        return Outside(tuple(countries))
    long = read_drivers(path).rename_axis("date").reset_index()
    return Outside(tuple(countries), long.melt(id_vars="date", var_name="driver").assign(uf=None))


def measure(
    frame: pd.DataFrame,
    drivers: pd.DataFrame,
    country: str,
    horizon: int,
    *,
    models: Sequence[str],
    origins: int,
    lag: int = 0,
    jobs: int = 1,
    seed: int = 1,
) -> pd.DataFrame:
    """Each model with each of USED: `mase`, `mase_holidays` (of the held-out holidays alone), and
    `difference` of the MASE to the model without, with its 95 % interval from `low` to `high`
    (paired bootstrap over series and origins).

    A row of the demand tells of the day `lag` days before its `ds`.
    """
    setup = Setup(FREQUENCIES["D"], horizon, seed)
    days = pd.date_range(frame["ds"].min(), frame["ds"].max())
    told = days - pd.Timedelta(days=lag)
    tables = {
        HOLIDAYS: holiday_table(country, told).set_axis(days),
        DRIVERS: anomalies(drivers.reindex(told)).set_axis(days),
    }
    parts: list[pd.DataFrame] = []
    for known, held in benchmark.splits(frame, horizon, origins):
        for use, names in USED.items():
            chosen = [tables[name] for name in names]
            design = pd.concat(chosen, axis=1) if chosen else pd.DataFrame(index=days)
            rows = _forecast(known, design, models, setup, jobs)
            points = rows.merge(held, on=["unique_id", "ds"])
            scale = points["unique_id"].map(_scales(known))
            festive = points["ds"].isin(days[tables[HOLIDAYS].any(axis=1)])
            error = (points["mean"] - points["y"]).abs() / scale
            parts.append(points.assign(error=error, use=use, festive=festive, origin=len(parts)))
    if not parts:
        raise InvalidInput(f"no series is longer than {horizon} held-out periods and a history")
    return _table(pd.concat(parts, ignore_index=True))


def _forecast(
    known: pd.DataFrame,
    design: pd.DataFrame,
    models: Sequence[str],
    setup: Setup,
    jobs: int,
) -> pd.DataFrame:
    """unique_id, ds, model, mean: fitted to a history without effects, which are put back."""
    parts = {uid: _effects(group, design) for uid, group in known.groupby("unique_id")}
    long = pd.DataFrame(parts, index=design.index.rename("ds")).melt(
        var_name="unique_id", value_name="effect", ignore_index=False
    )
    effects = long.set_index("unique_id", append=True)["effect"]
    table = known.join(effects, on=["ds", "unique_id"])
    plain = table.assign(y=np.expm1(np.log1p(table["y"]) - table["effect"]).clip(lower=0.0))
    dataset = benchmark.dataset_of(plain[["unique_id", "ds", "y"]], setup.frequency)
    tasks = [task for name in models for task in fitting.plan(name, dataset.history, [FINAL])]
    rows = fitting.fit_all(tasks, setup, jobs, "drivers").rows
    rows = rows.assign(unique_id=rows["unique_id"].map(dataset.series["sku"]))
    rows = rows.join(effects, on=["ds", "unique_id"])
    restored = np.expm1(np.log1p(rows["mean"]) + rows["effect"]).clip(lower=0.0)
    return rows.assign(mean=restored)[["unique_id", "ds", "model", "mean"]]


def _effects(group: pd.DataFrame, design: pd.DataFrame) -> NDArray[np.float64]:
    """The effect on log(1 + y) at each day of the design, from one series' history."""
    logs = np.log1p(group.set_index("ds")["y"])
    same = logs.groupby(logs.index.weekday)
    usual = same.transform(lambda y: y.rolling(2 * AROUND + 1, center=True, min_periods=1).median())
    matrix = design.reindex(logs.index).to_numpy()
    normal = matrix.T @ matrix + RIDGE * np.eye(matrix.shape[1])
    slopes = np.linalg.solve(normal, matrix.T @ (logs - usual).to_numpy())
    return design.to_numpy() @ slopes


def _scales(known: pd.DataFrame) -> dict[str, float | None]:
    groups = known.groupby("unique_id")["y"]
    return {str(uid): naive_scales(y.to_numpy(), WEEK).absolute for uid, y in groups}


def _table(points: pd.DataFrame) -> pd.DataFrame:
    points = points.assign(origin=points["origin"] // len(USED))
    keys = ["origin", "unique_id", "model"]
    wide = points.pivot_table(index=keys, columns="use", values="error")
    festive = points[points["festive"]].groupby(["model", "use"])["error"].mean()
    random, rows = np.random.default_rng(1), []
    for model, group in wide.groupby(level="model", sort=False):
        picks = random.integers(0, len(group), (RESAMPLES, len(group)))
        for use in USED:
            gain = (group[use] - group[NONE]).to_numpy()
            low, high = np.quantile(gain[picks].mean(axis=1), [0.025, 0.975])
            row = {"model": model, "use": use, "mase": group[use].mean()}
            row |= {"mase_holidays": festive.get((model, use), np.nan)}
            rows.append(row | {"difference": gain.mean(), "low": low, "high": high})
    return pd.DataFrame(rows)


def text(table: pd.DataFrame) -> str:
    """The table as lines to print."""
    return table.to_string(index=False, float_format=lambda value: f"{value:.3f}")


def as_json(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The table as records; None where undefined."""
    whole = table.astype(object).where(table.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in whole.to_dict("records")]
