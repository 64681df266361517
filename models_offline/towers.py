"""How towers perform: figures of a window, trends, and the day on which a level broke.

A break is found by Pettitt's test, which works on ranks and so does not mind outages (Pettitt 1979,
"A non-parametric approach to the change-point problem"); over all towers and figures together the
share of false ones is held down (Benjamini & Hochberg 1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.clusters import TOWER_METRICS
from models_offline.risk import Array, Flags

WINDOW_DAYS = 28
LEAST_DAYS = 7
"""A tower with fewer days in a window is left out of it."""
TREND_DAYS = 90
MONTH_DAYS = 30
HISTORY_DAYS = 365
FALSE_SHARE = 0.01
LEAST_SHIFT = 1.0
"""A break counts only if the median moves by so many spreads of the days around it."""
EDGE = 10
"""A break has to have so many days on either side."""
COLUMNS = ("site", "metric", "per_month", "changed_on", "before", "after", "p")


@dataclass(frozen=True)
class Windows:
    """Towers with their usual day (medians) in the last window, and in the one before it (NaN: too
    few days): an outage of some days makes no other tower of it."""

    sites: list[str]
    now: Array
    before: Array
    last_day: pd.Timestamp


def windows(kpis: pd.DataFrame) -> Windows:
    """Medians by tower of the last `WINDOW_DAYS` and of as many before them."""
    last = kpis["date"].max()
    age = (last - kpis["date"]).dt.days
    now = _usual(kpis[age < WINDOW_DAYS])
    before = _usual(kpis[(age >= WINDOW_DAYS) & (age < 2 * WINDOW_DAYS)]).reindex(now.index)
    return Windows(now.index.tolist(), now.to_numpy(float), before.to_numpy(float), last)


def _usual(rows: pd.DataFrame) -> pd.DataFrame:
    by_site = rows.groupby("site")[list(TOWER_METRICS)]
    enough = rows.groupby("site").size() >= LEAST_DAYS
    return by_site.median()[enough]


def trends(kpis: pd.DataFrame) -> pd.DataFrame:
    """COLUMNS of each tower and figure that is known of enough days; the rest has no trend."""
    last = kpis["date"].max()
    recent = kpis[kpis["date"] > last - pd.Timedelta(days=HISTORY_DAYS)]
    days = pd.date_range(recent["date"].min(), last)
    parts = [_of_metric(recent, metric, days) for metric in TOWER_METRICS]
    known = [part for part in parts if len(part)]
    if not known:
        return pd.DataFrame(columns=list(COLUMNS))
    found = pd.concat(known, ignore_index=True)
    found["p"] = _adjusted(found["p"].to_numpy(float))
    broken = (found["p"] <= FALSE_SHARE) & (found.pop("shift") >= LEAST_SHIFT)
    for name in ("changed_on", "before", "after", "p"):
        found[name] = found[name].where(broken)
    return found.dropna(subset=["per_month", "changed_on"], how="all").reset_index(drop=True)


def _of_metric(rows: pd.DataFrame, metric: str, days: pd.DatetimeIndex) -> pd.DataFrame:
    table = rows.pivot_table(index="site", columns="date", values=metric).reindex(columns=days)
    values = table.to_numpy(np.float64)
    kept = (~np.isnan(values)).sum(axis=1) >= 2 * EDGE
    values, sites = values[kept], table.index[kept]
    if not len(values):
        return pd.DataFrame()
    filled = _without_weekdays(_filled(values), days)
    place, p = pettitt(filled)
    before, after, shift = _around(filled, place)
    return pd.DataFrame(
        {
            "site": sites,
            "metric": metric,
            "per_month": slopes(filled[:, -TREND_DAYS:]) * MONTH_DAYS,
            "changed_on": days[place],
            "before": before,
            "after": after,
            "shift": shift,
            "p": p,
        }
    )


def _filled(values: Array) -> Array:
    middles = np.nanmedian(values, axis=1, keepdims=True)
    filled: Array = np.where(np.isnan(values), middles, values)
    return filled


def _without_weekdays(values: Array, days: pd.DatetimeIndex) -> Array:
    """What a weekday usually has more or less is taken off, so that weeks show no steps."""
    flat = values.copy()
    middles = np.median(values, axis=1, keepdims=True)
    for weekday in range(7):
        mine = days.dayofweek == weekday
        if mine.any():
            flat[:, mine] -= np.median(values[:, mine], axis=1, keepdims=True) - middles
    return flat


def pettitt(values: Array) -> tuple[NDArray[np.int64], Array]:
    """Of each row the first place of the new level, and p = 2·exp(−6K² ÷ (n³ + n²))."""
    from scipy.stats import rankdata

    count = values.shape[1]
    ranks = rankdata(values, axis=1)
    steps = 2 * np.cumsum(ranks, axis=1) - np.arange(1, count + 1) * (count + 1)
    inner = np.abs(steps[:, EDGE - 1 : count - EDGE])
    place = inner.argmax(axis=1) + EDGE
    largest = inner.max(axis=1)
    return place, np.minimum(1.0, 2 * np.exp(-6 * largest**2 / (count**3 + count**2)))


def _around(values: Array, place: NDArray[np.int64]) -> tuple[Array, Array, Array]:
    """Medians before and after each break, and their difference in spreads within the levels."""
    sides = [(row[:at], row[at:]) for row, at in zip(values, place, strict=True)]
    before = np.array([np.median(left) for left, _ in sides])
    after = np.array([np.median(right) for _, right in sides])
    spread = np.array([_spread(left, right) for left, right in sides])
    return before, after, np.abs(after - before) / np.maximum(spread, 1e-12)


def _spread(left: Array, right: Array) -> float:
    away = np.concatenate([np.abs(left - np.median(left)), np.abs(right - np.median(right))])
    return 1.4826 * float(np.median(away)) or float(away.mean())


def slopes(values: Array) -> Array:
    """Least-squares slope of each row, a day."""
    days = np.arange(values.shape[1]) - (values.shape[1] - 1) / 2
    found: Array = values @ days / (days @ days)
    return found


def _adjusted(p: Array) -> Array:
    from scipy.stats import false_discovery_control

    adjusted: Array = false_discovery_control(p)
    return adjusted


def moved(labels: NDArray[np.int64], earlier: NDArray[np.int64], known: Flags) -> int:
    """How many towers are not where they were, of those that are known of both windows."""
    return int(((labels != earlier) & known).sum())
