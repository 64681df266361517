"""Dynamic Optimised Theta (Fiorucci et al. 2016): the best simple method of the M3 competition,
with level, trend and smoothing estimated together."""

from __future__ import annotations

from typing import Any, ClassVar

from models_offline.models.wrapped import Smoothed


class Theta(Smoothed):
    """Takes a significant season out by itself, whatever its length."""

    name = "theta"
    recent_periods: ClassVar[int] = 730

    def longest_season(self) -> int:
        return self.recent_periods

    def build(self, season_length: int) -> Any:
        from statsforecast.models import DynamicOptimizedTheta

        return DynamicOptimizedTheta(season_length=season_length)

    def memory(self, model: Any) -> float:
        return float(model.model_["par"]["alpha"])
