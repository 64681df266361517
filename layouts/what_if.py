"""`/what-if`: controls, today and the changed world side by side, stock value against service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dash import dcc, html
from dash.development.base_component import Component

from domain.records import Option
from domain.viewer import Viewer
from domain.what_if import NOTHING, Change, ComparedFigure, Comparison, CurvePoint, Recorded, Side
from domain.what_if import side_by_side as figures_of
from layouts import format as fmt
from layouts.charts import graph
from layouts.components.cards import card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, Value, choice, filter_bar, page_bar
from layouts.components.parts import Part, at_once
from layouts.components.states import notices, state
from layouts.components.table import Cell, twin
from layouts.text import N_, SUPPLIER_KINDS
from layouts.what_if_chart import Mark, curve_chart

MEASURES = ("lines", "units")
LEVELS_OFFERED = (0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995)
CHANGES_OFFERED = (-0.5, -0.3, -0.2, -0.1, 0.1, 0.2, 0.3, 0.5, 1.0)
COSTS_OFFERED = (50.0, 100.0, 150.0, 200.0, 300.0, 500.0)
RATES_OFFERED = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
DAYS_OFFERED = (7, 15, 30, 45, 60, 90)
RESETS = {"sku": ["site"]}
FEW = 100
"""Counts below it are shown with a decimal: they are means of several years."""


@dataclass(frozen=True)
class WhatIfData:
    """What the page shows; `found.items` is 0 where nothing in view has a policy."""

    change: Change
    bar: Bar
    measure: str
    choices: dict[str, list[Option]]
    found: Comparison
    curve: Sequence[CurvePoint]
    recorded: Recorded
    notices: list[str]


def layout(data: WhatIfData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    t = viewer.t
    bar = page_bar(data.bar, viewer, initial={}, resets=RESETS)
    start_over = dcc.Link(t("Start over"), href="/what-if", className="btn btn-outline-secondary")
    return html.Div(
        [
            html.Div(
                [html.H1(t("What if")), bar, start_over],
                className="page-head page-head-wrap",
            ),
            *notices(data.notices),
            controls(data, viewer),
            *part("sides", lambda: [side_by_side(data, viewer)], 455, 604),
            *part("curve", lambda: curve_card(data, viewer), 690, 720),
        ],
        className="page page-what-if",
    )


def nothing(viewer: Viewer) -> html.Div:
    """No item in view has a lead time, so none has a reorder point to change."""
    t = viewer.t
    return state(
        t("Nothing in view has a reorder point"),
        t(
            "What-ifs need lead times: from the files of purchase orders or of items. If they are"
            " loaded, publish a run again."
        ),
    )


def controls(data: WhatIfData, viewer: Viewer) -> html.Section:
    """Everything that may be different; each control keeps one parameter of the address."""
    t = viewer.t
    return card(
        t("What would be different"),
        filter_bar(
            *_groups(data, viewer),
            initial=_initial(data),
            place="changes",
        ),
        note=t("The address holds all of it: send it, and the other one sees the same numbers."),
        class_name="what-if-controls",
    )


def _groups(data: WhatIfData, viewer: Viewer) -> list[Component]:
    t, change, offered = viewer.t, data.change, data.choices
    today = t("As today")

    def percent(name: str, label: str, values: Sequence[float], *, signed: bool) -> html.Div:
        said = _signed if signed else _plain
        chosen = _chosen(change, name)
        options = _numbers(values, chosen, lambda v: said(v, viewer))
        return _one(name, label, options, _text(chosen), viewer, today)

    def number(name: str, label: str, values: Sequence[float], unit: str) -> html.Div:
        chosen = _chosen(change, name)
        options = _numbers(values, chosen, lambda v: fmt.by_unit(v, unit, viewer.locale))
        return _one(name, label, options, _text(chosen), viewer, today)

    def of(name: str, label: str, shown: str) -> html.Div:
        return _one(name, label, offered[name], shown, viewer, "")

    return [
        _group(
            t("Service level"),
            *(
                percent(
                    f"service_{name}",
                    t("Class %(abc)s", abc=name.upper()),
                    LEVELS_OFFERED,
                    signed=False,
                )
                for name in "abc"
            ),
        ),
        _group(
            t("Lead time"),
            percent("lead_time_change", t("Change"), CHANGES_OFFERED, signed=True),
            of("supplier", t("Supplier"), change.supplier),
        ),
        _group(
            t("Demand"),
            percent("demand_change", t("Change"), CHANGES_OFFERED, signed=True),
            of("family", t("Family"), change.family),
            of("uf", t("UF"), change.uf),
        ),
        _group(
            t("Costs"),
            number("order_cost", t("Cost of an order"), COSTS_OFFERED, "BRL"),
            percent("holding_rate", t("Holding rate a year"), RATES_OFFERED, signed=False),
            percent("exchange_change", t("Exchange rate"), CHANGES_OFFERED, signed=True),
        ),
        _group(
            t("Strike"),
            number("strike_days", t("Days without deliveries"), DAYS_OFFERED, "days"),
            choice(
                "strike",
                t("Suppliers"),
                [Option(name, t(label)) for name, label in SUPPLIER_KINDS.items()],
                change.strike,
                viewer,
                multi=False,
                clearable=False,
            ),
        ),
        _group(
            t("Reorder points"),
            choice(
                "levels",
                t("When demand or lead times change"),
                [
                    Option("adapted", t("they are set anew")),
                    Option("kept", t("it comes as a surprise")),
                ],
                change.levels,
                viewer,
                multi=False,
                clearable=False,
                wide=True,
            ),
        ),
    ]


def _group(title: str, *fields: Component) -> html.Fieldset:
    return html.Fieldset(
        [html.Legend(title, className="what-if-legend"), html.Div(fields, className="what-if-row")],
        className="what-if-group",
    )


def _one(
    name: str, label: str, options: Sequence[Option], value: str, viewer: Viewer, empty: str
) -> html.Div:
    return choice(name, label, options, value or None, viewer, multi=False, placeholder=empty)


def _chosen(change: Change, name: str) -> float | None:
    """What is asked for; None where it is as today, which is 0 of some and None of others."""
    value: float | None = getattr(change, name)
    return None if value == getattr(NOTHING, name) else value


def _numbers(
    offered: Sequence[float], chosen: float | None, say: Callable[[float], str]
) -> list[Option]:
    """What is offered, and what the address says beyond that."""
    values = sorted({*offered, *([] if chosen is None else [chosen])})
    return [Option(_text(value), say(value)) for value in values]


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _plain(value: float, viewer: Viewer) -> str:
    return fmt.percent(value, viewer.locale, 1)


def _signed(value: float, viewer: Viewer) -> str:
    return fmt.signed_percent(value, viewer.locale, 0)


def _initial(data: WhatIfData) -> dict[str, Value]:
    """What the controls were made from, by parameter."""
    change = data.change
    numbers = (
        *("service_a", "service_b", "service_c", "lead_time_change", "demand_change"),
        *("order_cost", "holding_rate", "strike_days", "exchange_change"),
    )
    words = ("supplier", "family", "uf", "strike", "levels")
    return {
        "measure": data.measure,
        **{name: _text(_chosen(change, name)) for name in numbers},
        **{name: getattr(change, name) for name in words},
    }


FIGURES: dict[str, tuple[str, str]] = {
    "stock_value_brl": (N_("Stock value, mean"), "down"),
    "fill_lines": (N_("Requests served in full"), "up"),
    "fill_units": (N_("Units served"), "up"),
    "requests_missed": (N_("Requests not served"), "down"),
    "penalty_brl": (N_("Penalty exposure"), "down"),
    "orders": (N_("Orders placed"), "down"),
    "holding_brl": (N_("Holding cost"), "down"),
    "stockout_brl": (N_("Cost of stockouts"), "down"),
    "expediting_brl": (N_("Cost of expediting"), "down"),
    "ordering_brl": (N_("Cost of orders"), "down"),
    "annual_cost_brl": (N_("Cost a year"), "down"),
}
"""What each figure is called, and whether up or down is better."""


def side_by_side(data: WhatIfData, viewer: Viewer) -> Component:
    """Each number today, then, and by how much it differs."""
    t, found = viewer.t, data.found
    if not found.items:
        return nothing(viewer)
    header = [t("A mean year"), t("Today"), t("Then"), t("Difference")]
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in header]))
    body = html.Tbody([_row(one, viewer) for one in figures_of(found)])
    table = html.Table([head, body], className="plain-table what-if-table")
    return card(
        t("Side by side"),
        html.Div(table, className="what-if-scroll", tabIndex=0),
        tools=downloads("what-if", _asked(data), viewer),
        note=_note(found, viewer),
    )


def _asked(data: WhatIfData) -> dict[str, list[str]]:
    """The comparison's query: what it is of, and what differs from today."""
    told = {name: data.bar.one(name) for name in ("sku", "site")}
    changed = {
        name: str(value)
        for name, value in vars(data.change).items()
        if value != getattr(NOTHING, name)
    }
    return {name: [value] for name, value in {**told, **changed}.items() if value}


