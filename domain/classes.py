"""The names of the demand classes; `domain.demand` says which series is of which."""

from __future__ import annotations

from typing import Literal

DemandClass = Literal["smooth", "erratic", "intermittent", "lumpy", "dead", "short"]

DEMAND_CLASSES: tuple[DemandClass, ...] = (
    "smooth",
    "erratic",
    "intermittent",
    "lumpy",
    "dead",
    "short",
)
INTERMITTENT_CLASSES: tuple[DemandClass, ...] = ("intermittent", "lumpy", "dead")
"""Demand that pauses is judged by RMSSE: on absolute errors the all-zero forecast would win."""
