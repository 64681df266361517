"""How suppliers deliver: rates over order lines with their intervals, lead times, price drift.

Every figure of a supplier is computed over its lines, none over other figures' means. Times are in
days, rates fractions 0-1, money BRL. Sources: SCOR model, reliability RL.1.1 (on time in full);
Wilson (1927), JASA 22 (interval of a share); Abramowitz & Stegun (1972), 26.7.5 (quantile of t);
Hirschman (1964), AER 54 (concentration).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, sqrt
from statistics import NormalDist

MIN_LINES = 30
"""Lines due without which a supplier is not ranked."""

LATER_DAYS = (1, 3, 7, 14, 30)
"""By how much later deliveries are priced, in days."""

CONFIDENCE = 0.95
YEAR_DAYS = 365.25

Span = tuple[float | None, float | None]
"""Low and high end of an interval; None where there is none."""

NOWHERE: Span = (None, None)


def wilson(successes: int, trials: int, confidence: float = CONFIDENCE) -> Span:
    """The score interval of a share, which holds for few trials and near 0 and 1 too."""
    if trials <= 0:
        return NOWHERE
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = successes / trials, z**2 / trials
    middle = (share + weight / 2) / (1 + weight)
    half = z * sqrt(share * (1 - share) / trials + weight / (4 * trials)) / (1 + weight)
    low = 0.0 if successes == 0 else middle - half
    return low, 1.0 if successes == trials else middle + half


def student(freedom: float, confidence: float = CONFIDENCE) -> float:
    """The two-sided quantile of Student's t, by its expansion around the normal one; within 1 %
    from 3 degrees of freedom on."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))


MIN_FREEDOM = 3


def mean_span(mean: float | None, std: float | None, count: int) -> Span:
    """mean ± t·s ÷ √n; none with fewer than four values."""
    if mean is None or std is None or count <= MIN_FREEDOM:
        return NOWHERE
    half = student(count - 1) * std / sqrt(count)
    return mean - half, mean + half


@dataclass(frozen=True)
class Sums:
    """Centred sums of a regression of y on x: Σ(x−x̄)², Σ(x−x̄)(y−ȳ), Σ(y−ȳ)². `groups` have a
    mean of their own each (fixed effects), with their sums added up."""

    count: int
    groups: int
    xx: float | None
    xy: float | None
    yy: float | None


def slope(sums: Sums) -> tuple[float | None, Span]:
    """The least-squares slope and its interval; none where x does not vary or points are few."""
    freedom = sums.count - sums.groups - 1
    if freedom < MIN_FREEDOM or not sums.xx or sums.xy is None or sums.yy is None:
        return None, NOWHERE
    value = sums.xy / sums.xx
    residual = max(0.0, sums.yy - value * sums.xy)
    half = student(freedom) * sqrt(residual / freedom / sums.xx)
    return value, (value - half, value + half)


def yearly_trend(sums: Sums) -> tuple[float | None, Span]:
    """Change of y in a year, x in days."""
    value, (low, high) = slope(sums)
    if value is None or low is None or high is None:
        return None, NOWHERE
    return value * YEAR_DAYS, (low * YEAR_DAYS, high * YEAR_DAYS)


def yearly_growth(sums: Sums) -> tuple[float | None, Span]:
    """Growth in a year as a fraction, y the logarithm of what grows, x in days."""
    value, (low, high) = yearly_trend(sums)
    if value is None or low is None or high is None:
        return None, NOWHERE
    return _growth(value), (_growth(low), _growth(high))


def _growth(logarithm: float) -> float:
    return exp(min(logarithm, 700.0)) - 1


def concentration(spends: Iterable[float]) -> float | None:
    """Herfindahl–Hirschman index Σ share², 1 for a single supplier; None without spend."""
    known = [spend for spend in spends if spend > 0]
    total = sum(known)
    return sum((spend / total) ** 2 for spend in known) if total else None


@dataclass(frozen=True)
class Rank:
    """A place, and the best and worst one that the intervals leave open."""

    place: int
    best: int
    worst: int


def ranked(
    rates: Sequence[tuple[float | None, float | None, float | None]],
) -> list[Rank | None]:
    """Places of (rate, low, high), the highest rate first; equal rates share a place. None for one
    without a rate: whoever has too few lines is to be given none."""
    known = [(rate, low, high) for rate, low, high in rates if rate is not None]
    return [
        None
        if rate is None or low is None or high is None
        else Rank(
            place=1 + sum(other > rate for other, _, _ in known),
            best=1 + sum(other is not None and other > high for _, other, _ in known),
            worst=len(known) - sum(other is not None and other < low for _, _, other in known),
        )
        for rate, low, high in rates
    ]


