"""What moves demand from outside: holidays, weather, anything of `core.driver` by day.

Demand of a day is compared with that of the same weekday in the weeks around it, and what is left
over, as a share of it, is explained by ridge regressions on holidays and on how far each driver is
from its own mean of those weeks. Smooth demand has effects of its own in each series; other demand
has those of all series of its class, summed in each UF. The effect on the days ahead multiplies the
members' forecasts before they are mixed.

A driver is used for a demand class only where it lowers the error of a backtest of its own: of the
usual week, at up to a year of origins, since two of them may not hold a holiday. There a driver is
known as many days beyond an origin as its file goes beyond the last day of demand today; later days
count as usual ones. So the weather of the past is no forecast, unless demand follows it some days
later: the delay of each driver is the one that explains most before the earliest origin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.drivers import HOLIDAYS
from domain.errors import InvalidInput
from models_offline.fitting import CUT_COLUMNS, FINAL, cut_history
from models_offline.models.prophet import COUNTRY, Prophet
from models_offline.quantiles import VALUE_COLUMNS

if TYPE_CHECKING:
    from models_offline.dataset import Dataset

REGULAR = ("smooth", "erratic")
"""Judged by absolute errors."""
OWN_EFFECTS = ("smooth",)
"""Effects by series; other demand is too uneven to tell them."""
CLASSES = (*REGULAR, "intermittent", "lumpy")
WEEK = 7
AROUND = 4
"""Weeks before and after a day that it is compared with."""
RIDGE = 1.0
"""Penalty of an effect, in days: a holiday seen twice keeps two thirds of what it seems to do."""
DELAYS = range(29)
WINDOWS = (1, WEEK)
"""Days of a driver that act together."""
LONGEST = 4.0
"""A day counts for at most so many usual ones above its own."""
LEAST, MOST = 0.1, 3.0
"""Limits of what a forecast is multiplied by."""
SAMPLE = 200
"""So many series of a class judge a driver."""
MOST_POOLED = 1000
"""Effects that series share are learnt from so many of them, and others in so many at a time: what
bounds the memory."""
FEW_SERIES = 5
MOST_ORIGINS = 12
LEARNT = 400
"""Days before the earliest origin: every holiday has been there once."""
LEAST_GAIN = 0.001
"""Share of the error that a driver has to take away."""
OVER_SERIES, OVER_ORIGINS = 2.0, 1.0
"""A gain counts if it is above so many of its standard errors over series and over origins, which
all series share."""
YARDSTICKS = ("naive", "seasonal_naive")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outside:
    """What may move demand. `countries`: the first is that of the data, more of them are guesses;
    `table`: date, driver, value, uf (None: everywhere)."""

    countries: tuple[str, ...] = ()
    table: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["date", "driver", "value", "uf"])
    )


class Shape(NamedTuple):
    """How a driver acts: the mean of its last `window` days, `delay` days later. `country` of
    holidays."""

    driver: str
    delay: int
    window: int = 1
    country: str | None = None


KNOWN_TO_PROPHET = Shape(HOLIDAYS, delay=0, country=COUNTRY)


@dataclass(frozen=True)
class Found:
    """`rows`: what each driver brings to each class. `factors` by unique_id, cut and ds: `all`, and
    `named`, without the holidays that Prophet has of its own."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    factors: pd.DataFrame | None = None

    def put_on(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Forecasts (unique_id, cut, ds, model, mean, quantiles) with the effects; the yardsticks
        stay as they are."""
        if self.factors is None:
            return rows
        keys = pd.MultiIndex.from_frame(rows[CUT_COLUMNS])
        known = self.factors.reindex(keys).fillna(1.0)
        factor = np.where(rows["model"] == Prophet.name, known["named"], known["all"])
        factor = np.where(rows["model"].isin(YARDSTICKS), 1.0, factor)
        return rows.assign(**{name: rows[name] * factor for name in VALUE_COLUMNS})


def country_code(name: str) -> str:
    """The code in capitals. Raises InvalidInput for a country whose holidays are not known."""
    from holidays import list_supported_countries

    code = name.strip().upper()
    if code not in list_supported_countries():
        raise InvalidInput(f"no holidays are known of {name!r}; write codes like BR")
    return code


def holiday_table(country: str, days: pd.DatetimeIndex) -> pd.DataFrame:
    """One column per holiday of a country (see `country_code`), days off by custom included, 1 on
    its days."""
    from holidays import OPTIONAL, PUBLIC, country_holidays

    years = range(days[0].year - 1, days[-1].year + 2)
    kinds = (PUBLIC, OPTIONAL) if country == "BR" else (PUBLIC,)
    known = country_holidays(country, years=years, categories=kinds)
    named = pd.Series({pd.Timestamp(day): name for day, name in known.items()})
    table = pd.get_dummies(named, dtype=float).reindex(days, fill_value=0.0)
    return table.loc[:, table.any()]


def anomalies(values: pd.DataFrame) -> pd.DataFrame:
    """Each column's distance from its mean of the weeks around, in standard deviations; 0 where it
    is unknown."""
    usual = values.rolling(2 * AROUND * WEEK + 1, center=True, min_periods=1).mean()
    away = values - usual
    return (away / away.std().where(away.std() > 0, 1.0)).fillna(0.0)


def ridge(pairs: Iterable[tuple[Array, Array, Array]]) -> Array:
    """Slopes that all of (design, target, weights) share; NaN targets are left out."""
    normals, rights = [], []
    for design, target, weights in pairs:
        seen = np.isfinite(target)
        weighted = design[seen] * weights[seen, None]
        normals.append(weighted.T @ design[seen])
        rights.append(weighted.T @ target[seen])
    normal = np.sum(normals, axis=0)
    return np.linalg.solve(normal + RIDGE * np.eye(len(normal)), np.sum(rights, axis=0))


@dataclass(frozen=True)
class Groups:
    """The series, or sums of series, that effects are learnt from. `shares` (days × groups) of
    demand above the usual, `weights` alike; `ufs` of the groups; `members`: unique_id → group."""

    days: pd.DatetimeIndex
    shares: Array
    weights: Array
    ufs: list[str | None]
    members: dict[Any, int]
    pooled: bool

    def factors(
        self, design: Mapping[str | None, Array], ahead: Mapping[str | None, Array]
    ) -> Array:
        """What the days ahead are multiplied by (days × groups); designs by UF."""
        columns = [
            (design[uf], self.shares[:, number], self.weights[:, number])
            for number, uf in enumerate(self.ufs)
        ]
        if self.pooled:
            slopes = [ridge(columns)] * len(columns)
        else:
            slopes = [ridge([column]) for column in columns]
        effects = [ahead[uf] @ slope for uf, slope in zip(self.ufs, slopes, strict=True)]
        return np.clip(1.0 + np.column_stack(effects), LEAST, MOST)


def groups(history: pd.DataFrame, ufs: pd.Series, *, pooled: bool) -> Groups:
    """The groups of some series of one class; `pooled`: sums in each UF, every series counting as
    multiples of its mean. `ufs` of all series that take the effects of sums."""
    table = history.pivot(index="ds", columns="unique_id", values="y").sort_index()
    days = pd.date_range(table.index[0], table.index[-1])
    table = table.reindex(days)
    places = [None if pd.isna(uf) else str(uf) for uf in ufs.reindex(table.columns)]
    if pooled:
        means, names = table.mean(), [uf or "" for uf in places]
        scaled = table / means.where(means > 0)
        table = scaled.T.groupby(names, sort=True).sum(min_count=1).T
        numbers = {name: number for number, name in enumerate(table.columns)}
        found = ufs.fillna("").map(numbers).dropna().astype(int)
        members = dict(zip(found.index, found.tolist(), strict=True))
        places = [name or None for name in numbers]
    else:
        members = {uid: number for number, uid in enumerate(table.columns)}
    usual = _usual(table, days, pooled=pooled)
    shares = (table / usual.where(usual > 0) - 1.0).clip(upper=LONGEST)
    weights = usual / usual.mean() if pooled else usual.notna().astype(float)
    if pooled:
        shares = shares - shares.mean()
    values = weights.fillna(0.0).to_numpy()
    return Groups(days, shares.to_numpy(), values, places, members, pooled)


def _usual(table: pd.DataFrame, days: pd.DatetimeIndex, *, pooled: bool) -> pd.DataFrame:
    """The same weekday in the weeks around: the median, of sums of rare demand the mean."""
    parts = []
    for _, same in table.groupby(days.weekday):
        around = same.rolling(2 * AROUND + 1, center=True, min_periods=1)
        parts.append(around.mean() if pooled else around.median())
    return pd.concat(parts).sort_index()


class Regressors:
    """Designs of drivers, as much of them as is known at an origin."""

    def __init__(self, outside: Outside, last: pd.Timestamp, first: pd.Timestamp, horizon: int):
        self._last = last
        margin = pd.Timedelta(days=DELAYS[-1] + max(WINDOWS))
        self._days = pd.date_range(first - margin, last + pd.Timedelta(days=horizon))
        self._holidays = {
            country: holiday_table(country, self._days).to_numpy() for country in outside.countries
        }
        self._tables = {str(name): _by_uf(rows) for name, rows in outside.table.groupby("driver")}
        self._seen: dict[tuple[str, int, pd.Timestamp | None], dict[str, Array]] = {}

    @property
    def names(self) -> list[str]:
        return [*([HOLIDAYS] if self._holidays else []), *self._tables]

    def ahead(self, driver: str) -> int:
        """Days beyond the last day of demand that a driver is known."""
        return int((self._tables[driver].index[-1] - self._last).days)

    def shapes(self, driver: str) -> Iterator[Shape]:
        if driver == HOLIDAYS:
            for country in self._holidays:
                yield from (Shape(HOLIDAYS, delay, 1, country) for delay in DELAYS)
        else:
            for window in WINDOWS:
                yield from (Shape(driver, delay, window) for delay in DELAYS)

    def design(
        self,
        shapes: Sequence[Shape],
        days: pd.DatetimeIndex,
        uf: str | None,
        known: pd.Timestamp | None,
    ) -> Array:
        """A row for each of successive days; drivers as far as they are known at the origin
        `known`, or all."""
        parts = []
        for shape in shapes:
            first = int((days[0] - self._days[0]).days) - shape.delay
            parts.append(self._columns(shape, uf, known)[first : first + len(days)])
        return np.hstack(parts)

    def _columns(self, shape: Shape, uf: str | None, known: pd.Timestamp | None) -> Array:
        if shape.driver == HOLIDAYS:
            return self._holidays[str(shape.country)]
        columns = self._anomalies(shape.driver, shape.window, known)
        found = columns.get(uf or "", columns.get(""))
        return np.zeros((len(self._days), 1)) if found is None else found

    def _anomalies(self, driver: str, window: int, known: pd.Timestamp | None) -> dict[str, Array]:
        """UF → a column over all days."""
        key = driver, window, known
        if key not in self._seen:
            table = self._tables[driver]
            until = table.index[-1]
            if known is not None:
                until = min(until, known + pd.Timedelta(days=self.ahead(driver)))
            table = table[table.index <= until]
            daily = table.reindex(self._days[self._days <= until].union(table.index)).ffill()
            away = anomalies(daily.rolling(window, min_periods=1).mean())
            away = away.reindex(self._days).fillna(0.0)
            self._seen[key] = {str(uf): away[[uf]].to_numpy() for uf in away}
        return self._seen[key]


def _by_uf(rows: pd.DataFrame) -> pd.DataFrame:
    """Days × UFs; '' stands for everywhere."""
    named = rows.assign(uf=rows["uf"].fillna(""))
    return named.pivot_table(index="date", columns="uf", values="value").sort_index()


@dataclass(frozen=True)
class Weeks:
    """The weekdays of the last weeks as a forecast, for some series: `means` and `actuals` (days ×
    series) by cut; `scale`: the in-sample naive error of each."""

    ids: list[Any]
    means: dict[int, Array]
    actuals: dict[int, Array]
    scale: Array
    squared: bool

    def error(self, cut: int, factor: Array | float = 1.0) -> Array:
        """Of each series at one origin, its means times a factor (series, or days × series)."""
        error = np.abs(self.means[cut] * factor - self.actuals[cut]) / self.scale
        if self.squared:
            return np.sqrt((error**2).mean(axis=0))
        mean: Array = error.mean(axis=0)
        return mean


@dataclass
class Trial:
    """The drivers of one demand class, on trial at some origins."""

    regressors: Regressors
    known: dict[int, Groups]
    ends: dict[int, pd.Timestamp]
    horizon: int
    weeks: Weeks

    def days_after(self, cut: int) -> pd.DatetimeIndex:
        first = self.ends[cut] + pd.Timedelta(days=1)
        return pd.date_range(first, periods=self.horizon, name="ds")

    def factors(
        self, shapes: Sequence[Shape], cut: int, ids: Sequence[Any], *, all_known: bool = False
    ) -> Array:
        """What the days after an origin are multiplied by (days × series)."""
        one, origin = self.known[cut], None if all_known else self.ends[cut]
        past, ahead = (
            {uf: self.regressors.design(shapes, days, uf, origin) for uf in set(one.ufs)}
            for days in (one.days, self.days_after(cut))
        )
        return one.factors(past, ahead)[:, [one.members[uid] for uid in ids]]

    def errors(self, shapes: Sequence[Shape], *, all_known: bool = False) -> Array:
        """The error of each series at each origin (series × origins)."""
        weeks = self.weeks
        if not shapes:
            return np.column_stack([weeks.error(cut) for cut in weeks.means])
        known = {
            cut: self.factors(shapes, cut, weeks.ids, all_known=all_known) for cut in weeks.means
        }
        return np.column_stack([weeks.error(cut, factor) for cut, factor in known.items()])

    @cached_property
    def plain(self) -> Array:
        return self.errors([])

    def explained(self, shape: Shape) -> float:
        """What a driver explains of the mean of all groups of a UF before the earliest origin, in
        units of what is left over; of holidays what all have in common."""
        earliest = max(self.known)
        end, days = self.ends[earliest], self.known[earliest].days
        pairs = [
            (self.regressors.design([shape], days, uf, end).sum(1, keepdims=True), shares, weights)
            for uf, shares, weights in self._sums
        ]
        slopes = ridge(pairs)
        total = unexplained = 0.0
        for design, shares, weights in pairs:
            seen = np.isfinite(shares)
            total += float(weights[seen] @ shares[seen] ** 2)
            unexplained += float(weights[seen] @ (shares[seen] - design[seen] @ slopes) ** 2)
        noise = unexplained / max(1, sum(int(np.isfinite(one).sum()) for _, one, _ in pairs))
        return (total - unexplained) / max(noise, 1e-12)

    @cached_property
    def _sums(self) -> list[tuple[str | None, Array, Array]]:
        return list(_means(self.known[max(self.known)]))


def _means(one: Groups) -> Iterator[tuple[str | None, Array, Array]]:
    """UF, shares and weights of the mean of its groups."""
    for uf in sorted(set(one.ufs), key=str):
        mine = [number for number, other in enumerate(one.ufs) if other == uf]
        known = np.isfinite(one.shares[:, mine]) & (one.weights[:, mine] > 0)
        weights = np.where(known, one.weights[:, mine], 0.0).sum(axis=1)
        shares = np.where(known, one.shares[:, mine] * one.weights[:, mine], 0.0).sum(axis=1)
        yield uf, np.where(weights > 0, shares / np.maximum(weights, 1e-12), np.nan), weights


def screen(dataset: Dataset, ends: dict[int, pd.Timestamp], horizon: int) -> Found:
    """Tries every driver on every demand class; the factors are those of the cuts `ends` and of
    the forecast itself. Only daily demand is tried."""
    outside, series = dataset.outside, dataset.series
    tried = _origins(dataset, horizon)
    nothing = not outside.countries and outside.table.empty
    if dataset.frequency.code != "D" or nothing or not tried:
        return Found()
    first = dataset.history["ds"].min()
    regressors = Regressors(outside, dataset.last, first, horizon)
    ufs = series["uf"] if "uf" in series else pd.Series(None, index=series.index, dtype=object)
    trials: dict[str, Trial] = {}
    least = max(tried) * horizon + 2 * AROUND * WEEK
    for name in CLASSES:
        mine = series[series["demand_class"] == name]
        judges = evenly(mine.loc[mine["periods"] >= least, "value"], SAMPLE)
        if len(judges) < FEW_SERIES:
            continue
        weeks = usual_weeks(_of(dataset, judges), tried, horizon, regular=name in REGULAR)
        if len(weeks.ids) >= FEW_SERIES:
            known = _known(dataset, _teachers(mine, weeks), ufs[mine.index], tried, horizon, name)
            trials[name] = Trial(regressors, known, tried, horizon, weeks)
    shapes = _shapes(regressors, list(trials.values()))
    rows: list[dict[str, Any]] = []
    factors: list[pd.DataFrame] = []
    for name, trial in trials.items():
        used, found = _chosen(trial, shapes)
        rows += [{"demand_class": name, "frequency": dataset.frequency.code} | row for row in found]
        if used:
            mine = series[series["demand_class"] == name]
            every = {**ends, FINAL: dataset.last}
            for some in _batches(mine, trial.weeks):
                known = _known(dataset, some, ufs[mine.index], every, horizon, name)
                factors.append(_factors(replace(trial, known=known, ends=every), used))
    return Found(rows, pd.concat(factors) if factors else None)


def evenly(value: pd.Series, count: int) -> list[Any]:
    """At most so many of the ids, evenly over their value."""
    ranked = value.sort_values(ascending=False, kind="stable").index
    picks = np.linspace(0, len(ranked) - 1, min(count, len(ranked))).round().astype(int)
    return sorted(ranked[picks])


def _teachers(mine: pd.DataFrame, weeks: Weeks) -> list[Any]:
    """The series that the effects on trial are learnt from."""
    if mine["demand_class"].iloc[0] in OWN_EFFECTS:
        return weeks.ids
    return sorted({*weeks.ids, *evenly(mine["value"], MOST_POOLED)})


def _batches(mine: pd.DataFrame, weeks: Weeks) -> list[list[Any]]:
    """Series whose histories are looked at together."""
    if mine["demand_class"].iloc[0] not in OWN_EFFECTS:
        return [_teachers(mine, weeks)]
    ids = mine.index.tolist()
    return [ids[at : at + MOST_POOLED] for at in range(0, len(ids), MOST_POOLED)]


def _of(dataset: Dataset, ids: Sequence[Any]) -> pd.DataFrame:
    return dataset.history[dataset.history["unique_id"].isin(ids)]


def _shapes(regressors: Regressors, trials: Sequence[Trial]) -> list[Shape]:
    """Delay, window and country of each driver: those that explain most of all classes."""
    return [
        max(
            regressors.shapes(driver),
            key=lambda shape: sum(trial.explained(shape) for trial in trials),
        )
        for driver in regressors.names
    ]


def _origins(dataset: Dataset, horizon: int) -> dict[int, pd.Timestamp]:
    longest = int(dataset.series["periods"].max())
    count = min(MOST_ORIGINS, (longest - LEARNT) // horizon)
    return {cut: dataset.last - pd.Timedelta(days=cut * horizon) for cut in range(1, count + 1)}


def usual_weeks(
    history: pd.DataFrame, ends: dict[int, pd.Timestamp], horizon: int, *, regular: bool
) -> Weeks:
    """Of the series of a history that are known at all origins."""
    table = history.pivot(index="ds", columns="unique_id", values="y")
    steps = table.diff(WEEK if regular else 1)
    scale = steps.abs().mean() if regular else np.sqrt((steps**2).mean())
    first = min(ends.values()) - pd.Timedelta(days=2 * AROUND * WEEK - 1)
    table = table.loc[first:, scale > 0].dropna(axis="columns")
    means, actuals = {}, {}
    for cut, end in ends.items():
        past = table.loc[:end].to_numpy()[-2 * AROUND * WEEK :]
        weeks = past.reshape(2 * AROUND, WEEK, past.shape[1])
        week = np.median(weeks, axis=0) if regular else np.mean(weeks, axis=0)
        means[cut] = week[np.arange(horizon) % WEEK]
        actuals[cut] = table.loc[end + pd.Timedelta(days=1) :].to_numpy()[:horizon]
    found = scale[table.columns].to_numpy()
    return Weeks(table.columns.tolist(), means, actuals, found, squared=not regular)


def _known(
    dataset: Dataset,
    ids: Sequence[Any],
    ufs: pd.Series,
    ends: dict[int, pd.Timestamp],
    horizon: int,
    name: str,
) -> dict[int, Groups]:
    """The groups of some series at each origin that any of them reaches."""
    mine, pooled = _of(dataset, ids), name not in OWN_EFFECTS
    before = {cut: cut_history(mine, cut * horizon) for cut in ends}
    return {cut: groups(rows, ufs, pooled=pooled) for cut, rows in before.items() if len(rows)}


def _chosen(trial: Trial, shapes: Sequence[Shape]) -> tuple[list[Shape], list[dict[str, Any]]]:
    """The drivers to use, the best first, and what each brings alone."""
    alone = {shape: trial.errors([shape]) for shape in shapes}
    used: list[Shape] = []
    best, left = trial.plain, dict(alone)
    while left:
        shape = min(left, key=lambda one: left[one].mean())
        if not is_better(left.pop(shape), best):
            break
        used.append(shape)
        best = trial.errors(used)
        left = {one: trial.errors([*used, one]) for one in left}
    return used, [_row(trial, shape, alone[shape], used) for shape in shapes]


def is_better(errors: Array, than: Array) -> bool:
    """Lower by more than chance over the series and over the origins."""
    gain = than - errors
    return bool(
        gain.mean() >= LEAST_GAIN * than.mean()
        and _is_above(gain.mean(axis=1), OVER_SERIES)
        and _is_above(gain.mean(axis=0), OVER_ORIGINS)
    )


def _is_above(gain: Array, times: float) -> bool:
    return float(gain.mean()) > times * float(gain.std()) / np.sqrt(len(gain))


def _row(trial: Trial, shape: Shape, errors: Array, used: list[Shape]) -> dict[str, Any]:
    holidays = shape.driver == HOLIDAYS
    known = errors if holidays else trial.errors([shape], all_known=True)
    ahead = None if holidays else trial.regressors.ahead(shape.driver) + shape.delay
    return {
        "driver": shape.driver,
        "country": shape.country,
        "series": len(errors),
        "delay_days": shape.delay,
        "window_days": shape.window,
        "days_ahead": ahead,
        "error_without": round(float(trial.plain.mean()), 5),
        "error_with": round(float(errors.mean()), 5),
        "error_if_known": round(float(known.mean()), 5),
        "used": shape in used,
    }


def _factors(trial: Trial, used: list[Shape]) -> pd.DataFrame:
    """`all` and `named` by unique_id, cut and ds."""
    named = [shape for shape in used if shape != KNOWN_TO_PROPHET]
    parts = []
    for cut, one in trial.known.items():
        ids, days = list(one.members), trial.days_after(cut)
        every = trial.factors(used, cut, ids)
        alone = trial.factors(named, cut, ids) if named else np.ones_like(every)
        keys = pd.MultiIndex.from_product([ids, [cut], days], names=CUT_COLUMNS)
        parts.append(pd.DataFrame({"all": every.T.ravel(), "named": alone.T.ravel()}, keys))
    return pd.concat(parts)


def text(rows: list[dict[str, Any]]) -> str:
    """The rows as lines to print."""
    return pd.DataFrame(rows).to_string(index=False, float_format=lambda value: f"{value:.4f}")
