"""The evidence sheet of a contract's month as PDF: figures, timeline, stock and orders then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.clock import BRASILIA
from domain.pdf import UNKNOWN, Writer
from domain.records import DataStatus
from domain.sla import ContractScore, Evidence, Incident, Outage, exceeds
from domain.viewer import Viewer

SITES_SHOWN = 30


def sheet(found: Evidence, status: DataStatus, viewer: Viewer) -> bytes:
    """The PDF, A4. Times of outages are the files' own, those of loads Brasília's."""
    writer = _Writer(viewer)
    title = viewer.t(
        "Availability of %(contract)s, %(month)s",
        contract=found.score.contract,
        month=writer.month(found.score.now.month),
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
    return writer.pdf(title, story)


class _Writer(Writer):
    """Parts of the sheet."""

    def opening(self, title: str, score: ContractScore, status: DataStatus) -> list[Any]:
        t = self.t
        said = [score.customer or "", t("up to %(day)s", day=self.day(score.as_of))]
        if status.is_demo:
            said.append(t("demonstration data"))
        if score.partial:
            said.append(
                t(
                    "figures of the whole contract; sites and outages of the part that the reader"
                    " sees"
                )
            )
        about = " · ".join(part for part in said if part)
        return [self.text(title, "title"), self.text(about, "weak")]

    def figures(self, score: ContractScore) -> list[Any]:
        t, now = self.t, score.now
        rows = [
            (t("Sites"), self.number(score.sites, 0)),
            (
                t("Availability = 1 − downtime ÷ (sites × period)"),
                f"{self.share(now.availability)} = 1 - {self.quantity(now.downtime_hours)} h"
                f" ÷ {self.quantity(now.site_hours)} h",
            ),
            (t("Target"), self.share(score.target, 2)),
            (t("Downtime a site"), f"{self.number(now.hours_per_site, 2)} h"),
            (
                t("Penalty = percent of the band × monthly fee"),
                f"{self.share(now.percent / 100, 2)} × {self.money(score.fee_brl)}"
                f" = {self.money(now.penalty_brl)}",
            ),
            (
                t("Cap"),
                UNKNOWN
                if score.cap_pct is None
                else self.share(score.cap_pct / 100, 2)
                + (f" ({t('reached')})" if now.capped else ""),
            ),
        ]
        return [self.text(t("Figures"), "head"), self.table(None, rows, (230, 280))]

    def schedule(self, score: ContractScore) -> list[Any]:
        t = self.t
        rows = [
            (
                t("more than %(hours)s h", hours=self.number(band.hours, 2)),
                self.share(band.percent / 100, 2),
                t("reached") if exceeds(score.now.hours_per_site or 0.0, band) else "",
            )
            for band in score.bands
        ]
        header = (t("Downtime a site in the month"), t("Of the fee"), "")
        return [self.text(t("Schedule"), "head"), self.table(header, rows, (230, 140, 140))]

    def sites(self, found: Evidence) -> list[Any]:
        t = self.t
        rows = [
            (one.site, one.uf or UNKNOWN, str(one.outages), f"{self.number(one.hours, 2)} h")
            for one in found.sites[:SITES_SHOWN]
        ]
        header = (t("Site"), t("UF"), t("Outages"), t("Downtime, overlaps once"))
        more = len(found.sites) - len(rows)
        note = [self.text(t("and %(count)s sites with less", count=more), "weak")] if more else []
        table = self.table(header, rows, (180, 60, 90, 180))
        return [self.text(t("Downtime by site"), "head"), table, *note]

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
            [self.text(t("and %(count)s shorter outages", count=found.left_out), "weak")]
            if found.left_out
            else []
        )
        table = self.table(header, rows, (58, 68, 76, 76, 46, 96, 91))
        return [self.text(t("Timeline"), "head"), table, *note]

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
                self.text(t("Parts waited for"), "head"),
                self.text(t("No outage of the month waited for a part."), "plain"),
            ]
        story: list[Any] = [self.text(t("Parts waited for"), "head")]
        for one in waited:
            story += [self.text(self._stock_words(one), "plain"), self._orders(one)]
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
            return self.text(t("No purchase order was under way."), "weak")
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
        return self.table(header, rows, (106, 96, 60, 82, 84, 82))

    def sources(self, found: Evidence, status: DataStatus) -> list[Any]:
        t = self.t
        lines = [
            t(
                "%(file)s, load %(load)s of %(when)s",
                file=one.file,
                load=one.load_id,
                when=self.moment(one.loaded_at and one.loaded_at.astimezone(BRASILIA)),
            )
            for one in found.sources
        ]
        made = t(
            "Made by %(who)s from run %(run)s.",
            who=self.by,
            run=UNKNOWN if status.run_id is None else status.run_id,
        )
        return [
            self.text(t("Sources"), "head"),
            *(self.text(line, "weak") for line in [*lines, made]),
        ]


def _part(outage: Outage) -> str:
    if outage.sku is None:
        return UNKNOWN
    return f"{outage.sku} {outage.item_name}" if outage.item_name else outage.sku
