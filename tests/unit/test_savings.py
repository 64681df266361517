"""What stock and its absence cost, by hand; levels of both policies; the months of a replay."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from domain import savings_levels
from domain.costs import Prices, costs, priced
from domain.policy_settings import PolicySettings
from domain.savings import annual
from domain.scenarios import lead_time_quantile, lead_times, paths
from domain.simulation import Rules, Start, replay
from domain.years import Terms
from warehouse.pipeline.savings import span_of

PRICES = Prices(
    unit_cost=np.array([100.0, 10.0]),
    holding_rate=0.3653 / 1.0001368,
    order_cost=50.0,
    penalty_brl=np.array([np.nan, 700.0]),
    emergency_premium=0.5,
    expedite_cost_brl=80.0,
)


def test_costs_by_hand():
    """One week of 10 units held is R$ 100 × 10 × 0.36525 × 7 ÷ 365.25 = R$ 7; 3 units missed at a
    premium of half their cost are R$ 150; with a contract, each request costs its penalty."""
    found = priced(
        stock_days=[[70.0], [0.0]],
        missed_units=[[3.0], [3.0]],
        missed_lines=[[2.0], [2.0]],
        orders=[[4.0], [0.0]],
        prices=PRICES,
    )
    assert found.holding[:, 0] == pytest.approx([7.0, 0.0], rel=1e-4)
    assert found.stockout[:, 0].tolist() == [150, 1400]
    assert found.expediting[:, 0].tolist() == [160, 160]
    assert found.ordering[:, 0].tolist() == [200, 0]
    assert found.total[:, 0] == pytest.approx([517, 1560], rel=1e-4)


def test_an_outcome_is_priced_by_its_periods():
    outcome = replay([[4.0, 4.0], [1.0, 1.0]], Rules(-1, 0), 1, Start([6, 0]))
    found = costs(outcome, PRICES, 7.0)
    # 6 → 2 in stock in the mean of a week, then 2 of 4 missed; the other misses both requests
    assert found.holding[:, 0] == pytest.approx([100 * 2 * 7 / 1000, 0], rel=1e-3)
    assert found.stockout[:, 0].tolist() == [2 * 50, 2 * 700]


def test_the_old_policy_is_the_company_s_formula():
    """D 8, L 14, SS 20 → PP 132: σ that gives this SS at 97.5 %, half the days 8 ± σ."""
    spread = 20 / (1.959964 * np.sqrt(14))
    history = np.tile([8 + spread, 8 - spread], 500)[None, :]
    known = savings_levels.Known(
        history=history,
        days=1.0,
        lead_mean=np.array([14.0]),
        lead_std=np.array([0.0]),
        service_level=np.array([0.975]),
        unit_cost=np.array([np.nan]),
        minimum=np.array([np.nan]),
        pack=np.array([np.nan]),
    )
    rules = savings_levels.textbook(known, PolicySettings())
    assert np.asarray(rules.reorder_point)[0] == pytest.approx(132, abs=0.02)


def test_ours_follows_a_level_that_rose():
    history = np.concatenate([np.full(600, 2.0), np.full(200, 6.0)])[None, :]
    known = savings_levels.Known(
        history, 1.0, *(np.array([value]) for value in (10.0, 0.0, 0.9, 50.0, np.nan, np.nan))
    )
    old, new = (
        np.asarray(how(known, PolicySettings()).reorder_point)[0]
        for how in (savings_levels.textbook, savings_levels.ours)
    )
    assert old < 60 <= new


@pytest.mark.parametrize("days", [7.0, 30.4375], ids=["W", "M"])
def test_both_sides_cover_a_period_where_lead_times_are_shorter(days: float):
    """Stock is looked at once a period: 3 days from order to delivery or 0, one period's demand has
    to be there."""
    asked = np.random.default_rng(5).poisson(120.0, (1, 72)).astype(float)
    for lead_days in (0.0, 3.0):
        known = savings_levels.Known(
            asked[:, :60],
            days,
            *(np.array([v]) for v in (lead_days / days, 0.0, 0.95, 50.0, np.nan, np.nan)),
        )
        for how in (savings_levels.textbook, savings_levels.ours):
            rules = how(known, PolicySettings())
            assert np.asarray(rules.reorder_point)[0] == pytest.approx(135, abs=6)
            outcome = replay(asked[:, 60:], rules, 0, Start(rules.order_up_to))
            assert outcome.lost.sum() < 0.02 * outcome.asked.sum()


def test_an_item_without_demand_is_not_ordered():
    known = savings_levels.Known(
        np.zeros((1, 60)), 1.0, *(np.array([v]) for v in (10.0, 0.0, 0.9, 50.0, np.nan, np.nan))
    )
    for how in (savings_levels.textbook, savings_levels.ours):
        outcome = replay(np.zeros((1, 30)), how(known, PolicySettings()), 3, Start(0))
        assert outcome.orders.sum() == 0


def test_the_quantile_of_the_demand_of_a_lead_time():
    history = np.tile([5.0, 0, 0, 0], 30)[None, :]
    found = lead_time_quantile(history, [1.25], [8.0], [0.0], np.array([0.9]))
    assert found[0] == pytest.approx(10)
    assert lead_time_quantile(history, [2.5], [8.0], [0.0], np.array([0.9]))[0] == pytest.approx(20)


def test_levels_of_pieces_are_pieces():
    rare = np.tile([1.0, 0, 0, 0], 30)[None, :]
    assert lead_time_quantile(rare, [0.2], [1.0], [0.0], np.array([0.95])) == [1]
    assert lead_time_quantile(rare / 2, [0.1], [1.0], [0.0], np.array([0.95])) == [
        pytest.approx(0.4)
    ]


def test_paths_keep_the_rate_and_do_not_depend_on_company():
    random = np.random.default_rng(1)
    history = random.poisson(0.7, (5, 400)).astype(float)
    drawn = paths(history, np.full(5, 2.0), 40, 300, 7, seed=3)
    assert drawn.mean() == pytest.approx(2.0, rel=0.03)
    alone = paths(history[2:3], [2.0], 40, 300, 7, seed=3)
    assert np.array_equal(alone[0], drawn[2])
    assert lead_times([5.0], [2.0], 50, 50, 1).mean() == pytest.approx(5, abs=0.1)
    new = paths(np.zeros((1, 400)), [0.25], 8, 400, 7, seed=3)
    assert set(np.unique(new)) == {0.0, 1.0} and new.mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    ("frequency", "data_to", "periods", "first", "last", "warm_up"),
    [
        ("D", date(2026, 11, 22), 1096, date(2025, 11, 1), date(2026, 11, 1), 6),
        ("D", date(2026, 10, 31), 365, date(2026, 5, 1), date(2026, 11, 1), 0),
        ("M", date(2026, 10, 1), 24, date(2025, 11, 1), date(2026, 11, 1), 6),
        ("W", date(2026, 10, 26), 156, date(2025, 11, 1), date(2026, 11, 1), 6),
        ("W", date(2026, 10, 19), 156, date(2025, 10, 1), date(2026, 10, 1), 6),
    ],
)
def test_whole_months_are_replayed(
    frequency: str, data_to: date, periods: int, first: date, last: date, warm_up: int
):
    span = span_of(frequency, data_to, periods, Terms(frequency))
    assert span is not None
    counted = span.counted()
    assert (counted.months[0], counted.months[-1], span.warm_up) == (first, last, warm_up)
    assert len(span.month_of()) == span.edges[-1] - span.edges[0]


def test_too_few_months_are_not_replayed():
    assert span_of("D", date(2026, 10, 31), 250, Terms("D")) is None


def test_a_year_at_the_pace_of_fewer_months():
    assert annual(30.0, 3) == 120
    assert annual(-30.0, 12) == -30
    assert annual(0.0, 0) is None
