"""Rolling-origin backtest, written once for all models.

Origin k lies k horizons before the end, so the test windows do not overlap. `points` are rows of
forecasts with the actual beside them: unique_id, cut, ds, model, mean, quantiles, actual,
demand_class, absolute (scaled |error|), squared (scaled error²), unit (what that was scaled by),
counted (whether anything is learnt from it: see survivors.py).
The scales of a series are its naive errors before the earliest origin that it reaches (NaN where
undefined), so that they know nothing of what they scale the error of. They are seasonal as in the M
competitions: of 12 months or 7 days; weeks are compared with the week before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from domain.accuracy import naive_scales
from domain.classes import DEMAND_CLASSES, INTERMITTENT_CLASSES
from models_offline.dataset import Dataset
from models_offline.fitting import FINAL, Task, before_backtest, plan, reached
from models_offline.histories import Histories
from models_offline.models import FALLBACK, kind
from models_offline.models.naive2 import competition_season
from models_offline.quantiles import QUANTILE_COLUMNS, pinball
from models_offline.survivors import first_origin, least_demands

BASELINES = ("naive", "seasonal_naive", "moving_average")
CURVES = ("arima", "lstm", "lightgbm", "ets", "theta", "ces", *BASELINES)
COUNTS = ("lstm", "lightgbm", "pooled", "compound", "ses", "imapa", "tsb", "moving_average")
CANDIDATES: dict[str, tuple[str, ...]] = {
    "smooth": ("prophet", *CURVES),
    "erratic": ("prophet", *CURVES),
    "intermittent": COUNTS,
    "lumpy": COUNTS,
    "dead": ("tsb", "moving_average"),
    "short": ("family", "ses", *CURVES),
}
"""What each demand class is forecast by. A smooth curve with normal errors does harm on
intermittent demand, whatever its mean error; a dead series only has to fade away."""
JUDGED_ON_SAMPLE = ("prophet",)
"""Too expensive to fit where it is not wanted: judged on a sample of each class first."""
SAMPLE_PER_CLASS = 30
FEW_SERIES = 5
FAIR_SHARE = 0.5
"""An origin is used if so many of the series that reach the nearest one reach it: what is learnt
there is of them alone."""
POOLED = "*"
"""Stands for all demand classes together."""


def origins(dataset: Dataset, horizon: int, count: int) -> dict[int, pd.Timestamp]:
    """Cut number → last known period, nearest first; only origins that enough series reach."""
    each = np.array([reached(periods, horizon) for periods in dataset.series["periods"]])
    some = each[each > 0]
    possible = int(np.quantile(some, 1 - FAIR_SHARE, method="higher")) if len(some) else 0
    return {
        cut: dataset.frequency.before(dataset.last, cut * horizon)
        for cut in range(1, min(count, possible) + 1)
    }


def wanted(model: str, demand_class: str) -> bool:
    """Whether a model is a candidate for a demand class."""
    return model in CANDIDATES[demand_class]


def classes_of(model: str) -> list[str]:
    """The demand classes that a model is a candidate for."""
    return [name for name in DEMAND_CLASSES if wanted(model, name)]


def sample(dataset: Dataset, model: str, size: int = SAMPLE_PER_CLASS) -> np.ndarray:
    """Ids of up to `size` series of each class of a model, evenly over their value."""
    picks = [np.empty(0, dtype=int)]
    for name, group in dataset.series.groupby("demand_class", sort=True):
        if not wanted(model, str(name)):
            continue
        ranked = group.sort_values("value", ascending=False, kind="stable").index.to_numpy()
        chosen = np.linspace(0, len(ranked) - 1, min(size, len(ranked))).round().astype(int)
        picks.append(ranked[chosen])
    return np.sort(np.concatenate(picks))


def tasks(
    dataset: Dataset, models: Sequence[str], ends: dict[int, pd.Timestamp], *, final: bool
) -> list[Task]:
    """Every fit of the backtest; with `final` also the forecast itself, except for the models
    that are judged on a sample."""
    planned = []
    source = Histories(dataset.history)
    for model in models:
        judged = model in JUDGED_ON_SAMPLE
        cuts = [*ends, FINAL] if final and not judged else [*ends]
        planned += plan(model, source, cuts, _fitted(dataset, model).tolist())
    return planned


def _fitted(dataset: Dataset, model: str) -> np.ndarray:
    """Ids of the series that a model is fitted to: baselines and global models to all of them."""
    if model in JUDGED_ON_SAMPLE:
        return sample(dataset, model)
    if model in BASELINES or kind(model).scope == "global":
        return dataset.series.index.to_numpy()
    return dataset.series.index[dataset.series["demand_class"].isin(classes_of(model))].to_numpy()


def with_actuals(rows: pd.DataFrame, dataset: Dataset, horizon: int) -> pd.DataFrame:
    """The points of backtest rows, whose cuts are `horizon` periods apart."""
    cuts = int(rows["cut"].max())
    known = dataset.history[["unique_id", "ds", "y"]].rename(columns={"y": "actual"})
    points = rows[rows["cut"] != FINAL].merge(known, on=["unique_id", "ds"], how="inner")
    unit = scales(dataset, horizon, cuts)
    ids = points["unique_id"]
    error = points["mean"] - points["actual"]
    return points.assign(
        demand_class=ids.map(dataset.series["demand_class"]),
        absolute=error.abs() / ids.map(unit["absolute"]),
        squared=error**2 / ids.map(unit["squared"]),
        unit=ids.map(unit["squared"]),
        counted=_counted(points, dataset, horizon, cuts),
    )


def counted(points: pd.DataFrame) -> pd.DataFrame:
    """The points that weights, widths and damping are learnt from."""
    return points[points["counted"]]


def _counted(points: pd.DataFrame, dataset: Dataset, horizon: int, cuts: int) -> pd.Series:
    """Whether a series is of regular demand, or had enough before a cut to be there anyway."""
    series = dataset.series
    rare = series.index[series["demand_class"].isin(INTERMITTENT_CLASSES)]
    history = dataset.history[dataset.history["unique_id"].isin(rare)]
    quantities = {uid: y.to_numpy() for uid, y in history.groupby("unique_id")["y"]}
    least = least_demands(quantities.values(), cuts * horizon)
    first = {uid: first_origin(y, least) for uid, y in quantities.items()}
    known = points["unique_id"].map(series["periods"]) - points["cut"] * horizon
    return known >= points["unique_id"].map(first).fillna(0)


def scales(dataset: Dataset, horizon: int, cuts: int) -> pd.DataFrame:
    """`absolute` and `squared` by unique_id: naive errors before the earliest of the cuts 1 to
    `cuts` that a series reaches."""
    season = competition_season(dataset.frequency)
    rows = {
        uid: naive_scales(before_backtest(y.to_numpy(), horizon, cuts), season)
        for uid, y in dataset.history.groupby("unique_id")["y"]
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["absolute", "squared"])
    return frame.astype(float)


def class_errors(points: pd.DataFrame) -> dict[str, dict[str, float]]:
    """demand class → model → error, pooled over the series of the class.

    The error of a series is its MASE, or its RMSSE where demand is intermittent (on absolute
    errors the all-zero forecast would win); that of a class is the mean over its series. A model
    judged on some of the series is compared on those with the best of the others, and its error
    scaled accordingly. The class "*" pools all, for those with fewer than FEW_SERIES series.
    """
    by_series = _series_errors(points)
    result = {
        str(name): _comparable(group)
        for name, group in by_series.groupby("demand_class", sort=True)
        if group["unique_id"].nunique() >= FEW_SERIES
    }
    if not by_series.empty:
        result[POOLED] = _comparable(by_series)
    return result


def quantile_errors(points: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Intermittent class → model → mean pinball loss of its quantiles, in root mean squared naive
    errors; without the classes of fewer than FEW_SERIES series."""
    known = points[points["demand_class"].isin(INTERMITTENT_CLASSES) & (points["unit"] > 0)]
    losses = pinball(known[QUANTILE_COLUMNS].to_numpy(), known["actual"].to_numpy()).mean(axis=1)
    scored = known.assign(loss=losses / np.sqrt(known["unit"]))
    return {
        str(name): {
            str(model): float(loss) for model, loss in group.groupby("model")["loss"].mean().items()
        }
        for name, group in scored.groupby("demand_class", sort=True)
        if group["unique_id"].nunique() >= FEW_SERIES
    }


