"""ETS: exponential smoothing with a damped trend and a season (Hyndman et al. 2008).

The search over all its forms costs seven times as much and forecasts worse on short histories.
"""

from __future__ import annotations

from typing import Any

from models_offline.models.wrapped import Smoothed


class Ets(Smoothed):
    """ETS(A,Ad,A), or ETS(A,Ad,N) where there is no season to smooth; in logs where it may."""

    name = "ets"
    in_logs = True

    def build(self, season_length: int) -> Any:
        from statsforecast.models import AutoETS

        model = "AAA" if season_length > 1 else "AAN"
        return AutoETS(season_length=season_length, model=model, damped=True)

    def memory(self, model: Any) -> float:
        return float(model.model_["par"][0])
