"""An analyst's word in the forecast's place: what can be asked for, and what became of it.

Quantities are in units of issue a period, changes fractions of the model's forecast, money in BRL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from math import isfinite
from typing import Literal, get_args

from domain.errors import not_acceptable

Reason = Literal[
    "promotion",
    "outage",
    "project",
    "contract_start",
    "contract_end",
    "data_error",
    "supplier_news",
    "other",
]
State = Literal["in_force", "expired", "ended", "superseded"]
REASONS: tuple[str, ...] = get_args(Reason)
MIN_CHANGE, MAX_CHANGE = -1.0, 5.0
MAX_QUANTITY = 1e9
MAX_NOTE = 500
MAX_POINTS = 100_000
"""Series × periods of one override; more is for the model to say."""


@dataclass(frozen=True)
class Adjustment:
    """What somebody asks for: `quantities` by period of one item at one site, or a `change` of all
    that `sku`, `site`, `family` and `uf` narrow it to, from `date_from` to `date_to` (the whole
    horizon unless given)."""

    sku: str = ""
    site: str = ""
    family: str = ""
    uf: str = ""
    quantities: Mapping[date, float] | None = None
    change: float | None = None
    date_from: date | None = None
    date_to: date | None = None


@dataclass(frozen=True)
class Why:
    """Reason, words, and the last day on which it counts."""

    reason: str
    expires_on: date
    note: str = ""


@dataclass(frozen=True)
class TrackRecord:
    """What past overrides did, over `periods` item-depot-periods that have passed since: WAPE of
    the model's forecast and of what was put in its place. None where nothing was demanded."""

    overrides: int
    periods: int
    model_wape: float | None
    override_wape: float | None


NO_RECORD = TrackRecord(0, 0, None, None)


@dataclass(frozen=True)
class SeriesChange:
    """One item at one site: sums over the periods that are adjusted."""

    sku: str
    item_name: str | None
    unit: str | None
    site: str
    site_name: str | None
    uf: str | None
    before: float
    after: float
    change_brl: float | None


@dataclass(frozen=True)
class Preview:
    """What an adjustment would do; nothing is saved. Totals are over `periods` of `series`, in
    `unit` where all have one; `before` is the model's forecast. `replaces` counts the overrides in
    force that it would take periods from. `passed` counts the periods that are over by the
    calendar, though not by the data. `changes`: the largest ones, by money where it is known."""

    series: int
    periods: int
    points: int
    date_from: date
    date_to: date
    unit: str | None
    before: float
    after: float
    before_brl: float
    after_brl: float
    replaces: int
    changes: list[SeriesChange]
    person: TrackRecord = NO_RECORD
    item: TrackRecord | None = None
    passed: int = 0


@dataclass(frozen=True)
class Override:
    """One that was saved; sums are over the part of it in view, and `before` is what the model said
    then. `state` is in_force, expired, ended or superseded; `applied` says that policy and alerts
    follow it now: False in force means that they are being derived, or its periods have passed.
    `beyond` says that it reaches something out of view, so that others have to end it."""

    id: int
    state: str
    sku: str | None
    item_name: str | None
    site: str | None
    site_name: str | None
    family: str | None
    uf: str | None
    change: float | None
    date_from: date
    date_to: date
    series: int
    points: int
    unit: str | None
    before: float
    after: float
    reason: str
    note: str
    expires_on: date
    created_by: str
    created_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    superseded_by: int | None
    applied: bool
    beyond: bool
    record: TrackRecord = field(default=NO_RECORD)


@dataclass(frozen=True)
class ValueStep:
    """One step from seasonal naive over the model to what people made of it. `over` is `backtest`
    or `overridden` (periods of overrides that have passed); within one, all steps are judged on the
    same `points`. `added` is the WAPE of the step before less this one's: above 0 the step was
    worth it."""

    over: str
    step: str
    series: int
    points: int
    wape: float | None
    added: float | None


def check(asked: Adjustment, horizon: list[date]) -> None:
    """Raises InvalidInput that names each field that is wrong and how to mend it. `horizon`: first
    days of the published periods that still lie ahead."""
    wrong = {**_target(asked), **_amount(asked), **_periods(asked, horizon)}
    _refuse(wrong)


def check_why(why: Why, today: date) -> None:
    """The same of the reason and the expiry; `today` is the calendar's."""
    wrong = {}
    if why.reason not in REASONS:
        wrong["reason"] = f"must be one of {', '.join(REASONS)}"
    if why.reason == "other" and not why.note.strip():
        wrong["note"] = "must say what the reason is, where it is none of the list"
    if len(why.note) > MAX_NOTE:
        wrong["note"] = f"must have at most {MAX_NOTE} characters"
    if why.expires_on <= today:
        wrong["expires_on"] = f"must be after today, {today}"
    _refuse(wrong)


def _target(asked: Adjustment) -> dict[str, str]:
    if asked.quantities is not None:
        missing = [name for name in ("sku", "site") if not getattr(asked, name)]
        more = [name for name in ("family", "uf") if getattr(asked, name)]
        wrong = dict.fromkeys(missing, "must be given: quantities are of one item at one site")
        return wrong | dict.fromkeys(more, "does not go with quantities: leave it out")
    if not any((asked.sku, asked.site, asked.family, asked.uf)):
        return {"sku": "give a sku, a site, a family or a uf: not everything at once"}
    return {}


def _amount(asked: Adjustment) -> dict[str, str]:
    if (asked.quantities is None) == (asked.change is None):
        return {"change": "give either periods with quantities, or a change"}
    if asked.change is not None:
        fits = isfinite(asked.change) and MIN_CHANGE <= asked.change <= MAX_CHANGE
        allowed = f"must be from {MIN_CHANGE:g} (nothing is left) to {MAX_CHANGE:g} (six times)"
        if asked.change == 0:
            return {"change": "must not be 0: nothing would change"}
        return {} if fits else {"change": allowed}
    quantities = asked.quantities or {}
    if not quantities:
        return {"periods": "give at least one period"}
    bad = [
        day for day, one in quantities.items() if not (isfinite(one) and 0 <= one <= MAX_QUANTITY)
    ]
    if bad:
        return {"periods": f"{bad[0]}: the quantity must be from 0 to {MAX_QUANTITY:g}"}
    return {}


def _periods(asked: Adjustment, horizon: list[date]) -> dict[str, str]:
    if not horizon:
        return {"periods": "the published forecast has no period ahead: publish a newer run first"}
    span = f"the published periods ahead start on {horizon[0]} to {horizon[-1]}"
    if asked.quantities is not None:
        bad = sorted(set(asked.quantities) - set(horizon))
        return {"periods": f"{bad[0]} starts no period: {span}"} if bad else {}
    wrong = {}
    for name, day in (("from", asked.date_from), ("to", asked.date_to)):
        if day is not None and not horizon[0] <= day <= horizon[-1]:
            wrong[name] = f"is not in the horizon: {span}"
    if asked.date_from and asked.date_to and asked.date_from > asked.date_to:
        wrong["to"] = "must not be before from"
    if not wrong and not periods_of(asked, horizon):
        wrong["from"] = f"no period starts between from and to: {span}"
    return wrong


def periods_of(asked: Adjustment, horizon: list[date]) -> list[date]:
    """The first days of the periods that are adjusted, in order."""
    if asked.quantities is not None:
        return sorted(asked.quantities)
    first, last = asked.date_from or date.min, asked.date_to or date.max
    return [day for day in horizon if first <= day <= last]


def _refuse(wrong: Mapping[str, str]) -> None:
    if wrong:
        raise not_acceptable(dict(wrong))