def losers(points: pd.DataFrame, model: str) -> set[str]:
    """The demand classes where a model's errors are above those of the fallback by more than their
    standard error; "*" is among them when it loses over all series."""
    wide = _series_errors(points).pivot_table(
        index=["demand_class", "unique_id"], columns="model", values="error"
    )
    if model not in wide or FALLBACK not in wide:
        return set()
    excess = (wide[model] - wide[FALLBACK]).dropna()
    groups = excess.groupby("demand_class")
    lost = {str(name) for name, group in groups if len(group) >= FEW_SERIES and _is_above(group)}
    return lost | ({POOLED} if len(excess) and _is_above(excess) else set())


def _is_above(excess: pd.Series) -> bool:
    noise = float(excess.std(ddof=0)) / np.sqrt(len(excess))
    return float(excess.mean()) > noise + 1e-12


def _series_errors(points: pd.DataFrame) -> pd.DataFrame:
    keys = ["demand_class", "unique_id", "model"]
    means = points.groupby(keys, as_index=False, sort=True)[["absolute", "squared"]].mean()
    rough = means["demand_class"].isin(INTERMITTENT_CLASSES)
    error = np.where(rough, np.sqrt(means["squared"]), means["absolute"])
    return means.assign(error=error).dropna(subset=["error"])


def _comparable(by_series: pd.DataFrame) -> dict[str, float]:
    wide = by_series.pivot_table(index="unique_id", columns="model", values="error")
    full = wide.columns[wide.notna().all()]
    if not len(full):
        full = wide.columns[wide.notna().sum() == wide.notna().sum().max()]
    best = wide[full].mean().idxmin()
    errors = {}
    for model in wide.columns:
        there, everywhere = wide[best][wide[model].notna()].mean(), wide[best].mean()
        ratio = everywhere / there if there > 0 else 1.0
        errors[str(model)] = float(wide[model].mean() * ratio)
    return errors
