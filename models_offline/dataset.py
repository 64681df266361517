"""Training rows on a regular calendar, one row per period, and what is known of each series."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain import demand
from domain.errors import InvalidInput
from models_offline.drivers import Outside
from models_offline.expected_parts import Machines
from models_offline.frequency import FREQUENCIES, Frequency, infer_frequency
from models_offline.levels import with_places
from models_offline.quantiles import piece_of_demand, smallest_demand

if TYPE_CHECKING:
    from warehouse.queries.training import TrainingSet

LIMIT_RULE = "every k-th series by demand value, from the highest, so that all value classes appear"
COUNTRY = "BR"
DAY = pd.Timedelta(days=1)
DAYS_PER_WEEK = 7
WEEKS_OPEN = 8
"""A weekday without a row in so many weeks is one on which nobody works."""
MOST_EMPTY = 12
"""Periods without any row that are named."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Dataset:
    """`history`: unique_id (row number in `series`), ds, y (units of issue, ≥ 0), family, sorted,
    without gaps, every series up to the same last period. `series`: one row per sku and site with
    its profile, family, unit, uf and region. `source` are the facts about the rows that it was made
    of."""

    history: pd.DataFrame
    series: pd.DataFrame
    frequency: Frequency
    source: dict[str, object]
    series_total: int
    outside: Outside = field(default_factory=Outside)
    """What may move demand: holidays and drivers."""
    machines: Machines | None = None
    """What takes parts when it fails; None where nothing is said of machines (the benchmark)."""
    left_out: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["sku", "site"]))
    """The series without demand in any whole period: see `_whole`. `series_total` is without them,
    `source["series"]` with them."""

    @property
    def last(self) -> pd.Timestamp:
        return self.history["ds"].max()


@dataclass(frozen=True)
class Pairs:
    """The series of each demand row: its row number in `names` (sku, site), which are in order."""

    number: NDArray[np.int_]
    names: pd.DataFrame


@dataclass(frozen=True)
class Regular:
    """Demand on a calendar: `history` and `series` as a Dataset has them, the pairs that are
    `left_out`, how many periods of a series had less than nothing (`negative`), and the periods in
    which no series has a row (`empty`)."""

    history: pd.DataFrame
    series: pd.DataFrame
    left_out: pd.DataFrame
    negative: int
    empty: pd.DatetimeIndex


def build(training: TrainingSet, frequency: str | None = None, limit: int | None = None) -> Dataset:
    """The dataset of a training set, of at most `limit` series by LIMIT_RULE, with ABC classes over
    all of them; raises InvalidInput when there is no demand in it."""
    rows = training.demand
    if not rows["quantity"].any():
        raise InvalidInput(
            "there is no demand to train on: load a demand file with `flask ingest` first"
        )
    native = infer_frequency(rows["date"])
    chosen = FREQUENCIES[frequency] if frequency else native
    pairs = _pairs(rows)
    running = _running(rows["date"].max(), native, training.loaded_on)
    regular = _regular(rows, pairs, native, chosen, running)
    history, series = regular.history, regular.series
    value = history.groupby("unique_id", sort=True)["y"].sum().to_numpy()
    value = value * _unit_costs(series["sku"], training.items)
    series = with_places(series, training.items, training.sites)
    series = series.assign(value=value, abc=demand.abc(value))
    family = series["family"].astype("category")
    history["family"] = family.take(history["unique_id"].to_numpy()).to_numpy()
    total = len(series)
    if limit is not None and limit < total:
        series = series.loc[_evenly(series["value"], limit)]
        history = history[history["unique_id"].isin(series.index)].reset_index(drop=True)
    source = _source(training, pairs) | {
        "negative_periods": regular.negative,
        "empty_periods": len(regular.empty),
        "last_empty_periods": regular.empty[-MOST_EMPTY:].strftime("%Y-%m-%d").tolist(),
        "inferred_frequency": native.code,
        "running_from": None if running is None else running.date().isoformat(),
    }
    outside = Outside((COUNTRY,), training.drivers)
    machines = Machines(training.equipment, training.parts, training.sites)
    series = series.join(_profiles(history, chosen))
    return Dataset(history, series, chosen, source, total, outside, machines, regular.left_out)


