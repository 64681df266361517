"""The rates that alerts, recommendations, savings and what-ifs are valued at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RecommendationSettings:
    """What acting and not acting cost; `support.setting['recommendations']` overrides each.

    review_days: a need that will show within so many days is recommended now. cover_days: costs
    and benefits of a purchase are counted over its lead time and so many days more.
    emergency_premium: what a unit that is missing costs beyond its price, a fraction of its unit
    cost; a contract penalty comes on top where one is known for the depot (in savings and what-ifs
    it takes the premium's place).

    expedite_days: the soonest that an order in a hurry arrives. expedite_premium: fraction of the
    order's value paid for it; expedite_cost_brl: paid per order, and in savings and
    what-ifs for each request that stock did not serve.

    move_cost_brl: a transfer's handling; move_brl_per_km: its freight, whatever it carries;
    move_value_share: insurance, a fraction of the goods' value per 1,000 km. move_days,
    move_km_per_day: days of handling, and how far it gets in one more. giver_cover_days: demand
    that a giver keeps above its reorder point; that of the review days at least.

    reduce_cost_brl: work of getting rid of it. least_value_brl: a reduction, a hurry or a
    change of supplier worth less is not recommended.

    measured_lines: order lines received below which a supplier is not judged. significance: z
    above which two suppliers are said to differ. price_gain: fraction by which a price must be
    lower. switch_cost_brl: work of changing the supplier of an item.
    """

    review_days: float = 7.0
    cover_days: float = 30.0
    emergency_premium: float = 0.30
    expedite_days: float = 3.0
    expedite_premium: float = 0.15
    expedite_cost_brl: float = 80.0
    move_cost_brl: float = 60.0
    move_brl_per_km: float = 0.40
    move_value_share: float = 0.01
    move_days: float = 1.0
    move_km_per_day: float = 500.0
    giver_cover_days: float = 30.0
    reduce_cost_brl: float = 150.0
    least_value_brl: float = 50.0
    measured_lines: int = 5
    significance: float = 1.645
    price_gain: float = 0.03
    switch_cost_brl: float = 2000.0
