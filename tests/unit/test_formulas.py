"""The formulas that readers try: known results, limits, words in both languages."""

from __future__ import annotations

import re

import numpy as np
import pytest

from callbacks.address import Address
from domain.combination import combined
from domain.costs import Costs
from domain.errors import InvalidInput
from domain.formulas import FORMULAS, Number, Numbers, Value
from layouts import text
from layouts.formulas import SLOT
from layouts.text import INPUT_UNITS

KNOWN: dict[str, tuple[dict[str, Value], float]] = {
    "reorder_point": ({"daily": 8.0, "lead": 14.0, "safety": 20.0}, 132.0),
    "eoq": ({"annual": 1000.0, "order_cost": 50.0, "holding": 4.0}, 158.114),
    "newsvendor": ({"mean": 50.0, "deviation": 8.0, "missing": 0.7, "left": 0.18}, 56.604),
    "days_to_stockout": (
        {"on_hand": 85.0, "daily": 8.0, "arriving": 40.0, "arrives_in": 5.0},
        15.625,
    ),
    "wape": ({"actual": (10.0, 0.0), "forecast": (8.0, 1.0)}, 0.3),
    "mape": ({"actual": (10.0, 0.0), "forecast": (8.0, 1.0)}, 0.2),
    "mae": ({"actual": (10.0, 0.0), "forecast": (8.0, 1.0)}, 1.5),
    "rmse": ({"actual": (10.0, 0.0), "forecast": (8.0, 1.0)}, 1.581),
    "bias": ({"actual": (10.0, 0.0), "forecast": (8.0, 1.0)}, -0.1),
    "availability": ({"downtime": 36.0, "sites": 5.0, "days": 30.0}, 0.99),
}


def test_savings_are_those_of_the_kpi() -> None:
    """The old side's costs less ours, all four kinds of them."""
    old, new = (
        Costs(*(np.array([value]) for value in side))
        for side in ((120.0, 80.0, 20.0, 350.0), (95.0, 30.0, 12.0, 150.0))
    )
    names = {
        "holding": "holding",
        "missing": "stockout",
        "rush": "expediting",
        "orders": "ordering",
    }
    given: dict[str, Value] = {
        f"{prefix}{name}": float(getattr(side, part)[0])
        for prefix, side in (("old_", old), ("", new))
        for name, part in names.items()
    }
    saved = float((old.total - new.total)[0])
    assert set(FORMULAS["savings"].inputs) == set(given)
    assert FORMULAS["savings"].value(given) == pytest.approx(saved)


@pytest.mark.parametrize("key", KNOWN)
def test_known_results(key: str) -> None:
    given, expected = KNOWN[key]
    assert FORMULAS[key].value(given) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("key", FORMULAS)
def test_each_starts_with_a_result_and_puts_all_its_numbers_in(key: str) -> None:
    formula = FORMULAS[key]
    given = {name: one.start for name, one in formula.inputs.items()}
    assert formula.value(given) is not None
    numbers = {name for name, one in formula.inputs.items() if isinstance(one, Number)}
    assert set(SLOT.findall(formula.filled)) <= numbers | set(formula.sums(**given))
    for one in formula.inputs.values():
        starts = one.start if isinstance(one, Numbers) else (one.start,)
        assert all(one.low <= start <= one.high for start in starts)
    units = {one.unit for one in formula.inputs.values()} | {formula.unit}
    assert units <= set(INPUT_UNITS)


def test_the_page_has_words_for_all() -> None:
    said = {
        word
        for formula in FORMULAS.values()
        for word in (
            *(formula.name, formula.about, formula.source),
            *(one.words for one in formula.inputs.values()),
        )
    }
    assert said == set(text.FORMULA_WORDS)


def test_the_curve_keeps_to_the_limits_and_meets_the_result() -> None:
    formula = FORMULAS["safety_stock"]
    given = {"level": 0.95, "deviation": 4.0, "lead": 14.0}
    points = formula.curve(given)
    assert points[0][0] == 0.5 and points[-1][0] == pytest.approx(0.9999)
    rising = [value for _, value in points]
    assert rising == sorted(rising) and rising[0] <= (formula.value(given) or 0) <= rising[-1]


def test_lists_that_differ_have_no_result() -> None:
    with pytest.raises(InvalidInput):
        FORMULAS["wape"].value({"actual": (1.0, 2.0), "forecast": (1.0,)})


def test_a_combination_drops_the_worst_and_trims_from_five_on() -> None:
    assert combined([10.0, 99.0], [1.0, 1.16]).value == 10.0
    five = combined([1.0, 2.0, 3.0, 4.0, 100.0], [1.0] * 5)
    assert (five.kept, five.mean, five.median) == (5, 3.0, 3.0)


def plain(words: str, /, **values: object) -> str:
    """The words as they are in the source."""
    return words % values if values else words


@pytest.mark.parametrize(
    ("given", "expected"),
    [("1,5 2;3", (1.5, 2.0, 3.0)), ("", None), ("1 x", None), ("-1", None), ("1 2 3 4", None)],
)
def test_numbers_of_an_address(given: str, expected: tuple[float, ...] | None) -> None:
    address = Address({"a": given}, plain)
    assert address.numbers("a", "demand", 0, 10, locale="en", most=3) == expected
    assert bool(address.notices) == bool(given and expected is None)
    if address.notices:
        assert re.search("demand: .* 3 numbers from 0 to 10", address.notices[0])
