"""What the members that statsforecast fits have in common; each has its own file."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models_offline import aggregates
from models_offline.models.base import PerSeries, Series, Setup
from models_offline.quantiles import Values, negative_binomial, normal
from models_offline.seasonality import NO_SEASON, Season, estimate

LONGEST_SMOOTHED = 7
"""Seasons longer than this are taken out by indices, which are steadier, not smoothed."""
LARGEST_LOG = 50.0
"""Beyond it exp would overflow; `tidy` refuses such a forecast."""


class State(NamedTuple):
    model: Any
    coarse: list[tuple[int, Any]]
    season: Season
    length: int
    sigma: float
    logs: bool = False


class Smoothed(PerSeries):
    """A model of recent demand, of which a long season is taken out first.

    Monthly demand is forecast in blocks of several months as well (`aggregates`). Its spread is
    that of the one-step errors, growing as an exponential smoothing's would; what
    that gets wrong the calibration mends, which simulated intervals would need as much.
    """

    library = "statsforecast"
    recent_periods: ClassVar[int] = 420
    in_logs: ClassVar[bool] = False
    """Whether demand that never stops is modelled in logs: see `may_log`."""
    shortest: ClassVar[int] = 5

    @abstractmethod
    def build(self, season_length: int) -> Any:
        """The library's model, unfitted."""

    @abstractmethod
    def memory(self, model: Any) -> float:
        """The weight (0–1) that the fitted model gives to the newest period."""

    def longest_season(self) -> int:
        return LONGEST_SMOOTHED

    def fit_one(self, series: Series) -> State:
        y = series.y[-self.recent_periods :]
        if len(y) < self.shortest:
            raise ValueError(f"{len(y)} periods are too few for {self.name}")
        length = self.season_length(Series(series.unique_id, series.ds, y))
        outside = length > self.longest_season()
        season = estimate(y, length) if outside else NO_SEASON
        rest = season.remove(y)
        logs = self.in_logs and may_log(rest, self.setup)
        scale = np.log1p if logs else np.asarray
        model = quietly(self.build(1 if outside else length).fit, scale(rest))
        coarse = [
            (size, quietly(self.build(1).fit, scale(aggregates.blocks(rest, size))))
            for size in aggregates.levels(self.setup.frequency.code, len(rest))
        ]
        return State(model, coarse, season, len(y), one_step_error(model, scale(rest)), logs)

    def predict_one(self, series: Series, state: State, horizon: int) -> Values:
        coarse = [(size, point(model, -(-horizon // size))) for size, model in state.coarse]
        mean = aggregates.blended(point(state.model, horizon), coarse)
        growth = np.sqrt(1 + np.arange(horizon) * self.memory(state.model) ** 2)
        values = normal(mean, state.sigma * growth)
        return state.season.restore(from_logs(values) if state.logs else values, state.length)


def may_log(y: NDArray[np.float64], setup: Setup) -> bool:
    """True where demand can be modelled in logs: above 0 in every period, of a week or longer.

    Its changes are then shares of it, and a trend bends. A single day can be near 0 (a holiday),
    which in logs would outweigh everything else.
    """
    return setup.frequency.code != "D" and bool(np.all(y > 0))


def from_logs(values: Values) -> Values:
    """Units of issue from log(1 + units); the mean's row becomes a median."""
    return np.expm1(np.minimum(values, LARGEST_LOG))


def one_step_error(model: Any, y: NDArray[np.float64]) -> float:
    """Standard deviation of a fitted model's errors, in units of issue."""
    errors = y - np.asarray(model.predict_in_sample()["fitted"], dtype=float)
    errors = errors[np.isfinite(errors)]
    return float(np.sqrt(np.mean(errors**2))) if len(errors) else 0.0


class Counted(PerSeries):
    """A flat rate for intermittent demand, with quantiles of a negative binomial."""

    library = "statsforecast"

    @abstractmethod
    def build(self) -> Any:
        """The library's model, unfitted."""

    def fit_one(self, series: Series) -> Any:
        return quietly(self.build().fit, series.y) if series.y.any() else None

    def predict_one(self, series: Series, state: Any, horizon: int) -> Values:
        mean = np.zeros(horizon) if state is None else rate(state, horizon)
        return negative_binomial(mean, series.y)


def rate(model: Any, horizon: int) -> NDArray[np.float64]:
    return np.maximum(point(model, horizon), 0.0)


def point(model: Any, horizon: int) -> NDArray[np.float64]:
    """A fitted model's point forecasts."""
    return np.asarray(model.predict(h=horizon)["mean"], dtype=float)


def quietly(call: Any, *arguments: Any, **named: Any) -> Any:
    """Calls without the notes that optimisers write about candidates, not about the result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*arguments, **named)
