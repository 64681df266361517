"""Parts that machines are expected to take, as a mover of demand: failure risk × installed base.

At every past date the risk is that of a model which has seen no later reading, of the machines as
they had last been read. A forecast stands on the last weeks, and the machines of those weeks had
their own risk: what moves demand is how far the parts expected of the days ahead are from those
that were expected then. One slope, never below nothing, says for each demand class how much of it
demand follows. It is learnt before each origin, and used only where it lowers the error of a
backtest of the usual weeks, as in drivers.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.drivers import (
    EXPECTED_PARTS,
    FEW_FAILURES,
    FEW_SERIES,
    NO_PARTS,
    NOT_DAILY,
    NOT_LOADED,
    READ_ONCE,
    SHORT_HISTORY,
)
from models_offline import drivers, parts, readings, risk
from models_offline.drivers import (
    AROUND,
    CLASSES,
    LEAST,
    LONGEST,
    MOST,
    MOST_ORIGINS,
    REGULAR,
    SAMPLE,
    WEEK,
    Found,
    Weeks,
    evenly,
    is_better,
    ridge,
    usual_weeks,
)
from models_offline.fitting import CUT_COLUMNS, FINAL
from models_offline.processes import parallel

if TYPE_CHECKING:
    from models_offline.dataset import Dataset

KNOWN_DAYS = 2 * AROUND * WEEK
"""What the usual weeks are made of."""
MOST_PAST = 18
LEAST_LEARNT, LEAST_ORIGINS = 4, 3
"""Dates that a slope is learnt from, and origins that judge it, at least."""
MODEL_DATES = 3
"""A model is learnt at every third date, and judges the machines until the next."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Machines:
    """Readings, the parts that a failure takes, sites with their depots: see TrainingSet."""

    equipment: pd.DataFrame
    parts: pd.DataFrame
    sites: pd.DataFrame


def screen(
    dataset: Dataset,
    ends: Mapping[int, pd.Timestamp],
    horizon: int,
    found: Found,
    seed: int = 1,
    jobs: int = 1,
) -> Found:
    """What drivers.py found, and what the expected parts bring to each demand class; a row with a
    `reason` where they cannot be tried. As it was where nothing is said of machines."""
    machines = dataset.machines
    if machines is None:
        return found
    reason = _untried(dataset, machines, horizon, seed)
    if reason is None:
        rows, factors, reason = _tried(dataset, machines, ends, horizon, seed, jobs)
    if reason is not None:
        return replace(
            found, rows=[*found.rows, {"driver": EXPECTED_PARTS, "used": False, "reason": reason}]
        )
    return Found([*found.rows, *rows], _together(found.factors, factors))


def history(
    machines: Machines, moments: Mapping[int, pd.Timestamp], horizon: int, seed: int, jobs: int = 1
) -> pd.DataFrame:
    """Units expected over the horizon after each moment, a day (sku, site × cut): from nothing that
    was read later. A cut is missing where too few failures had been seen."""
    from joblib import delayed

    last = max(moments.values()) + pd.Timedelta(days=1)
    read = machines.equipment["measured_at"] < last
    known = replace(machines, equipment=machines.equipment[read])
    cuts = sorted(moments, reverse=True)
    blocks = [cuts[at : at + MODEL_DATES] for at in range(0, len(cuts), MODEL_DATES)]
    ran = parallel(jobs)(
        delayed(_of_block)(known, {cut: moments[cut] for cut in block}, horizon, seed)
        for block in blocks
    )
    return pd.DataFrame({cut: units for block in ran for cut, units in block.items()})