@dataclass(frozen=True)
class SupplierScore:
    """One supplier over the lines in view.

    Of the lines first promised within the dates (`lines`): `on_time_in_full`, `late` (received
    after the promise, or due and not received), `in_full`, and `fill_rate`, quantity received ÷
    ordered. Of the lines received within them (`lines_received`): lead time from order to receipt,
    its mean with interval, σ, p50, p90, its trend in days a year, and `drift_days`, mean less
    contract. Of the lines ordered within them: `spend_brl`, `spend_share` of all in view, `items`
    and, of these, `sole_items` that nobody else supplied; `price_drift` is the growth of prices in
    a year, each item against itself. `open_lines` are under way, `overdue_lines` of them past
    their first promise and not received since. A rank only from MIN_LINES lines on, with the places
    that the intervals leave open. `lateness_brl`: safety stock that lead times as they are call for
    beyond what the contract's would; `later_week_brl`: what deliveries a week later would add.
    """

    supplier: str
    name: str | None
    kind: str | None
    lines: int
    on_time_in_full: int
    otif: float | None
    otif_low: float | None
    otif_high: float | None
    late: int
    late_rate: float | None
    late_low: float | None
    late_high: float | None
    in_full: int
    fill_rate: float | None
    lines_received: int
    lead_time_mean: float | None
    lead_time_low: float | None
    lead_time_high: float | None
    lead_time_std: float | None
    lead_time_p50: float | None
    lead_time_p90: float | None
    lead_time_trend: float | None
    lead_time_trend_low: float | None
    lead_time_trend_high: float | None
    contract_lead_time_days: float | None
    drift_days: float | None
    price_lines: int
    price_drift: float | None
    price_drift_low: float | None
    price_drift_high: float | None
    spend_brl: float | None
    spend_share: float | None
    items: int
    sole_items: int
    open_lines: int
    overdue_lines: int
    rank: int | None
    rank_best: int | None
    rank_worst: int | None
    lateness_brl: float | None
    later_week_brl: float | None


@dataclass(frozen=True)
class SupplierTotals:
    """All suppliers in view (`kind` all) or those of one kind, over their lines together.

    `first` and `last` are the dates asked for, `as_of` the last day that the data speak of;
    `ranked` suppliers have lines enough. `hhi` is Σ share² of spend, `top_share` that of the three
    largest.
    """

    kind: str
    first: date | None
    last: date | None
    as_of: date | None
    suppliers: int
    ranked: int
    lines: int
    on_time_in_full: int
    otif: float | None
    otif_low: float | None
    otif_high: float | None
    late_rate: float | None
    lines_received: int
    lead_time_mean: float | None
    lead_time_p90: float | None
    spend_brl: float | None
    hhi: float | None
    top_share: float | None
    overdue_lines: int
    lateness_brl: float | None
    later_week_brl: float | None


@dataclass(frozen=True)
class SupplierMonth:
    """A month of one supplier: OTIF of the lines first promised in it, lead times of those received
    in it, and the price level of those ordered in it (1: the items' own means over the dates)."""

    month: date
    lines: int
    on_time_in_full: int
    otif: float | None
    otif_low: float | None
    otif_high: float | None
    lines_received: int
    lead_time_mean: float | None
    lead_time_p90: float | None
    price_lines: int
    price_index: float | None


@dataclass(frozen=True)
class LeadTimeCount:
    """How many lines took so many days."""

    days: int
    lines: int


@dataclass(frozen=True)
class LaterDelivery:
    """What deliveries `days` later would add in safety stock, and to hold it for a year, BRL."""

    days: int
    stock_brl: float
    holding_brl: float


@dataclass(frozen=True)
class StockForLateness:
    """What lead times of one supplier cost in stock: `safety_stock_brl` is the value of the
    textbook's safety stock of its items over the `series` in view."""

    series: int
    safety_stock_brl: float | None
    later: list[LaterDelivery]


@dataclass(frozen=True)
class SupplierDetail(StockForLateness):
    """One supplier with everything."""

    score: SupplierScore
    first: date | None
    last: date | None
    as_of: date | None
    months: list[SupplierMonth]
    lead_times: list[LeadTimeCount]


@dataclass(frozen=True)
class OrderLine:
    """One line of a purchase order as it is judged: `first_promised_on` is what counts,
    `promised_on` what is promised now. `days_late` from the first promise to the receipt, or to the
    last day of the data; `lead_time_days` from order to receipt."""

    order_no: str
    line: str
    supplier: str
    supplier_name: str | None
    sku: str
    item_name: str | None
    site: str
    uf: str | None
    ordered_on: date | None
    first_promised_on: date | None
    promised_on: date | None
    received_on: date | None
    quantity: float
    received_qty: float | None
    unit_price_brl: float | None
    status: str | None
    lead_time_days: int | None
    days_late: int | None
    in_full: bool | None
    on_time_in_full: bool | None
