"""Demand over a lead time, against what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from domain.inventory import service_level
from domain.lead_time_demand import (
    CELLS,
    DRAWS,
    LEAD_TIMES,
    SHARES,
    Calendar,
    cells_of_history,
    cells_of_quantiles,
    draws,
    over_lead_time,
    paths,
)

Z90 = 1.2816
DAYS = 40
CALENDAR = Calendar(np.arange(DAYS, dtype=float), np.ones(DAYS), np.ones(DAYS))


def normal(mean: float, std: float) -> np.ndarray:
    """DAYS days of a forecast N(mean, std), as cells of one series."""
    level = np.full((1, DAYS), mean)
    return cells_of_quantiles(level, level - Z90 * std, level, level + Z90 * std)


def fixed(days: float) -> np.ndarray:
    return np.full((1, LEAD_TIMES), days)


def test_cells_keep_the_forecasts_mean_and_never_fall_below_zero() -> None:
    mean, p10 = np.array([8.0, 0.3, 0.0, 2.0]), np.array([5.0, 0, 0, 0])
    p50, p90 = np.array([8.0, 0, 0, 0]), np.array([11.0, 1, 0, 0])
    cells = cells_of_quantiles(mean, p10, p50, p90)
    assert cells.shape == (4, CELLS)
    assert cells.min() >= 0
    assert cells @ SHARES == pytest.approx(mean)


def test_independent_days_add_their_variances() -> None:
    demand = over_lead_time(normal(50, 5), CALENDAR, fixed(16), draws(DAYS, 0.0))
    assert demand.mean() == pytest.approx(800, rel=0.005)
    assert demand.std() == pytest.approx(5 * 4, rel=0.1)
    assert np.quantile(demand, 0.9) == pytest.approx(800 + Z90 * 20, rel=0.01)


def test_what_errors_share_adds_up_without_cancelling() -> None:
    demand = over_lead_time(normal(50, 5), CALENDAR, fixed(16), draws(DAYS, 0.5))
    assert demand.std() == pytest.approx(5 * np.sqrt(16 * 0.5 + 256 * 0.5), rel=0.1)


def test_a_lead_time_that_varies_widens_what_it_covers() -> None:
    days = np.linspace(7, 25, LEAD_TIMES)[None, :]
    demand = over_lead_time(normal(50, 5), CALENDAR, days, draws(DAYS, 0.0))
    expected = np.sqrt(days.mean() * 25 + (50 * days.std()) ** 2)
    assert demand.mean() == pytest.approx(50 * days.mean(), rel=0.01)
    assert demand.std() == pytest.approx(expected, rel=0.1)


def test_half_a_period_is_half_of_its_demand_and_no_lead_time_is_unknown() -> None:
    cells = normal(50, 0)
    assert over_lead_time(cells, CALENDAR, fixed(2.5), draws(DAYS, 0.0)) == pytest.approx(125)
    assert np.isnan(over_lead_time(cells, CALENDAR, fixed(np.nan), draws(DAYS, 0.0))).all()


@pytest.mark.parametrize("lead", [DAYS, DAYS + 1, 3 * DAYS])
def test_demand_goes_on_after_the_calendar(lead: float) -> None:
    """At the mean of the calendar's days, and as uncertain: it has a safety stock too."""
    demand = over_lead_time(normal(50, 5), CALENDAR, fixed(lead), draws(DAYS, 0.0))
    assert demand.mean() == pytest.approx(50 * lead, rel=0.005)
    assert np.quantile(demand, 0.9) - 50 * lead >= Z90 * 5 * np.sqrt(lead) * 0.9


def test_demand_that_pauses_comes_in_the_sizes_that_were_recorded() -> None:
    history = np.zeros((1, 100))
    history[0, ::10] = 12.0
    cells = cells_of_history(history, np.full((1, DAYS), 1.2))
    assert cells[0, 0, : CELLS // 2].max() == 0
    assert cells[0, 0, [-3, -1]] == pytest.approx([12, 18]), "and once in eleven times half more"
    one = over_lead_time(cells, CALENDAR, fixed(1), draws(DAYS, 0.0))[0]
    assert one.max() == pytest.approx(18) and (one == 0).mean() > 0.85
    assert (one > 0).mean() == pytest.approx(0.1, abs=0.03)


def test_periods_before_a_series_began_say_nothing_of_its_sizes() -> None:
    own = np.array([[0.0, 12.0, 0.0, 3.0, 0.0, 12.0, 5.0]])
    later = np.concatenate([np.full((1, 93), np.nan), own], axis=1)
    longest = np.concatenate([np.ones((1, 93)), own], axis=1)
    both = cells_of_history(np.concatenate([later, longest]), np.array([[2.0], [2.0]]))
    assert both[0] == pytest.approx(cells_of_history(own, np.array([[2.0]]))[0])
    assert both[1] == pytest.approx(cells_of_history(longest, np.array([[2.0]]))[0])


def test_what_is_forecast_of_rare_demand_is_how_often_not_how_much() -> None:
    history = np.zeros((2, 50))
    history[:, ::10], history[:, 5] = 4.0, 10.0
    cells = cells_of_history(history, np.array([[0.3, 0.0], [0.6, 50.0]]))
    assert cells @ SHARES == pytest.approx(np.array([[0.3, 0.0], [0.6, 50.0]]))
    assert cells[:, 0, -1] == pytest.approx(15)
    assert (cells[0, 0] > 0).sum() < (cells[1, 0] > 0).sum() < CELLS
    assert cells[1, 1, 0] == pytest.approx(4 * 50 / 45 * 7)
    assert cells[1, 1, -1] == pytest.approx(15 * 50 / 45 * 7)
    assert cells_of_history(np.zeros((1, 9)), np.array([[0.2]]))[0, 0] == pytest.approx(0.2)


def test_the_cautious_path_asks_for_more_than_the_likely_one() -> None:
    likely, cautious = paths(normal(50, 20), CALENDAR, (0.5, 0.9), draws(DAYS, 0.0))
    assert likely.shape == (1, DAYS)
    assert (np.diff(cautious) > 0).all()
    assert cautious[0, 3] == pytest.approx(200 + Z90 * 40, rel=0.05)
    assert likely[0, -1] == pytest.approx(50 * DAYS, rel=0.02)
    assert draws(DAYS, 0.0).sum(axis=1).shape == (DAYS, DRAWS)


@pytest.mark.parametrize(
    ("criticality", "level"), [(9, 0.95), (8, 0.95), (5, 0.9), (np.nan, 0.9), (3, 0.85)]
)
def test_a_critical_item_may_run_out_less_often(criticality: float, level: float) -> None:
    risk = {"high": 0.5, "medium": 1.0, "low": 1.5}
    assert service_level(0.9, criticality, risk) == pytest.approx(level)
