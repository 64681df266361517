"""The calendar that people go by: Brasília's, wherever the machine stands."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime
from zoneinfo import ZoneInfo

BRASILIA = ZoneInfo("America/Sao_Paulo")


def today() -> date:
    """The day that it is in Brasília."""
    return datetime.now(BRASILIA).date()


def day_of(moment: datetime) -> date:
    """The day of a moment in Brasília."""
    return moment.astimezone(BRASILIA).date()


def days_before(day: date, days: int) -> date:
    """So many days before `day`, or the first day that there is."""
    return date.fromordinal(max(1, day.toordinal() - days))


def months_after(day: date, months: int) -> date:
    """The same day so many months later (earlier, when negative, but not before the first month
    that there is); the month's last where it has none of that number."""
    year, month = divmod(max(12, day.year * 12 + day.month - 1 + months), 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def days_since(day: date) -> int:
    """Whole days from `day` to today."""
    return (today() - day).days
