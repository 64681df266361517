"""Cards: a titled surface, and the KPI with its receipt."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from domain.kpis import OTIF_DAYS, SUMMED
from domain.records import NO_FILTERS, Kpi, Receipt
from domain.rounding import rounded
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.attributes import aria
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, address_of
from layouts.components.icons import icon
from layouts.components.receipt import formula, inputs_table
from layouts.components.states import missing_line
from layouts.text import FILTER_NAMES, N_, kpi_help, kpi_name, named

DRILLS: dict[str, tuple[str, dict[str, list[str]], str]] = {
    "annual_savings": ("/savings", {}, N_("By month and item")),
    "otif": ("/suppliers", {"period": [str(OTIF_DAYS)]}, N_("By supplier")),
    "sla_availability": ("/sla", {}, N_("By contract")),
}
"""Where a KPI's rows are, the period of the number where the bar has none, and what they are by."""
ROWS: dict[str, tuple[str, dict[str, list[str]]]] = {
    "annual_savings": ("/savings", {}),
    "stockout_rate": ("/inventory", {"flag": ["out"]}),
    "inventory_value": ("/inventory", {"sort": ["-stock_value_brl"]}),
    "days_of_supply": ("/inventory", {"sort": ["days_of_supply"]}),
    "open_critical_alerts": ("/alerts", {"level": ["critical"], "status": ["open"]}),
    "demand_value": ("/materials", {"sort": ["-demand_90d"]}),
    "forecast_value": ("/materials", {"sort": ["-forecast_horizon"]}),
}
"""Where a KPI's rows are listed, and what narrows or orders them besides the filters."""
PARTS = {"uf": N_("By UF"), "family": N_("By family")}
UNFILTERED = Bar({}, NO_FILTERS)


def card(
    title: str,
    *content: Component | str,
    tools: list[Component] | None = None,
    note: str | None = None,
    class_name: str = "",
) -> html.Section:
    """A surface with a title, tools at its right and an optional line of explanation."""
    header = [html.H2(title, className="card-title"), html.Div(tools or [], className="tools")]
    explanation = [html.P(note, className="card-note")] if note else []
    return html.Section(
        [html.Header(header, className="card-head"), *explanation, *content],
        className=f"surface {class_name}".strip(),
    )


def kpi_card(kpi: Kpi, viewer: Viewer, bar: Bar = UNFILTERED) -> html.Section:
    """One headline number with its change, date and receipt; or the file that it needs. The
    receipt's links and files are of the bar's filters."""
    name = kpi_name(kpi, viewer.t)
    body = (
        [missing_line(kpi.missing, viewer.t)]
        if kpi.missing
        else [_value(kpi, viewer), _context(kpi, viewer, bar), *_left_out(kpi.receipt, viewer)]
    )
    return html.Section(
        [
            html.Header(
                [html.H2(name, className="kpi-name"), receipt(kpi, name, viewer, bar)],
                className="kpi-head",
            ),
            html.Div(body, className="kpi-body"),
        ],
        className="surface kpi",
        id=f"kpi-{kpi.key}",
    )


def figure_card(
    name: str,
    value: str,
    context: str,
    viewer: Viewer,
    *,
    exact: str | None = None,
    words: str = "",
    made: Receipt | None = None,
) -> html.Section:
    """One number of a page with what it is of; with `made` its receipt too, `words` over it."""
    opened = [_receipt(made, name, words, viewer)] if made else []
    return html.Section(
        [
            html.Header([html.H2(name, className="kpi-name"), *opened], className="kpi-head"),
            html.Div(
                [
                    html.P(value, className="kpi-value", title=exact),
                    html.P(context, className="kpi-context weak"),
                ],
                className="kpi-body",
            ),
        ],
        className="surface kpi",
    )


def _value(kpi: Kpi, viewer: Viewer) -> html.P:
    return html.P(
        fmt.by_unit(kpi.value, kpi.unit, viewer.locale, short=True),
        className="kpi-value",
        title=fmt.by_unit(kpi.value, kpi.unit, viewer.locale),
    )


def _context(kpi: Kpi, viewer: Viewer, bar: Bar) -> html.P:
    shown = (_change(kpi, viewer), _target(kpi, viewer), _drill(kpi, viewer, bar))
    parts: list[Component] = [part for part in shown if part]
    if not parts and kpi.as_of:
        parts = [html.Span(viewer.t("at %(date)s", date=fmt.day(kpi.as_of, viewer.locale)))]
    return html.P(parts, className="kpi-context")


def _left_out(made: Receipt, viewer: Viewer) -> list[html.P]:
    """Which filters of the page the number does not follow."""
    told = not_narrowed(made.left_out, viewer)
    return [html.P(told, className="kpi-context weak")] if told else []


def not_narrowed(names: Sequence[str], viewer: Viewer) -> str:
    """Says which filters something cannot follow; empty of none."""
    shown = ", ".join(named(FILTER_NAMES, name, viewer.t) for name in names)
    return viewer.t("Not narrowed by: %(filters)s.", filters=shown) if names else ""


