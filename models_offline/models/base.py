"""What a model is: `fit(history)` then `predict(horizon)`, over frames `unique_id, ds, y`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Literal, Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models_offline.frequency import Frequency
from models_offline.quantiles import VALUE_COLUMNS, Values, tidy

FORECAST_COLUMNS = ["unique_id", "ds", *VALUE_COLUMNS]


@dataclass(frozen=True)
class Setup:
    """What every model of a run is told; `horizon` in periods."""

    frequency: Frequency
    horizon: int
    seed: int


class Forecaster(Protocol):
    """One model over many series.

    `history` is a frame `unique_id, ds, y` sorted by series and date, one row per period without
    gaps. `predict` returns `unique_id, ds`, mean and quantiles (VALUE_COLUMNS), `horizon` rows per
    series that could be fitted, finite, at least 0, quantiles in order; `failures` says why for
    each other one that the model is meant for.
    """

    name: ClassVar[str]
    library: ClassVar[str]
    scope: ClassVar[Literal["series", "global"]]
    failures: dict[Any, str]
    notes: dict[Any, dict[str, float]]

    def fit(self, history: pd.DataFrame) -> Self: ...

    def predict(self, horizon: int) -> pd.DataFrame: ...

    @classmethod
    def parameters(cls, setup: Setup) -> dict[str, Any]: ...


@runtime_checkable
class WarmStarting(Protocol):
    """A global model that can go on from the weights of an earlier fit to older data."""

    start: bytes
    """Set before `fit`; empty for a fit from nothing."""

    def state(self) -> bytes:
        """The weights after `fit`; empty where there are none."""
        ...


@dataclass(frozen=True)
class Series:
    """One series: id, period starts and quantities (units of issue), of equal length."""

    unique_id: Any
    ds: NDArray[np.datetime64]
    y: NDArray[np.float64]


def split(history: pd.DataFrame) -> Iterator[Series]:
    """The series of a frame sorted by series and date."""
    ids = history["unique_id"].to_numpy()
    ds, y = history["ds"].to_numpy(), history["y"].to_numpy(dtype=float)
    edges = np.flatnonzero(ids[1:] != ids[:-1]) + 1
    bounds = [0, *edges.tolist(), len(ids)] if len(ids) else []
    for start, end in pairwise(bounds):
        yield Series(ids[start], ds[start:end], np.maximum(y[start:end], 0.0))


def long_enough(history: pd.DataFrame, shortest: int) -> tuple[list[Series], dict[Any, str]]:
    """The series of at least so many periods, and of each other one why it cannot be fitted."""
    found, failures = list[Series](), dict[Any, str]()
    for series in split(history):
        if len(series.y) < shortest:
            failures[series.unique_id] = f"{len(series.y)} periods are too few"
        else:
            found.append(series)
    return found, failures


class Results:
    """Collects forecasts series by series; one that fails is noted, not raised."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.failures: dict[Any, str] = {}
        self._ids: list[Any] = []
        self._dates: list[NDArray[np.datetime64]] = []
        self._values: list[Values] = []
        self._calendar: dict[tuple[np.datetime64, int], NDArray[np.datetime64]] = {}

    def add(self, series: Series, horizon: int, make: Callable[[], Values]) -> None:
        """Keeps the tidied forecast that `make` returns, or the reason why there is none."""
        try:
            values = tidy(make(), series.y)
        except Exception as error:  # whatever a library raises concerns this one series
            self.failures[series.unique_id] = reason(error)
            return
        self._ids.append(series.unique_id)
        self._dates.append(self._after(series.ds[-1], horizon))
        self._values.append(values)

    def _after(self, last: np.datetime64, horizon: int) -> NDArray[np.datetime64]:
        if (last, horizon) not in self._calendar:
            dates = self.setup.frequency.after(pd.Timestamp(last), horizon)
            self._calendar[last, horizon] = dates.to_numpy()
        return self._calendar[last, horizon]

    def frame(self) -> pd.DataFrame:
        """All forecasts, in the order they were added."""
        if not self._ids:
            return pd.DataFrame(columns=FORECAST_COLUMNS)
        lengths = [len(dates) for dates in self._dates]
        values = np.concatenate(self._values, axis=1)
        columns = {"unique_id": np.repeat(self._ids, lengths), "ds": np.concatenate(self._dates)}
        return pd.DataFrame(columns | dict(zip(VALUE_COLUMNS, values, strict=True)))


def reason(error: Exception) -> str:
    """One line about an exception."""
    text = " ".join(str(error).split()) or type(error).__name__
    return f"{type(error).__name__}: {text}"[:200]


class PerSeries(ABC):
    """A model that treats each series by itself. Subclasses give `fit_one` and `predict_one`."""

    name: ClassVar[str]
    library: ClassVar[str] = "numpy"
    scope: ClassVar[Literal["series", "global"]] = "series"

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.failures: dict[Any, str] = {}
        self.notes: dict[Any, dict[str, float]] = {}
        self._fitted: list[tuple[Series, Any]] = []

    @classmethod
    def parameters(cls, setup: Setup) -> dict[str, Any]:
        """What the manifest says about the model's settings."""
        return {}

    @abstractmethod
    def fit_one(self, series: Series) -> Any:
        """The fitted state of one series."""

    @abstractmethod
    def predict_one(self, series: Series, state: Any, horizon: int) -> Values:
        """Mean and quantiles as an array of shape (1 + quantiles, horizon)."""

    def fit(self, history: pd.DataFrame) -> Self:
        self._fitted = []
        for series in split(history):
            try:
                self._fitted.append((series, self.fit_one(series)))
            except Exception as error:  # whatever a library raises concerns this one series
                self.failures[series.unique_id] = reason(error)
        return self

    def predict(self, horizon: int) -> pd.DataFrame:
        results = Results(self.setup)
        for series, state in self._fitted:
            self._add(results, series, state, horizon)
        self.failures |= results.failures
        return results.frame()

    def _add(self, results: Results, series: Series, state: Any, horizon: int) -> None:
        results.add(series, horizon, lambda: self.predict_one(series, state, horizon))

    def season_length(self, series: Series) -> int:
        """The calendar's season, or 1 for a history that holds fewer than two of them."""
        season = self.setup.frequency.season_length
        return season if len(series.y) >= 2 * season else 1
