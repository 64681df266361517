"""Years of item-depots: what a change does to each of them, and which are played."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain import years
from domain.changes import Stocked, changed, levels
from domain.policy_settings import PolicySettings
from domain.what_if import NOTHING, Change
from domain.years import Terms, a_year, compare, curve_of, sample, side


def three() -> Stocked:
    """Two items of a supplier abroad and one from here, daily demand of a year."""
    random = np.random.default_rng(2)
    ones = np.ones(3)
    return Stocked(
        history=random.poisson(2.0, (3, 365)).astype(float),
        rate=2.0 * ones,
        lead_mean=np.array([20.0, 40.0, 10.0]),
        lead_std=np.array([0.0, 5.0, 0.0]),
        service_level=0.95 * ones,
        reorder_point=np.array([50.0, 100.0, 28.0]),
        order_up_to=np.array([90.0, 150.0, 60.0]),
        minimum=np.nan * ones,
        pack=np.nan * ones,
        unit_cost=np.array([10.0, 20.0, 30.0]),
        penalty_brl=np.array([np.nan, 500.0, np.nan]),
        weight=ones,
        abc=np.array(["A", "B", "A"]),
        family=np.array(["fibra", "energia", "fibra"]),
        uf=np.array(["SP", "SP", "BA"]),
        supplier=np.array(["X", "X", "Y"]),
        supplier_kind=np.array(["import", "import", "domestic"]),
    )


def test_a_change_touches_only_what_it_names():
    world = changed(
        three(),
        Change(service_a=0.99, demand_change=0.5, family="fibra", uf="SP", exchange_change=0.1),
    )
    assert world.service_level.tolist() == [0.99, 0.95, 0.99]
    assert world.rate.tolist() == [3, 2, 2]
    assert world.unit_cost.tolist() == [11, 22, 30]


def test_levels_stay_where_nothing_changes_and_move_with_what_does():
    here, policy = three(), PolicySettings()
    change = Change(lead_time_change=0.5, supplier="X")
    world = changed(here, change)
    point, up_to = levels(here, world, change, policy)
    assert (point[2], up_to[2]) == (28, 60)
    # half as long again at 2 a day: 20 and 40 units more, and a little for what is uncertain
    assert point[:2] - here.reorder_point[:2] == pytest.approx([20, 40], abs=8)
    kept = Change(lead_time_change=0.5, supplier="X", levels="kept")
    assert levels(here, changed(here, kept), kept, policy)[0].tolist() == [50, 100, 28]


def test_lots_follow_the_square_root_of_costs():
    here, change = three(), Change(order_cost=600.0)
    point, up_to = levels(here, here, change, PolicySettings(order_cost_brl=150.0))
    assert (up_to - point).tolist() == pytest.approx([80, 100, 64])


def test_a_strike_stops_the_suppliers_that_it_names():
    here, terms = three(), Terms("D", scenarios=4)
    before, after = (a_year(here, c, terms) for c in (NOTHING, Change(strike_days=90)))
    assert (after.served[:2] < before.served[:2]).all()
    assert after.served[2] == before.served[2]
    found = side(after, here)
    assert found.penalty_brl == pytest.approx(after.penalty_brl[1])
    assert found.annual_cost_brl == pytest.approx(after.costs.total.sum())


def test_what_is_recorded_by_the_month_is_one_request_and_plays_days():
    """Demand on all days of a month: twelve requests a year; and each day of a strike counts."""
    here = replace(three(), history=np.full((3, 1826), 2.0))
    terms = Terms("M", scenarios=2)
    found = [a_year(here, Change(strike_days=days, strike="all"), terms) for days in (0, 40, 55)]
    assert found[0].lines == pytest.approx(12, rel=0.01)
    missed = [(one.lines - one.full).sum() for one in found]
    assert missed == sorted(missed) and len(set(missed)) == 3


def test_a_year_is_the_same_alone_and_in_chunks(monkeypatch: pytest.MonkeyPatch):
    here, terms = three(), Terms("D", scenarios=3)
    alone = a_year(here.at(slice(0, 1)), NOTHING, terms)
    together = a_year(here, NOTHING, terms)
    monkeypatch.setattr(years, "AT_ONCE", 1)
    apart = a_year(here, NOTHING, terms)
    for name in ("stock_value", "orders", "asked", "served"):
        values = getattr(together, name)
        assert values[0] == getattr(alone, name)[0]
        assert values.tolist() == getattr(apart, name).tolist()


def test_today_is_the_same_whatever_it_is_compared_with(monkeypatch: pytest.MonkeyPatch):
    here, terms = three(), Terms("D", scenarios=4)
    monkeypatch.setattr(years, "AT_ONCE", 4 * 545 * 2)
    changes = (NOTHING, Change(order_cost=300.0), Change(lead_time_change=0.5, strike_days=30))
    found = [compare(here, one, terms, items=3, items_in_view=3).today for one in changes]
    assert found[1:] == found[:1] * 2
    assert curve_of(here, terms)[0].stock_value_brl == found[0].stock_value_brl


def test_a_sample_stands_for_all():
    value = np.arange(100.0)
    rows, weight = sample(value, 20)
    assert len(rows) == 20 and weight.sum() == 100
    assert set(range(90, 100)) <= set(rows.tolist())
    assert weight[np.isin(rows, range(90, 100))].tolist() == [1] * 10
    assert sample(value, 100)[1].tolist() == [1] * 100
