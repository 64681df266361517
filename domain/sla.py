"""Availability contracts: downtime, penalties under a schedule, what the month may still bring.

A contract's downtime is the mean of its sites': hours without service, overlapping outages of one
site counted once, ÷ sites. Its schedule gives a share of the monthly fee for each band of these
hours in a calendar month. Rates are fractions 0-1 unless named percent, money BRL, times on the
network's clock. Sources: ITU-T E.800 (availability); the contract's own schedule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate

from domain.kpis import ratio
from domain.spelling import mentions

HOUR = 3600.0
EDGE = 1e-9
"""Hours within which a downtime is still at a band's edge: what floats lose in adding up."""

MIN_WINDOWS = 60
HISTORY_DAYS = 365
"""The outlook draws from the runs of days of so long; from MIN_WINDOWS runs on."""

LIKELY = 0.2
"""The chance of a (higher) penalty from which on a contract is at risk."""

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Band:
    """`percent` of the monthly fee where the month's downtime exceeds `hours` a site."""

    hours: float
    percent: float


@dataclass(frozen=True)
class Terms:
    """What a contract says; `target` is the availability, `cap_pct` the highest percent."""

    target: float | None = None
    bands: tuple[Band, ...] = ()
    fee_brl: float | None = None
    cap_pct: float | None = None


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps, in order."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif end > start:
            found.append((start, end))
    return found


def downtime(spans: Iterable[Span], start: datetime, end: datetime) -> float:
    """Hours of [start, end) that the outages of one site cover, each moment once."""
    within = ((max(a, start), min(b, end)) for a, b in spans)
    return sum((b - a).total_seconds() for a, b in merged(w for w in within if w[1] > w[0])) / HOUR


