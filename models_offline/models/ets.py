"""AutoETS: exponential smoothing with trend and season chosen by AICc (Hyndman et al. 2008)."""

from __future__ import annotations

from typing import Any

from models_offline.models.wrapped import Smoothed


class Ets(Smoothed):
    """Exponential smoothing in state space form."""

    name = "ets"

    def build(self, season_length: int) -> Any:
        from statsforecast.models import AutoETS

        return AutoETS(season_length=season_length)

    def memory(self, model: Any) -> float:
        return float(model.model_["par"][0])
