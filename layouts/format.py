"""Numbers, money, rates and dates as the reader's language writes them. Unknown is a dash."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, localcontext

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
)

from domain.clock import BRASILIA
from domain.rounding import NOISE, rounded

UNKNOWN = "—"
COMPACT_FROM = 10_000
LIMIT_DIGITS = 4
CENTS, PRICE_DIGITS = 2, 4
NEARLY_ALL = 0.99
MOST_DAYS_OF_SUPPLY = 3650


def number(value: float | None, locale: str, digits: int = 0) -> str:
    """A quantity with at most `digits` decimals: `1.234,5` in pt_BR."""
    if value is None:
        return UNKNOWN
    pattern = "#,##0" + ("." + "#" * digits if digits else "")
    return format_decimal(rounded(value, digits), format=pattern, locale=locale)


def limit(value: float, locale: str) -> str:
    """The least or the most that a field takes: `0,9999`."""
    return number(value, locale, LIMIT_DIGITS)


def fixed(value: float | None, locale: str, digits: int) -> str:
    """A number with exactly `digits` decimals, for columns that are compared."""
    if value is None:
        return UNKNOWN
    return format_decimal(rounded(value, digits), format=_pattern(digits), locale=locale)


def _pattern(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")


def quantity(value: float | None, locale: str) -> str:
    """Units of issue: no decimals above 100, one below, two below 1."""
    size = abs(value or 0)
    return number(value, locale, 0 if size >= 100 else 1 if size >= 1 else 2)


def supply(days: float | None, locale: str) -> str:
    """Whole days that a stock lasts; ten years and whatever is longer: `> 3.650`."""
    if days is None or rounded(days, 0) <= MOST_DAYS_OF_SUPPLY:
        return number(days, locale)
    return f"> {number(MOST_DAYS_OF_SUPPLY, locale)}"


def compact(value: float | None, locale: str, digits: int = 1) -> str:
    """A large count in short, with at most `digits` decimals: `1,2 mi`."""
    if value is None or abs(value) < COMPACT_FROM:
        return quantity(value, locale)
    return _in_short(value, locale, digits)


def _in_short(value: float, locale: str, digits: int) -> str:
    with localcontext(rounding=ROUND_HALF_UP):
        exact = rounded(value, NOISE)
        return format_compact_decimal(exact, locale=locale, fraction_digits=digits)


def brl(value: float | None, locale: str, digits: int = 0) -> str:
    """Money in BRL: `R$ 1.234`; the sign and its number never part, in any language."""
    return UNKNOWN if value is None else _brl(value, locale, digits, _pattern(digits))


def price(value: float | None, locale: str) -> str:
    """BRL of one unit: cents, below R$ 1 up to four decimals: `R$ 0,0042`."""
    if value is None or abs(value) >= 1:
        return brl(value, locale, CENTS)
    return _brl(value, locale, PRICE_DIGITS, _pattern(CENTS) + "#" * (PRICE_DIGITS - CENTS))


def _brl(value: float, locale: str, digits: int, pattern: str) -> str:
    amount, written = rounded(value, digits), f"¤\u00a0{pattern}"
    return format_currency(amount, "BRL", format=written, locale=locale, currency_digits=False)


def brl_compact(value: float | None, locale: str) -> str:
    """A large amount in short: `R$ 1,2 mi`."""
    if value is None or abs(value) < COMPACT_FROM:
        return brl(value, locale)
    return f"{'-' if value < 0 else ''}R$\u00a0{_in_short(abs(value), locale, 1)}"


def percent(value: float | None, locale: str, digits: int = 1) -> str:
    """A fraction as per cent: 0.123 is `12,3%`."""
    if value is None:
        return UNKNOWN
    share = rounded(value, digits + 2)
    return format_percent(share, format=f"{_pattern(digits)}%", locale=locale)


def signed_percent(value: float | None, locale: str, digits: int = 1) -> str:
    """A change as per cent with its sign: `+3,1%`."""
    sign = "+" if rounded(value or 0, digits + 2) > 0 else ""
    return sign + percent(value, locale, digits)


def points(value: float | None, locale: str, digits: int) -> str:
    """A difference of two shares in percentage points, with its sign: `+0,3 p.p.`"""
    if value is None:
        return UNKNOWN
    sign = "+" if rounded(100 * value, digits) > 0 else ""
    return f"{sign}{fixed(100 * value, locale, digits)}\u00a0p.p."


def share_digits(*shares: float | None) -> int:
    """Decimals that these shares have as per cent: two where one is nearly all."""
    return 2 if any(NEARLY_ALL <= (one or 0) < 1 for one in shares) else 1


def typed_day(value: date, locale: str) -> str:
    """A date as it is typed: `31/01/2026` in pt_BR, `2026-01-31` in English."""
    return day(value, locale) if locale == "pt_BR" else value.isoformat()


def day(value: date | None, locale: str) -> str:
    """A date in figures: `31/01/2026` in pt_BR, `Jan 31, 2026` in English."""
    if value is None:
        return UNKNOWN
    pattern = "dd/MM/yyyy" if locale == "pt_BR" else "MMM d, yyyy"
    return format_date(value, pattern, locale=locale)


def span(first: date | None, last: date | None, locale: str) -> str:
    """From one day to another, or all before or after the one that is named."""
    return " – ".join("" if one is None else day(one, locale) for one in (first, last)).strip()


def iso_day(value: object, locale: str) -> str:
    """A date that a record holds as text, in figures."""
    return day(date.fromisoformat(str(value)), locale)


def short_day(value: date | None, locale: str) -> str:
    """A date without its year: `31 jan.`"""
    if value is None:
        return UNKNOWN
    return format_date(value, "d MMM" if locale == "pt_BR" else "MMM d", locale=locale)


def moment(value: datetime | None, locale: str) -> str:
    """A date and time on Brasília's clock; without a zone, as a file tells it."""
    if value is None:
        return UNKNOWN
    pattern = "dd/MM/yyyy HH:mm" if locale == "pt_BR" else "MMM d, yyyy HH:mm"
    zone = BRASILIA if value.tzinfo else None
    return format_datetime(value, pattern, tzinfo=zone, locale=locale)


def by_unit(value: float | None, unit: str, locale: str, *, short: bool = False) -> str:
    """A KPI's or a receipt's number by its unit: BRL, fraction, days, count or units."""
    if unit == "BRL":
        return brl_compact(value, locale) if short else price(value, locale)
    if unit == "fraction":
        return percent(value, locale, share_digits(value))
    if unit == "days":
        return number(value, locale, 1)
    return compact(value, locale) if short else number(value, locale, 2)


def browser_tag(locale: str) -> str:
    """The language tag that browsers and Plotly know: `pt-BR`."""
    return locale.replace("_", "-")


def separators(locale: str) -> str:
    """Decimal and thousands marks in Plotly's order: `,.` in pt_BR."""
    symbols = Locale.parse(locale).number_symbols["latn"]
    return f"{symbols['decimal']}{symbols['group']}"
