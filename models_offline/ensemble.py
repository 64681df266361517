"""The ensemble: members weighted by the inverse of their class's backtest error.

Errors are pooled over the series of a demand class, because one series' errors at a few origins
are mostly noise. A member more than 15 % worse than the best of its class is dropped (1 % where
demand is intermittent). Half of the forecast is the weighted mean of the rest, without the lowest
and the highest value of each period, half their median (Jose & Winkler 2008, "Simple robust
averages of forecasts"). Of intermittent demand the mean lies near the lowest member's: where rates
disagree they are noisy, and a noisy rate is best shrunk by the share of its square that is noise.
Then it is damped (see damping.py). Its quantiles are mixed, as they are, of the members whose own
quantiles have a pinball loss within 10 % of the best one's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.classes import INTERMITTENT_CLASSES
from domain.combination import ENOUGH_TO_TRIM, MEDIAN_SHARE, TOLERANCE
from models_offline.backtest import (
    JUDGED_ON_SAMPLE,
    POOLED,
    class_errors,
    counted,
    losers,
    quantile_errors,
    wanted,
)
from models_offline.calibrate import Corrections, apply, corrections
from models_offline.damping import Damping, damp, learn
from models_offline.drivers import Found
from models_offline.fitting import CUT_COLUMNS, FINAL
from models_offline.models import FALLBACK
from models_offline.quantiles import QUANTILE_COLUMNS, VALUE_COLUMNS
from models_offline.volatility import stretched

NAME = "ensemble"
TOLERANCE_OF_COUNTS = 1.01
"""Most of the error of intermittent demand is noise that every member shares, so a bad one stands
out by little: over hundreds of series a percent is two or three standard errors."""
TOLERANCE_OF_QUANTILES = 1.1
"""Of intermittent demand, by the pinball loss of a member's quantiles."""
POWER_OF_COUNTS = -8.0
"""The power mean of rates of intermittent demand: about their mean × (1 - 4.5 cv²), cv their
coefficient of variation. Harmonic, it would be 1 - cv²: right if they shared no noise."""
LEAST_RATE = 0.5
"""Of the median: a member's rate below it counts as that, so that none alone says zero."""
LEAST_MEAN = 1e-6
"""Units of issue a period: a published mean below it is what decaying rates leave, and is 0."""

Weights = dict[str, dict[str, float]]


def weigh(errors: dict[str, float], tolerance: float = TOLERANCE) -> dict[str, float]:
    """model → weight, summing to 1; 0 for a dropped member. Luck on a sample drops nobody: the
    best is one that was judged on all series."""
    whole = [error for model, error in errors.items() if model not in JUDGED_ON_SAMPLE]
    best = min(whole or errors.values())
    kept = {model: error for model, error in errors.items() if error <= tolerance * best + 1e-12}
    inverse = {model: 1.0 / max(error, 1e-9) for model, error in kept.items()}
    total = sum(inverse.values())
    return {model: inverse.get(model, 0.0) / total for model in sorted(errors)}


def class_weights(
    errors: dict[str, dict[str, float]],
    classes: Sequence[str],
    of_counts: float = TOLERANCE_OF_COUNTS,
) -> Weights:
    """Weights of each class; one with hardly any backtest takes the pooled ones, and without any
    backtest at all the fallback model stands alone. `of_counts`: the tolerance where demand is
    intermittent."""
    pooled = errors.get(POOLED, {})
    return {
        name: weigh(
            _members(errors.get(name, pooled), name),
            of_counts if name in INTERMITTENT_CLASSES else TOLERANCE,
        )
        for name in sorted(classes)
    }


def quantile_weights(weights: Weights, losses: dict[str, dict[str, float]]) -> Weights:
    """The weights by which quantiles are mixed: those of the mean, but by `losses` in the classes
    that have them (see `quantile_errors`)."""
    return weights | class_weights(losses, sorted(losses), TOLERANCE_OF_QUANTILES)


def _members(errors: dict[str, float], demand_class: str) -> dict[str, float]:
    known = {model: error for model, error in errors.items() if wanted(model, demand_class)}
    return known or {FALLBACK: errors.get(FALLBACK, 0.0)}


def guarded(weights: Weights, lost: set[str]) -> Weights:
    """The weights, with the fallback alone for the classes where the ensemble `lost` to it."""
    alone = {FALLBACK: 1.0}
    return {
        name: dict.fromkeys(shares, 0.0) | alone if name in lost else shares
        for name, shares in weights.items()
    }


