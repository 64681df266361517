"""The inventory formulas against the examples that stockpyl 1.0.2 publishes in its documentation.

https://stockpyl.readthedocs.io, pages eoq, newsvendor and rq; the numbers of the examples are those
of Snyder & Shen (2019), "Fundamentals of Supply Chain Theory", 2nd edition.
"""

import math

import numpy as np
import pytest

from domain import inventory
from domain.inventory import LotCosts

YEARLY = LotCosts(demand=1300, order_cost=8, holding_cost=0.225, shortage_cost=7.5)
LEAD_MEAN, LEAD_STD = 1300 / 12, 150 * math.sqrt(1 / 12)


def poisson(mean: float, upto: int) -> np.ndarray:
    return np.array(
        [math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(upto)]
    )


def test_eoq_of_example_3_1():
    quantity = inventory.eoq(1300, 8, 0.225)
    assert quantity == pytest.approx(304.0467800264368, rel=1e-12)
    cost = inventory.cycle_cost(quantity, 1300, 8, 0.225)
    assert cost == pytest.approx(68.41052550594829, rel=1e-12)


def test_newsvendor_of_example_4_3():
    quantity = inventory.newsvendor(50, 8, underage=0.70, overage=0.18)
    assert quantity == pytest.approx(56.60395592743389, rel=1e-9)
    cost = inventory.newsvendor_cost(quantity, 50, 8, 0.70, 0.18)
    assert cost == pytest.approx(1.9976051931766445, rel=1e-9)


@pytest.mark.parametrize(
    ("quantity", "expected"), [(60, 2.156131552870387), (40, 7.35613154776623)]
)
def test_newsvendor_cost_of_examples_4_1_and_4_3(quantity, expected):
    cost = inventory.newsvendor_cost(quantity, 50, 8, 0.70, 0.18)
    assert cost == pytest.approx(expected, rel=1e-9)


def test_newsvendor_of_the_package_s_front_page():
    quantity = inventory.newsvendor(120, 10, underage=18, overage=2)
    assert quantity == pytest.approx(132.815515655446, rel=1e-9)
    cost = inventory.newsvendor_cost(quantity, 120, 10, 18, 2)
    assert cost == pytest.approx(35.09966638649737, rel=1e-9)


@pytest.mark.parametrize(
    ("mean", "underage", "overage", "quantity", "cost"),
    [(50, 0.70, 0.18, 56, 1.797235211809178), (6, 4, 1, 8, 3.5701069457709416)],
)
def test_newsvendor_of_poisson_demand(mean, underage, overage, quantity, cost):
    chances = poisson(mean, 200)[None, :]
    ratio = inventory.critical_ratio(underage, overage)
    assert inventory.enough_for(chances, ratio).tolist() == [quantity]
    short = inventory.shortages(chances)[0, quantity]
    assert overage * (quantity - mean + short) + underage * short == pytest.approx(cost, rel=1e-9)


def test_cost_of_a_lot_policy_of_example_5_1():
    cost = inventory.lot_policy_cost(126.8, 328.5, LEAD_MEAN, LEAD_STD, YEARLY)
    assert cost == pytest.approx(78.07116250928294, rel=1e-9)


def test_the_cheapest_lot_policy_is_that_of_example_5_6():
    # the example leaves out shortages above r + Q, which are nil here
    reorder, quantity, cost = inventory.lot_policy(LEAD_MEAN, LEAD_STD, YEARLY)
    assert reorder == pytest.approx(126.8670634479628, abs=1e-4)
    assert quantity == pytest.approx(328.4491421980451, abs=1e-4)
    assert cost < inventory.lot_policy_cost(126.8, 328.5, LEAD_MEAN, LEAD_STD, YEARLY)


@pytest.mark.parametrize(
    ("quantity", "expected"), [(300, 129.4272799263067), (308.5737801203754, 128.63781442427097)]
)
def test_reorder_point_for_a_given_lot_of_example_5_2(quantity, expected):
    reorder = inventory.reorder_point_for(quantity, LEAD_MEAN, LEAD_STD, YEARLY)
    assert reorder == pytest.approx(expected, abs=1e-5)


def test_reorder_point_with_safety_stock_of_example_5_5():
    reorder = inventory.newsvendor(LEAD_MEAN, LEAD_STD, underage=7.5, overage=0.225)
    assert reorder == pytest.approx(190.3369965715624, rel=1e-9)


def test_lot_policy_of_poisson_demand_of_example_5_8():
    costs = LotCosts(demand=1.5, order_cost=100, holding_cost=20, shortage_cost=150)
    reorder, quantity, cost = inventory.discrete_lot_policy(poisson(3, 80), costs)
    assert (reorder, quantity) == (3, 5)
    assert cost == pytest.approx(107.92358063314975, rel=1e-9)
