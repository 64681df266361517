"""When an alert is raised: before the stock is gone, not when it is."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domain import inventory, receipts
from domain.policy_settings import PolicySettings
from domain.recommending.frames import DAYS_A_YEAR
from domain.recommending.settings import RecommendationSettings
from warehouse.pipeline.alerting import alerts_of

TODAY = date(2025, 6, 29)
NO_ORDERS = pd.DataFrame(columns=["item_id", "site_id", "active", "days_late", "order_no", "line"])


def situation(on_hand: float, *, daily: float, lead: float, safety: float, **more: Any) -> Any:
    """One item at one site as derive describes it."""
    days = inventory.days_to_stockout([on_hand], np.full((1, 366), daily), np.zeros((1, 366)))
    row: dict[str, Any] = {
        "item_id": 1,
        "site_id": 2,
        "active": True,
        "counted_quantity": np.nan,
        "used_since": np.nan,
        "received_since": np.nan,
        "arrived_since": np.nan,
        "on_hand": on_hand,
        "reserved": None,
        "available": on_hand,
        "on_order": 0.0,
        "project_demand": 0.0,
        "project_ahead": 0.0,
        "position": on_hand,
        "arriving": 0.0,
        "daily_demand": daily,
        "annual_quantity": daily * DAYS_A_YEAR,
        "lead_time_days": lead,
        "lead_time_std": 0.0,
        "lead_time_demand": daily * lead,
        "lead_time_demand_std": 1.0,
        "lead_time_source": "items file",
        "service_level": 0.95,
        "demand_at_service_level": daily * lead + safety,
        "textbook_lead_time_demand_std": 1.0,
        "safety_stock": safety,
        "textbook_safety_stock": safety,
        "stockout_probability": 0.5,
        "last_demand_on": TODAY,
        "unmoved_since": pd.NaT,
        "reorder_point": float(inventory.reorder_point(daily, lead, safety)),
        "order_up_to": np.nan,
        "days_to_stockout": days[0],
        "stockout_on": pd.Timestamp(TODAY),
        "stock_date": TODAY,
        "risk_quantity": 1.0,
        "unit_cost_brl": 2.0,
        "penalty_brl": np.nan,
        "request_size": 4.0,
        "shortage_brl": 0.6,
        "risk_brl": 0.6,
    }
    return pd.DataFrame([row | more])


def alerts(policy: pd.DataFrame, orders: pd.DataFrame = NO_ORDERS) -> pd.DataFrame:
    return alerts_of(policy, orders, PolicySettings(), RecommendationSettings(), TODAY)


def raised(policy: pd.DataFrame, orders: pd.DataFrame = NO_ORDERS) -> list[tuple[str, str]]:
    found = alerts(policy, orders)
    return list(zip(found["kind"], found["level"], strict=True))


def test_the_companys_own_example_is_told_today_and_not_at_the_safety_stock():
    # 85 units at 8 a day: under PP 132 and gone in 10.6 days, a new order takes 14
    assert raised(situation(85, daily=8, lead=14, safety=20)) == [("stockout_imminent", "warning")]


@pytest.mark.parametrize(
    ("on_hand", "expected"),
    [
        (133, []),
        (132, [("below_reorder_point", "info")]),
        (56, [("stockout_imminent", "critical")]),
        (0, [("stockout_imminent", "critical")]),
    ],
)
def test_levels_follow_the_time_that_is_left(on_hand: float, expected: list[tuple[str, str]]):
    assert raised(situation(on_hand, daily=8, lead=14, safety=20)) == expected


@pytest.mark.parametrize(
    ("days", "expected"), [(14, [("stockout_imminent", "warning")]), (14.5, [])]
)
def test_a_stockout_is_told_two_weeks_ahead_however_soon_an_order_comes(
    days: float, expected: list[tuple[str, str]]
):
    assert raised(situation(8 * days, daily=8, lead=3, safety=10)) == expected


def test_stock_under_its_safety_stock_is_a_warning():
    policy = situation(15, daily=0.1, lead=10, safety=15.5)
    assert raised(policy) == [("below_reorder_point", "warning")]


def test_what_nobody_asks_for_does_not_run_out():
    assert raised(situation(0, daily=0.01, lead=14, safety=20)) == []


def test_unknown_stock_or_lead_time_raises_no_guess():
    assert raised(situation(np.nan, daily=8, lead=14, safety=20, days_to_stockout=np.nan)) == []
    without = {"lead_time_demand": np.nan, "reorder_point": np.nan, "safety_stock": np.nan}
    assert raised(situation(500, daily=8, lead=np.nan, safety=np.nan, **without)) == []


def test_facts_are_plain_json_with_every_number_of_the_message():
    found = alerts(situation(85, daily=8, lead=14, safety=20))
    facts = json.loads(found["facts"].iloc[0])
    assert facts["reorder_point"] == 132 and facts["available"] == 85
    assert facts["reserved"] is None and facts["order_up_to"] is None
    assert facts["stock_date"] == "2025-06-29"


def test_stock_that_nobody_asks_for_is_dead_and_more_than_half_a_years_is_excess():
    plenty = situation(5000, daily=8, lead=14, safety=20).assign(order_up_to=200.0)
    assert raised(plenty) == [("excess", "info")]
    facts = json.loads(alerts(plenty)["facts"].iloc[0])
    assert facts["idle_quantity"] == 5000 - 8 * 180
    assert facts["capital_brl"] == (5000 - 8 * 180) * 2.0
    rolled_out = plenty.assign(daily_demand=30.0)  # over the lead time alone
    assert json.loads(alerts(rolled_out)["facts"].iloc[0])["idle_quantity"] == 5000 - 8 * 180
    assert raised(situation(8 * 180, daily=8, lead=14, safety=20).assign(order_up_to=200.0)) == []
    long_ago = TODAY - timedelta(days=200)
    dead = situation(40, daily=0, lead=14, safety=0).assign(last_demand_on=long_ago)
    assert raised(dead) == [("dead_stock", "info")]
    assert alerts(dead)["risk_brl"].iloc[0] == (40 * 2.0 * PolicySettings().holding_rate)
    assert raised(dead.assign(available=0.0, on_hand=0.0)) == []


def test_what_floats_leave_of_a_level_is_no_unit_that_is_enough():
    plenty = situation(6, daily=0, lead=14, safety=0).assign(order_up_to=1.000000008)
    facts = json.loads(alerts(plenty)["facts"].iloc[0])
    assert facts["idle_quantity"] == 5
    assert receipts.IDLE.compute(facts["available"], facts["enough_quantity"]) == 5


def test_alerts_are_ranked_by_what_is_left_when_acting_is_paid_for():
    rates, settings = RecommendationSettings(), PolicySettings()
    in_time = alerts(situation(130, daily=8, lead=14, safety=20, risk_brl=1000.0)).iloc[0]
    assert (in_time["kind"], in_time["acting_brl"]) == ("below_reorder_point", 150.0)
    too_late = alerts(situation(85, daily=8, lead=14, safety=20, risk_brl=1000.0)).iloc[0]
    assert too_late["acting_brl"] == settings.order_cost_brl + rates.expedite_cost_brl
    assert too_late["net_brl"] == 1000.0 - too_late["acting_brl"]
    unknown = alerts(situation(85, daily=8, lead=14, safety=20, risk_brl=np.nan)).iloc[0]
    assert unknown["net_brl"] != unknown["net_brl"]
