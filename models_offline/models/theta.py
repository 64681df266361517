"""Dynamic Optimised Theta (Fiorucci et al. 2016): the best simple method of the M3 competition,
with level, trend and smoothing estimated together."""

from __future__ import annotations

from typing import Any, ClassVar

from models_offline.models.wrapped import Smoothed


class Theta(Smoothed):
    """Runs on deseasonalised data: its own test misses seasons, and its indices are noisier."""

    name = "theta"
    recent_periods: ClassVar[int] = 730

    def longest_season(self) -> int:
        return 1

    def build(self, season_length: int) -> Any:
        from statsforecast.models import DynamicOptimizedTheta

        return DynamicOptimizedTheta(season_length=season_length)

    def memory(self, model: Any) -> float:
        return float(model.model_["par"]["alpha"])