def month_start(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def month_after(month: date) -> date:
    """The first day of the next month."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def exceeds(hours: float, band: Band) -> bool:
    """True if so many hours a site in a month reach into the band: at its edge it has not begun."""
    return hours > band.hours + EDGE


def percent(hours: float, terms: Terms) -> float:
    """Percent of the fee for so many hours a site in a month: that of the last band that they
    exceed, not above the cap."""
    reached = max((band for band in terms.bands if exceeds(hours, band)), key=_hours, default=None)
    value = reached.percent if reached else 0.0
    return value if terms.cap_pct is None else min(value, terms.cap_pct)


def is_capped(hours: float, terms: Terms) -> bool:
    """True where the cap holds the penalty down."""
    return percent(hours, terms) < percent(hours, Terms(bands=terms.bands))


def penalty(hours: float, terms: Terms) -> float | None:
    """BRL for so many hours a site in a month; None without a fee."""
    return None if terms.fee_brl is None else percent(hours, terms) / 100 * terms.fee_brl


def steps(terms: Terms) -> list[Band]:
    """The bands from which on another percent is due, by hours, none above the cap: beyond it no
    band costs more."""
    found: list[Band] = []
    for band in sorted(terms.bands, key=_hours):
        due = band.percent if terms.cap_pct is None else min(band.percent, terms.cap_pct)
        if due != (found[-1].percent if found else 0.0):
            found.append(Band(band.hours, due))
    return found


def next_band(hours: float, terms: Terms) -> Band | None:
    """The step that more downtime leads into; None where no more can be due."""
    return next((band for band in steps(terms) if not exceeds(hours, band)), None)


def _hours(band: Band) -> float:
    return band.hours


def availability(downtime_hours: float, site_hours: float) -> float | None:
    """1 − downtime ÷ (sites × period); None without sites, or for no time at all."""
    share = ratio(downtime_hours, max(0.0, site_hours))
    return None if share is None else max(0.0, 1.0 - share)


@dataclass(frozen=True)
class Outlook:
    """The month's end as a model: hours a site at the end, their mean, p10 and p90; the mean
    penalty; the chance that it is higher than the one so far."""

    hours: float
    hours_p10: float
    hours_p90: float
    penalty_brl: float | None
    chance_of_more: float


def outlook(so_far: float, daily: Sequence[float], days_left: int, terms: Terms) -> Outlook | None:
    """What the month's end may bring if its last days are like any run of as many days in `daily`
    (hours a site, the oldest first): each run is one possible end. None with too few runs.
    """
    if days_left == 0:
        cost = penalty(so_far, terms)
        return Outlook(so_far, so_far, so_far, cost, 0.0)
    sums = [0.0, *accumulate(daily)]
    ends = sorted(so_far + max(0.0, b - a) for a, b in zip(sums, sums[days_left:], strict=False))
    if len(ends) < MIN_WINDOWS:
        return None
    costs = [cost for end in ends if (cost := penalty(end, terms)) is not None]
    now = percent(so_far, terms)
    return Outlook(
        hours=max(so_far, sum(ends) / len(ends)),
        hours_p10=_quantile(ends, 0.1),
        hours_p90=_quantile(ends, 0.9),
        penalty_brl=sum(costs) / len(costs) if costs else None,
        chance_of_more=sum(percent(end, terms) > now for end in ends) / len(ends),
    )


def _quantile(ordered: Sequence[float], level: float) -> float:
    place = level * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def state(month: ContractMonth, chance_of_more: float | None) -> str:
    """breached: a penalty has begun, or the target cannot be met any more; at_risk: it may come to
    that; kept; unknown without sites, or where nothing is known of the month."""
    if month.availability is None:
        return "unknown"
    if month.percent or month.target_lost:
        return "breached"
    return "at_risk" if (chance_of_more or 0.0) >= LIKELY else "kept"


STATES = ("breached", "at_risk", "kept", "unknown")


@dataclass(frozen=True)
class ContractMonth:
    """A calendar month of a contract: `days` of it known, `days_left` after the last one.

    `downtime_hours` over all its `sites`, of `site_hours`; `hours_per_site` is what the schedule is
    read with. `target_lost`: not to be met any more even without another outage. `penalty_brl` is
    None without a fee, and to readers who see a part of the sites.
    """

    month: date
    days: int
    days_left: int
    downtime_hours: float
    site_hours: float
    hours_per_site: float | None
    availability: float | None
    target_lost: bool
    percent: float
    capped: bool
    penalty_brl: float | None


def contract_month(
    month: date, first: date, last: date, downtime_hours: float, sites: int, terms: Terms
) -> ContractMonth:
    """The month from the day `first`, the first that outages are known of, to the end of `last`; no
    days of one that lies before or after."""
    end = month_after(month)
    known_to = max(month, min(end, last + timedelta(days=1)))
    days, length = max(0, (known_to - max(month, first)).days), (end - month).days
    site_hours = 24.0 * days * sites
    mean = downtime_hours / sites if sites else None
    best = availability(downtime_hours, 24.0 * length * sites)
    return ContractMonth(
        month=month,
        days=days,
        days_left=(end - known_to).days,
        downtime_hours=downtime_hours,
        site_hours=site_hours,
        hours_per_site=mean,
        availability=availability(downtime_hours, site_hours),
        target_lost=best is not None and terms.target is not None and best < terms.target - EDGE,
        percent=percent(mean or 0.0, terms),
        capped=is_capped(mean or 0.0, terms),
        penalty_brl=penalty(mean, terms) if mean is not None else None,
    )


@dataclass(frozen=True)
class SitesMonth:
    """Sites of a contract that are in view, in some regions or UFs, in a month: hours without
    service over all of them, of `site_hours`. `exposure_brl`: through parts of the depots there, a
    model; None where the contract's is."""

    sites: int
    downtime_hours: float
    site_hours: float
    hours_per_site: float | None
    availability: float | None
    exposure_brl: float | None


def sites_month(
    days: int, downtime_hours: float, sites: int, exposure_brl: float | None
) -> SitesMonth:
    """The sites' month, of which `days` are known."""
    site_hours = 24.0 * days * sites
    return SitesMonth(
        sites=sites,
        downtime_hours=downtime_hours,
        site_hours=site_hours,
        hours_per_site=ratio(downtime_hours, sites),
        availability=availability(downtime_hours, site_hours),
        exposure_brl=exposure_brl,
    )


@dataclass(frozen=True)
class ContractScore:
    """A contract in a month. `partial`: the reader sees some of its sites; fee, penalties and
    exposure, which are the whole contract's, are None then.

    `here` is of the sites in view in the regions and UFs asked for, of all in view without any;
    whatever is asked for, and whoever asks, the rest is the whole contract's, since its schedule is
    read with all its sites.

    The model of the month's end: `availability_projected`, `penalty_projected_brl` and
    `chance_of_more` (see `outlook`). `exposure_brl`, a model too: Σ over parts and depots of
    P(part missing) × the penalty to be expected of a request not served, of the last month only.
    """

    contract: str
    customer: str | None
    sites: int
    partial: bool
    target: float | None
    fee_brl: float | None
    cap_pct: float | None
    bands: list[Band]
    as_of: date
    now: ContractMonth
    here: SitesMonth
    next_band: Band | None
    hours_projected: float | None
    hours_p10: float | None
    hours_p90: float | None
    availability_projected: float | None
    penalty_projected_brl: float | None
    chance_of_more: float | None
    exposure_brl: float | None
    state: str


def wanted(
    scores: Iterable[ContractScore],
    contracts: Sequence[str] = (),
    states: Sequence[str] = (),
    search: str = "",
) -> list[ContractScore]:
    """Those of these contracts (of all, without any), in one of these states, whose code or
    customer mentions the search."""
    return [
        one
        for one in scores
        if (not contracts or one.contract in contracts)
        and (not states or one.state in states)
        and mentions(search, (one.contract, one.customer))
    ]


@dataclass(frozen=True)
class DowntimeDay:
    """Hours a site without service: of one day, and of the month up to it."""

    date: date
    hours_per_site: float
    so_far: float


@dataclass(frozen=True)
class PartExposure:
    """What a part that may be missing at a depot may cost under a contract: `stockout_probability`
    over the lead time × `penalty_brl`, the penalty to be expected of one request not served."""

    sku: str
    item_name: str | None
    site: str
    stockout_probability: float
    penalty_brl: float
    exposure_brl: float


@dataclass(frozen=True)
class ContractDetail:
    """A contract in a month with everything; `months` are all that are known, the newest first."""

    score: ContractScore
    months: list[ContractMonth]
    days: list[DowntimeDay]
    parts: list[PartExposure]


@dataclass(frozen=True)
class Outage:
    """An outage; `ended_at` is None while it goes on, `hours` then up to the end of the data. The
    part is the one that it waited for, if it did."""

    outage: str
    site: str
    uf: str | None
    contract: str | None
    started_at: datetime
    ended_at: datetime | None
    hours: float
    cause: str | None
    sku: str | None
    item_name: str | None


@dataclass(frozen=True)
class StockThen:
    """What a depot had of a part on the last count up to a day."""

    counted_on: date
    on_hand: float
    reserved: float | None
    in_transit: float | None


@dataclass(frozen=True)
class OrderThen:
    """A purchase-order line that was under way at a moment."""

    order_no: str
    line: str
    supplier: str
    quantity: float
    ordered_on: date | None
    first_promised_on: date | None
    received_on: date | None


@dataclass(frozen=True)
class Incident:
    """An outage within a month: `hours_within` of it lie in the month. Of the part that it waited
    for: the depot, its stock then, and the orders under way."""

    outage: Outage
    hours_within: float
    depot: str | None = None
    stock: StockThen | None = None
    orders: list[OrderThen] = field(default_factory=list)


@dataclass(frozen=True)
class SiteDowntime:
    """Hours of a site in the month, overlaps counted once."""

    site: str
    uf: str | None
    outages: int
    hours: float


@dataclass(frozen=True)
class EvidenceSource:
    """A load that facts of the sheet came with."""

    kind: str
    load_id: int
    file: str
    loaded_at: datetime | None


@dataclass(frozen=True)
class Evidence:
    """What a month of a contract is proved with. `incidents` holds the longest ones, in the order
    of time; `left_out` counts the others."""

    score: ContractScore
    sites: list[SiteDowntime]
    incidents: list[Incident]
    left_out: int
    sources: list[EvidenceSource]