def change_of(kpi: Kpi, locale: str) -> tuple[float, str] | None:
    """By how much a number has changed, rounded as it is written, and that in words: shares in
    percentage points, all else in per cent. None where the one before is not known."""
    if kpi.unit == "fraction":
        if kpi.value is None or kpi.previous is None:
            return None
        digits = fmt.share_digits(kpi.value, kpi.previous)
        shown = _rounded(kpi.value - kpi.previous, digits)
        return shown, fmt.points(shown, locale, digits)
    if kpi.change is None:
        return None
    shown = _rounded(kpi.change, 1)
    return shown, fmt.signed_percent(shown, locale)


def _rounded(value: float, digits: int) -> float:
    """A fraction as per cent with so many decimals shows it; what reads as 0,0 is no change."""
    return float(rounded(value, digits + 2))


def _change(kpi: Kpi, viewer: Viewer) -> html.Span | None:
    changed = change_of(kpi, viewer.locale)
    if changed is None:
        return None
    shown, told = changed
    good = (shown > 0) == (kpi.better == "up")
    judged = ("good" if good else "bad") if kpi.better and shown else "neutral"
    direction = "up" if shown > 0 else "down" if shown < 0 else "flat"
    before = fmt.by_unit(kpi.previous, kpi.unit, viewer.locale, short=True)
    return html.Span(
        [
            icon(direction),
            told,
            html.Span(viewer.t("from %(value)s", value=before), className="weak"),
        ],
        className=f"change change-{judged}",
    )


def _target(kpi: Kpi, viewer: Viewer) -> html.Span | None:
    if kpi.target is None:
        return None
    target = fmt.by_unit(kpi.target, kpi.unit, viewer.locale, short=True)
    return html.Span(viewer.t("target %(value)s", value=target), className="weak")


def _drill(kpi: Kpi, viewer: Viewer, bar: Bar) -> dcc.Link | None:
    if kpi.key not in DRILLS:
        return None
    path, period, words = DRILLS[kpi.key]
    there = address_of(path, bar, {} if bar.period else period)
    return dcc.Link(viewer.t(words), href=there)


def receipt(kpi: Kpi, name: str, viewer: Viewer, bar: Bar = UNFILTERED) -> html.Details:
    """How the number was made: formula, inputs with values, parts, run and filter, and where its
    rows are."""
    rows = _rows_of(kpi, name, viewer, bar)
    return _receipt(kpi.receipt, name, kpi_help(kpi, viewer.t), viewer, *rows)


def _rows_of(kpi: Kpi, name: str, viewer: Viewer, bar: Bar) -> list[Component]:
    if kpi.key not in ROWS or kpi.value is None:
        return []
    path, more = ROWS[kpi.key]
    there = address_of(path, bar, more, whenever=path == "/alerts")
    link = dcc.Link(viewer.t("Its rows"), href=there)
    return [html.P([link, *_files_of(kpi, name, viewer, bar)], className="receipt-rows")]


def _files_of(kpi: Kpi, name: str, viewer: Viewer, bar: Bar) -> list[Component]:
    if kpi.key in SUMMED:
        return downloads("kpi-rows", {**bar.in_files, "kpi": [kpi.key]}, viewer, of=name)
    if kpi.key == "open_critical_alerts":
        return downloads("alerts", {**bar.asked, **ROWS[kpi.key][1]}, viewer, of=name)
    if kpi.key == "annual_savings":
        return downloads("savings", bar.in_files, viewer, of=name)
    return []


def _receipt(
    made: Receipt, name: str, words: str, viewer: Viewer, *below: Component
) -> html.Details:
    t = viewer.t
    return html.Details(
        [
            html.Summary(icon("info"), **aria(label=t("How “%(name)s” is computed", name=name))),
            html.Div(
                [
                    html.P(words),
                    formula(made.formula, later=name),
                    inputs_table(made.inputs, viewer, later=name),
                    *_parts(made, viewer),
                    *below,
                    html.P(_source(made, viewer), className="weak"),
                ],
                className="popover-body",
            ),
        ],
        className="receipt",
    )


def _parts(made: Receipt, viewer: Viewer) -> list[Component]:
    """What a sum is made of, in R$; the last line is the sum again."""
    if not made.parts:
        return []
    t, locale = viewer.t, viewer.locale
    names = [
        one.name or t("%(count)s others", count=fmt.number(one.count, locale)) for one in made.parts
    ]
    values = [one.value for one in made.parts]
    lines = [*zip(names, values, strict=True), (t("Together"), sum(values))]
    rows = [
        html.Tr([html.Td(name), html.Td(fmt.brl(value, locale, 2), className="number")])
        for name, value in lines
    ]
    title = html.Caption(t(PARTS[made.parts_by]))
    return [html.Table([title, html.Tbody(rows)], className="receipt-inputs receipt-parts")]


def _source(made: Receipt, viewer: Viewer) -> str:
    parts = [viewer.t(made.source)]
    if made.run_id is not None:
        parts.append(viewer.t("run %(run)s", run=made.run_id))
    if made.filter:
        parts.append(made.filter)
    return " · ".join(parts)
