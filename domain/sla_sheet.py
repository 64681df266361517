"""The evidence sheet of a contract's month as PDF: figures, timeline, stock and orders then."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent

from domain.records import DataStatus
from domain.sla import ContractScore, Evidence, Incident, Outage
from domain.viewer import Viewer

ZONE = ZoneInfo("America/Sao_Paulo")
MARGIN = 42
WEAK, LINE = "#5b6775", "#d5dae0"
UNKNOWN = "—"
SITES_SHOWN = 30
OUTSIDE = {"σ": "s", "≈": "~", "−": "-", "≥": ">=", "≤": "<="}
"""Letters that the sheet's fonts lack, and what stands for them."""


def sheet(found: Evidence, status: DataStatus, viewer: Viewer) -> bytes:
    """The PDF, A4. Times of outages are the files' own, those of loads Brasília's."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    writer = _Writer(viewer)
    output = io.BytesIO()
    title = viewer.t(
        "Availability of %(contract)s, %(month)s",
        contract=found.score.contract,
        month=writer.month(found.score.now.month),
    )
    document = SimpleDocTemplate(
        output,
        pagesize=A4,
        title=title,
        author="Nova Corrente",
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN + 10,
    )
    story = [
        *writer.opening(title, found.score, status),
        *writer.figures(found.score),
        *writer.schedule(found.score),
        *writer.sites(found),
        *writer.timeline(found),
        *writer.parts(found.incidents),
        *writer.sources(found, status),
    ]
    document.build(story, onFirstPage=writer.foot, onLaterPages=writer.foot)
    return output.getvalue()


class _Writer:
    """Parts of the sheet in the reader's language."""

    def __init__(self, viewer: Viewer) -> None:
        from reportlab.lib.styles import ParagraphStyle

        self.t, self.locale = viewer.t, viewer.locale
        self.by = viewer.name or viewer.email
        plain = ParagraphStyle("plain", fontName="Helvetica", fontSize=8.5, leading=11.5)
        self._styles = {
            "plain": plain,
            "bold": ParagraphStyle("bold", plain, fontName="Helvetica-Bold"),
            "weak": ParagraphStyle("weak", plain, textColor=WEAK, fontSize=8),
            "title": ParagraphStyle(
                "title", plain, fontName="Helvetica-Bold", fontSize=15, leading=20
            ),
            "head": ParagraphStyle(
                "head", plain, fontName="Helvetica-Bold", fontSize=11, spaceBefore=12, spaceAfter=4
            ),
        }

    # Words and numbers

    def month(self, day: date) -> str:
        return format_date(day, "MMMM y", locale=self.locale)

    def day(self, value: date | None) -> str:
        pattern = "dd/MM/yyyy" if self.locale == "pt_BR" else "MMM d, yyyy"
        return UNKNOWN if value is None else format_date(value, pattern, locale=self.locale)

    def moment(self, value: datetime | None) -> str:
        pattern = "dd/MM/yyyy HH:mm" if self.locale == "pt_BR" else "MMM d, yyyy HH:mm"
        zone = value.tzinfo if value is not None else None
        return (
            UNKNOWN
            if value is None
            else format_datetime(value, pattern, tzinfo=zone, locale=self.locale)
        )

    def number(self, value: float | None, digits: int = 1) -> str:
        if value is None:
            return UNKNOWN
        return format_decimal(value, format="#,##0." + "0" * digits, locale=self.locale)

    def quantity(self, value: float | None) -> str:
        return UNKNOWN if value is None else format_decimal(value, "#,##0.##", locale=self.locale)

    def money(self, value: float | None) -> str:
        return UNKNOWN if value is None else format_currency(value, "BRL", locale=self.locale)

    def share(self, value: float | None, digits: int = 3) -> str:
        pattern = "0." + "0" * digits + "%"
        return UNKNOWN if value is None else format_percent(value, pattern, locale=self.locale)

    # Parts

    def opening(self, title: str, score: ContractScore, status: DataStatus) -> list[Any]:
        t = self.t
        said = [score.customer or "", t("up to %(day)s", day=self.day(score.as_of))]
        if status.is_demo:
            said.append(t("demonstration data"))
        if score.partial:
            said.append(t("a part of the contract's sites: the reader sees no more"))
        about = " · ".join(part for part in said if part)
        return [self._text(title, "title"), self._text(about, "weak")]

    def figures(self, score: ContractScore) -> list[Any]:
        t, now = self.t, score.now
        rows = [
            (t("Sites"), self.number(score.sites, 0)),
            (
                t("Availability = 1 − downtime ÷ (sites × period)"),
                f"{self.share(now.availability)} = 1 - {self.number(now.downtime_hours)} h"
                f" ÷ {self.number(now.site_hours)} h",
            ),
            (t("Target"), self.share(score.target, 2)),
            (t("Downtime a site"), f"{self.number(now.hours_per_site, 2)} h"),
            (
                t("Penalty = percent of the band × monthly fee"),
                f"{self.number(now.percent, 2)} % × {self.money(score.fee_brl)}"
                f" = {self.money(now.penalty_brl)}",
            ),
            (
                t("Cap"),
                UNKNOWN
                if score.cap_pct is None
                else f"{self.number(score.cap_pct, 2)} %"
                + (f" ({t('reached')})" if now.capped else ""),
            ),
        ]
        return [self._text(t("Figures"), "head"), self._table(None, rows, (230, 280))]

    def schedule(self, score: ContractScore) -> list[Any]:
        t = self.t
        rows = [
            (
                t("more than %(hours)s h", hours=self.number(band.hours, 2)),
                f"{self.number(band.percent, 2)} %",
                t("reached") if (score.now.hours_per_site or 0) > band.hours else "",
            )
            for band in score.bands
        ]
        header = (t("Downtime a site in the month"), t("Of the fee"), "")
        return [self._text(t("Schedule"), "head"), self._table(header, rows, (230, 140, 140))]

    def sites(self, found: Evidence) -> list[Any]:
        t = self.t
        rows = [
            (one.site, one.uf or UNKNOWN, str(one.outages), f"{self.number(one.hours, 2)} h")
            for one in found.sites[:SITES_SHOWN]
        ]
        header = (t("Site"), t("UF"), t("Outages"), t("Downtime, overlaps once"))
        more = len(found.sites) - len(rows)
        note = [self._text(t("and %(count)s sites with less", count=more), "weak")] if more else []
        table = self._table(header, rows, (180, 60, 90, 180))
        return [self._text(t("Downtime by site"), "head"), table, *note]

    def timeline(self, found: Evidence) -> list[Any]:
        t = self.t
        rows = [self._incident(one) for one in found.incidents]
        header = (
            t("Outage"),
            t("Site"),
            t("Started"),
            t("Ended"),
            t("Hours in the month"),
            t("Cause"),
            t("Part waited for"),
        )
        note = (
            [self._text(t("and %(count)s shorter outages", count=found.left_out), "weak")]
            if found.left_out
            else []
        )
        table = self._table(header, rows, (58, 68, 76, 76, 46, 96, 91))
        return [self._text(t("Timeline"), "head"), table, *note]

    def _incident(self, one: Incident) -> tuple[str, ...]:
        outage = one.outage
        return (
            outage.outage,
            outage.site,
            self.moment(outage.started_at),
            self.moment(outage.ended_at) if outage.ended_at else self.t("goes on"),
            self.number(one.hours_within, 2),
            outage.cause or UNKNOWN,
            _part(outage),
        )

    def parts(self, incidents: Sequence[Incident]) -> list[Any]:
        """Stock and orders of each part that was waited for, on the day of the outage."""
        t = self.t
        waited = [one for one in incidents if one.outage.sku is not None]
        if not waited:
            return [
                self._text(t("Parts waited for"), "head"),
                self._text(t("No outage of the month waited for a part."), "plain"),
            ]
        story: list[Any] = [self._text(t("Parts waited for"), "head")]
        for one in waited:
            story += [self._text(self._stock_words(one), "plain"), self._orders(one)]
        return story

    def _stock_words(self, one: Incident) -> str:
        t, stock = self.t, one.stock
        head = f"{one.outage.outage}, {self.moment(one.outage.started_at)}: {_part(one.outage)}"
        if stock is None:
            return f"{head}. " + t("No stock count up to that day.")
        return f"{head}. " + t(
            "At %(depot)s, counted on %(day)s: on hand %(on_hand)s, reserved %(reserved)s, in"
            " transit %(in_transit)s.",
            depot=one.depot or UNKNOWN,
            day=self.day(stock.counted_on),
            on_hand=self.quantity(stock.on_hand),
            reserved=self.quantity(stock.reserved),
            in_transit=self.quantity(stock.in_transit),
        )

    def _orders(self, one: Incident) -> Any:
        t = self.t
        if not one.orders:
            return self._text(t("No purchase order was under way."), "weak")
        rows = [
            (
                f"{order.order_no} / {order.line}",
                order.supplier,
                self.quantity(order.quantity),
                self.day(order.ordered_on),
                self.day(order.first_promised_on),
                self.day(order.received_on),
            )
            for order in one.orders
        ]
        header = (
            t("Order under way"),
            t("Supplier"),
            t("Quantity"),
            t("Ordered"),
            t("First promised"),
            t("Received"),
        )
        return self._table(header, rows, (106, 96, 60, 82, 84, 82))

    def sources(self, found: Evidence, status: DataStatus) -> list[Any]:
        t = self.t
        lines = [
            t(
                "%(file)s, load %(load)s of %(when)s",
                file=one.file,
                load=one.load_id,
                when=self.moment(one.loaded_at and one.loaded_at.astimezone(ZONE)),
            )
            for one in found.sources
        ]
        made = t(
            "Made by %(who)s from run %(run)s.",
            who=self.by,
            run=UNKNOWN if status.run_id is None else status.run_id,
        )
        return [
            self._text(t("Sources"), "head"),
            *(self._text(line, "weak") for line in [*lines, made]),
        ]

    def foot(self, canvas: Any, document: Any) -> None:
        """The line at the bottom of each page."""
        canvas.saveState()
        canvas.setFont("Helvetica", 7.5)
        canvas.setFillColor(WEAK)
        canvas.drawString(MARGIN, 24, document.title)
        canvas.drawRightString(document.pagesize[0] - MARGIN, 24, str(canvas.getPageNumber()))
        canvas.restoreState()

    def _text(self, words: str, style: str) -> Any:
        from reportlab.platypus import Paragraph

        return Paragraph(_written(words), self._styles[style])

    def _table(
        self,
        header: Sequence[str] | None,
        rows: Sequence[Sequence[str]],
        widths: Sequence[float],
    ) -> Any:
        from reportlab.platypus import Table, TableStyle

        if not rows:
            return self._text(UNKNOWN, "plain")
        cells = [[self._text(cell, "plain") for cell in row] for row in rows]
        if header is not None:
            cells.insert(0, [self._text(cell, "bold") for cell in header])
        table = Table(
            cells, colWidths=list(widths), repeatRows=0 if header is None else 1, hAlign="LEFT"
        )
        table.setStyle(
            TableStyle(
                [
                    ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LEFTPADDING", (0, 0), (-1, -1), 2),
                    ("RIGHTPADDING", (0, 0), (-1, -1), 6),
                    ("TOPPADDING", (0, 0), (-1, -1), 2),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ]
            )
        )
        return table


def _part(outage: Outage) -> str:
    if outage.sku is None:
        return UNKNOWN
    return f"{outage.sku} {outage.item_name}" if outage.item_name else outage.sku


def _written(words: str) -> str:
    """What the fonts can show (Windows-1252), as text and not as markup; the rest is a `?`."""
    known = "".join(OUTSIDE.get(letter, letter) for letter in words)
    shown = known.encode("cp1252", "replace").decode("cp1252")
    return escape("".join(letter if letter.isprintable() else " " for letter in shown))
