"""TSB: probability and size of demand smoothed apart (Teunter, Syntetos & Babai 2011)."""

from __future__ import annotations

from typing import Any

from models_offline.models.base import Setup
from models_offline.models.wrapped import Counted

SIZE_WEIGHT = 0.1
PROBABILITY_WEIGHT = 0.05


class Tsb(Counted):
    """The only one of its kind whose forecast falls while nothing is demanded."""

    name = "tsb"

    @classmethod
    def parameters(cls, setup: Setup) -> dict[str, Any]:
        return {"size_weight": SIZE_WEIGHT, "probability_weight": PROBABILITY_WEIGHT}

    def build(self) -> Any:
        from statsforecast.models import TSB

        return TSB(alpha_d=SIZE_WEIGHT, alpha_p=PROBABILITY_WEIGHT)