def lost_classes(points: pd.DataFrame, errors: dict[str, dict[str, float]]) -> set[str]:
    """The classes that have to be published as seasonal naive; one that is too small to be judged
    goes with all series together."""
    lost = losers(points, NAME)
    known = set(points["demand_class"].unique())
    return {name for name in known if name in lost or (name not in errors and POOLED in lost)}


def published(points: pd.DataFrame, lost: set[str]) -> pd.DataFrame:
    """The backtest of what is published: the fallback's points as the ensemble's in the classes
    that `lost` to it."""
    if not lost:
        return points
    guarded = points["demand_class"].isin(lost)
    kept = points[~guarded | (points["model"] != NAME)]
    instead = points[guarded & (points["model"] == FALLBACK)].assign(model=NAME)
    return pd.concat([kept, instead], ignore_index=True)


def combine(
    rows: pd.DataFrame, series: pd.DataFrame, weights: Weights, of_quantiles: Weights | None = None
) -> pd.DataFrame:
    """One ensemble row per series, cut and date, from the members that are there; quantiles by
    weights of their own, if given.

    Where none of the weighted members has a forecast, seasonal naive stands in.
    """
    of_quantiles = weights if of_quantiles is None else of_quantiles
    either = [*weights.values(), *of_quantiles.values()]
    names = sorted({model for shares in either for model in shares} | {FALLBACK})
    wide = rows[rows["model"].isin(names)].pivot(index=CUT_COLUMNS, columns="model")
    values = {name: _columns(wide, name, names) for name in VALUE_COLUMNS}
    classes = series.loc[wide.index.get_level_values("unique_id"), "demand_class"]
    present = ~np.isnan(values["mean"])
    rare = classes.isin(INTERMITTENT_CLASSES).to_numpy()
    mean, spread = (_shares(classes, names, one, present) for one in (weights, of_quantiles))
    blended = {name: _blend(values[name], spread) for name in QUANTILE_COLUMNS}
    smooth = _blend(values["mean"], mean)
    blended |= {"mean": np.where(rare, low_mean(values["mean"], mean), smooth)}
    frame = pd.DataFrame(blended, index=wide.index).reset_index()
    return frame.assign(model=NAME)[rows.columns]


def _columns(wide: pd.DataFrame, name: str, models: list[str]) -> NDArray[np.float64]:
    keys = pd.MultiIndex.from_product([[name], models])
    return wide.reindex(columns=keys).to_numpy(dtype=float)


def _shares(
    classes: pd.Series, names: list[str], weights: Weights, present: NDArray[np.bool_]
) -> NDArray[np.float64]:
    table = pd.DataFrame.from_dict(weights, orient="index").reindex(columns=names).fillna(0.0)
    shares = np.where(present, table.loc[classes.to_numpy()].to_numpy(), 0.0)
    shares[shares.sum(axis=1) == 0, names.index(FALLBACK)] = 1.0
    return shares / shares.sum(axis=1, keepdims=True)


