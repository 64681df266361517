"""What a stock policy is decided by: the company's settings."""

from __future__ import annotations

from dataclasses import dataclass, field

QUANTILE, TEXTBOOK = "quantile", "textbook"
MOST_LEVEL = 0.999
"""The highest service level that is given: no stock is enough for all demand."""


@dataclass(frozen=True)
class PolicySettings:
    """What the textbook leaves to the company; `support.setting['policy']` overrides each.

    method: where the safety stock comes from: the distribution of demand and lead times
    ("quantile") or the formula ("textbook"). service_levels: probability of no stockout in a cycle,
    by ABC class, for items without their own; criticality_risk: the share of its stockout risk that
    an item of criticality 8 to 10 (high), 4 to 7 (medium), 0 to 3 (low) may have; an unknown one is
    medium. order_cost_brl: cost of placing one order. holding_rate: cost of holding stock for a
    year, a fraction of its value. critical_days, warning_days: a projected stockout within them
    raises an alert of that level (a warning also within the lead time). in_transit_days: what is in
    transit and of no open order is expected so many days after it was counted. late_days: an order
    is late after this many days past its promise. forgotten_days: an order that is overdue by more
    is no longer counted on. excess_days: stock beyond the order-up-to level and beyond the demand
    of so many days is excess. dead_days: stock of what nobody asked for in so many days is dead.
    drift_days, drift_share: a lead time that has become longer by so many days and by this fraction
    has drifted. drift_z: demand since the forecast that lies so many standard deviations off it has
    drifted. gap_days: a depot without stock counts, or without demand, for longer than that has a
    gap, until it has them again.
    """

    method: str = QUANTILE
    service_levels: dict[str, float] = field(
        default_factory=lambda: {"A": 0.97, "B": 0.95, "C": 0.90}
    )
    criticality_risk: dict[str, float] = field(
        default_factory=lambda: {"high": 0.5, "medium": 1.0, "low": 1.5}
    )
    default_service_level: float = 0.95
    order_cost_brl: float = 150.0
    holding_rate: float = 0.22
    critical_days: float = 7.0
    warning_days: float = 14.0
    in_transit_days: int = 7
    late_days: int = 7
    forgotten_days: int = 180
    excess_days: float = 180.0
    dead_days: int = 180
    drift_days: float = 3.0
    drift_share: float = 0.2
    drift_z: float = 3.0
    gap_days: int = 7