def _evenly(value: pd.Series, limit: int) -> NDArray[np.int_]:
    ranked = value.sort_values(ascending=False, kind="stable").index.to_numpy()
    return np.sort(ranked[np.linspace(0, len(ranked) - 1, limit).round().astype(int)])


def fingerprint(rows: pd.DataFrame) -> str:
    """SHA-256 of 64-bit hashes of the training rows, whatever order they came in."""
    told = rows[["sku", "site"]].assign(
        date=rows["date"].astype("datetime64[s]"),
        quantity=rows["quantity"].astype(float).round(6) + 0.0,
    )
    each = pd.util.hash_pandas_object(told, index=False).to_numpy()
    return hashlib.sha256(np.sort(each).tobytes()).hexdigest()


def _source(training: TrainingSet, pairs: Pairs) -> dict[str, object]:
    rows = training.demand
    return {
        "fingerprint": fingerprint(rows),
        "rows": len(rows),
        "series": len(pairs.names),
        "skus": int(pairs.names["sku"].nunique()),
        "sites": int(pairs.names["site"].nunique()),
        "from": rows["date"].min().date().isoformat(),
        "to": rows["date"].max().date().isoformat(),
        "data_version": training.data_version,
        "demand_total": float(rows["quantity"].sum()),
    }


def _pairs(rows: pd.DataFrame) -> Pairs:
    sku, site = (rows[name].astype("category").cat for name in ("sku", "site"))
    width = len(site.categories)
    keys = sku.codes.to_numpy(np.int64) * width + site.codes.to_numpy(np.int64)
    number, distinct = pd.factorize(keys, sort=True)
    names = {
        "sku": sku.categories.to_numpy(object)[distinct // width],
        "site": site.categories.to_numpy(object)[distinct % width],
    }
    return Pairs(number, pd.DataFrame(names))


def _running(last: pd.Timestamp, native: Frequency, loaded_on: date | None) -> pd.Timestamp | None:
    """The first day of the week or month of the `last` row of weekly or monthly ones, where it was
    still running on the day on which it was loaded."""
    began = native.floor(pd.Series([last]))
    end = native.following(began)[0] - DAY
    is_over = loaded_on is None or native.code == "D" or end <= pd.Timestamp(loaded_on)
    return None if is_over else began[0]


def _whole(
    dates: pd.DatetimeIndex,
    starts: pd.Series,
    native: Frequency,
    chosen: Frequency,
    running: pd.Timestamp | None,
) -> Flags:
    """Which of the ascending dates, whose periods begin at `starts`, are in whole periods: neither
    in one that is `running`, nor in one that is cut off, when another one remains."""
    whole = np.ones(len(dates), dtype=bool)
    if running is not None and dates[0] < running:
        whole = np.asarray(dates < running)
    whole[whole] = ~_cut_off(dates[whole], starts[whole], native, chosen)
    return whole


def _cut_off(
    dates: pd.DatetimeIndex, starts: pd.Series, native: Frequency, chosen: Frequency
) -> Flags:
    """Which of the dates are in a first or last period of days made weeks or months, or weeks
    months, that is cut off: it would look like a fall in demand. None where no other remains."""
    cut_off = np.zeros(len(dates), dtype=bool)
    if chosen.code == native.code or chosen.code == "D":
        return cut_off
    first, last = starts.iloc[0], starts.iloc[-1]
    near = pd.Timedelta(weeks=WEEKS_OPEN)
    after = pd.date_range(dates[-1] + DAY, chosen.after(last, 1)[0] - DAY)
    before = pd.date_range(first, dates[0] - DAY)
    if _are_due(after, dates[dates > dates[-1] - near], native):
        cut_off |= (starts == last).to_numpy()
    if _are_due(before, dates[dates < dates[0] + near], native):
        cut_off |= (starts == first).to_numpy()
    return ~cut_off if cut_off.all() else cut_off


def _are_due(days: pd.DatetimeIndex, near: pd.DatetimeIndex, native: Frequency) -> bool:
    """Whether rows should be on some of the days that lack them, as the `near` dates have them: any
    week has one of weekly rows; where those dates are too few, any day has one of daily rows."""
    if native.code != "D":
        return len(days) >= DAYS_PER_WEEK
    if (near[-1] - near[0]).days < (WEEKS_OPEN - 1) * DAYS_PER_WEEK:
        return len(days) > 0
    return bool(days.weekday.isin(near.weekday).any())


def _regular(
    rows: pd.DataFrame,
    pairs: Pairs,
    native: Frequency,
    chosen: Frequency,
    running: pd.Timestamp | None,
) -> Regular:
    """Demand by period, with zeros for the missing ones between a series' first demand and the last
    period of all, whether a row says so or not. Series without demand in a whole period are left
    out; raises InvalidInput where all are."""
    of_row, distinct = pd.factorize(rows["date"], sort=True)
    dates = pd.DatetimeIndex(distinct)
    starts = chosen.floor(dates.to_series())
    starts = starts.where(_whole(dates, starts, native, chosen, running))
    calendar = chosen.range(starts.min(), chosen.count(starts.min(), starts.max()))
    period = calendar.get_indexer(pd.Index(starts))[of_row]
    empty = calendar[~np.isin(np.arange(len(calendar)), period)]
    quantity = rows["quantity"].to_numpy(dtype=float)
    kept: Flags = (period >= 0) & (quantity != 0)
    if not kept.any():
        raise InvalidInput(f"there is no demand in a whole period ({chosen.code}) to train on")
    period, quantity = period[kept], quantity[kept]
    number, left = pd.factorize(pairs.number[kept], sort=True)
    first = np.full(len(left), len(calendar))
    np.minimum.at(first, number, period)
    lengths = len(calendar) - first
    before = np.cumsum(lengths) - len(calendar)
    y = np.bincount(before[number] + period, weights=quantity, minlength=int(lengths.sum()))
    ids = np.repeat(np.arange(len(left), dtype=np.int32), lengths)
    ds = calendar.to_numpy()[np.arange(len(y)) - before[ids]]
    history = pd.DataFrame({"unique_id": ids, "ds": ds, "y": np.maximum(y, 0.0)})
    series = pairs.names.iloc[left].reset_index(drop=True)
    series = series.assign(first_date=calendar[first], last_date=calendar[-1], periods=lengths)
    if chosen.code == "D" or chosen.month > native.month:
        empty = empty[:0]
    return Regular(history, series, pairs.names.drop(left), int((y < 0).sum()), empty)


def _profiles(history: pd.DataFrame, frequency: Frequency) -> pd.DataFrame:
    groups = history.groupby("unique_id", sort=True)["y"]
    rows = {uid: profile(y.to_numpy(), frequency) for uid, y in groups}
    return pd.DataFrame.from_dict(rows, orient="index")


def profile(y: NDArray[np.float64], frequency: Frequency) -> dict[str, object]:
    """What is known of one history: class, regularity, variability, moments (units of issue)."""
    return {
        "demand_class": demand.demand_class(
            y, season_length=frequency.season_length, dead_after=frequency.dead_after
        ),
        "adi": demand.adi(y),
        "cv2": demand.cv2(y),
        "xyz": demand.xyz(demand.cv(_buckets(y, frequency.month))),
        "nonzero": int(np.count_nonzero(y)),
        "mean": float(y.mean()),
        "std": float(y.std()),
        "smallest": smallest_demand(y),
        "piece": piece_of_demand(y),
    }


def _buckets(y: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Sums of consecutive whole buckets, the newest last; a series shorter than one is kept."""
    whole = len(y) // size
    return y[len(y) - whole * size :].reshape(whole, size).sum(axis=1) if whole else y


def _unit_costs(skus: pd.Series, items: pd.DataFrame) -> NDArray[np.float64]:
    """BRL per unit; the median of the known ones where unknown, 1 when none is known."""
    known = pd.to_numeric(items.set_index("sku")["unit_cost_brl"], errors="coerce")
    known = known[~known.index.duplicated()]
    typical = float(known.median()) if known.notna().any() else 1.0
    return known.reindex(skus).fillna(typical).clip(lower=0.0).to_numpy(dtype=float)
