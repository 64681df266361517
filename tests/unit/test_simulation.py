"""The replay of stock policies: small cases by hand, and what always holds."""

from __future__ import annotations

import numpy as np
import pytest

from domain.simulation import Halt, Outcome, Rules, Start, replay


def numbers(outcome: Outcome, *names: str) -> list[float]:
    return [float(getattr(outcome, name).sum()) for name in names]


def test_by_hand_with_a_lead_time_of_two() -> None:
    """s 5, S 10, start 6. Demand 2, 0, 5, 4, 1: 6 → 4 and 6 ordered; 4; the 6 come, 10 → 5 and 5
    ordered; 5 → 1; the 5 come, 6 → 5 and 5 ordered."""
    outcome = replay([[2.0, 0, 5, 4, 1]], Rules(5, 10), [2], Start(6))
    assert numbers(outcome, "asked", "served", "lines", "full", "expedites") == [12, 12, 4, 4, 0]
    assert numbers(outcome, "orders", "ordered", "received", "stockouts") == [3, 16, 11, 0]
    assert outcome.mean_stock[0, 0] == (4 + 4 + 5 + 1 + 5) / 5
    assert (outcome.on_hand[0], outcome.on_order[0]) == (5, 5)


def test_what_is_not_in_stock_is_lost_and_counted_once() -> None:
    outcome = replay([[3.0, 3, 3]], Rules(0, 3), [3], Start(4))
    # 4 → 1; 2 of 3 lost and 3 ordered; 3 lost, nothing came yet
    assert numbers(outcome, "lost", "expedites", "stockouts", "orders") == [5, 2, 2, 1]


def test_lead_time_zero_is_there_before_the_next_demand() -> None:
    outcome = replay([[4.0, 4, 4]], Rules(0, 4), [0], Start(4))
    assert numbers(outcome, "served", "orders", "received", "stockouts") == [12, 3, 12, 3]
    assert outcome.mean_stock[0, 0] == 4
    assert outcome.on_order[0] == 0


def test_open_orders_come_when_they_are_due_and_are_counted_on() -> None:
    arriving = np.array([[0.0, 7, 0]])
    outcome = replay([[2.0, 2, 2]], Rules(3, 8), [1], Start(2, arriving))
    # position 7 after the first demand: no order; 7 come, 7 → 5; 5 → 3 and 5 ordered
    assert numbers(outcome, "served", "received", "orders") == [6, 7, 1]


def test_lots_and_reviews() -> None:
    rules = Rules([5, 5], [6, 6], minimum=[4, np.nan], pack=[np.nan, 5], review=2)
    outcome = replay(np.ones((2, 4)), rules, [1, 1], Start([6, 6]))
    # looked at after periods 2 and 4, at 4: 2 wanted, at least 4, packs of 5; then 8 − 2 is enough
    assert outcome.ordered[:, 0].tolist() == [4, 5]
    assert outcome.orders[:, 0].tolist() == [1, 1]


def test_a_halt_keeps_deliveries_until_it_is_over() -> None:
    arriving = np.array([[0.0, 3, 0, 0, 0]] * 2)
    outcome = replay(
        np.ones((2, 5)),
        Rules(-1, 0),
        [1, 1],
        Start([2, 2], arriving),
        halt=Halt([True, False], 1, 4),
        bucket_of=np.arange(5),
    )
    assert outcome.received.tolist() == [[0, 0, 0, 0, 3], [0, 3, 0, 0, 0]]
    assert outcome.lost.tolist() == [[0, 0, 1, 1, 0], [0, 0, 0, 0, 0]]


def test_a_halt_keeps_what_would_be_delivered_at_once() -> None:
    outcome = replay(
        np.ones((2, 5)),
        Rules(0, 2),
        [0, 0],
        Start([2, 2]),
        halt=Halt([True, False], 1, 4),
        bucket_of=np.arange(5),
    )
    assert outcome.ordered.tolist() == [[0, 2, 0, 0, 0], [0, 2, 0, 2, 0]]
    assert outcome.received.tolist() == [[0, 0, 0, 0, 2], [0, 2, 0, 2, 0]]
    assert outcome.lost.tolist() == [[0, 0, 1, 1, 0], [0, 0, 0, 0, 0]]


def test_rules_change_and_periods_that_warm_up_do_not_count() -> None:
    outcome = replay(
        np.ones((1, 4)),
        [Rules(1, 1), Rules(3, 3)],
        [1],
        Start(1),
        rule_of=np.array([0, 0, 1, 1]),
        bucket_of=np.array([-1, 0, 0, 1]),
    )
    assert outcome.periods.tolist() == [2, 1]
    assert outcome.ordered.tolist() == [[1 + 3, 1]]


def test_a_lead_time_for_each_order() -> None:
    lead = np.array([[3, 1, 1, 1]])
    outcome = replay([[1.0, 1, 1, 1]], Rules(1, 2), lead, Start(2), bucket_of=np.arange(4))
    # 1 ordered first comes last; after it the position is 1 again each time
    assert outcome.received[0].tolist() == [0, 0, 1, 2]


def test_nothing_appears_and_nothing_vanishes() -> None:
    random = np.random.default_rng(3)
    demand = random.poisson(2.0, (6, 5, 80)).astype(float)
    lead, on_hand = random.integers(0, 9, (6, 5, 80)), random.integers(0, 20, (6, 5))
    arriving = random.integers(0, 4, (6, 5, 12)).astype(float)
    outcome = replay(
        demand,
        Rules(random.integers(3, 30, (6, 1)), 40, pack=3),
        lead,
        Start(on_hand, arriving),
        halt=Halt(random.random((6, 5)) < 0.5, 20, 35),
    )
    total = {name: getattr(outcome, name)[..., 0] for name in ("received", "served", "ordered")}
    assert outcome.on_hand == pytest.approx(on_hand + total["received"] - total["served"])
    assert outcome.on_order == pytest.approx(
        arriving.sum(axis=-1) + total["ordered"] - total["received"]
    )
    assert (outcome.on_hand >= 0).all()
    assert (outcome.served <= outcome.asked).all()