def _of_block(
    machines: Machines, moments: Mapping[int, pd.Timestamp], horizon: int, seed: int
) -> dict[int, pd.Series]:
    """The units expected at some moments, the earliest first: its model judges at all of them."""
    model: risk.Model | None = None
    columns: tuple[str, ...] = ()
    found = {}
    for cut, moment in moments.items():
        before = machines.equipment["measured_at"] < moment + pd.Timedelta(days=1)
        if not before.any():
            continue
        seen = readings.prepare(machines.equipment[before], horizon, seed)
        if not seen.horizon_days or not risk.are_enough(seen.rows):
            continue
        if model is None or columns != seen.rows.columns:
            model, columns = risk.Model(seed).fit(seen.rows), seen.rows.columns
        risks = readings.risks_of(seen, model)
        found[cut] = parts.mean_units(risks, machines.parts, machines.sites)
    return found


def _untried(dataset: Dataset, machines: Machines, horizon: int, seed: int) -> str | None:
    """Why the expected parts say nothing of the past, as far as the files tell."""
    equipment = machines.equipment
    if equipment.empty:
        return NOT_LOADED
    if machines.parts.empty:
        return NO_PARTS
    if dataset.frequency.code != "D":
        return NOT_DAILY
    if len(equipment) < readings.OFTEN * equipment["equipment"].nunique():
        return READ_ONCE
    known = readings.prepare(equipment, horizon, seed).rows
    return None if risk.are_enough(known) else FEW_FAILURES


