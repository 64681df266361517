"""LightGBM: boosted trees over all series and all steps of the horizon (Ke et al. 2017; the
winners of the M5 competition).

A row is an origin of one series and a step ahead: level-normalised log lags, their means, the
share of periods without demand, the step and the time of year of its target. Even demand is learnt
by its median in logs; uneven demand has trees of its own, which learn the mean itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.demand import is_intermittent
from models_offline.models.base import Results, Setup, long_enough
from models_offline.models.lstm import LARGEST_LOG, Prepared, prepare
from models_offline.quantiles import LEVELS, Values, negative_binomial
from models_offline.survivors import first_origin, least_demands

LAGS = {"D": 28, "W": 26, "M": 18}
SHORTEST = 4
MAX_ROWS = 120_000
"""Most rows that the trees are grown on: what bounds the time, whatever the data's size."""
MAX_STEPS_PER_ORIGIN = 6
"""An origin is learnt from at so many random steps: more of them would only repeat its lags."""
HELD_OUT = 5
"""Every fifth row only measures the spread."""
ROUNDS = 150
SMALLEST_SPREAD = 0.02
BOOSTER: dict[str, Any] = {
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 60,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "feature_fraction": 0.7,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


class LightGbm:
    """A global model of means; the spread is that of its errors on rows that it did not see."""

    name: ClassVar[str] = "lightgbm"
    library: ClassVar[str] = "lightgbm"
    scope: ClassVar[Literal["series", "global"]] = "global"

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.failures: dict[Any, str] = {}
        self.notes: dict[Any, dict[str, float]] = {}
        self._series: list[Prepared] = []
        self._trees: dict[bool, Trees] = {}

    @classmethod
    def parameters(cls, setup: Setup) -> dict[str, Any]:
        named = {name: BOOSTER[name] for name in ("learning_rate", "num_leaves")}
        return {"lags": LAGS[setup.frequency.code], "rounds": ROUNDS, "max_rows": MAX_ROWS} | named

    def fit(self, history: pd.DataFrame) -> Self:
        self.look_at(history)
        self._trees, too_short = {}, None
        for even, group in self._groups().items():
            try:
                self._trees[even] = grow(group, self.setup, even=even)
            except ValueError as error:
                too_short = error
        if too_short is not None and not self._trees:
            raise too_short
        return self

    def look_at(self, history: pd.DataFrame) -> Self:
        """Forecasts will be of this history; what was learnt from another one stays."""
        found, self.failures = long_enough(history, SHORTEST)
        self._series = [prepare(series, self.setup) for series in found]
        return self

    def _groups(self) -> dict[bool, list[Prepared]]:
        """The series of even demand, and the others."""
        kinds = {even: [one for one in self._series if one.even == even] for even in (True, False)}
        return {even: group for even, group in kinds.items() if group}

    def predict(self, horizon: int) -> pd.DataFrame:
        results = Results(self.setup)
        for even, group in self._groups().items():
            trees = self._trees.get(even) or next(iter(self._trees.values()))
            for one, values in zip(group, trees.forecast(group, horizon), strict=True):
                results.add(one.series, horizon, partial(np.asarray, values))
        self.failures |= results.failures
        return results.frame()


@dataclass(frozen=True)
class Rows:
    """Features and targets of origins × steps, with each row's spread and step."""

    features: NDArray[np.float32]
    targets: NDArray[np.float64]
    spreads: NDArray[np.float64]
    steps: NDArray[np.int_]


@dataclass(frozen=True)
class Trees:
    """The grown trees; `offsets` (steps, quantiles) are errors in units of a window's spread."""

    booster: Any
    offsets: NDArray[np.float64]
    even: bool
    setup: Setup

    def forecast(self, group: list[Prepared], horizon: int) -> list[Values]:
        """Mean and quantiles of each series, in units of issue."""
        steps = np.arange(horizon)
        features = [_features(one, len(one.y), steps, self.setup)[0] for one in group]
        raw = self.booster.predict(np.concatenate(features)).reshape(len(group), horizon)
        return [self._values(one, line) for one, line in zip(group, raw, strict=True)]

    def _values(self, one: Prepared, line: NDArray[np.float64]) -> Values:
        level = one.level(len(one.y))
        spread = _features(one, len(one.y), np.zeros(1, int), self.setup)[1]
        ratios = np.vstack([line, line + self.offsets[: len(line)].T * spread])
        if self.even:
            ratios = np.expm1(np.clip(ratios, 0.0, LARGEST_LOG))
        values = one.season.restore(level * np.maximum(ratios, 0.0), len(one.y))
        if is_intermittent(one.series.y):
            return negative_binomial(np.maximum(values[0], 0.0), one.series.y)
        return values


def grow(group: list[Prepared], setup: Setup, *, even: bool) -> Trees:
    """Raises ValueError when no series of the group is longer than the horizon, or a single row is
    all that there is to learn from; ImportError saying what to install."""
    try:
        import lightgbm
    except ImportError as error:
        raise ImportError("LightGBM is missing: see models_offline/requirements.txt") from error
    rows = training_rows(group, setup, even=even)
    seen = np.arange(len(rows.targets)) % HELD_OUT > 0
    if not seen.any():
        raise ValueError("the periods before the horizon are too few to learn from")
    objective = "l1" if even else "l2"
    parameters = BOOSTER | {"seed": setup.seed, "objective": objective}
    data = lightgbm.Dataset(rows.features[seen], rows.targets[seen])
    booster = lightgbm.train(parameters, data, ROUNDS)
    errors = (rows.targets - booster.predict(rows.features))[~seen] / rows.spreads[~seen]
    return Trees(booster, _offsets(errors, rows.steps[~seen], setup.horizon), even, setup)


def _offsets(
    errors: NDArray[np.float64], steps: NDArray[np.int_], horizon: int
) -> NDArray[np.float64]:
    """Quantiles of errors by step, each pooled with its neighbours."""
    reach = max(1, horizon // 6)
    table = np.zeros((horizon, len(LEVELS)))
    for step in range(horizon):
        near = errors[np.abs(steps - step) <= reach]
        if len(near):
            table[step] = np.quantile(near, LEVELS)
    return table


def training_rows(group: list[Prepared], setup: Setup, *, even: bool) -> Rows:
    """At most MAX_ROWS, drawn evenly over the series, then at random in time and steps."""
    least = least_demands((one.series.y for one in group), setup.horizon)
    firsts = [
        max(min(SHORTEST, len(one.y) // 3 + 1), first_origin(one.series.y, least)) for one in group
    ]
    ends = [np.arange(first, len(one.y)) for first, one in zip(firsts, group, strict=True)]
    ends = [
        choice[choice + setup.horizon <= len(one.y)]
        for choice, one in zip(ends, group, strict=True)
    ]
    available = sum(len(choice) for choice in ends)
    if available == 0:
        raise ValueError(f"no series is longer than the horizon of {setup.horizon} periods")
    per_origin = min(setup.horizon, MAX_STEPS_PER_ORIGIN)
    share = min(1.0, MAX_ROWS / per_origin / available)
    random = np.random.default_rng(setup.seed)
    parts = []
    for one, choice in zip(group, ends, strict=True):
        count = int(share * len(choice) + random.random())
        for end in np.sort(random.permutation(choice)[:count]):
            steps = random.permutation(setup.horizon)[:per_origin]
            parts.append((one, int(end), steps))
    return _rows(parts, setup, even=even)


def _rows(parts: list[tuple[Prepared, int, Any]], setup: Setup, *, even: bool) -> Rows:
    made = [_features(one, end, steps, setup) for one, end, steps in parts]
    targets = [_targets(one, end, steps, even=even) for one, end, steps in parts]
    return Rows(
        np.concatenate([features for features, _ in made]),
        np.concatenate(targets),
        np.repeat([spread for _, spread in made], [len(steps) for _, _, steps in parts]),
        np.concatenate([steps for _, _, steps in parts]),
    )


def _targets(
    one: Prepared, end: int, steps: NDArray[np.int_], *, even: bool
) -> NDArray[np.float64]:
    logs = one.target(end, int(steps.max()) + 1)[steps]
    return logs if even else np.expm1(logs)


def _features(
    one: Prepared, end: int, steps: NDArray[np.int_], setup: Setup
) -> tuple[NDArray[np.float32], float]:
    """One row per step, and the spread of the window's logs."""
    window, static, _ = one.window(end)
    lags = window[-LAGS[setup.frequency.code] :]
    half = len(lags) // 2
    recent = lags[-3:].mean()
    spread = max(float(lags.std()), SMALLEST_SPREAD)
    summary = [recent, lags[half:].mean(), lags.mean(), spread, recent - lags[:half].mean()]
    shared = np.concatenate([lags, summary, static])
    period = {"D": 365.25, "W": 52.18, "M": 12.0}[setup.frequency.code]
    angle = 2 * np.pi * (one.phases[end - 1] + (steps + 1) / period)
    own = np.column_stack([steps, np.sin(angle), np.cos(angle), *_week(one, end, steps, setup)])
    repeated = np.broadcast_to(shared, (len(steps), len(shared)))
    return np.hstack([repeated, own]).astype(np.float32), spread


def _week(
    one: Prepared, end: int, steps: NDArray[np.int_], setup: Setup
) -> list[NDArray[np.float64]]:
    """What the same weekday brought in the last two weeks, for daily demand."""
    if setup.frequency.code != "D":
        return []
    weekday = (steps % 7).astype(int)
    window = one.window(end)[0]
    return [window[-7:][weekday], window[-14:-7][weekday]]
