"""The board pack: the whole executive view on paper, made without a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import floor, log10
from typing import Any

from domain.kpis import COSTS, ratio
from domain.page_filters import SERIES
from domain.pdf import UNKNOWN, WEAK, Writer
from domain.records import (
    NO_FILTERS,
    Alert,
    DataStatus,
    DemandShare,
    Filters,
    Kpi,
    Recommendation,
    RecommendationTotal,
    TotalPoint,
)
from domain.regions import UfRow
from domain.savings import SavingsTotal
from domain.sla import ContractScore
from domain.viewer import Viewer
from domain.wording import alert_message
from layouts import format as fmt
from layouts.alerts import place
from layouts.components.cards import change_of, not_narrowed
from layouts.recommendation_text import KINDS
from layouts.recommendations import worth_in_all
from layouts.shell import trained_words
from layouts.text import (
    ALERT_KINDS,
    FILE_KINDS,
    FILTER_NAMES,
    LEVELS,
    REGIONS,
    kpi_help,
    kpi_name,
    measure_name,
    named,
)
from layouts.theme import ACCENT
from layouts.units import with_unit

WIDTH, HEIGHT = 510, 190
LEFT, BOTTOM = 46, 26
BAND, GRID = "#cfe7e4", "#e8ebef"
TICKS = 5
SHARES = 27
"""Rows of a table of shares before the others: every UF has one."""


@dataclass(frozen=True)
class BoardData:
    """What the pack tells. `measure` is `brl` or `units`; `savings` None without a replay."""

    filters: Filters
    measure: str
    kpis: Sequence[Kpi]
    points: Sequence[TotalPoint]
    shares: Sequence[DemandShare]
    recommendations: Sequence[Recommendation]
    recommended: RecommendationTotal
    alerts: Sequence[Alert]
    alert_count: int
    savings: SavingsTotal | None
    contracts: Sequence[ContractScore]
    regions: Sequence[UfRow]
    status: DataStatus


def pdf(data: BoardData, viewer: Viewer) -> bytes:
    """The pack, A4."""
    writer = _Pack(viewer)
    title = viewer.t("Board pack, data until %(day)s", day=writer.day(data.status.as_of))
    story = [
        *writer.opening(title, data),
        *writer.headline(data.kpis),
        *writer.totals(data),
        *writer.shares(data),
        *writer.actions(data),
        *writer.alerts(data),
        *writer.savings(data.savings),
        *writer.contracts(data.contracts, data.filters),
        *writer.regions(data),
        *writer.definitions(data.kpis, viewer),
    ]
    return writer.pdf(title, story)


class _Pack(Writer):
    """Its parts."""

    def opening(self, title: str, data: BoardData) -> list[Any]:
        t, status = self.t, data.status
        told = [
            t("run %(run)s", run=status.run_id),
            *trained_words(status, t, self.locale),
            t("computed %(when)s", when=fmt.moment(status.computed_at, self.locale)),
            t("Filters: %(filters)s", filters=self._filters(data.filters)),
            t("made for %(who)s", who=self.by),
        ]
        if status.is_demo:
            told.insert(0, t("demonstration data"))
        return [self.text(title, "title"), self.text(" · ".join(told), "weak")]

    def _filters(self, filters: Filters) -> str:
        t = self.t
        told = {name: getattr(filters, name) for name in SERIES}
        told["region"] = tuple(named(REGIONS, one, t) for one in filters.region)
        if filters.has_dates:
            told = {"period": (fmt.span(filters.date_from, filters.date_to, self.locale),)} | told
        chosen = [
            f"{t(FILTER_NAMES[name])}: {', '.join(values)}"
            for name, values in told.items()
            if values
        ]
        return "; ".join(chosen) or t("none")

    def headline(self, kpis: Sequence[Kpi]) -> list[Any]:
        t, locale = self.t, self.locale
        rows = [
            (
                kpi_name(kpi, t),
                self._value(kpi),
                changed[1] if (changed := change_of(kpi, locale)) else UNKNOWN,
                UNKNOWN if kpi.target is None else fmt.by_unit(kpi.target, kpi.unit, locale),
                self.day(kpi.as_of),
            )
            for kpi in kpis
        ]
        header = (t("Indicator"), t("Value"), t("Change"), t("Target"), t("As of"))
        return [
            self.text(t("Overview"), "head"),
            self.table(header, rows, (170, 130, 70, 70, 70), (1, 2, 3, 4)),
        ]

    def _value(self, kpi: Kpi) -> str:
        if kpi.value is None:
            if kpi.missing == COSTS:
                return self.t("needs unit costs")
            if kpi.missing not in FILE_KINDS:
                return UNKNOWN
            missing = named(FILE_KINDS, kpi.missing, self.t)
            return self.t("needs the file: %(file)s", file=missing)
        return fmt.by_unit(kpi.value, kpi.unit, self.locale)

    def totals(self, data: BoardData) -> list[Any]:
        t = self.t
        unit = t("R$ per period") if data.measure == "brl" else t("Units per period")
        head = self.text(f"{t('Actual against forecast')} ({unit})", "head")
        if not any(point.actual is not None or point.mean is not None for point in data.points):
            return [head, self.text(t("Nothing to show for these filters."), "plain")]
        legend = t("Line: consumption; coloured: forecast with its p10 to p90 band.")
        return [head, _chart(data.points, self), self.text(legend, "weak")]

    def shares(self, data: BoardData) -> list[Any]:
        """Demand by family and by UF, the largest shares first."""
        t = self.t
        unit = t("R$") if data.measure == "brl" else t("Units")
        what = next((kpi for kpi in data.kpis if kpi.key == "demand_value"), None)
        story: list[Any] = []
        for kind, title, label in (
            ("family", t("Demand by family"), t("Family")),
            ("uf", t("Demand by UF"), t("UF")),
        ):
            every = [one for one in data.shares if one.kind == kind]
            rows = [(one.value, *self._part(one.demand, every, data)) for one in every[:SHARES]]
            if rest := every[SHARES:]:
                others = t("%(count)s others", count=len(rest))
                rows.append((others, *self._part(sum(one.demand for one in rest), every, data)))
            story += [
                self.text(title, "head"),
                *([self.text(kpi_name(what, t), "weak")] if what else []),
                self.table((label, unit, t("Share")), rows, (200, 120, 80), (1, 2)),
            ]
        return story

    def _part(self, value: float, every: Sequence[DemandShare], data: BoardData) -> tuple[str, str]:
        show = fmt.brl if data.measure == "brl" else fmt.number
        share = ratio(value, sum(one.demand for one in every))
        return show(value, self.locale), fmt.percent(share, self.locale)

    def actions(self, data: BoardData) -> list[Any]:
        t = self.t
        rows = [
            (
                named(KINDS, one.kind, t),
                one.narrative.get(self.locale, ""),
                self.day(one.act_by),
                fmt.brl(one.value_brl, self.locale),
            )
            for one in data.recommendations
        ]
        told = worth_in_all(len(rows), data.recommended, t, self.locale)
        header = (t("What"), t("Why"), t("Act by"), t("Value"))
        return [
            self.text(t("What to do"), "head"),
            self.text(told, "weak"),
            self.table(header, rows, (70, 300, 60, 80), (3,)),
        ]

    def alerts(self, data: BoardData) -> list[Any]:
        t = self.t
        rows = [
            (
                named(LEVELS, one.level, t),
                f"{one.item_name or one.sku}, {place(one.site, one.uf)}",
                f"{named(ALERT_KINDS, one.kind, t)}: {alert_message(one, self.locale)}",
                fmt.brl(one.risk_brl, self.locale),
            )
            for one in data.alerts
        ]
        told = t(
            "%(shown)s of %(count)s open alerts, by net value at risk.",
            shown=fmt.number(len(rows), self.locale),
            count=fmt.number(data.alert_count, self.locale),
        )
        header = (t("Level"), t("Material"), t("Why"), t("At risk"))
        return [
            self.text(t("Top alerts"), "head"),
            self.text(told, "weak"),
            self.table(header, rows, (60, 150, 230, 70), (3,)),
        ]

    def savings(self, total: SavingsTotal | None) -> list[Any]:
        t, locale = self.t, self.locale
        head = self.text(t("Savings"), "head")
        if total is None or not total.months:
            none = t(
                "It takes nine whole months of demand: six to learn from and three to replay. And"
                " lead times, from the files of purchase orders or of items."
            )
            return [head, self.text(none, "plain")]
        rows = [
            (t("Months replayed"), fmt.number(total.months, locale)),
            (t("Costs of the old policy"), fmt.brl(total.old_brl, locale)),
            (t("Costs of ours"), fmt.brl(total.new_brl, locale)),
            (t("Identified"), fmt.brl(total.identified_brl, locale)),
            (t("Accepted"), fmt.brl(total.accepted_brl, locale)),
            (t("Realised"), fmt.brl(total.realised_brl, locale)),
            (t("In a year"), fmt.brl(total.annual_brl, locale)),
        ]
        return [head, self.table(None, rows, (230, 120), (1,))]

    def contracts(self, scores: Sequence[ContractScore], filters: Filters) -> list[Any]:
        t, locale = self.t, self.locale
        story = [self.text(t("Contracts"), "head")]
        told = []
        if replace(filters, contract=(), region=(), uf=()) != NO_FILTERS:
            told.append(
                t("Each contract's last month: the filters of contract, region and UF narrow it.")
            )
        if filters.region or filters.uf:
            told.append(
                t(
                    "Availability is that of the sites in the chosen places, exposure that of the"
                    " depots there; targets and penalties are the whole contract's."
                )
            )
        if any(one.partial for one in scores):
            told.append(
                t(
                    "Of contracts of which the reader sees a part, availability is of the sites"
                    " that the reader sees; money is not shown."
                )
            )
        if told:
            story.append(self.text(" ".join(told), "weak"))
        if not scores:
            none = t("No contracts are loaded.")
            if filters.contract:
                none = t("Nothing to show for these filters.")
            return [*story, self.text(none, "plain")]
        rows = [
            (
                one.contract,
                self.share(one.here.availability),
                self.share(one.target, 2),
                fmt.brl(one.now.penalty_brl, locale),
                fmt.brl(one.penalty_projected_brl, locale),
                fmt.brl(one.here.exposure_brl, locale),
            )
            for one in scores
        ]
        header = (
            t("Contract"),
            t("Availability"),
            t("Target"),
            t("Penalty to date"),
            t("At the month's end"),
            t("Exposure"),
        )
        return [*story, self.table(header, rows, (110, 80, 70, 85, 85, 80), range(1, 6))]

    def regions(self, data: BoardData) -> list[Any]:
        t, locale = self.t, self.locale
        shown = [
            (
                one.uf,
                fmt.brl(one.demand_brl, locale),
                fmt.brl(one.stock_brl, locale),
                fmt.number(one.days_of_supply, locale, 0),
                fmt.number(one.alerts, locale),
                fmt.brl(one.risk_brl, locale),
                fmt.brl(one.exposure_brl, locale),
            )
            for one in data.regions
            if one.depots or one.towers or one.demand_brl
        ]
        header = (
            t("UF"),
            measure_name(
                "demand_brl",
                t,
                of_period=data.filters.has_dates,
                frequency=data.status.frequency,
            ),
            t("Stock"),
            t("Days of supply"),
            t("Alerts"),
            t("At risk, net"),
            t("Exposure"),
        )
        return [
            self.text(t("Regions"), "head"),
            self.table(header, shown, (40, 90, 90, 70, 50, 85, 85), range(1, 7)),
        ]

    def definitions(self, kpis: Sequence[Kpi], viewer: Viewer) -> list[Any]:
        """What each indicator is, the numbers that it was made of, and which filters it does not
        follow."""
        t, rows = self.t, []
        for kpi in kpis:
            not_followed = not_narrowed(kpi.receipt.left_out, viewer)
            told = (kpi_help(kpi, t), self._inputs(kpi), not_followed)
            rows.append((kpi_name(kpi, t), " ".join(words for words in told if words)))
        return [self.text(t("Definitions"), "head"), self.table(None, rows, (130, 380))]

    def _inputs(self, kpi: Kpi) -> str:
        told = [
            f"{self.t(one.name)}: {with_unit(one.value, one.unit, self.locale, self.t)}"
            for one in kpi.receipt.inputs
            if one.value is not None
        ]
        told += [
            f"{one.name}: {fmt.brl(one.value, self.locale, 2)}"
            for one in kpi.receipt.parts
            if one.name
        ]
        return f"({'; '.join(told)})" if told else ""


def _chart(points: Sequence[TotalPoint], writer: Writer) -> Any:
    """Consumption, forecast and its band over time, as vectors."""
    from reportlab.graphics.shapes import Drawing, Line, Polygon, PolyLine, String

    drawing = Drawing(WIDTH, HEIGHT)
    highest = max(
        value
        for point in points
        for value in (point.actual, point.mean, point.p90)
        if value is not None
    )
    step = _round_step(highest / (TICKS - 1))
    top = step * (TICKS - 1)

    first, span = points[0].date, (points[-1].date - points[0].date).days

    def x(day: date) -> float:
        return LEFT + (WIDTH - LEFT - 8) * (day - first).days / max(span, 1)

    def y(value: float) -> float:
        return BOTTOM + (HEIGHT - BOTTOM - 10) * value / top

    for tick in range(TICKS):
        value = step * tick
        drawing.add(Line(LEFT, y(value), WIDTH - 8, y(value), strokeColor=_ink(GRID)))
        label = fmt.compact(value, writer.locale).replace("\N{NO-BREAK SPACE}", " ")
        drawing.add(_words(String(LEFT - 6, y(value) - 3, label, textAnchor="end")))
    for tick in range(TICKS):
        day = first + timedelta(days=round(span * tick / (TICKS - 1)))
        words = fmt.short_day(day, writer.locale)
        anchor = "end" if day == points[-1].date else "middle"
        drawing.add(_words(String(x(day), 8, words, textAnchor=anchor)))
    band = [one for one in points if one.p10 is not None and one.p90 is not None]
    if len(band) > 1:
        upper = [c for one in band for c in (x(one.date), y(one.p90 or 0))]
        lower = [c for one in reversed(band) for c in (x(one.date), y(one.p10 or 0))]
        drawing.add(Polygon(upper + lower, fillColor=_ink(BAND), strokeColor=None))
    for name, colour in (("actual", "#1c2733"), ("mean", ACCENT)):
        known = [(one.date, getattr(one, name)) for one in points]
        line = [c for day, value in known if value is not None for c in (x(day), y(value))]
        if len(line) > 2:
            drawing.add(PolyLine(line, strokeColor=_ink(colour), strokeWidth=1.2))
    return drawing


def _round_step(least: float) -> float:
    """The next of 1, 2, 2.5 and 5 times a power of ten."""
    power = 10 ** floor(log10(least)) if least > 0 else 1.0
    return next((times * power for times in (1, 2, 2.5, 5) if times * power >= least), 10 * power)


def _ink(colour: str) -> Any:
    from reportlab.lib.colors import HexColor

    return HexColor(colour)


def _words(label: Any) -> Any:
    label.fontName, label.fontSize, label.fillColor = "Helvetica", 7, _ink(WEAK)
    return label
