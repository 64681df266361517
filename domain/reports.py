"""Board packs by e-mail: when they are due, how often a failed one is tried again, what is known of
each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.clock import BRASILIA
from domain.errors import BadReport
from domain.records import Filters
from domain.viewer import LOCALES

RHYTHMS = ("daily", "weekdays", "weekly", "monthly")
MONDAY_TO_FRIDAY = range(5)
MEASURES = ("", "brl", "units")
FIRST_WAIT, WAIT_FACTOR = timedelta(minutes=5), 3
MOST_TRIES = 5
"""Tried again after 5, 15, 45 and 135 minutes, then given up."""


@dataclass(frozen=True)
class Schedule:
    """When: `day` is the weekday of a weekly one (0 Monday to 6 Sunday) and the day of the month
    (1 to 28) of a monthly one; `hour` is on Brasília's clock."""

    rhythm: str
    day: int
    hour: int

    def after(self, moment: datetime) -> datetime:
        """The next time that it is due after `moment`, in UTC as `moment` may be in any zone."""
        start = moment.astimezone(BRASILIA).replace(minute=0, second=0, microsecond=0)
        for ahead in range(40):
            due = (start + timedelta(days=ahead)).replace(hour=self.hour)
            if due > moment and self._is_on(due):
                return due.astimezone(UTC)
        raise ValueError(f"{self} is never due")

    def _is_on(self, day: datetime) -> bool:
        if self.rhythm == "weekdays":
            return day.weekday() in MONDAY_TO_FRIDAY
        if self.rhythm == "weekly":
            return day.weekday() == self.day
        return self.rhythm == "daily" or day.day == self.day


@dataclass(frozen=True)
class Wanted:
    """What somebody asks for: whose pack, when, in which language and of which part."""

    user_id: int
    schedule: Schedule
    language: str
    filters: Filters = field(default_factory=Filters)
    measure: str = ""


@dataclass(frozen=True)
class Report:
    """A pack that goes out by e-mail, to the address of its account."""

    report_id: int
    email: str
    user_active: bool
    schedule: Schedule
    language: str
    filters: Filters
    measure: str
    active: bool
    created_by: str
    next_at: datetime


@dataclass(frozen=True)
class Delivery:
    """One sending. `state` is queued (to be sent, or tried again at `next_try_at`), sent, refused
    (by the mail server, for good), failed (given up) or skipped: the account may not have it, or
    the report was stopped. The server's own words are in `message`."""

    delivery_id: int
    email: str
    due_at: datetime
    state: str
    attempts: int
    next_try_at: datetime
    sent_at: datetime | None
    run_id: int | None
    message: str | None


def wait_after(attempts: int) -> timedelta | None:
    """How long until the next try after so many failed ones; None when it is given up."""
    return None if attempts >= MOST_TRIES else FIRST_WAIT * WAIT_FACTOR ** (attempts - 1)


def checked(form: Mapping[str, Sequence[str]]) -> Wanted:
    """What a form asks for. Raises BadReport naming each field that is wrong."""
    wrong: dict[str, str] = {}

    def number(name: str, low: int, high: int) -> int:
        given = next(iter(form.get(name, ())), "")
        if given.isascii() and given.isdigit() and low <= int(given[:9]) <= high:
            return int(given)
        wrong[name] = f"must be from {low} to {high}"
        return low

    def one(name: str, allowed: Sequence[str]) -> str:
        given = next(iter(form.get(name, ())), "")
        if given not in allowed:
            wrong[name] = f"must be one of {', '.join(allowed)}"
        return given

    rhythm = one("rhythm", RHYTHMS)
    weekday, day_of_month = number("weekday", 0, 6), number("day_of_month", 1, 28)
    day = {"weekly": weekday, "monthly": day_of_month}.get(rhythm, 0)
    wanted = Wanted(
        user_id=number("user_id", 1, 2**31 - 1),
        schedule=Schedule(rhythm, day, number("hour", 0, 23)),
        language=one("language", LOCALES),
        filters=Filters(
            region=_texts(form, "region"), uf=_texts(form, "uf"), family=_texts(form, "family")
        ),
        measure=one("measure", MEASURES),
    )
    if wrong:
        told = "; ".join(f"{name} {reason}" for name, reason in wrong.items())
        raise BadReport(f"{told}.", fields=wrong)
    return wanted


def _texts(form: Mapping[str, Sequence[str]], name: str) -> tuple[str, ...]:
    return tuple(one[:200] for one in form.get(name, ()) if one and "\x00" not in one)[:50]
