"""The receipt of an alert or a recommendation: each formula with its numbers, and where they are
from.

Make the record with `domain.receipts.workings(facts, rules, sources)`; a new rule goes into
`domain.receipts.RULES`, its words into `layouts.text.RECEIPT_WORDS`. Then
`receipt_block(record, viewer)` is a plain `html.Div`, to be put into any card.
`receipt_fold(title, of, **key)` is a line to click, below which the block comes once it is asked
for; `callbacks.receipts.register_receipts` says which record has this key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from domain.receipts import Source, Step, StepInput, Workings
from domain.records import ReceiptInput
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.parts import HEIGHT, outline
from layouts.text import FILE_KINDS
from layouts.units import with_unit


def receipt_block(made: Workings, viewer: Viewer) -> html.Div:
    """Steps one under the other, then the sources."""
    t = viewer.t
    steps = [_step(one, viewer) for one in made.steps]
    sources = [html.Li(source_line(one, viewer)) for one in made.sources]
    listed = [html.H3(t("Sources")), html.Ul(sources)]
    block = [html.Section(listed, className="working-sources")] if sources else []
    return html.Div([*steps, *block], className="workings")


def receipt_id(of: str, **key: Any) -> dict[str, Any]:
    """Of the place of one receipt of the kind `of`; `key` tells it from the others."""
    return {"type": f"{of}-receipt", **key}


def fold_id(of: str, **key: Any) -> dict[str, Any]:
    """Of the line that unfolds it."""
    return {"type": f"{of}-fold", **key}


def receipt_fold(title: str, of: str, **key: int | str) -> html.Details:
    """A folded receipt that is not made before it is unfolded: it has a hundred components, and
    Dash visits every one on the page whenever another comes."""
    return html.Details(
        [
            html.Summary(title, id=fold_id(of, **key)),
            html.Div([outline(HEIGHT)], id=receipt_id(of, **key)),
        ],
        className="twin",
    )


def _step(step: Step, viewer: Viewer) -> html.Section:
    t = viewer.t
    result = with_unit(step.value, step.unit, viewer.locale, t)
    return html.Section(
        [
            html.H3(t(step.name)),
            formula(step.formula),
            inputs_table(step.inputs, viewer),
            html.P(t("= %(value)s", value=result), className="working-result"),
        ],
        className="working",
    )


def formula(latex: str, later: str = "") -> Component:
    """A formula on a line of its own; with `later`, a name of its own on the page, typeset by the
    browser once the fold around it is opened (assets/nova.js)."""
    return _math(f"$${latex}$$", "formula", later)


def _math(text: str, class_name: str = "", later: str = "", place: int = 0) -> Component:
    if not later:
        return dcc.Markdown(text, mathjax=True, className=class_name)
    name = {"type": "math", "of": later, "place": place}
    return html.Div(text, id=name, className=f"{class_name} math-later".strip())


def inputs_table(
    inputs: Sequence[ReceiptInput | StepInput], viewer: Viewer, later: str = ""
) -> html.Table:
    """Symbol, name and value of each number that was put in; `later` as for `formula`."""
    rows = [
        html.Tr(
            [
                html.Td(_math(f"${line.symbol}$", later=later, place=place)),
                html.Td(viewer.t(line.name)),
                html.Td(_value(line, viewer), className="number"),
            ]
        )
        for place, line in enumerate(inputs, start=1)
    ]
    return html.Table(html.Tbody(rows), className="receipt-inputs")


def _value(line: ReceiptInput | StepInput, viewer: Viewer) -> str:
    if isinstance(line, StepInput) and line.on is not None:
        return fmt.day(line.on, viewer.locale)
    return with_unit(line.value, line.unit, viewer.locale, viewer.t)


def source_line(source: Source, viewer: Viewer) -> Component | str:
    """A source in words."""
    t, locale = viewer.t, viewer.locale
    when = fmt.moment(source.at, locale)
    if source.kind == "run":
        return t("Forecast: run %(run)s, computed %(when)s", run=source.number, when=when)
    if source.kind == "override":
        return t(
            "Forecast adjusted by hand: number %(number)s, by %(who)s, %(when)s",
            number=source.number,
            who=source.name,
            when=when,
        )
    words = t(
        "%(kind)s: load %(load)s of %(file)s, %(when)s",
        kind=t(FILE_KINDS.get(source.kind, source.kind)).capitalize(),
        load=source.number,
        file=source.name,
        when=when,
    )
    if source.on is None:
        return words
    return words + t("; counted on %(date)s", date=fmt.day(source.on, locale))