def _row(one: ComparedFigure, viewer: Viewer) -> html.Tr:
    label, better = FIGURES[one.figure]
    cells = [_said(value, one.unit, viewer) for value in (one.today, one.changed)]
    return html.Tr(
        [
            html.Th(viewer.t(label), scope="row"),
            *(html.Td(cell, className="number") for cell in cells),
            html.Td(*_difference(one, better, viewer)),
        ],
        id=f"what-if-{one.figure}",
    )


def _said(value: float | None, unit: str, viewer: Viewer) -> str:
    if value is None and unit == "BRL":
        return viewer.t("no contract loaded")
    if unit == "fraction":
        return fmt.percent(value, viewer.locale, 2)
    return _amount(value, unit, viewer.locale)


def _amount(value: float | None, unit: str, locale: str) -> str:
    if unit == "BRL":
        return fmt.brl(value, locale)
    return fmt.number(value, locale, 1 if value is not None and abs(value) < FEW else 0)


def _difference(
    one: ComparedFigure, better: str, viewer: Viewer
) -> tuple[list[Component | str], str]:
    """The difference in words, and its class: better or worse."""
    step, before = one.difference, one.today
    if step is None or before is None:
        return [], "number"
    words = _step(step, before, one.unit, viewer.locale)
    if not step:
        return words, "number"
    good = (step > 0) == (better == "up")
    return words, f"number {'change-good' if good else 'change-bad'}"


