"""The tab *Formulas* of `/features`: a formula, its inputs, the result with the numbers put in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from domain.formulas import FORMULAS, Formula, Number, Numbers, Value
from domain.records import Option
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import graph, label_ends
from layouts.components.cards import card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, choice, entry, filter_bar, page_bar
from layouts.components.parts import Part, at_once
from layouts.components.receipt import formula as latex
from layouts.components.states import notice, notices
from layouts.components.table import twin
from layouts.text import INPUT_UNITS
from layouts.theme import ACCENT, OUTLIER, WEAK, figure, plain, titled
from layouts.units import of_input, unit

SLOT = re.compile(r"<(\w+)>")
DIGITS = 4


@dataclass(frozen=True)
class FormulaData:
    """What the tab shows: `given` by input; `value` None where there is none, `wrong` says why;
    `bar` None where no input is known of items; `from_item`: those that start from the chosen one.
    """

    formula: Formula
    given: Mapping[str, Value]
    value: float | None
    wrong: str | None
    bar: Bar | None
    from_item: frozenset[str]
    notices: list[str]


def content(data: FormulaData, viewer: Viewer, part: Part = at_once) -> list[Component]:
    """What stands below the tabs."""
    names = list(data.formula.inputs)
    resets = {"sku": ["site", *names], "site": names}
    bar = [page_bar(data.bar, viewer, initial={}, resets=resets)] if data.bar else []
    return [
        *bar,
        *notices(data.notices),
        *part("formula", lambda: [_formula(data, viewer)], 900, 1500),
    ]


def _formula(data: FormulaData, viewer: Viewer) -> html.Div:
    cards = [_inputs(data, viewer), _result(data, viewer)]
    return html.Div(cards, className="columns columns-even")


def _inputs(data: FormulaData, viewer: Viewer) -> html.Section:
    t, formula = viewer.t, data.formula
    names = list(formula.inputs)
    shown = {name: _text(data.given[name], viewer) for name in names}
    offered = [Option(key, t(one.name)) for key, one in FORMULAS.items()]
    fields = [
        entry(
            name,
            f"{_capital(t(one.words))} ({_plain_symbol(one.symbol)})",
            shown[name],
            _note(one, name in data.from_item, viewer),
            wide=isinstance(one, Numbers),
        )
        for name, one in formula.inputs.items()
    ]
    return card(
        t("Formula and inputs"),
        filter_bar(
            choice(
                "formula",
                t("Formula"),
                offered,
                formula.key,
                viewer,
                multi=False,
                clearable=False,
                wide=True,
            ),
            *fields,
            initial={"formula": formula.key} | shown,
            resets={"formula": names},
            place="inputs",
        ),
        note=t(formula.about),
        class_name="formula-inputs",
    )


def _result(data: FormulaData, viewer: Viewer) -> html.Section:
    t, formula = viewer.t, data.formula
    told = (
        html.P(
            t("= %(value)s", value=_with_unit(data.value, formula.unit, viewer)),
            className="formula-value",
        )
        if data.value is not None
        else notice(data.wrong or t("These numbers give no result."))
    )
    filled = [] if data.value is None else [latex(_filled(data, viewer))]
    return card(
        t(formula.name),
        latex(formula.latex),
        html.P(t("With the numbers put in"), className="formula-step"),
        *filled,
        told,
        *_chart(data, viewer),
        *_examples(formula, viewer),
        html.P(
            [
                dcc.Link(t("Link with these numbers"), href=_link(formula, data.given)),
                html.Span(t("Source: %(source)s", source=t(formula.source))),
            ],
            className="formula-foot",
        ),
        class_name="formula-result",
    )


def _examples(formula: Formula, viewer: Viewer) -> list[Component]:
    """The company's own, each as a link with its numbers."""
    t, locale = viewer.t, viewer.locale
    links = []
    for given in formula.examples:
        numbers = {name: float(value) for name, value in given.items()}
        put_in = "; ".join(
            f"{_plain_symbol(formula.inputs[name].symbol)} = {fmt.number(value, locale, DIGITS)}"
            for name, value in numbers.items()
        )
        result = fmt.number(formula.value(numbers), locale, DIGITS)
        links.append(html.Li(dcc.Link(f"{put_in} → {result}", href=_link(formula, numbers))))
    if not links:
        return []
    return [
        html.P(t("Examples of the company's own method"), className="formula-step"),
        html.Ul(links, className="plain-list"),
    ]


def _filled(data: FormulaData, viewer: Viewer) -> str:
    formula = data.formula
    numbers = {name: value for name, value in data.given.items() if isinstance(value, float)}
    numbers |= formula.sums(**data.given)

    def put(found: re.Match[str]) -> str:
        text = fmt.number(numbers[found.group(1)], viewer.locale, DIGITS)
        return "{" + text.replace(",", "{,}") + "}"

    return SLOT.sub(put, formula.filled)


