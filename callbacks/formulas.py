"""The tab *Formulas* of `/features`: one formula; inputs from the address or an item."""

from __future__ import annotations

from functools import cache
from typing import Any

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.filters import series_bar
from callbacks.parts import later, lazily
from domain.errors import InvalidInput
from domain.formulas import FORMULAS, MOST_NUMBERS, Formula, Number, Numbers, Value
from domain.records import BacktestPoint
from domain.viewer import Viewer
from layouts import formulas as layout
from warehouse.queries import forecasts, formulas

TOLD = 12
"""Periods of an item's backtest that are put into a measure of errors."""
LONGEST = 600
KNOWN = {
    "daily": "daily_demand",
    "rate": "daily_demand",
    "lead": "lead_time_days",
    "safety": "textbook_safety_stock",
    "level": "service_level",
    "lead_deviation": "lead_time_std",
    "annual": "annual_demand",
    "order_cost": "order_cost_brl",
    "holding": "holding_brl",
    "on_hand": "on_hand",
    "arriving": "on_order",
}
"""Which figure of an item-depot an input starts from."""
OF_A_DAY = frozenset({"safety_stock", "safety_stock_variable"})
ENSEMBLE = "ensemble"


def content(viewer: Viewer, address: Address) -> list[Component]:
    """What stands below the tabs."""
    formula = FORMULAS[address.one("formula", FORMULAS, next(iter(FORMULAS)))]
    starts = "actual" in formula.inputs or not KNOWN.keys().isdisjoint(formula.inputs)
    bar = series_bar(viewer, address, "/features", "formulas") if starts else None
    sku, site = (bar.one("sku"), bar.one("site")) if bar else ("", "")

    @cache
    def start() -> dict[str, Value]:
        return _starts(formula, sku, site, viewer) if sku and site else {}

    @cache
    def given() -> dict[str, Value]:
        return {name: _given(name, formula, start(), viewer, address) for name in formula.inputs}

    @cache
    def result() -> tuple[float | None, str | None]:
        try:
            return formula.value(given()), None
        except InvalidInput:
            t = viewer.t
            return None, t("The lists have different lengths: one number a period each.")

    data = lazily(
        layout.FormulaData,
        formula=formula,
        given=given,
        value=lambda: result()[0],
        wrong=lambda: result()[1],
        bar=bar,
        from_item=lambda: frozenset(start()),
        notices=address.notices,
    )
    return layout.content(data, viewer, later)


def _given(
    name: str, formula: Formula, start: dict[str, Value], viewer: Viewer, address: Address
) -> Value:
    """What the address says, else what the item has, else what the formula starts from."""
    one = formula.inputs[name]
    label = viewer.t(one.words)
    fallback = start.get(name, one.start)
    if isinstance(one, Numbers):
        told = address.numbers(
            name,
            label,
            one.low,
            one.high,
            locale=viewer.locale,
            most=MOST_NUMBERS,
            limit=LONGEST,
        )
        return fallback if told is None else told
    number = address.limited(name, label, one.low, one.high, locale=viewer.locale)
    return float(fallback if number is None else number)  # type: ignore[arg-type]


def _starts(formula: Formula, sku: str, site: str, viewer: Viewer) -> dict[str, Value]:
    """Inputs that the item-depot has figures for, within limits."""
    place: dict[str, Any] = {"sku": sku, "site": site, "scope": viewer.scope}
    figures = {} if KNOWN.keys().isdisjoint(formula.inputs) else formulas.known(**place)
    found: dict[str, Value] = {
        name: figures[KNOWN[name]] for name in formula.inputs if KNOWN.get(name) in figures
    }
    if formula.key in OF_A_DAY and "demand_std" in figures:
        found["deviation"] = figures["demand_std"]
    if "actual" in formula.inputs:
        found |= _backtested(formula, place)
    return {
        name: value
        for name, value in found.items()
        if not isinstance(value, float) or _is_within(value, formula.inputs[name])
    }


def _is_within(value: float, one: object) -> bool:
    return isinstance(one, Number) and one.low <= value <= one.high


def _backtested(formula: Formula, place: dict[str, Any]) -> dict[str, Value]:
    """The ensemble's last periods of the backtest, and the history before them."""
    tested = [one for one in forecasts.backtest(**place) if one.model == ENSEMBLE]
    points = _last(tested)
    if not points:
        return {}
    found: dict[str, Value] = {
        "actual": tuple(round(one.actual, 3) for one in points),
        "forecast": tuple(round(one.mean, 3) for one in points),
    }
    if "history" in formula.inputs:
        before = [one for one in forecasts.history(**place) if one.date < points[0].date]
        if before:
            found["history"] = tuple(round(one.quantity, 3) for one in before[-MOST_NUMBERS:])
    return found


def _last(points: list[BacktestPoint]) -> list[BacktestPoint]:
    newest = max((one.origin for one in points), default=None)
    return [one for one in points if one.origin == newest][:TOLD]