def _step(step: float, before: float, unit: str, locale: str) -> list[Component | str]:
    if unit == "fraction":
        return [fmt.points(step, locale, 2)]
    absolute = ("+" if step > 0 else "") + _amount(step, unit, locale)
    share = fmt.signed_percent(step / before, locale) if before else ""
    return [absolute, " ", html.Span(share, className="what-if-share")]


def _note(found: Comparison, viewer: Viewer) -> str:
    t, locale = viewer.t, viewer.locale
    parts = [
        t(
            "%(items)s of %(all)s item-depots in view have a reorder point. %(years)s simulated"
            " years, the same demand on both sides; today's is the published policy.",
            items=fmt.number(found.items, locale),
            all=fmt.number(found.items_in_view, locale),
            years=fmt.number(found.scenarios, locale),
        )
    ]
    if found.played < found.items:
        parts.append(
            t(
                "%(played)s were played, the dearest each for itself; the others stand for their"
                " likes.",
                played=fmt.number(found.played, locale),
            )
        )
    return " ".join(parts)


def curve_card(data: WhatIfData, viewer: Viewer) -> list[Component]:
    """What each service level holds and serves; where today stands, and where the change leads."""
    t, found = viewer.t, data.found
    if not found.items:
        return []
    marks = _marks(data, found, viewer)
    levels = [point for point in data.curve if point.service_level is not None]
    measure = filter_choice(data, viewer)
    header = [
        t("Point"),
        t("Stock value, R$"),
        t("Requests served in full, %"),
        t("Units served, %"),
    ]
    rows: list[list[Cell]] = [
        [mark.name, mark.value, _hundred(mark.lines), _hundred(mark.units)] for mark in marks
    ]
    rows += [
        [
            t("Service level %(level)s", level=fmt.percent(point.service_level, viewer.locale)),
            point.stock_value_brl,
            _hundred(point.fill_lines),
            _hundred(point.fill_units),
        ]
        for point in levels
    ]
    shown = card(
        t("Stock value against service"),
        measure,
        graph("service-curve", curve_chart(levels, marks, data.measure, viewer), viewer, tall=True),
        twin(header, rows, viewer),
        tools=downloads(
            "what-if-curve", {name: [data.bar.one(name)] for name in ("sku", "site")}, viewer
        ),
        note=t(
            "The line: one cycle service level for all items, from 50 to 99.5 %. Up and to the"
            " left is better. Recorded: the last count's value; requests that met an empty shelf"
            " are estimated from the days without stock."
        ),
    )
    return [shown]


def filter_choice(data: WhatIfData, viewer: Viewer) -> html.Div:
    """Which fill rate the curve shows."""
    t = viewer.t
    options = [Option("lines", t("Requests served in full")), Option("units", t("Units served"))]
    return choice(
        "measure",
        t("Fill rate"),
        options,
        data.measure,
        viewer,
        multi=False,
        clearable=False,
        wide=True,
    )


def _marks(data: WhatIfData, found: Comparison, viewer: Viewer) -> list[Mark]:
    t, recorded = viewer.t, data.recorded
    marks = [_mark(t("Today's policy"), found.today)]
    if not data.change.is_none:
        marks.append(_mark(t("Then"), found.changed))
    if recorded.stock_value_brl is not None:
        name = t("Today, recorded")
        marks.append(Mark(name, recorded.stock_value_brl, recorded.fill_lines, None))
    return marks


def _mark(name: str, side: Side) -> Mark:
    return Mark(name, side.stock_value_brl, side.fill_lines, side.fill_units)


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100 * share
