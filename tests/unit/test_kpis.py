"""KPI definitions are complete, and their arithmetic knows its edges."""

import re

import pytest

from domain import kpis
from domain.erp import KINDS


@pytest.mark.parametrize("definition", kpis.KPIS.values(), ids=list(kpis.KPIS))
def test_every_kpi_says_what_it_is_made_of(definition):
    assert definition.unit in {"BRL", "fraction", "days", "count", "units"}
    assert definition.better in {"up", "down", ""}
    assert definition.source and set(definition.needs) <= set(KINDS)
    assert definition.formula.count("{") == definition.formula.count("}")
    for name, unit in definition.inputs.values():
        assert name and unit in {"BRL", "fraction", "days", "count", "units", "hours"}


def test_symbols_of_ratios_stand_in_their_formula():
    for key in ("stockout_rate", "otif", "sla_availability", "days_of_supply"):
        definition = kpis.KPIS[key]
        for symbol in definition.inputs:
            assert symbol in definition.formula


def test_formulas_are_the_same_in_every_language():
    for definition in kpis.KPIS.values():
        symbols = re.sub(r"\\[a-z]+", "", definition.formula)
        assert set(re.findall("[A-Za-z]{2,}", symbols)) <= {"WAPE", "OTIF", "ok"}


def test_ratio_and_change_are_unknown_without_a_base():
    assert kpis.ratio(1, 4) == 0.25
    assert kpis.ratio(1, 0) is None
    assert kpis.ratio(None, 4) is None
    assert kpis.change(90, 120) == -0.25
    assert kpis.change(90, 0) is None
    assert kpis.change(None, 1) is None


def test_days_of_supply():
    # R$ 9,000 of stock, R$ 3,000 forecast over 30 days: 90 days
    assert kpis.days_of_supply(9000, 3000, 30) == pytest.approx(90)
    assert kpis.days_of_supply(9000, 0, 30) is None
    assert kpis.days_of_supply(None, 3000, 30) is None


def test_availability():
    # 7.2 h in 30 days of one site: 99 %
    assert kpis.availability(7.2, 1, 720) == pytest.approx(0.99)
    assert kpis.availability(9999, 1, 720) == 0
    assert kpis.availability(1, 0, 720) is None