def _chart(data: FormulaData, viewer: Viewer) -> list[Component]:
    formula = data.formula
    if data.value is None:
        return []
    if "actual" in formula.inputs:
        return _by_period(data, viewer)
    points = formula.curve(data.given)
    varied = formula.inputs.get(formula.varied or "")
    if not points or not isinstance(varied, Number):
        return []
    t, locale = viewer.t, viewer.locale
    title = _titled(varied.words, varied.unit, viewer)
    result = _titled(formula.name, formula.unit, viewer)
    chart = figure(viewer, of_input(formula.unit, t), _capital(t(formula.name)))
    chart.add_scatter(
        x=[x for x, _ in points],
        y=[y for _, y in points],
        mode="lines",
        line={"color": ACCENT, "width": 2},
        hovertemplate="%{x:,.2f}: %{y:,.2f}<extra></extra>",
    )
    now = float(data.given[formula.varied or ""])  # type: ignore[arg-type]
    chart.add_scatter(
        x=[now],
        y=[data.value],
        mode="markers+text",
        marker={"color": OUTLIER, "size": 10},
        text=[plain(fmt.number(data.value, locale, 2))],
        textposition="top center",
        hoverinfo="skip",
    )
    chart.update_xaxes(
        title=titled(of_input(varied.unit, t), _capital(t(varied.words))), tickformat=",~r"
    )
    chart.update_layout(showlegend=False, hovermode="closest")
    rows = [[fmt.number(x, locale, 3), fmt.number(y, locale, 3)] for x, y in points[::4]]
    return [
        html.P(t("If %(input)s were different", input=t(varied.words)), className="formula-step"),
        graph("formula-chart", chart, viewer),
        twin([title, result], rows, viewer),
        html.Div(downloads("formula-curve", _asked(data), viewer), className="tools"),
    ]


def _asked(data: FormulaData) -> dict[str, list[str]]:
    """What the file of the curve asks for."""
    told = {
        name: " ".join(map(repr, value)) if isinstance(value, tuple) else repr(value)
        for name, value in data.given.items()
    }
    return {"formula": [data.formula.key]} | {name: [text] for name, text in told.items()}


def _by_period(data: FormulaData, viewer: Viewer) -> list[Component]:
    t, locale = viewer.t, viewer.locale
    actual, forecast = _numbers(data.given["actual"]), _numbers(data.given["forecast"])
    periods = list(range(1, len(actual) + 1))
    chart = figure(viewer, unit("units", t))
    chart.add_bar(
        x=periods, y=actual, name=t("Actual"), marker={"color": WEAK}, meta={"label": True}
    )
    chart.add_scatter(
        x=periods,
        y=forecast,
        name=t("Forecast"),
        mode="lines+markers",
        line={"color": ACCENT, "width": 2},
        meta={"label": True},
    )
    chart.update_xaxes(
        title=titled(unit("count", t), t("Period")), dtick=max(1, len(periods) // 12)
    )
    label_ends(chart)
    rows = [
        [str(place), fmt.number(a, locale, 2), fmt.number(f, locale, 2)]
        for place, a, f in zip(periods, actual, forecast, strict=True)
    ]
    return [
        graph("formula-chart", chart, viewer),
        twin([t("Period"), t("Actual"), t("Forecast")], rows, viewer),
    ]


def _titled(words: str, unit: str, viewer: Viewer) -> str:
    name, of = _capital(viewer.t(words)), unit_words(unit, viewer)
    return f"{name} ({of})" if of else name


def unit_words(unit: str, viewer: Viewer) -> str:
    """The unit in the reader's language; nothing of a plain number."""
    words = INPUT_UNITS[unit]
    return viewer.t(words) if words else ""


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _numbers(value: Value) -> list[float]:
    return list(value) if isinstance(value, tuple) else [value]


def _note(one: Number | Numbers, from_item: bool, viewer: Viewer) -> str:
    t, locale = viewer.t, viewer.locale
    unit = unit_words(one.unit, viewer)
    if isinstance(one, Numbers):
        limits = t("one a period, with spaces between them")
    else:
        low, high = (fmt.limit(end, locale) for end in (one.low, one.high))
        limits = t("from %(low)s to %(high)s", low=low, high=high)
    told = [unit, limits, t("from the material") if from_item else ""]
    return ", ".join(one for one in told if one)


def _plain_symbol(symbol: str) -> str:
    """`\\sigma_D` as letters: a label holds no formula."""
    greek = {r"\sigma": "σ", r"\mu": "μ"}
    for name, letter in greek.items():
        symbol = symbol.replace(name, letter)
    return symbol.replace("_", "")


def _text(value: Value, viewer: Viewer) -> str:
    return " ".join(_digits(one, viewer) for one in _numbers(value))


def _digits(value: float, viewer: Viewer) -> str:
    """As a person types it: the language's decimal mark and nothing between thousands."""
    text = f"{round(value, DIGITS):.{DIGITS}f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if viewer.locale == "pt_BR" else text


def _with_unit(value: float, unit: str, viewer: Viewer) -> str:
    told = fmt.by_unit(value, unit, viewer.locale)
    return told if unit in ("BRL", "fraction", "ratio") else f"{told} {unit_words(unit, viewer)}"


def _link(formula: Formula, given: Mapping[str, Value]) -> str:
    numbers = {
        name: " ".join(f"{one:.10g}" for one in _numbers(value)) for name, value in given.items()
    }
    return f"/features?{urlencode({'tab': 'formulas', 'formula': formula.key} | numbers)}"
