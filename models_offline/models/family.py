"""Family season: a short history's own level, with the season that its item family shares.

Two seasons of history are needed to see a season; a new item has none of its own. What its family
does stands in (Bunn & Vassilopoulos 1999, "Comparison of seasonal estimation methods in multi-item
short-term forecasting": group indices beat individual ones where histories are short and noisy).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.demand import is_intermittent
from models_offline.models.base import Results, Series, Setup, split
from models_offline.quantiles import ENOUGH_ERRORS, Values, negative_binomial, normal
from models_offline.seasonality import Season, estimate

ALL = ""
"""The family of series without one."""
MEMORY = {"D": 0.1, "W": 0.2, "M": 0.3}
"""Weight of the newest period in the level."""


@dataclass(frozen=True)
class Shared:
    """What a family has in common: its season from `first` on, and the usual one-step error as a
    share of the level."""

    season: Season
    first: pd.Timestamp
    relative_error: float


class FamilySeason:
    """One season for each family, for the series that are too short to have their own.

    The history may name the `family` of its series; without names all are one family.
    """

    name: ClassVar[str] = "family"
    library: ClassVar[str] = "numpy"
    scope: ClassVar[Literal["series", "global"]] = "global"

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.failures: dict[Any, str] = {}
        self.notes: dict[Any, dict[str, float]] = {}
        self._shared: dict[str, Shared] = {}
        self._short: list[tuple[Series, str]] = []

    @classmethod
    def parameters(cls, setup: Setup) -> dict[str, Any]:
        return {"level_memory": MEMORY[setup.frequency.code], "enough_errors": ENOUGH_ERRORS}

    def fit(self, history: pd.DataFrame) -> Self:
        members: dict[str, list[Series]] = {}
        for series, family in _with_family(history):
            if len(series.y) >= 2 * self.setup.frequency.season_length and series.y.any():
                members.setdefault(family, []).append(series)
        self._shared = {family: self._learn(some) for family, some in members.items()}
        return self.look_at(history)

    def look_at(self, history: pd.DataFrame) -> Self:
        """Forecasts will be of this history; the seasons stay those of the earlier one."""
        enough = 2 * self.setup.frequency.season_length
        self._short = [
            (series, family)
            for series, family in _with_family(history)
            if len(series.y) < enough and family in self._shared
        ]
        return self

    def predict(self, horizon: int) -> pd.DataFrame:
        """Of the short series alone."""
        results = Results(self.setup)
        for series, family in self._short:
            make = partial(self._values, series, self._shared[family], horizon)
            results.add(series, horizon, make)
        self.failures = results.failures
        return results.frame()

    def _learn(self, members: list[Series]) -> Shared:
        """The season of the members' average, each ÷ its mean so that none outweighs the rest."""
        scaled = pd.concat([pd.Series(one.y / one.y.mean(), one.ds) for one in members], axis=1)
        average = scaled.mean(axis=1)
        season = estimate(average.to_numpy(), self.setup.frequency.season_length)
        errors = [np.abs(np.diff(one.y)).mean() / one.y.mean() for one in members]
        return Shared(season, pd.Timestamp(average.index[0]), float(np.median(errors)))

    def _values(self, series: Series, shared: Shared, horizon: int) -> Values:
        start = self.setup.frequency.count(shared.first, pd.Timestamp(series.ds[0])) - 1
        season = Season(np.roll(shared.season.indices, -start), shared.season.multiplicative)
        rest = season.remove(series.y)
        memory = MEMORY[self.setup.frequency.code]
        level = pd.Series(rest).ewm(alpha=memory).mean().to_numpy()
        mean = np.full(horizon, max(0.0, level[-1]))
        if is_intermittent(series.y):
            return season.restore(negative_binomial(mean, series.y), len(rest))
        sigma = self._sigma(rest, level, shared)
        growth = np.sqrt(1 + np.arange(horizon) * memory**2)
        return season.restore(normal(mean, sigma * growth), len(rest))

    def _sigma(
        self, rest: NDArray[np.float64], level: NDArray[np.float64], shared: Shared
    ) -> float:
        errors = rest[1:] - level[:-1]
        if len(errors) >= ENOUGH_ERRORS:
            return float(np.sqrt(np.mean(errors**2)))
        return shared.relative_error * float(level[-1])


def _with_family(history: pd.DataFrame) -> Iterator[tuple[Series, str]]:
    families = dict.fromkeys(history["unique_id"].unique(), ALL)
    if "family" in history:
        names = history.groupby("unique_id", sort=False)["family"].first()
        families |= {uid: str(name) for uid, name in names.dropna().items()}
    for series in split(history):
        yield series, families[series.unique_id]
