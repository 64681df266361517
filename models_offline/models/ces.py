"""AutoCES: complex exponential smoothing (Svetunkov, Kourentzes & Ord 2022)."""

from __future__ import annotations

from typing import Any

from models_offline.models.wrapped import Smoothed

MEMORY = 0.5
"""Its complex weight has no plain counterpart: only the spread's growth depends on this."""


class Ces(Smoothed):
    """Level and its "potential" smoothed as one complex number."""

    name = "ces"

    def build(self, season_length: int) -> Any:
        from statsforecast.models import AutoCES

        return AutoCES(season_length=season_length)

    def memory(self, model: Any) -> float:
        return MEMORY