def _tried(
    dataset: Dataset,
    machines: Machines,
    ends: Mapping[int, pd.Timestamp],
    horizon: int,
    seed: int,
    jobs: int,
) -> tuple[list[dict[str, Any]], list[pd.DataFrame], str | None]:
    """Rows, factors, and why there are none."""
    around = max(1, round(KNOWN_DAYS / horizon))
    fitting = dataset.series[dataset.series["sku"].isin(machines.parts["sku"])]
    if fitting.empty:
        return [], [], FEW_SERIES
    past = min(MOST_PAST, (int(fitting["periods"].max()) - KNOWN_DAYS) // horizon)
    if past < LEAST_LEARNT + LEAST_ORIGINS:
        return [], [], SHORT_HISTORY
    moments = {
        cut: dataset.last - pd.Timedelta(days=cut * horizon) for cut in range(past + around + 1)
    }
    units = history(machines, moments, horizon, seed, jobs)
    if units.empty:
        return [], [], SHORT_HISTORY
    away = _away(units.reindex(columns=sorted(moments)), around)
    told = [cut for cut in range(1, past + 1) if away[cut].notna().any()]
    if len(told) < LEAST_LEARNT + LEAST_ORIGINS:
        return [], [], SHORT_HISTORY
    keys = pd.MultiIndex.from_frame(fitting[["sku", "site"]])
    away = away.reindex(keys).set_axis(fitting.index)
    fitting = fitting[away[[FINAL, *told]].notna().all(axis="columns")]
    rows, factors = [], []
    for name in CLASSES:
        mine = fitting[fitting["demand_class"] == name]
        trial = _trial(dataset, mine, away, told, horizon, regular=name in REGULAR)
        if trial is None:
            continue
        used, row = trial.judged()
        rows.append({"demand_class": name, "frequency": dataset.frequency.code} | row)
        if used:
            every = {**ends, FINAL: dataset.last}
            factors.append(_factors(trial, away.loc[mine.index], every, horizon))
    return rows, factors, None if rows else FEW_SERIES


def _away(units: pd.DataFrame, around: int) -> pd.DataFrame:
    """How far the units expected at each cut are from those of the weeks before it, as a share."""
    earliest_first = units.T.sort_index(ascending=False)
    usual = earliest_first.shift(1).rolling(around).mean()
    return (earliest_first / usual.where(usual > 0) - 1.0).clip(upper=LONGEST).T


@dataclass(frozen=True)
class Trial:
    """The expected parts of one demand class: `away` and `shares` of the usual weeks (series ×
    cuts from `cuts[0]` on), `weights` alike."""

    weeks: Weeks
    cuts: list[int]
    away: pd.DataFrame
    shares: pd.DataFrame
    weights: pd.DataFrame
    horizon: int

    def effect(self, cut: int) -> tuple[float, float]:
        """Slope, and the middle that it turns on, from what is over at an origin."""
        over = [one for one in self.cuts if one > cut]
        if len(over) < LEAST_LEARNT:
            return 0.0, 0.0
        away, shares, weights = (
            frame[over].to_numpy().ravel() for frame in (self.away, self.shares, self.weights)
        )
        total = max(float(weights.sum()), 1e-12)
        middle, usual = float(weights @ away) / total, float(weights @ shares) / total
        slope = float(ridge([((away - middle)[:, None], shares - usual, weights)])[0])
        return max(0.0, slope), middle

    def factor(self, cut: int, away: pd.Series) -> Array:
        """What the days after an origin are multiplied by."""
        slope, middle = self.effect(cut)
        factor: Array = np.clip(1.0 + slope * (away.to_numpy() - middle), LEAST, MOST)
        return factor

    def judged(self) -> tuple[bool, dict[str, Any]]:
        """Whether the class follows the expected parts, and its row."""
        origins = self.cuts[: min(MOST_ORIGINS, len(self.cuts) - LEAST_LEARNT)]
        plain = np.column_stack([self.weeks.error(cut) for cut in origins])
        moved = np.column_stack(
            [self.weeks.error(cut, self.factor(cut, self.away[cut])) for cut in origins]
        )
        used = is_better(moved, plain)
        with_it = round(float(moved.mean()), 5)
        return used, {
            "driver": EXPECTED_PARTS,
            "country": None,
            "series": len(plain),
            "delay_days": 0,
            "window_days": self.horizon,
            "days_ahead": self.horizon,
            "error_without": round(float(plain.mean()), 5),
            "error_with": with_it,
            "error_if_known": with_it,
            "used": used,
        }


def _trial(
    dataset: Dataset,
    mine: pd.DataFrame,
    away: pd.DataFrame,
    cuts: Sequence[int],
    horizon: int,
    *,
    regular: bool,
) -> Trial | None:
    """None with too few series that are known at all cuts."""
    least = max(cuts) * horizon + KNOWN_DAYS
    judges = evenly(mine.loc[mine["periods"] >= least, "value"], SAMPLE)
    if len(judges) < drivers.FEW_SERIES:
        return None
    ends = {cut: dataset.last - pd.Timedelta(days=cut * horizon) for cut in cuts}
    rows = dataset.history[dataset.history["unique_id"].isin(judges)]
    weeks = usual_weeks(rows, ends, horizon, regular=regular)
    if len(weeks.ids) < drivers.FEW_SERIES:
        return None
    means, actuals = (
        pd.DataFrame({cut: days[cut].sum(axis=0) for cut in cuts}, weeks.ids)
        for days in (weeks.means, weeks.actuals)
    )
    shares = (actuals / means.where(means > 0) - 1.0).fillna(0.0)
    level = means.mean(axis="columns")
    weights = means.div(level.where(level > 0), axis="index").fillna(0.0)
    return Trial(weeks, list(cuts), away.loc[weeks.ids], shares, weights, horizon)


def _factors(
    trial: Trial, away: pd.DataFrame, ends: Mapping[int, pd.Timestamp], horizon: int
) -> pd.DataFrame:
    """`all` and `named` by unique_id, cut and ds: the same on all days of a horizon."""
    found = []
    for cut, end in ends.items():
        if cut not in away or away[cut].isna().any():
            continue
        days = pd.date_range(end + pd.Timedelta(days=1), periods=horizon)
        keys = pd.MultiIndex.from_product([away.index, [cut], days], names=CUT_COLUMNS)
        factor = np.repeat(trial.factor(cut, away[cut]), horizon)
        found.append(pd.DataFrame({"all": factor, "named": factor}, keys))
    return pd.concat(found)


def _together(known: pd.DataFrame | None, more: Sequence[pd.DataFrame]) -> pd.DataFrame | None:
    """The factors of other drivers times these."""
    if not more:
        return known
    factors = pd.concat(more)
    return factors if known is None else known.mul(factors, fill_value=1.0)