def _blend(values: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """One column of `values` (rows, members) from its members with a share."""
    known = np.where(shares > 0, values, np.nan)
    kept = _trimmed(known, shares)
    mean = np.nansum(np.where(kept > 0, values * kept, 0.0), axis=1)
    median: NDArray[np.float64] = np.nanmedian(known, axis=1)
    return (1 - MEDIAN_SHARE) * mean + MEDIAN_SHARE * median


def low_mean(values: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted power mean of each row (rows, members) of `values`; shares sum to 1."""
    median = np.nanmedian(np.where(shares > 0, values, np.nan), axis=1)
    ratios = np.where(shares > 0, values, 0.0) / np.where(median > 0, median, 1.0)[:, None]
    lifted = np.maximum(ratios, LEAST_RATE)
    return median * (lifted**POWER_OF_COUNTS * shares).sum(axis=1) ** (1 / POWER_OF_COUNTS)


def _trimmed(known: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shares without those of the lowest and the highest value of each row; NaN is no value."""
    rows = np.arange(len(known))
    kept = shares.copy()
    kept[rows, np.nanargmin(known, axis=1)] = 0.0
    # of equal values the last one, so that lowest and highest are never the same member
    kept[rows, -1 - np.nanargmax(known[:, ::-1], axis=1)] = 0.0
    enough = (~np.isnan(known)).sum(axis=1) >= ENOUGH_TO_TRIM
    kept = np.where(enough[:, None], kept, shares)
    return kept / kept.sum(axis=1, keepdims=True)


def backtested(
    raw: pd.DataFrame, series: pd.DataFrame, spreads: pd.Series, outside: Found
) -> tuple[pd.DataFrame, Corrections, Damping]:
    """Calibrated members and ensemble at each origin; widths and damping for the forecast itself.

    Weights, widths and damping for an origin come from the other origins, so that the ensemble is
    not judged on what it was tuned to; with one origin there is no other. They are learnt from the
    points that are counted, and applied to all. `spreads`: see volatility.py; `outside`: what
    drivers do to what is mixed.
    """
    members = _per_origin(raw, lambda here, others: apply(here, series, of_members(others)))
    columns = [*CUT_COLUMNS, "model", *VALUE_COLUMNS]
    mixed = pd.concat(
        [
            _mix(outside.put_on(members[members["cut"] == cut]), others, series)
            for cut, others in _others(raw)
        ],
        ignore_index=True,
    )
    mixed = stretched(mixed, spreads)
    facts = raw[[*CUT_COLUMNS, "actual", "unit", "counted"]].drop_duplicates(CUT_COLUMNS)
    mixed = mixed.merge(facts, on=CUT_COLUMNS)
    mixed = mixed.assign(demand_class=mixed["unique_id"].map(series["demand_class"]))
    honest = _per_origin(
        mixed,
        lambda here, others: damp(apply(here, series, corrections(others)), series, learn(others)),
    )
    rows = pd.concat([members[columns], honest[columns]], ignore_index=True)
    raw, mixed = counted(raw), counted(mixed)
    return rows, of_members(raw) | corrections(mixed), learn(mixed)


def of_members(points: pd.DataFrame) -> Corrections:
    """The corrections of members, as far as origins agree. Of intermittent demand none but seasonal
    naive, which may be published alone, takes one: the ensemble does."""
    regular = ~points["demand_class"].isin(INTERMITTENT_CLASSES)
    return corrections(points[regular | (points["model"] == FALLBACK)], agreed=True)


def _others(points: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    """Each cut with the counted points of the other cuts, or with its own when it is the only
    one."""
    cuts, known = sorted(points["cut"].unique()), counted(points)
    return [(cut, known[known["cut"] != cut] if len(cuts) > 1 else known) for cut in cuts]


def _per_origin(
    points: pd.DataFrame, change: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]
) -> pd.DataFrame:
    parts = [change(points[points["cut"] == cut], others) for cut, others in _others(points)]
    return pd.concat(parts, ignore_index=True)


def _mix(members: pd.DataFrame, others: pd.DataFrame, series: pd.DataFrame) -> pd.DataFrame:
    weights = class_weights(class_errors(others), list(series["demand_class"].unique()))
    rows = members[[*CUT_COLUMNS, "model", *VALUE_COLUMNS]]
    return combine(rows, series, weights, quantile_weights(weights, quantile_errors(others)))


def forecast(
    rows: pd.DataFrame,
    series: pd.DataFrame,
    weights: Weights,
    of_quantiles: Weights,
    found: Corrections,
    damping: Damping,
    spreads: pd.Series,
    outside: Found,
) -> pd.DataFrame:
    """The published forecast: calibrated members and the calibrated ensemble, which takes no
    correction of its own where it is the fallback alone, and whose means below LEAST_MEAN are 0."""
    members = apply(rows[rows["cut"] == FINAL], series, found)
    alone = {(name, NAME) for name, shares in weights.items() if shares.get(FALLBACK) == 1.0}
    mixed = combine(outside.put_on(members), series, weights, of_quantiles)
    as_it_is = mixed["unique_id"].map(series["demand_class"]).isin([name for name, _ in alone])
    mixed = pd.concat([mixed[as_it_is], stretched(mixed[~as_it_is], spreads)]).sort_index()
    mixed = apply(mixed, series, {key: one for key, one in found.items() if key not in alone})
    mixed = damp(mixed, series, damping)
    mixed = mixed.assign(mean=mixed["mean"].where(mixed["mean"] >= LEAST_MEAN, 0.0))
    return pd.concat([members, mixed], ignore_index=True)
