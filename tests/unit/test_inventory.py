"""The inventory formulas against values worked out by hand."""

import numpy as np
import pytest

from domain import inventory


@pytest.mark.parametrize(
    ("daily", "lead", "safety", "expected"),
    [(8, 14, 20, 132), (2, 10, 15, 35), (0.5, 21, 30, 40.5)],
)
def test_reorder_point_of_the_companys_own_examples(daily, lead, safety, expected):
    assert inventory.reorder_point(daily, lead, safety) == pytest.approx(expected)


def test_safety_stock_with_fixed_and_variable_lead_time():
    # Z(0.95) = 1.6449; fixed: 1.6449·5·√16 = 32.897; variable: 1.6449·√(16·25 + 100·4) = 46.524
    assert inventory.safety_stock(0.95, 5, 16) == pytest.approx(32.897, abs=1e-3)
    assert inventory.safety_stock(0.95, 5, 16, 10, 2) == pytest.approx(46.524, abs=1e-3)


def test_safety_stock_is_never_negative_and_unknown_stays_unknown():
    assert inventory.safety_stock(0.3, 5, 16) == 0
    assert np.isnan(inventory.safety_stock(0.95, 5, np.nan))
    assert np.isnan(inventory.safety_stock(1.0, 5, 16))


def test_eoq_of_harris_example():
    # √(2·1200·100 ÷ 6) = 200
    assert inventory.eoq(1200, 100, 6) == pytest.approx(200)
    assert np.isnan(inventory.eoq(1200, 100, 0))


def test_lot_respects_minimum_and_pack():
    lots = inventory.lot([3, 21, 20, 7.5], [10, 10, 10, np.nan], [np.nan, 5, 5, np.nan])
    assert lots.tolist() == [10, 25, 20, 7.5]


def test_cumulative_takes_parts_of_days_and_goes_on_at_the_mean():
    rates = np.array([[1.0, 2.0, 3.0], [4.0, 4.0, 4.0]])
    assert inventory.cumulative(rates, [1.5, 5.0]).tolist() == [2.0, 20.0]
    assert inventory.cumulative(rates, 0.0).tolist() == [0.0, 0.0]
    assert np.isnan(inventory.cumulative(rates, np.nan)).all()


def test_stock_runs_out_within_the_day_by_proportion():
    demand = np.full((1, 20), 8.0)
    assert inventory.days_to_stockout([85.0], demand, np.zeros((1, 20))) == pytest.approx([10.625])


def test_a_receipt_in_time_averts_the_stockout_and_a_late_one_does_not():
    demand, receipts = np.full((1, 20), 8.0), np.zeros((1, 20))
    receipts[0, 10] = 500
    assert np.isnan(inventory.days_to_stockout([85.0], demand, receipts))
    receipts = np.roll(receipts, 1)
    assert inventory.days_to_stockout([85.0], demand, receipts) == pytest.approx([10.625])


def test_empty_stock_is_out_now_and_no_demand_never_runs_out():
    zero = np.zeros((1, 5))
    assert inventory.days_to_stockout([0.0], np.ones((1, 5)), zero) == [0]
    assert np.isnan(inventory.days_to_stockout([0.0], zero, zero))
    tomorrow = np.array([[9.0, 0, 0, 0, 0]])
    assert inventory.days_to_stockout([0.0], np.ones((1, 5)), tomorrow) == [0]


def test_projection_balances():
    stock = inventory.project([10.0], np.array([[4.0, 4, 4]]), np.array([[0.0, 5, 0]]))
    assert stock.tolist() == [[6, 7, 3]]


def test_expected_shortage():
    # k = 0: σ·φ(0) = 10·0.39894; far above: nothing; without spread: the difference
    shortage = inventory.expected_shortage([100, 100, 100], [10, 10, 0], [100, 200, 70])
    assert shortage == pytest.approx([3.9894, 0, 30], abs=1e-4)


def test_order_up_to_covers_the_lead_time_and_the_wait_for_the_next_look():
    # 8 a day, 14 days' lead time, looked at weekly, safety stock 20: 8·21 + 20
    assert inventory.order_up_to(8, 14, 7, 20) == pytest.approx(188)


def test_economic_lot_takes_the_cheaper_of_the_packs_around_eoq():
    # EOQ 200; packs of 150: 150 costs 1200·100÷150 + 6·75 = 1250, 300 costs 400 + 900 = 1300
    lots = inventory.economic_lot(1200, 100, 6, minimum=[np.nan, 250, 250], pack=[150, 150, np.nan])
    assert lots.tolist() == [150, 300, 250]
    # packs of 1000 hold more than EOQ: one pack is the least
    assert inventory.economic_lot(1200, 100, 6, pack=1000) == 1000
    assert inventory.economic_lot(1200, 100, 6) == pytest.approx(200)
    assert np.isnan(inventory.economic_lot(1200, 100, 0, 5, 10))


def test_where_an_order_costs_nothing_the_lot_is_the_least_that_can_be_ordered():
    lots = inventory.economic_lot(
        [1200, 1200, 1200, 1200, 0],
        0,
        [6, 6, 6, 0, 6],
        minimum=[np.nan, np.nan, 25, np.nan, np.nan],
        pack=[10, np.nan, 10, 10, 10],
    )
    assert lots.tolist() == pytest.approx([10, 1, 30, np.nan, 0], nan_ok=True)


@pytest.mark.parametrize("pack", [1, 7, 40, 150, 333])
@pytest.mark.parametrize("minimum", [np.nan, 90, 410])
def test_no_lot_that_may_be_ordered_is_cheaper(pack, minimum):
    chosen = inventory.economic_lot(1200, 100, 6, minimum, pack)
    others = np.arange(1, 1000) * pack
    others = others[~(others < minimum)]
    assert chosen in others
    costs = inventory.cycle_cost(others, 1200, 100, 6)
    assert inventory.cycle_cost(chosen, 1200, 100, 6) == pytest.approx(costs.min())


def test_enough_for_and_shortages_of_a_die():
    die = np.array([[0, 1, 1, 1, 1, 1, 1]]) / 6
    assert inventory.enough_for(die, 0.5).tolist() == [3]
    assert inventory.enough_for(die, 0.51).tolist() == [4]
    assert inventory.enough_for(die, 1.0).tolist() == [6]
    expected = [3.5, 2.5, 10 / 6, 1, 0.5, 1 / 6, 0]
    assert inventory.shortages(die)[0] == pytest.approx(expected)


def test_stock_is_projected_from_what_is_there_what_is_asked_for_and_what_arrives() -> None:
    demand = np.array([[2.0, 2, 2, 2, 2], [1, 1, 1, 1, 1]])
    receipts = np.array([[0.0, 0, 5, 0, 0], [0, 0, 0, 0, 0]])
    found = inventory.projected_stock([3.0, 10.0], demand, receipts)
    assert found.tolist() == [[1, 0, 3, 1, 0], [9, 8, 7, 6, 5]]
