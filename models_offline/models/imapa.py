"""IMAPA: rates at several levels of temporal aggregation, averaged (Petropoulos & Kourentzes
2015)."""

from __future__ import annotations

from typing import Any

from models_offline.models.wrapped import Counted


class Imapa(Counted):
    """The mean of the rates seen by the period, by two periods, and so on."""

    name = "imapa"

    def build(self) -> Any:
        from statsforecast.models import IMAPA

        return IMAPA()
