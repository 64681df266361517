"""What all our PDF sheets share: letters, numbers and tables in the reader's language."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime
from html import escape
from typing import Any
from unicodedata import normalize

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent

from domain.rounding import rounded
from domain.viewer import Viewer
from domain.wording import month_name

MARGIN = 42
TO_RIGHT = 2
WEAK, LINE = "#5b6775", "#d5dae0"
UNKNOWN = "—"
OUTSIDE = {"σ": "s", "≈": "~", "−": "-", "≥": ">=", "≤": "<="}
"""Letters that the sheets' fonts lack, and what stands for them."""


class Writer:
    """Parts of a sheet in the reader's language."""

    def __init__(self, viewer: Viewer) -> None:
        from reportlab.lib.styles import ParagraphStyle

        self.t, self.locale = viewer.t, viewer.locale
        self.by = viewer.name or viewer.email
        plain = ParagraphStyle("plain", fontName="Helvetica", fontSize=8.5, leading=11.5)
        self._styles = {
            "plain": plain,
            "bold": ParagraphStyle("bold", plain, fontName="Helvetica-Bold"),
            "plain_right": ParagraphStyle("plain_right", plain, alignment=TO_RIGHT),
            "bold_right": ParagraphStyle(
                "bold_right", plain, fontName="Helvetica-Bold", alignment=TO_RIGHT
            ),
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
        return month_name(day, self.locale)

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
        pattern = "#,##0." + "0" * digits
        return format_decimal(rounded(value, digits), format=pattern, locale=self.locale)

    def quantity(self, value: float | None) -> str:
        if value is None:
            return UNKNOWN
        return format_decimal(rounded(value, 2), "#,##0.##", locale=self.locale)

    def money(self, value: float | None) -> str:
        if value is None:
            return UNKNOWN
        return format_currency(rounded(value, 2), "BRL", locale=self.locale)

    def share(self, value: float | None, digits: int = 3) -> str:
        if value is None:
            return UNKNOWN
        pattern = "0." + "0" * digits + "%"
        return format_percent(rounded(value, digits + 2), pattern, locale=self.locale)

    # Parts

    def pdf(self, title: str, story: list[Any]) -> bytes:
        """The story on A4 pages, each with title and number at its foot."""
        from reportlab.lib.pagesizes import A4
        from reportlab.platypus import SimpleDocTemplate

        output = io.BytesIO()
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
        document.build(story, onFirstPage=self._foot, onLaterPages=self._foot)
        return output.getvalue()

    def _foot(self, canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 7.5)
        canvas.setFillColor(WEAK)
        canvas.drawString(MARGIN, 24, _shown(document.title))
        canvas.drawRightString(document.pagesize[0] - MARGIN, 24, str(canvas.getPageNumber()))
        canvas.restoreState()

    def text(self, words: str, style: str) -> Any:
        from reportlab.platypus import Paragraph

        return Paragraph(_written(words), self._styles[style])

    def table(
        self,
        header: Sequence[str] | None,
        rows: Sequence[Sequence[str]],
        widths: Sequence[float],
        numbers: Sequence[int] = (),
    ) -> Any:
        """Rows under an optional header; the columns `numbers` are set to the right. A row that is
        taller than a page goes on in the next one."""
        from reportlab.platypus import Table, TableStyle

        if not rows:
            return self.text(UNKNOWN, "plain")
        to_right = frozenset(numbers)

        def line(row: Sequence[str], style: str) -> list[Any]:
            return [
                self.text(cell, f"{style}_right" if place in to_right else style)
                for place, cell in enumerate(row)
            ]

        cells = [line(row, "plain") for row in rows]
        if header is not None:
            cells.insert(0, line(header, "bold"))
        table = Table(
            cells,
            colWidths=list(widths),
            repeatRows=0 if header is None else 1,
            splitInRow=1,
            hAlign="LEFT",
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


def _written(words: str) -> str:
    """The words as text and not as markup."""
    return escape(_shown(words))


def _shown(words: str) -> str:
    """What the fonts can show of the words (Windows-1252); the rest is a `?`."""
    known = "".join(OUTSIDE.get(letter, letter) for letter in normalize("NFC", words))
    shown = known.encode("cp1252", "replace").decode("cp1252")
    return "".join(letter if letter.isprintable() else " " for letter in shown)
