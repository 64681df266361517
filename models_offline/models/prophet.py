"""Prophet with Brazilian holidays: trend, weekly and annual season, one fit per series."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models_offline.models.base import PerSeries, Series, Setup
from models_offline.quantiles import Values, spread_by

CHANGEPOINTS = 10
COUNTRY = "BR"
HOLIDAY_PRIOR = 1.0
HOLIDAY_YEARS = range(1990, 2051)
SHORTEST = 14
YEARS_FOR_ANNUAL = 2
FOURIER_ORDER = {"D": 6, "W": 6, "M": 4}


class State(NamedTuple):
    model: Any
    residuals: NDArray[np.float64]


class Prophet(PerSeries):
    """Point forecast by Prophet; the spread is that of its residuals (no sampling)."""

    name = "prophet"
    library = "prophet"

    @classmethod
    def parameters(cls, setup: Setup) -> dict[str, Any]:
        return {
            "changepoints": CHANGEPOINTS,
            "uncertainty_samples": 0,
            "holidays": COUNTRY if setup.frequency.code == "D" else None,
            "holidays_prior_scale": HOLIDAY_PRIOR,
            "annual_fourier_order": FOURIER_ORDER[setup.frequency.code],
        }

    def fit_one(self, series: Series) -> State:
        if len(series.y) < SHORTEST:
            raise ValueError(f"{len(series.y)} periods are too few for Prophet")
        model = _model(self.setup, series)
        frame = pd.DataFrame({"ds": series.ds, "y": series.y})
        model.fit(frame, seed=self.setup.seed)
        return State(model, series.y - model.predict(frame)["yhat"].to_numpy())

    def predict_one(self, series: Series, state: State, horizon: int) -> Values:
        dates = self.setup.frequency.after(pd.Timestamp(series.ds[-1]), horizon)
        mean = state.model.predict(pd.DataFrame({"ds": dates}))["yhat"].to_numpy()
        return spread_by([state.residuals], mean, series.y)


def _model(setup: Setup, series: Series) -> Any:
    prophet = load()
    daily = setup.frequency.code == "D"
    years = (series.ds[-1] - series.ds[0]) / np.timedelta64(365, "D")
    annual = FOURIER_ORDER[setup.frequency.code] if years >= YEARS_FOR_ANNUAL else False
    return prophet(
        n_changepoints=min(CHANGEPOINTS, len(series.y) // 4),
        uncertainty_samples=0,
        yearly_seasonality=annual,
        weekly_seasonality=daily,
        daily_seasonality=False,
        holidays=_holidays() if daily else None,
        holidays_prior_scale=HOLIDAY_PRIOR,
    )


@lru_cache
def load() -> Any:
    logging.getLogger("prophet.plot").disabled = True  # says that plotly is absent
    from prophet import Prophet as Library

    logging.getLogger("cmdstanpy").disabled = True  # two lines for each fit
    logging.getLogger("prophet").setLevel(logging.ERROR)
    return Library


@lru_cache
def _holidays() -> pd.DataFrame:
    """National holidays and optional days off (Carnival, Corpus Christi): one name for each kind,
    because a single holiday comes too rarely to be learnt."""
    from holidays import country_holidays

    frames = []
    for category in ("public", "optional"):
        days = country_holidays(COUNTRY, years=HOLIDAY_YEARS, categories=(category,))
        frames.append(pd.DataFrame({"holiday": category, "ds": pd.to_datetime(sorted(days))}))
    return pd.concat(frames, ignore_index=True)
