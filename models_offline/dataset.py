"""Training rows on a regular calendar, one row per period, and what is known of each series."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
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
from models_offline.quantiles import smallest_demand

if TYPE_CHECKING:
    from warehouse.queries.training import TrainingSet

LIMIT_RULE = "every k-th series by demand value, from the highest, so that all value classes appear"
COUNTRY = "BR"
MAX_DAYS_SHORT = {"W": 6, "M": 3}


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

    @property
    def last(self) -> pd.Timestamp:
        return self.history["ds"].max()

    def limited(self, limit: int | None) -> Dataset:
        """At most `limit` series by LIMIT_RULE; the profiles stay those of the whole set."""
        if limit is None or limit >= len(self.series):
            return self
        ranked = self.series.sort_values("value", ascending=False, kind="stable").index.to_numpy()
        picks = np.sort(ranked[np.linspace(0, len(ranked) - 1, limit).round().astype(int)])
        history = self.history[self.history["unique_id"].isin(picks)].reset_index(drop=True)
        return replace(self, history=history, series=self.series.loc[picks])


def build(training: TrainingSet, frequency: str | None = None) -> Dataset:
    """The dataset of a training set; raises InvalidInput when there is no demand in it."""
    rows = training.demand
    if rows.empty:
        raise InvalidInput(
            "there is no demand to train on: load a demand file with `flask ingest` first"
        )
    native = infer_frequency(rows["date"])
    chosen = FREQUENCIES[frequency] if frequency else native
    periods = _whole_periods(_per_period(rows, chosen), rows["date"], native, chosen)
    history, series = _regular(periods, chosen)
    series = series.join(_profiles(history, series, training.items, chosen))
    series = with_places(series, training.items, training.sites)
    family = series["family"].astype("category")
    history["family"] = family.take(history["unique_id"].to_numpy()).to_numpy()
    source = _source(training) | {
        "negative_periods": int((periods["quantity"] < 0).sum()),
        "inferred_frequency": native.code,
    }
    outside = Outside((COUNTRY,), training.drivers)
    machines = Machines(training.equipment, training.parts, training.sites)
    return Dataset(history, series, chosen, source, len(series), outside, machines)


def fingerprint(rows: pd.DataFrame) -> str:
    """SHA-256 of the training rows, whatever order they came in."""
    columns = ["sku", "site", "date", "quantity"]
    ordered = rows[columns].sort_values(columns[:3], kind="stable")
    text = ordered.to_csv(index=False, header=False, date_format="%Y-%m-%d", float_format="%.6f")
    return hashlib.sha256(text.encode()).hexdigest()


def _source(training: TrainingSet) -> dict[str, object]:
    rows = training.demand
    return {
        "fingerprint": fingerprint(rows),
        "rows": len(rows),
        "series": int(rows[["sku", "site"]].drop_duplicates().shape[0]),
        "skus": int(rows["sku"].nunique()),
        "sites": int(rows["site"].nunique()),
        "from": rows["date"].min().date().isoformat(),
        "to": rows["date"].max().date().isoformat(),
        "data_version": training.data_version,
        "demand_total": float(rows["quantity"].sum()),
    }


def _per_period(rows: pd.DataFrame, frequency: Frequency) -> pd.DataFrame:
    frame = rows.assign(ds=frequency.floor(rows["date"]))
    return frame.groupby(["sku", "site", "ds"], sort=True)["quantity"].sum().reset_index()


def _whole_periods(
    periods: pd.DataFrame, dates: pd.Series, native: Frequency, chosen: Frequency
) -> pd.DataFrame:
    """Daily rows made weekly or monthly: a last or first period that is cut off would look like a
    fall in demand, so it is left out when another one remains."""
    if chosen.code == native.code or chosen.code == "D":
        return periods
    first, last = periods["ds"].min(), periods["ds"].max()
    ends = chosen.after(last, 1)[0] - pd.Timedelta(days=1)
    tolerance = pd.Timedelta(days=0 if native.code == "D" else MAX_DAYS_SHORT[chosen.code])
    cut = periods
    if dates.max() < ends - tolerance:
        cut = cut[cut["ds"] < last]
    if dates.min() > first + tolerance:
        cut = cut[cut["ds"] > first]
    return periods if cut.empty else cut


def _regular(periods: pd.DataFrame, frequency: Frequency) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Zeros for the missing periods between a series' first demand and the last period of all."""
    last = periods["ds"].max()
    spans = periods.groupby(["sku", "site"], sort=True)["ds"].min().reset_index()
    lengths = np.array([frequency.count(start, last) for start in spans["ds"]])
    calendar = frequency.range(spans["ds"].min(), int(lengths.max()))
    position = _positions(lengths)
    ds = calendar.to_numpy()[len(calendar) - np.repeat(lengths, lengths) + position]
    y = np.zeros(int(lengths.sum()))
    y[_rows_of(periods, spans, lengths, frequency)] = periods["quantity"].to_numpy()
    ids = np.repeat(np.arange(len(spans), dtype=np.int32), lengths)
    history = pd.DataFrame({"unique_id": ids, "ds": ds, "y": np.maximum(y, 0.0)})
    series = spans.rename(columns={"ds": "first_date"})
    return history, series.assign(last_date=last, periods=lengths)


def _positions(lengths: NDArray[np.int_]) -> NDArray[np.int_]:
    starts = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum())) - np.repeat(starts, lengths)


def _rows_of(
    periods: pd.DataFrame, spans: pd.DataFrame, lengths: NDArray[np.int_], frequency: Frequency
) -> NDArray[np.int_]:
    starts = pd.Series(
        np.cumsum(lengths) - lengths, index=pd.MultiIndex.from_frame(spans[["sku", "site"]])
    )
    calendar = frequency.range(spans["ds"].min(), int(lengths.max()))
    number = pd.Series(np.arange(len(calendar)), index=calendar)
    keys = pd.MultiIndex.from_frame(periods[["sku", "site"]])
    first = pd.Series(spans["ds"].to_numpy(), index=starts.index)
    offset = number.loc[periods["ds"]].to_numpy() - number.loc[first.loc[keys]].to_numpy()
    return starts.loc[keys].to_numpy() + offset


def _profiles(
    history: pd.DataFrame, series: pd.DataFrame, items: pd.DataFrame, frequency: Frequency
) -> pd.DataFrame:
    groups = history.groupby("unique_id", sort=True)["y"]
    rows = pd.DataFrame([profile(y.to_numpy(), frequency) for _, y in groups])
    value = groups.sum().to_numpy() * _unit_costs(series["sku"], items)
    return rows.assign(value=value, abc=demand.abc(value))


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
